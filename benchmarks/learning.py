"""How well a WaveGAN has learnt a set: log-mel distances of generated to real clips, and those of known sounds.

    python benchmarks/learning.py VERSION_DIR DATA_DIR [--name NAME]

Writes NAME.json, NAME.md and NAME.png into benchmarks/results.

The measure, over the first `SAMPLES` samples of clips brought to one peak: power mel spectrograms in dB against the
99.9th percentile of the real set's values, floored at -40 dB; the distance of two clips is the root mean square
difference. `near` is the mean over generated clips of the distance to the nearest real one, `cover` the mean over real
clips of the distance to the nearest generated one. Without the floor one would measure how digital the silence is.
"""

import argparse
import json
import platform
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchaudio
from canarygan_wavegan import previews
from canarygan_wavegan.component import WaveGAN
from numpy.typing import NDArray

from canarygan_core import latents
from canarygan_core.clips import fit_length
from canarygan_core.datasets.folder import Folder

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
        """`near` and `cover` in dB, and how many sounds (n, samples) lie nearest to each class."""
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
    parser.add_argument("version_dir", type=Path)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--name", default="learning")
    options = parser.parse_args()

    clips = Folder(data_dir=options.data_dir, gain="clip").load()
    real, labels = np.asarray(clips.audio), clips.labels
    assert labels is not None
    measure = LogMelDistance(real, labels)
    rng = np.random.default_rng(0)
    noise = (rng.normal(size=(GENERATED, SAMPLES)) * real[:, :SAMPLES].std()).astype(np.float32)
    halves = np.array_split(rng.permutation(len(real)), 2)
    table = {
        "silence": measure(np.zeros((GENERATED, SAMPLES), np.float32)),
        "white noise of the set's level": measure(noise),
        "one half of the real clips against the other": LogMelDistance(real[halves[0]], labels[halves[0]])(
            real[halves[1]]
        ),
    }
    sounds = np.zeros((0, SAMPLES), np.float32)
    z = latents.draw(GENERATED, 3, seed=1)
    checkpoints = [WaveGAN.load(path) for path in (options.version_dir / "all").glob("*.ckpt")]
    for generator in sorted(checkpoints, key=lambda one: one.progress["step"]):
        sounds = generator.generate(z)
        row = f"generated after {generator.progress['step']} updates"
        peaks = np.abs(sounds).max(1)
        table[row] = measure(sounds) | {
            "peak": [round(float(q), 3) for q in np.quantile(peaks, [0, 0.5, 1])],
            "clipped": int(((np.abs(sounds) > 0.999).mean(1) > 0.01).sum()),
        }
    write(options.name, table, manifest=json.loads((options.version_dir / "manifest.json").read_text()))
    picked = real[np.linspace(0, len(real) - 1, 32).astype(int), :SAMPLES]
    sheet = previews.sheet(
        sounds[:32], picked, clips.rate, "generated from random latents, and real clips of every class"
    )
    previews.save(previews.pixels(sheet), RESULTS / f"{options.name}.png")


def write(name: str, table: dict[str, dict[str, Any]], manifest: dict[str, Any]) -> None:
    """The table as JSON and as Markdown, with what it was measured on."""
    from datetime import datetime

    began, ended = (datetime.fromisoformat(manifest[key]) for key in ("started", "ended"))
    facts = {
        "training": " ".join(["canarygan", *manifest["argv"]]).replace(str(manifest["dataset"]["path"]), "DATA_DIR"),
        "training took, s": int((ended - began).total_seconds()),
        "processor": platform.machine() + ", " + torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "versions": {name: version(name) for name in ("torch", "lightning", "canarygan-wavegan")},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({"facts": facts, "rows": table}, indent=2) + "\n")
    lines = [f"# {name}", "", *(f"- {key}: {value}" for key, value in facts.items()), ""]
    lines += ["| sounds | near, dB | cover, dB | classes nearest to some |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {row} | {values['near']} | {values['cover']} | {values['classes']} |" for row, values in table.items()
    ]
    (RESULTS / f"{name}.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
