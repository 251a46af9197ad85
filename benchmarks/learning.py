"""Measure how well and how soon a WaveGAN learnt a set, by log-mel distances of sounds to real clips.

    python benchmarks/learning.py DATA_DIR VERSION_DIR [VERSION_DIR ...] [--name NAME] [--note TEXT]

The versions are, for example, trainings with different seeds. Writes NAME.json and NAME.md into benchmarks/results, and
NAME.png and NAME-curves.png for the first version.

The measure uses the first `SAMPLES` samples of clips that are scaled to one peak. Their power mel spectrograms are in
dB relative to the 99.9th percentile of the real set's values, with a floor at -40 dB. The distance of two clips is the
root mean square difference. `near` is the mean over generated clips of the distance to the nearest real one. `cover` is
the mean over real clips of the distance to the nearest generated one. Without the floor, the digital silence between
sounds would dominate the distance.
"""

import argparse
import json
import shutil
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import machine
import numpy as np
import torch
import torchaudio
from canarygan_wavegan.component import WaveGAN
from numpy.typing import NDArray

from canarygan_core.clips import fit_length
from canarygan_core.datasets.folder import Folder
from canarygan_core.fitted import latents
from canarygan_core.lightning import previews

SAMPLES, FLOOR_DB = 4096, -40.0
GENERATED = 200
RESULTS = Path(__file__).parent / "results"

Audio = NDArray[np.float32]


class LogMelDistance:
    """Distances to a set of real clips.

    Args:
        real: (clips, samples) at 16 kHz, each at the same peak.
        labels: (clips,) classes.
    """

    def __init__(self, real: Audio, labels: NDArray[np.str_]) -> None:
        self.mel = torchaudio.transforms.MelSpectrogram(16000, n_fft=512, hop_length=128, n_mels=40, f_min=300)
        self.labels = labels
        self.reference = float(np.percentile(self._power(real).numpy(), 99.9))
        self.real = self._levels(real)

    def __call__(self, sounds: Audio) -> dict[str, Any]:
        """Compute `near` and `cover` in dB, and how many of the sounds (n, samples) lie nearest to each class."""
        levels = self._levels(sounds)
        distances = torch.cdist(levels, self.real) / levels.shape[1] ** 0.5  # (n, real clips)
        nearest = Counter(self.labels[distances.argmin(1).numpy()].tolist())
        return {
            "near": round(float(distances.min(1).values.mean()), 2),
            "cover": round(float(distances.min(0).values.mean()), 2),
            "classes": len(nearest),
            "nearest": dict(sorted(nearest.items())),
        }

    def _power(self, sounds: Audio) -> torch.Tensor:
        return self.mel(torch.from_numpy(np.ascontiguousarray(fit_length(sounds, SAMPLES))))

    def _levels(self, sounds: Audio) -> torch.Tensor:
        levels = 10 * torch.log10(self._power(sounds) / self.reference + 1e-12)
        return levels.clamp(min=FLOOR_DB).flatten(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("version_dir", type=Path, nargs="+")
    parser.add_argument("--name", default="learning")
    parser.add_argument("--note", default="", help="what else is to be known of how the versions were trained")
    options = parser.parse_args()

    clips = Folder(data_dir=options.data_dir, gain="clip").load()
    real, labels = np.asarray(clips.audio), clips.labels
    assert labels is not None
    measure = LogMelDistance(real, labels)
    rng = np.random.default_rng(0)
    noise = (rng.normal(size=(GENERATED, SAMPLES)) * real[:, :SAMPLES].std()).astype(np.float32)
    halves = np.array_split(rng.permutation(len(real)), 2)
    known = {
        "silence": measure(np.zeros((GENERATED, SAMPLES), np.float32)),
        "white noise of the set's level": measure(noise),
        "one half of the real clips against the other": LogMelDistance(real[halves[0]], labels[halves[0]])(
            real[halves[1]]
        ),
    }
    runs = [followed(folder, measure) for folder in options.version_dir]
    about = machine.described()
    result = {"machine": about, "note": options.note, "known": known, "runs": runs}
    machine.keep(options.name, result, text(options.name, result))
    first = options.version_dir[0]
    sounds = WaveGAN.load(first / "last" / "last.ckpt").generate(latents.draw(32, 3, seed=1))
    picked = fit_length(real[np.linspace(0, len(real) - 1, 32).astype(int)], sounds.shape[1])
    title = "generated from random latents, and real clips of every class"
    sheet = previews.draw_sheet(sounds, picked, clips.rate, title)
    previews.save_image(previews.render(sheet), RESULTS / f"{options.name}.png")
    curves = first.parents[1] / "previews" / first.name / "curves.png"
    shutil.copyfile(curves, RESULTS / f"{options.name}-curves.png")


def followed(folder: Path, measure: LogMelDistance) -> dict[str, Any]:
    """Read the command of a version and score each checkpoint: update, age in seconds, scores."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    began, ended = (datetime.fromisoformat(manifest[key]) for key in ("started", "ended"))
    rows = []
    for path in sorted((folder / "all").glob("*.ckpt"), key=lambda path: path.stat().st_mtime):
        generator = WaveGAN.load(path)
        sounds = generator.generate(latents.draw(GENERATED, generator.latent_dim, seed=1))
        seconds = round(path.stat().st_mtime - began.timestamp())
        clipped = int(((np.abs(sounds) > 0.999).mean(1) > 0.01).sum())
        rows.append({"updates": generator.progress["step"], "s": seconds} | measure(sounds) | {"clipped": clipped})
    data = str(manifest["dataset"]["path"])
    words = ["DATA_DIR" if word == data else Path(word).name for word in manifest["argv"]]
    took = int((ended - began).total_seconds())
    return {"command": " ".join(["canarygan", *words]), "seed": manifest["seed"], "took_s": took, "rows": rows}


def text(name: str, result: dict[str, Any]) -> str:
    """Format the result as Markdown."""
    known, runs, about = result["known"], result["runs"], result["machine"]
    lines = [f"# {name}: how well and how soon", ""]
    lines += [f"- `{run['command']}`, seed {run['seed']}: {run['took_s']} s" for run in runs]
    lines += ["", result["note"]] if result["note"] else []
    lines += ["", "| sounds | after, s | near, dB | cover, dB | classes nearest to some |"]
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    rows = [(label, values) for label, values in known.items()]
    for run in runs:
        rows += [(f"seed {run['seed']}, {row['updates']} updates", row) for row in run["rows"]]
    for label, values in rows:
        cells = [label, values.get("s", ""), values["near"], values["cover"], values["classes"]]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, "", machine.line(about), ""])


if __name__ == "__main__":
    main()
