"""Compare trainings in bfloat16 and in float32, with equal seeds and updates, on real and synthetic clips.

    python benchmarks/precision.py DATA_DIR [--classifier DIR] [--updates 600] [--seeds 3] [--name precision]

All trainings use preset `small` and run side by side, one core each. Each generator is scored by the log-mel distances
of `learning.py` and by the inception score of 1,000 sounds with a classifier of the set. Writes NAME.json and NAME.md
into benchmarks/results.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import machine
import numpy as np
from canarygan_wavegan.component import WaveGAN
from learning import GENERATED, LogMelDistance

from canarygan_core.clips import Clips
from canarygan_core.datasets.folder import Folder
from canarygan_core.fitted import latents

ARITHMETIC = {"float32": "32", "bfloat16": "bf16"}
SCORES = ("near", "cover", "classes", "is")


def told(*words: object) -> dict[str, Any]:
    """Run a command and return its answer for programs."""
    command = [sys.executable, "-m", "canarygan", *map(str, words), "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def trained(data: Path, clips: Clips, runs: Path, precision: str, seed: int, updates: int) -> Path:
    """Train a version for about so many updates and return its folder."""
    preset = WaveGAN.presets["small"]
    epoch = max(1, round(len(clips) / (preset["critic-updates"] * preset["batch-size"])))
    epochs = math.ceil(updates / epoch)
    words = ["--max-epochs", epochs, "--save-every-n-epochs", epochs, "--precision", precision, "--seed", seed]
    told("train-gan", "-d", data, "-s", runs, "--preset", "small", *words)
    return runs / "checkpoints" / "version_0"


def judged(version: Path, measure: LogMelDistance, classifier: Path) -> dict[str, float]:
    """Compute distances and inception score of the sounds of a version."""
    generator = WaveGAN.load(version / "last" / "last.ckpt")
    found = measure(generator.generate(latents.draw(GENERATED, generator.latent_dim, seed=1)))
    where = ["-x", version / "last" / "last.ckpt", "-s", version.parents[1] / "scores"]
    row = told("inception", "gan", "-m", classifier, *where, "--n-samples", 1000)["rows"][0]
    return {name: float(found[name]) for name in ("near", "cover", "classes")} | {"is": row["is_whole"]}


def compared(data: Path, folder: Path, classifier: Path | None, seeds: int, updates: int) -> dict[str, Any]:
    """Collect the scores of each seed by arithmetic, and those of the real clips."""
    clips = Folder(data_dir=data).load()
    assert clips.labels is not None
    measure = LogMelDistance(np.asarray(clips.audio), clips.labels)
    if classifier is None:
        classifier = folder / "inception"
        told("train-inception", "-d", data, "-s", classifier)
    baseline = told("inception", "baseline", "-m", classifier, "-d", data, "-s", folder / "baseline")
    result: dict[str, Any] = {"clips": len(clips), "classes": len(clips.classes), "real_is": baseline["is_whole"]}

    def one(name: str, seed: int) -> dict[str, float]:
        version = trained(data, clips, folder / f"{name}-{seed}", ARITHMETIC[name], seed, updates)
        found = judged(version, measure, classifier)
        print(json.dumps({data.name: {name: found}}), flush=True)
        return found

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = {name: [pool.submit(one, name, seed) for seed in range(seeds)] for name in ARITHMETIC}
        return result | {name: [each.result() for each in these] for name, these in waiting.items()}


def text(result: dict[str, Any], options: argparse.Namespace, about: dict[str, object]) -> str:
    """Format the result as Markdown."""
    lines = [
        "# bfloat16 and float32 with equal seeds and updates",
        "",
        f"Preset small, about {options.updates} generator updates, {options.seeds} seeds: mean and standard deviation. "
        "Distances in dB, smaller is better; inception score of 1,000 sounds, larger is better.",
        "",
        "| clips | arithmetic | near | cover | classes | inception score |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for name, found in result["sets"].items():
        for arithmetic in ARITHMETIC:
            columns = np.array([[row[score] for score in SCORES] for row in found[arithmetic]])
            pairs = zip(columns.mean(0), columns.std(0, ddof=1), strict=True)
            cells = " | ".join(f"{mean:.2f} +- {spread:.2f}" for mean, spread in pairs)
            told_of = f"{name}, {found['clips']} of {found['classes']} classes, real {found['real_is']:.2f}"
            lines.append(f"| {told_of} | {arithmetic} | {cells} |")
    return "\n".join([*lines, "", machine.line(about), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--classifier", type=Path, help="of DATA_DIR, trained before; trained anew where left out")
    parser.add_argument("--updates", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--name", default="precision")
    options = parser.parse_args()
    about = machine.described()
    with tempfile.TemporaryDirectory() as folder:
        synthetic = Path(folder) / "synthetic"
        told("write-dataset", "-s", synthetic, "--syllables", 8, "--per-class", 40)
        sets = {}
        for data, classifier in ((options.data_dir, options.classifier), (synthetic, None)):
            runs = Path(folder) / f"runs-{data.name}"
            sets[data.name] = compared(data, runs, classifier, options.seeds, options.updates)
    result = {"machine": about, "updates": options.updates, "sets": sets}
    machine.keep(options.name, result, text(result, options, about))


if __name__ == "__main__":
    main()
