"""Make all measurements on a GPU in one call: speed against straightforward loops, and a real training.

    python benchmarks/gpu.py DATA_DIR [--batches 64 128] [--minutes 10] [--name gpu]

For each batch this runs the straightforward loop of `training.py` in float32 and in TF32, and then `canarygan
train-gan` in bfloat16. It measures iterations a second, the share of the card's speed in matrix products, the time
spent waiting for clips, peak memory, and the time that the paper's 49,202 generator updates would take. Then it trains
preset `large` on DATA_DIR for so many minutes and measures its distances, curves and inception score. Writes NAME.json,
NAME.md and the pictures of `learning.py` into benchmarks/results.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import machine
import torch
from machine import best
from training import CRITIC_UPDATES, PASSES, operations, plain

PUBLISHED = 49_202
"""Generator updates of Pagliarini et al. (2021)."""

SCRIPT = """
import json, sys
from canarygan_core.cli import main
code = main.main(sys.argv[1:])
import torch
print(json.dumps({"code": code, "peak_gb": torch.cuda.max_memory_allocated() / 2**30}))
"""


def limits(device: str) -> dict[str, float]:
    """Measure tera operations a second of a matrix product, by arithmetic."""
    size, found = (8192 if device == "cuda" else 256), {}
    for name, dtype, tf32 in (
        ("float32", torch.float32, False),
        ("TF32", torch.float32, True),
        ("bfloat16", torch.bfloat16, False),
    ):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        one, other = torch.randn(2, size, size, device=device).to(dtype).unbind()

        def multiplied(one: torch.Tensor = one, other: torch.Tensor = other) -> None:
            for _ in range(10):
                one @ other
            if device == "cuda":
                torch.cuda.synchronize()

        multiplied()
        found[name] = 10 * 2 * size**3 / best(multiplied, 3) / 1e12
    return found


def trained(words: list[object]) -> dict[str, float]:
    """Run `canarygan` with these words, with exit code 0, and return its peak GPU memory, GB."""
    command = [sys.executable, "-c", SCRIPT, *map(str, words), "-q"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    assert found["code"] == 0, words
    return found


def ours(dim: int, batch: int, accelerator: str, updates: int) -> dict[str, float]:
    """Measure iterations a second, share of waiting and peak memory of `train-gan` on synthetic clips."""
    clips = 16 * max(20, CRITIC_UPDATES * batch // 16)
    with tempfile.TemporaryDirectory() as folder:
        words = ["train-gan", "--dim", dim, "--batch-size", batch, "--per-class", clips // 16, "-s", folder]
        words += ["--max-epochs", updates, "--precision", "bf16", "--accelerator", accelerator]
        words += ["--save-every-n-epochs", updates, "--log-every-n-steps", max(1, updates // 4)]
        found = trained(words)
        path = Path(folder) / "logs" / "csv" / "version_0" / "metrics.csv"
        with open(path, encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))[1:]  # the first warms up
    speed = max(float(row["speed/updates_per_second"]) for row in rows)
    waiting = sum(float(row["speed/data_wait_share"]) for row in rows) / len(rows)
    return {"iterations_per_s": speed, "data_wait_share": waiting, "peak_gb": found["peak_gb"]}


def cell(dim: int, batch: int, device: str, updates: int) -> dict[str, Any]:
    """Measure one batch size: both straightforward loops and ours."""
    record: dict[str, Any] = {"dim": dim, "batch": batch, "operations": PASSES * batch * operations(dim, 16384)}
    for name, tf32 in (("float32", False), ("TF32", True)):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        record[name] = 1 / plain(dim, batch, 16384, 3, device)["iteration_s"]
    record["ours"] = ours(dim, batch, "gpu" if device == "cuda" else device, updates)
    print(json.dumps(record), flush=True)
    return record


def real(data: Path, options: argparse.Namespace, speed: float) -> dict[str, Any]:
    """Train preset `large` for about so many minutes, and evaluate it."""
    folder = Path(options.runs or tempfile.mkdtemp())
    epochs = max(2, int(speed * 60 * options.minutes / max(1, round(900 / (64 * CRITIC_UPDATES)))))
    saved = max(1, epochs // 10)
    words = ["--dim", options.dim, "--max-epochs", epochs, "--save-every-n-epochs", saved]
    trained(["train-gan", "-d", data, "-s", folder / "runs", "--preset", "large", *words])
    version = folder / "runs" / "checkpoints" / "version_0"
    here = Path(__file__).parent
    judge = [sys.executable, str(here / "learning.py"), str(data), str(version), "--name", f"{options.name}-paper"]
    subprocess.run(judge, check=True)
    trained(["train-inception", "-d", data, "-s", folder / "inception"])
    score = ["inception", "gan", "-m", folder / "inception", "-x", version / "last" / "last.ckpt", "-n", 5000]
    command = [sys.executable, "-m", "canarygan", *map(str, score), "-s", str(folder / "scores"), "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return {"minutes": options.minutes, "epochs": epochs, "score": found["rows"][-1], "context": found["context"]}


def text(result: dict[str, Any], about: dict[str, object]) -> str:
    """Format the result as Markdown."""
    told = ", ".join(f"{name} {value:.1f}" for name, value in result["limits"].items())
    lines = [
        f"# One GPU: {result['card']}",
        "",
        f"Iterations of {CRITIC_UPDATES} critic updates and one generator update, 16,384 samples. The card alone, tera "
        f"operations a second of matrix products: {told}.",
        "",
        "| d | batch | float32, it/s | TF32, it/s | ours, it/s | against float32 | against TF32 | Top/s | of bfloat16 "
        f"products | waiting for clips | peak memory, GB | {PUBLISHED:,} updates, min |",
        "|" + " ---: |" * 12,
    ]
    for one in result["cells"]:
        mine = one["ours"]["iterations_per_s"]
        rate = one["operations"] * mine / 1e12
        cells = [one["dim"], one["batch"], f"{one['float32']:.2f}", f"{one['TF32']:.2f}", f"{mine:.2f}"]
        cells += [f"**{mine / one['float32']:.2f}**", f"**{mine / one['TF32']:.2f}**", f"{rate:.1f}"]
        cells += [f"{rate / result['limits']['bfloat16']:.0%}", f"{one['ours']['data_wait_share']:.2%}"]
        cells += [f"{one['ours']['peak_gb']:.1f}", f"{PUBLISHED / mine / 60:.0f}"]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    if "real" in result:
        score = result["real"]["score"]
        lines += [
            "",
            f"Preset large for about {result['real']['minutes']:g} minutes: inception score {score['is_mean']:.2f} +- "
            f"{score['is_std']:.2f} of {score['clips']} sounds; real clips "
            f"{result['real']['context']['real']['is_mean']:.2f}.",
        ]
    return "\n".join([*lines, "", machine.line(about), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path, nargs="?", help="leave out to train on nothing real")
    parser.add_argument("--batches", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--runs", help="folder that keeps the real training")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--name", default="gpu")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("There is no GPU here. --device cpu --dim 2 --updates 4 tries the script itself.")
    about = machine.described()
    card = torch.cuda.get_device_name() if options.device == "cuda" else "none"
    result: dict[str, Any] = {"machine": about, "card": card, "limits": limits(options.device)}
    result["cells"] = [cell(options.dim, batch, options.device, options.updates) for batch in options.batches]
    if options.data_dir is not None:
        result["real"] = real(options.data_dir, options, result["cells"][0]["ours"]["iterations_per_s"])
    machine.keep(options.name, result, text(result, about))


if __name__ == "__main__":
    main()
