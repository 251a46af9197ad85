"""The trained classifier: loaded from its checkpoint, and applied to clips."""

import dataclasses
import functools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from canarygan_core import CanaryganError, runs
from canarygan_core.audio import Filter, hear
from canarygan_core.clips import Clips
from canarygan_core.errors import UsageError
from canarygan_core.fitted import generators
from canarygan_core.lightning import checkpoints
from canarygan_core.lightning.training import Training, uses_bfloat16
from canarygan_core.runs import files
from canarygan_core.runs.documents import Format
from canarygan_metrics.classifier.network import CHANNELS, Network
from canarygan_metrics.classifier.silence import SilenceShortcut
from canarygan_metrics.classifier.spectrogram import Spectrogram

log = logging.getLogger("canarygan")

Features = tuple[NDArray[np.float32], NDArray[np.float32]]

SCHEMA = 2
"""Version of what a classifier's checkpoint holds under `inception`; since 2 its spectrogram says whether it aligns."""

SPECTROGRAM = Format(
    "the sizes of spectrograms",
    {"rate": int, "samples": int, "n_fft": int, "hop_length": int, "n_mels": int, "fmin": float, "fmax": float},
    {"scale": str, "align": bool},
)

RECORD = Format(
    "the record of a classifier",
    {"schema": int, "spectrogram": SPECTROGRAM, "classes": list[str], "held_out": list[str]},
    {"filter": dict},
    schema=SCHEMA,
)
"""What a classifier's checkpoint holds under `inception`."""

CHUNK = 64
"""Clips whose spectrograms are made at a time."""

SORTED = 512
"""Clips that are sorted by where they end, so that those computed together end together."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained network and what is needed to use it.

    Attributes:
        network: in evaluation mode, on its device.
        sizes: of the spectrograms that it takes.
        classes: labels in the order of the posteriors' columns.
        held_out: sources of the clips that it was neither trained nor chosen on.
        digest: of its checkpoint's file.
        path: the checkpoint.
        filtering: what the clips that it was trained on had taken out, and so is taken out of what it hears.
    """

    network: Network
    sizes: Spectrogram
    classes: tuple[str, ...]
    held_out: tuple[str, ...]
    digest: str
    path: Path
    filtering: Filter

    def classify(self, clips: Clips) -> Features:
        """Embeddings (n, 128) and posteriors (n, classes) of clips of any rate and length, heard filtered.

        Raises:
            CanaryganError: where sounds hold NaN or infinite samples.
        """
        embeddings = np.empty((len(clips), CHANNELS), np.float32)
        posteriors = np.empty((len(clips), len(self.classes)), np.float32)
        at = 0
        for batch in clips.batches(SORTED):
            _check_finite(batch)
            batch = hear(batch, self.filtering)
            rows = slice(at, at + len(batch))
            spectrograms = torch.cat([self.sizes.of(part) for part in batch.batches(CHUNK)])
            embeddings[rows], posteriors[rows] = self.classify_spectrograms(spectrograms)
            at += len(batch)
        return embeddings, posteriors

    def classify_spectrograms(self, spectrograms: torch.Tensor) -> Features:
        """Embeddings and posteriors of spectrograms (n, bands, frames)."""
        device = next(self.network.parameters()).device
        fast = uses_bfloat16(Training(accelerator="cpu" if device.type == "cpu" else "auto"))
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=fast):
            embedding, logits = self.shortcut(spectrograms.to(device))
        return embedding.cpu().numpy(), logits.softmax(1).cpu().numpy()

    @functools.cached_property
    def shortcut(self) -> SilenceShortcut:
        """The network with its shortcut for silence, in the arithmetic of its first use."""
        return SilenceShortcut(self.network, self.sizes.n_mels, self.sizes.frames)

    def check_classes(self, labels: list[str]) -> None:
        """Raise `CanaryganError` where there are labels that are not among its classes."""
        unknown = sorted(set(labels) - set(self.classes))
        if unknown:
            known = _join(self.classes)
            raise CanaryganError(f"{self.path} does not know {_join(unknown)}; it knows {known}: train another.")


def _join(labels: Sequence[str], shown: int = 20) -> str:
    return ", ".join(labels[:shown]) + (f" and {len(labels) - shown} more" if len(labels) > shown else "")


def _check_finite(clips: Clips) -> None:
    broken = np.flatnonzero(~np.isfinite(clips.audio).all(1))
    if len(broken):
        where = f", such as {clips.sources[broken[0]]}" if clips.sources is not None else ""
        count = f"{len(broken)} of {len(clips)} sounds"
        raise CanaryganError(f"{count} hold NaN or infinite samples{where}: omit them, or take an earlier checkpoint.")


def load(path: Path, device: str = "cpu") -> Classifier:
    """The classifier in a checkpoint, or the best one in a folder; runs no code from it.

    Raises:
        CanaryganError: where the file is missing, damaged, or holds no classifier.
    """
    path = runs.find_checkpoint(path, best=True)
    content, digest = files.read_with_digest(path, checkpoints.read)
    if not isinstance(content.get("inception"), Mapping):
        keys = ", ".join(sorted(map(str, content)))
        raise CanaryganError(f"{path} is a checkpoint of no classifier of train-inception; it holds {keys}.")
    record = RECORD.check(content["inception"], path)
    filtering, classes = Filter.of(record), tuple(record["classes"])
    try:
        sizes = Spectrogram(**{"align": False, **record["spectrogram"]})
    except (TypeError, ValueError) as error:
        raise CanaryganError(f"{path} does not hold what a classifier's checkpoint does ({error}).") from None
    weights = checkpoints.take_weights(path, content, "network.")
    network = checkpoints.load_weights(path, lambda: Network(sizes.n_mels, sizes.frames, len(classes)), weights)
    try:
        network = network.eval().to(device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"Cannot use {path} on the device {device}: {str(error).splitlines()[0]}") from None
    return Classifier(network, sizes, classes, tuple(record["held_out"]), digest, path, filtering)


def describe(sizes: Spectrogram, clips: Clips, held_out: list[str]) -> dict[str, Any]:
    """The record of a classifier in its checkpoint, under `inception`: of its clips, the classes and the filter."""
    known = {"schema": SCHEMA, "spectrogram": dataclasses.asdict(sizes), "classes": clips.classes}
    return known | {"held_out": held_out} | Filter.of(clips.origin).origin


@dataclass(frozen=True)
class ClassifierListener:
    """The listener of metrics of the classifier: it keeps embeddings and posteriors of clips in place of their sounds.

    Attributes:
        model_ckpt: the checkpoint, or a folder of some.
        device: where to compute; `auto` is a GPU where there is one.
    """

    model_ckpt: Path
    device: str = "auto"

    @property
    def classifier(self) -> Classifier:
        """The classifier, loaded once and cached."""
        path = runs.find_checkpoint(self.model_ckpt, best=True)
        return _loaded(path, path.stat().st_mtime_ns, generators.choose_device(self.device, 0))

    def __call__(self, clips: Clips) -> Clips:
        classifier = self.classifier
        embeddings, posteriors = classifier.classify(clips)
        names = {"classes": list(classifier.classes), "held_out": list(classifier.held_out)}
        return replace(
            clips,
            audio=np.empty((len(clips), 0), np.float32),
            facts={**clips.facts, "embedding": embeddings},
            posteriors={**clips.posteriors, "inception": posteriors},
            origin={**clips.origin, **names, "classifier": classifier.digest},
        )


@functools.lru_cache(maxsize=2)
def _loaded(path: Path, changed: int, device: str) -> Classifier:
    return load(path, device)
