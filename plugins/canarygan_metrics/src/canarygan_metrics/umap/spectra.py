"""Spectrograms in dB as a projector hears them, and the few numbers that keep the distances between them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_FFT, WINDOW, HOP = 1024, 256, 128
"""Length of the Fourier transform, of its window and of the step between two, samples."""

QUIET = -80.0
"""Level of the loudest bin, dB of a full-scale sine, up to which a clip counts as silence and is not brought up."""

Floats = NDArray[np.float32]


def frames(samples: int) -> int:
    """Frames within a clip of so many samples."""
    return 1 + (samples - WINDOW) // HOP


def levels(audio: Floats, floor: float) -> Floats:
    """Power spectrogram in dB below each clip's loudest bin, so that no level matters.

    Args:
        audio: (n, samples), at least `WINDOW` of them.
        floor: what is further below the loudest bin is brought up to there, dB.

    Returns:
        (n, frames, bins), from -floor to 0.
    """
    window = np.hanning(WINDOW + 1)[:-1]
    cut = np.lib.stride_tricks.sliding_window_view(audio, WINDOW, axis=1)[:, ::HOP]  # (n, frames, window)
    spectrum = np.fft.rfft(cut * (2 * window / window.sum()), N_FFT)
    level = 10 * np.log10(np.square(spectrum.real) + np.square(spectrum.imag) + 1e-30)
    loudest = np.maximum(level.max((1, 2), keepdims=True), QUIET)
    made: Floats = np.maximum(level - loudest, -floor).astype(np.float32)
    return made


@dataclass(frozen=True, eq=False)
class Reduction:
    """Spectrograms (n, values) to vectors (n, components + 1) with nearly the same distances.

    The first coordinates are principal components, the last is the length of what they leave out. So no distance grows,
    and one shrinks only where two spectrograms differ in what the components leave out, in direction and not in length.
    Vectors lie on a grid, fine beside any distance and so coarse that products of two are exact in float64: a clip's
    vector and its distances are the same to the bit whatever other clips are computed with it.

    Attributes:
        mean: (values,) mean spectrogram, dB.
        basis: (values, components) orthonormal, kept in half precision.
        step: of the grid, dB.
    """

    mean: Floats
    basis: NDArray[np.float16]
    step: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "_basis", self.basis.astype(np.float64))

    def of(self, flat: Floats) -> Floats:
        """Vectors (n, components + 1) of spectrograms (n, values)."""
        centred = flat.astype(np.float64) - self.mean
        kept = centred @ self._basis  # type: ignore[attr-defined]
        left = np.sqrt(np.maximum(np.square(centred).sum(1) - np.square(kept).sum(1), 0))
        vectors = np.concatenate([kept, left[:, None]], 1)
        return (np.round(vectors / self.step) * self.step).astype(np.float32)

    @classmethod
    def fitted(cls, flat: Floats, components: int, floor: float) -> "Reduction":
        """The principal components of spectrograms (n, values), at most n - 1 of them.

        Args:
            flat: what to learn from.
            components: how many to keep at most.
            floor: range of the levels, dB.
        """
        mean = flat.mean(0, dtype=np.float64).astype(np.float32)
        centred = flat - mean
        strengths, axes = np.linalg.eigh((centred @ centred.T).astype(np.float64))  # ascending
        keep = np.flatnonzero(strengths > 1e-6 * max(strengths[-1], 1e-12))[::-1][:components]
        basis = centred.T @ (axes[:, keep] / np.sqrt(strengths[keep])).astype(np.float32)
        largest = 2.0 ** np.ceil(np.log2(floor * np.sqrt(flat.shape[1])))  # no vector is longer
        return cls(mean, basis.astype(np.float16), float(largest * 2.0**-24))


def neighbours(asked: Floats, known: Floats, count: int, rows: int = 512) -> tuple[NDArray[np.int32], Floats]:
    """The nearest of the known vectors (m, d) to each asked one (n, d), nearest first, by exact distances.

    Returns:
        Their rows (n, count), the lower first among equally near ones, and their distances (n, count).
    """
    found = np.empty((len(asked), count), np.int32)
    away = np.empty((len(asked), count), np.float32)
    others = known.astype(np.float64)
    lengths = np.square(others).sum(1)
    for start in range(0, len(asked), rows):
        part = asked[start : start + rows].astype(np.float64)
        squared = np.square(part).sum(1)[:, None] + lengths - 2 * (part @ others.T)  # (rows, m)
        near = np.sort(np.argpartition(squared, count - 1, axis=1)[:, :count], axis=1)
        distance = np.take_along_axis(squared, near, 1)
        order = np.argsort(distance, axis=1, kind="stable")
        found[start : start + rows] = np.take_along_axis(near, order, 1)
        away[start : start + rows] = np.sqrt(np.take_along_axis(distance, order, 1))
    return found, away
