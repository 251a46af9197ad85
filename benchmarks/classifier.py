"""Compare the classifier with a straightforward torch loop in float32: one epoch of training, and scoring.

    python benchmarks/classifier.py [DATA_DIR] [--clips 1600] [--epochs 2]

Both sides learn the same built-in synthetic clips of 16 classes with the same network, batches, learning rate and seed.
The straightforward loop uses spectrograms of torchaudio, `nn.Sequential` and float32. The accuracy is that on a
held-out tenth. The clips of DATA_DIR, if given, are scored too. Each side runs in its own process, one after the other.
Writes classifier.json and classifier.md into benchmarks/results.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import machine
import numpy as np
import torch
import torchaudio
from canarygan_metrics.classifier.classifier import Classifier
from canarygan_metrics.classifier.module import ClassifierModule, Split, TrainingSet
from canarygan_metrics.classifier.options import ClassifierTraining, Learning
from canarygan_metrics.classifier.spectrogram import Spectrogram
from canarygan_metrics.classifier.training import split_rows
from torch import nn

from canarygan_core.audio import NOTHING
from canarygan_core.cli.memory import keep_freed
from canarygan_core.clips import Clips, fit_length
from canarygan_core.datasets.folder import Folder
from canarygan_core.datasets.synthetic import Synthetic
from canarygan_core.lightning import training as shared

CORES, BATCH, SHORT = 2, 64, 4096
STAGES = {
    "scoring": "scoring, sounds that last 1 s",
    "scoring_ending": f"scoring, sounds of {SHORT / 16000} s, then silence",
    "scoring_recorded": "scoring, recorded syllables",
}


class Plain:
    """The straightforward loop."""

    def __init__(self, classes: int) -> None:
        layers: list[nn.Module] = []
        for channels in (1, 128, 128, 128):
            layers += [nn.BatchNorm2d(channels), nn.Conv2d(channels, 128, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
        self.network = nn.Sequential(*layers, nn.BatchNorm2d(128), nn.Flatten(), nn.Linear(128 * 8 * 7, classes))
        self.mel = torchaudio.transforms.MelSpectrogram(16000, 1024, hop_length=128, n_mels=128, f_min=40, f_max=7800)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), Learning.lr, weight_decay=0.01)

    def seen(self, audio: np.ndarray) -> torch.Tensor:
        return torch.log(self.mel(torch.from_numpy(audio)) + 1e-6)[:, None]

    def epoch(self, audio: np.ndarray, targets: torch.Tensor, order: np.ndarray) -> None:
        self.network.train()
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            loss = nn.functional.cross_entropy(self.network(self.seen(audio[rows])), targets[rows])
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()

    def posteriors(self, audio: np.ndarray) -> np.ndarray:
        self.network.eval()
        with torch.no_grad():
            parts = [self.network(self.seen(audio[at : at + 100])).softmax(1) for at in range(0, len(audio), 100)]
        return torch.cat(parts).numpy()


class Ours(ClassifierModule):
    """Our module without a trainer around it."""

    def ready(self) -> "Ours":
        self.optimiser = self.configure_optimizers()
        return self

    def epoch(self, order: np.ndarray) -> None:
        self.network.train()
        for start in range(0, len(order), BATCH):
            logits, targets = self.forward_rows(order[start : start + BATCH])
            self.optimiser.zero_grad()
            nn.functional.cross_entropy(logits, targets).backward()
            self.optimiser.step()


def measured(side: str, count: int, epochs: int, data: Path | None) -> dict[str, float]:
    """Measure one side, `plain` or `ours`: shortest epoch and scoring of a clip, s, and accuracy on held-out clips."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    torch.set_num_threads(CORES)
    clips = Synthetic(per_class=-(-count // 16)).load()
    clips = Clips(padded(np.asarray(clips.audio)), 16000, clips.labels)
    rows = split_rows(clips, Learning(), 0)
    train, test = np.sort(np.concatenate([rows.train, rows.validation])), rows.test
    targets = np.searchsorted(clips.classes, clips.labels)
    ending = clips.select(slice(0, count, 4))  # sounds of a quarter of a second in a second of padding
    sets = {"scoring": clips, "scoring_ending": replace(audio=padded(fit_length(ending.audio, SHORT)))}
    if data is not None:
        recorded = Folder(data_dir=data).load()
        sets["scoring_recorded"] = replace(recorded, audio=padded(recorded.audio))
    orders = [np.random.default_rng(epoch).permutation(train) for epoch in range(epochs)]
    torch.manual_seed(0)
    if side == "plain":
        plain = Plain(len(clips.classes))
        took = [timed(plain.epoch, clips.audio, torch.from_numpy(targets), order)[0] for order in orders]
        heard = {name: timed(plain.posteriors, some.audio) for name, some in sets.items()}
        posteriors = heard["scoring"][1]
    else:
        keep_freed()  # as the command does
        sizes = Spectrogram()
        training_set = TrainingSet(sizes, clips, Split(train, test, test))
        ours = Ours(training_set, Learning(noise=0), ClassifierTraining(batch_size=BATCH)).ready()
        took = [timed(ours.epoch, order)[0] for order in orders]
        heard = {name: timed(judge(ours, sizes, clips).classify, some) for name, some in sets.items()}
        posteriors = heard["scoring"][1][1]
    accuracy = float((posteriors[test].argmax(1) == targets[test]).mean())
    found = {f"{name}_s": took / len(sets[name]) for name, (took, _) in heard.items()}
    return {"epoch_s": min(took), "accuracy": accuracy, "trained_on": len(train), **found}


def padded(audio: np.ndarray) -> np.ndarray:
    """Pad sounds to one second."""
    return np.array(fit_length(audio, 16000))


def judge(module: Ours, sizes: Spectrogram, clips: Clips) -> Classifier:
    """Make the classifier that scores from a module."""
    return Classifier(module.network.eval(), sizes, tuple(clips.classes), (), "", Path(), NOTHING)


def timed(work: Callable[..., Any], *given: Any) -> tuple[float, Any]:
    """Time a function: seconds, and its result."""
    began = time.perf_counter()
    made = work(*given)
    return time.perf_counter() - began, made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path, nargs="?", help="leave out to score synthetic clips alone")
    parser.add_argument("--clips", type=int, default=1600)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--name", default="classifier")
    parser.add_argument("--side", choices=("plain", "ours"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(measured(options.side, options.clips, options.epochs, options.data_dir)))
        return
    about = machine.described()
    sides = {}
    for side in ("plain", "ours"):
        command = [sys.executable, __file__, "--side", side, "--clips", str(options.clips)]
        command += ["--epochs", str(options.epochs), *([str(options.data_dir)] if options.data_dir else [])]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        sides[side] = json.loads(done.stdout.splitlines()[-1])
        print(side, sides[side], flush=True)
    result = {
        "machine": about,
        "load_after": os.getloadavg()[0],
        "bfloat16": shared.uses_bfloat16(ClassifierTraining()),
        "clips": options.clips,
        "trained_on": sides["ours"]["trained_on"],
        "operations_a_clip": operations(Spectrogram()),
        "held_out_accuracy": {side: one["accuracy"] for side, one in sides.items()},
    }
    for stage in ("epoch", *STAGES):
        if f"{stage}_s" not in sides["ours"]:
            continue
        result[f"{stage}_s"] = {side: one[f"{stage}_s"] for side, one in sides.items()}
        result[f"ratio_{stage}"] = sides["plain"][f"{stage}_s"] / sides["ours"][f"{stage}_s"]
    machine.keep(options.name, result, text(result, about))


def operations(sizes: Spectrogram) -> float:
    """Count multiplications and additions of one clip's pass through the convolutions, each as one."""
    rows, columns, count = sizes.n_mels, sizes.frames, 0.0
    for channels in (1, 128, 128, 128):
        count += 2 * 25 * channels * 128 * rows * columns
        rows, columns = rows // 2, columns // 2
    return count


def text(result: dict, told: dict[str, object]) -> str:
    """The result as Markdown."""
    accuracy = result["held_out_accuracy"]
    stages = {"epoch": ("an epoch", result["trained_on"]), **{stage: (told_of, 1) for stage, told_of in STAGES.items()}}
    rows = [
        (name, clips / result[f"{stage}_s"]["plain"], clips / result[f"{stage}_s"]["ours"], result[f"ratio_{stage}"])
        for stage, (name, clips) in stages.items()
        if f"{stage}_s" in result
    ]
    return "\n".join(
        [
            "# The classifier: against a straightforward loop",
            "",
            f"{result['trained_on']} synthetic clips of 1 s and 16 classes to learn from, {result['clips']} to score; "
            f"the same network, batches of {BATCH}. The straightforward loop computes in float32, ours in "
            f"{'bfloat16' if result['bfloat16'] else 'float32'}. Neither hears noise.",
            "",
            "| | straightforward, clips/s | ours, clips/s | ratio |",
            "| --- | ---: | ---: | ---: |",
            *(f"| {name} | {one:.1f} | {other:.1f} | {ratio:.2f} |" for name, one, other, ratio in rows),
            "",
            f"Held-out accuracy after the same epochs: {accuracy['plain']:.3f} and {accuracy['ours']:.3f}.",
            "",
            machine.line(told),
            "",
        ]
    )


if __name__ == "__main__":
    main()
