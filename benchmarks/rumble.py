"""Train on clips with and without rumble, and with the rumble taken out: what does --highpass mend?

    python benchmarks/rumble.py DATA_DIR [--work FOLDER]

`CLIPS` clips of the set, evenly chosen, are written anew, clean and with noise below `BELOW` Hz added from their start
to their end, which makes `SHARE` of a clip's energy. Preset small learns each for `UPDATES` updates with three seeds:
the clean clips, the noisy ones, and the noisy ones with --highpass. The sounds of each are compared with the clean
clips, loaded with the same option, by the measure of learning.py. Writes rumble.json and rumble.md into
benchmarks/results. A training that is in the folder and finished is not run again.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import learning
import machine
import numpy as np
from canarygan_wavegan.component import WaveGAN

from canarygan_core import audio
from canarygan_core.datasets.folder import Folder
from canarygan_core.fitted import latents

CLIPS, UPDATES, SEEDS = 300, 600, (0, 1, 2)
BELOW, SHARE = 300.0, 0.75
CONDITIONS = {
    "clean": ("clean", []),
    "noisy": ("noisy", []),
    "noisy, --highpass 500": ("noisy", ["--highpass", "500"]),
}
"""By condition, the set and the options of its training."""


def add_rumble(sound: learning.Audio, rate: int, rng: np.random.Generator) -> learning.Audio:
    """Add noise below `BELOW` Hz to a sound (samples,), so that it makes `SHARE` of the energy."""
    spectrum = np.fft.rfft(rng.standard_normal(len(sound)))
    spectrum[np.fft.rfftfreq(len(sound), 1 / rate) >= BELOW] = 0
    noise = np.fft.irfft(spectrum, len(sound))
    wanted = np.square(sound).sum() * SHARE / (1 - SHARE)
    return np.asarray(sound + noise * np.sqrt(wanted / np.square(noise).sum()), np.float32)


def write_sets(data_dir: Path, folder: Path) -> None:
    """Write the sets clean and noisy into a folder, at half of full scale at most."""
    clips = Folder(data_dir=data_dir, gain="none").load()
    rng = np.random.default_rng(0)
    assert clips.labels is not None
    for row in np.linspace(0, len(clips) - 1, CLIPS).round().astype(int):
        sound = np.array(clips.audio[row])
        for name, one in (("clean", sound), ("noisy", add_rumble(sound, clips.rate, rng))):
            path = folder / name / str(clips.labels[row]) / f"{row:04d}.wav"
            audio.write(path, 0.5 * one / np.abs(one).max(), clips.rate)


def train(folder: Path, name: str, options: list[str], seed: int) -> Path:
    """Train preset small on a set of the folder; returns the last checkpoint."""
    runs = folder / "runs" / "-".join([name, *(word.strip("-") for word in options)])
    version = runs / "checkpoints" / f"version_{seed}"
    manifest = version / "manifest.json"
    if not manifest.is_file() or json.loads(manifest.read_text(encoding="utf-8"))["status"] != "finished":
        shutil.rmtree(version, ignore_errors=True)
        per_epoch = CLIPS // (8 * 3)
        epochs = ["--max-epochs", str(-(-UPDATES // per_epoch)), "--save-every-n-epochs", "1000"]
        words = ["train-gan", "-d", str(folder / name), "-s", str(runs), "--preset", "small", "--version", str(seed)]
        command = [sys.executable, "-m", "canarygan_core", *words, "--seed", str(seed), *epochs, *options]
        subprocess.run(command, check=True)
    return version / "last" / "last.ckpt"


def measure(folder: Path) -> list[dict[str, Any]]:
    """Train every condition with every seed, and compare its sounds with the clean clips."""
    rows = []
    for condition, (name, options) in CONDITIONS.items():
        clean = Folder(data_dir=folder / "clean", highpass=float(options[1]) if options else None).load()
        assert clean.labels is not None
        distance = learning.LogMelDistance(np.asarray(clean.audio), clean.labels)
        for seed in SEEDS:
            generator = WaveGAN.load(train(folder, name, options, seed))
            sounds = generator.generate(latents.draw(learning.GENERATED, generator.latent_dim, seed=1))
            found = distance(sounds)
            row = {"condition": condition, "seed": seed, "updates": generator.progress["step"]}
            row |= {"samples": generator.samples, **{key: found[key] for key in ("near", "cover", "classes")}}
            rows.append(row)
            print(json.dumps(row), flush=True)
    return rows


def text(result: dict[str, Any]) -> str:
    """Format the result as Markdown."""
    lines = ["# Rumble: what --highpass mends", ""]
    lines += [
        f"{CLIPS} clips; noise below {BELOW:g} Hz makes {SHARE:.0%} of the energy of the noisy ones. Preset small,",
        f"{UPDATES} updates, seeds {', '.join(map(str, SEEDS))}. The length is that",
        "of `--slice-len auto`. Distances to the clean clips, loaded with the same option, and how many classes are",
        "nearest to some sound.",
        "",
        "| clips | seed | samples | near, dB | cover, dB | classes |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for condition in CONDITIONS:
        rows = [row for row in result["rows"] if row["condition"] == condition]
        for row in rows:
            cells = [condition, *(row[key] for key in ("seed", "samples", "near", "cover", "classes"))]
            lines.append(f"| {' | '.join(map(str, cells))} |")
        near, cover, classes = (np.mean([row[key] for row in rows]) for key in ("near", "cover", "classes"))
        lines.append(f"| {condition} | mean | | {near:.2f} | {cover:.2f} | {classes:.1f} |")
    return "\n".join([*lines, "", machine.line(result["machine"]), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--work", type=Path, help="folder of the sets and the trainings, which is kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.work or Path(temporary)
        if not (folder / "noisy").is_dir():
            write_sets(options.data_dir, folder)
        about = machine.described()
        result = {"machine": about, "rows": measure(folder)}
    machine.keep("rumble", result, text(result))


if __name__ == "__main__":
    main()
