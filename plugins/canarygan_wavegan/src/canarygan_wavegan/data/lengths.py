"""The network length that holds the sound of the clips, and the classes that a length cuts short."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import find_extent
from canarygan_core.clips import Clips
from canarygan_wavegan.model import STRIDES

FRAME = 64
"""Samples over which energy is summed."""

ENOUGH = 0.995
"""Share of the clips' sound that a length must hold."""

MOST_CLIPS = 2000
"""Clips from which a length is chosen, at most."""

BELOW = 30.0
"""How far under its loudest moment a clip still sounds, when it comes to its end, dB."""

SPARED = 0.05
"""Share of a clip's duration that may be cut off, and share of a class's clips of which more may be, unremarked."""


def compute_energy(audio: NDArray[np.float32]) -> NDArray[np.float64]:
    """Energy of each clip above its background, by frame.

    The background is twice the tenth percentile of a clip's frames. It is taken off everywhere, between onset and
    offset too, so that steady noise between two notes does not outweigh the second one.

    Args:
        audio: (clips, samples).

    Returns:
        (clips, frames) each row summing to 1, or to 0 for a clip without any sound.
    """
    frames = audio.shape[1] // FRAME
    energy = np.square(audio[:, : frames * FRAME], dtype=np.float64).reshape(len(audio), frames, FRAME).sum(-1)
    energy = np.maximum(energy - 2 * np.percentile(energy, 10, axis=1, keepdims=True), 0)
    total = energy.sum(1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(energy, total, out=np.zeros_like(energy), where=total > 0)
    return shares


def compute_shares(clips: Clips) -> dict[int, float]:
    """The share of the clips' sound within each of the lengths that networks can have, samples to 0..1.

    Of more than `MOST_CLIPS` clips, so many count, evenly spread: a training of any size starts as soon.
    """
    rows = np.linspace(0, len(clips) - 1, min(len(clips), MOST_CLIPS)).round().astype(int)
    sums = np.zeros(clips.samples // FRAME)
    for start in range(0, len(rows), 500):
        sums += compute_energy(np.asarray(clips.audio[rows[start : start + 500]])).sum(0)
    cumulative = np.cumsum(sums) / max(sums.sum(), 1e-12)
    return {samples: float(cumulative[min(samples // FRAME, len(cumulative)) - 1]) for samples in STRIDES}


def choose_length(shares: Mapping[int, float]) -> int:
    """The shortest network length that holds `ENOUGH` of the sound, samples, by the shares of `compute_shares`."""
    return next((samples for samples, share in shares.items() if share >= ENOUGH), max(shares))


@dataclass(frozen=True)
class Cut:
    """A class that a length cuts short.

    Attributes:
        label: its name, empty where clips have no labels.
        clips: how many were looked at.
        cut: how many of them lose more than `SPARED` of their duration.
        lost: mean share of their duration that these lose.
        enough: the shortest length that holds the class, samples; None where none does.
    """

    label: str
    clips: int
    cut: int
    lost: float
    enough: int | None

    def __str__(self) -> str:
        name = f"class {self.label}" if self.label else "the set"
        counts = f"{self.cut} of {self.clips} clips ({self.cut / self.clips:.0%})"
        needed = f"{self.enough} hold it" if self.enough else f"not even {max(STRIDES)} hold it"
        return f"{name}: {counts} lose {self.lost:.0%} of their duration on average; {needed}"


def find_cut_classes(clips: Clips, samples: int) -> list[Cut]:
    """The classes of which a length in samples cuts more than `SPARED` of the clips, however few clips they have.

    Energy does not tell: the end of a sound may be quiet, and a rare class weighs little in the whole set. So durations
    count here, of all clips of a class or of `MOST_CLIPS` over the number of classes, evenly spread, and at least 20.
    """
    labels = np.full(len(clips), "") if clips.labels is None else clips.labels
    names = np.unique(labels)
    most = max(MOST_CLIPS // max(len(names), 1), 20)
    found = []
    for name in names:
        rows = np.flatnonzero(labels == name)
        rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), most)).round().astype(int)]
        parts = [find_extent(np.asarray(clips.audio[part]), clips.rate, below=BELOW) for part in _split(rows)]
        onset, offset = (np.concatenate(ends) for ends in zip(*parts, strict=True))
        lost = {length: _lost(onset, offset, length) for length in (*STRIDES, samples)}
        shares = {length: float((values > SPARED).mean()) for length, values in lost.items()}
        if shares[samples] > SPARED:
            cut = lost[samples][lost[samples] > SPARED]
            enough = next((length for length in STRIDES if shares[length] <= SPARED), None)
            found.append(Cut(str(name), len(rows), len(cut), float(cut.mean()), enough))
    return found


def _lost(onset: NDArray[np.intp], offset: NDArray[np.intp], samples: int) -> NDArray[np.float64]:
    """The share of each sound, from onset to offset, that comes after so many samples."""
    return np.asarray(np.clip((offset - samples) / np.maximum(offset - onset, 1), 0, 1))


def _split(rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    return [rows[start : start + 200] for start in range(0, len(rows), 200)]
