"""Measure how time and memory grow with 1,000, 4,000 and 16,000 clips: start of a training, decoding, scoring.

    python benchmarks/growth.py [--clips 1000 4000 16000] [--name growth]

The clips are synthetic, of 1 s and 16 types. They are written as WAV files and read from the cache of decoded clips, as
after the first use of a folder. Memory is the peak of the anonymous pages of a process. Pages of files, such as the
cache, do not count, because the system frees them when it needs to. Writes NAME.json and NAME.md into
benchmarks/results.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import machine

from canarygan_core.datasets.folder import Folder

CORES, TYPES = 2, 16


def watched(words: list[object], until: Callable[[], bool] = lambda: False) -> dict[str, float]:
    """Run `canarygan` with these words: seconds, and peak of anonymous memory, MB; `until` stops the clock."""
    began, memory, took = time.perf_counter(), 0, None
    environment = {**os.environ, "OMP_NUM_THREADS": str(CORES)}
    child = subprocess.Popen([sys.executable, "-m", "canarygan", *map(str, words), "-q"], env=environment)
    while child.poll() is None:
        try:
            with open(f"/proc/{child.pid}/status", encoding="utf-8") as stream:
                told = dict(line.split(":", 1) for line in stream)
            memory = max(memory, int(told.get("RssAnon", "0").split()[0]))
        except (FileNotFoundError, ProcessLookupError):
            break
        if took is None and until():
            took = time.perf_counter() - began
        time.sleep(0.02)
    assert child.wait() == 0, words
    return {"s": took if took is not None else time.perf_counter() - began, "mb": memory / 1024}


def measured(folder: Path, clips: int) -> dict[str, dict[str, float]]:
    """Measure each task with so many clips."""
    data, runs = folder / f"data-{clips}", folder / f"runs-{clips}"
    per_class = -(-clips // TYPES)
    watched(["write-dataset", "-s", data, "--syllables", TYPES, "--per-class", per_class])
    found = {"first_look": watched(["check-data", "-d", data])}
    Folder(data_dir=data).load()  # from here on the clips are in the cache
    table = runs / "logs" / "csv" / "version_0" / "metrics.csv"
    epoch = max(1, round(clips / 48))
    training = ["-d", data, "-s", runs, "--preset", "small", "--max-epochs", max(1, -(-40 // epoch))]
    found["training_to_first_update"] = watched(
        ["train-gan", *training, "--log-every-n-steps", 1],
        lambda: table.is_file() and table.read_text(encoding="utf-8").count("\n") > 1,
    )
    classifier, decoders = folder / "inception", folder / "decoders"
    if not decoders.exists():
        watched(["train-inception", "-d", data, "-s", classifier, "--max-epochs", 2, "--seconds", 0.25])
        watched(["train-decoders", "-d", data, "-s", decoders, "-m", "esn"])
    found["decoding"] = watched(["decode", "-y", decoders, data, "-s", folder / f"labels-{clips}"])
    baseline = ["inception", "baseline", "-m", classifier, "-d", data, "-s", folder / f"scores-{clips}"]
    found["inception_baseline"] = watched(baseline)
    return found


def text(result: dict, told: dict[str, object]) -> str:
    """Format the result as Markdown."""
    counts = list(result["clips"])
    rows = []
    for task in result["clips"][counts[0]]:
        cells = [
            f"{result['clips'][count][task]['s']:.1f} | {result['clips'][count][task]['mb']:.0f}" for count in counts
        ]
        rows.append(f"| {task.replace('_', ' ')} | {' | '.join(cells)} |")
    lines = [
        "# Growth with the number of clips",
        "",
        f"Synthetic clips of 1 s, {CORES} cores; time of a whole command, and its most anonymous memory. The "
        "classifier hears a quarter of a second.",
        "",
        "| task | " + " | ".join(f"{int(count):,} clips, s | MB" for count in counts) + " |",
        "| --- |" + " ---: |" * (2 * len(counts)),
        *rows,
        "",
        machine.line(told),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, nargs="+", default=[1000, 4000, 16000])
    parser.add_argument("--name", default="growth")
    options = parser.parse_args()
    told = machine.described()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CANARYGAN_CACHE"] = str(Path(folder) / "cache")
        clips = {}
        for count in options.clips:
            clips[str(count)] = measured(Path(folder), count)
            print(json.dumps({count: clips[str(count)]}), flush=True)
    result = {"machine": told, "clips": clips}
    machine.keep(options.name, result, text(result, told))


if __name__ == "__main__":
    main()
