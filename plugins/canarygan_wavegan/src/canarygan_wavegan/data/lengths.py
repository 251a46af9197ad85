"""The network length that holds the sound of the clips."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips
from canarygan_wavegan.model import STRIDES

FRAME = 64
"""Samples over which energy is summed."""

ENOUGH = 0.995
"""Share of the clips' sound that a length must hold."""

MOST_CLIPS = 2000
"""Clips from which a length is chosen, at most."""


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
