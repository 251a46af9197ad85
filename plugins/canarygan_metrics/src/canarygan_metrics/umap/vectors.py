"""Clips as vectors for the map: spectrograms in dB, whose sizes stand only here, reduced to fewer numbers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canarygan_core import CanaryganError
from canarygan_core.audio import resample
from canarygan_core.clips import Clips, fit_length

N_FFT, WINDOW, HOP = 1024, 256, 128
"""Length of the Fourier transform, of its window and of the step between two, samples."""

BATCH = 128
"""Clips turned into spectrograms at a time."""

QUIET = -80.0
"""Level of the loudest bin, dB of a full-scale sine, up to which a clip counts as silence and is not amplified."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Spectrograms:
    """How clips become spectrograms.

    Attributes:
        seconds: length of each clip that is used, from its start; one window at least.
        floor: levels further below the loudest bin are raised to this one, dB.
        rate: sampling rate that clips are resampled to, Hz.
    """

    seconds: float
    floor: float
    rate: int

    @property
    def samples(self) -> int:
        """Samples of a clip that are used."""
        return max(round(self.seconds * self.rate), WINDOW)

    @property
    def shape(self) -> tuple[int, int]:
        """Frames and bins."""
        return 1 + (self.samples - WINDOW) // HOP, N_FFT // 2 + 1

    def of(self, clips: Clips) -> Iterator[Floats]:
        """Spectrograms (at most `BATCH`, frames, bins) of clips of any rate and length, batch by batch.

        Raises:
            CanaryganError: where a clip is not finite.
        """
        needed = self.samples if clips.rate == self.rate else clips.samples
        for part in clips.batches(BATCH):
            audio = np.asarray(part.audio[:, :needed])
            if not np.isfinite(audio).all():
                raise CanaryganError("Some clips hold NaN or infinite samples, and cannot be placed on a map.")
            yield levels(fit_length(resample(audio, clips.rate, self.rate), self.samples), self.floor)


def levels(audio: Floats, floor: float) -> Floats:
    """Power spectrogram in dB below each clip's loudest bin, which does not depend on the clip's level.

    Args:
        audio: (n, samples), at least `WINDOW` of them.
        floor: levels further below the loudest bin are raised to this one, dB.

    Returns:
        (n, frames, bins), from -floor to 0.
    """
    window = np.hanning(WINDOW + 1)[:-1]
    cut = np.lib.stride_tricks.sliding_window_view(audio, WINDOW, axis=1)[:, ::HOP]  # (n, frames, window)
    spectrum = np.fft.rfft(cut * (2 * window / window.sum()), N_FFT)
    level = 10 * np.log10(np.square(spectrum.real) + np.square(spectrum.imag) + 1e-30)
    loudest = np.maximum(level.max((1, 2), keepdims=True), QUIET)
    return np.asarray(np.maximum(level - loudest, -floor), np.float32)


@dataclass(frozen=True, eq=False)
class Reduction:
    """Spectrograms (n, values) to vectors (n, components + 1) with nearly the same distances.

    The first coordinates are principal components, the last is the length of the remainder. So no distance grows, and
    one shrinks only where two remainders differ in direction and not in length. Vectors lie on a grid, much finer than
    any distance and yet so coarse that products of two are exact in float64: a clip's vector and its distances are the
    same to the bit whatever other clips are computed with it.

    Attributes:
        mean: (values,) mean spectrogram, dB.
        basis: (values, components) orthonormal, in half precision.
        step: of the grid, dB.
    """

    mean: Floats
    basis: NDArray[np.float16]
    step: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "_basis", self.basis.astype(np.float64))

    def of(self, spectrograms: Floats) -> Floats:
        """Vectors (n, components + 1) of spectrograms (n, ...)."""
        centred = spectrograms.reshape(len(spectrograms), -1).astype(np.float64) - self.mean
        main = centred @ self._basis  # type: ignore[attr-defined]
        rest = np.sqrt(np.maximum(np.square(centred).sum(1) - np.square(main).sum(1), 0))
        vectors = np.concatenate([main, rest[:, None]], 1)
        return (np.round(vectors / self.step) * self.step).astype(np.float32)

    @classmethod
    def fit(cls, spectrograms: Floats, components: int, floor: float) -> "Reduction":
        """The principal components of spectrograms (n, ...), at most n - 1 of them.

        Args:
            spectrograms: what to fit to.
            components: greatest number of them.
            floor: range of the levels, dB.
        """
        flat = spectrograms.reshape(len(spectrograms), -1)
        mean = flat.mean(0, dtype=np.float64).astype(np.float32)
        centred = flat - mean
        strengths, axes = np.linalg.eigh((centred @ centred.T).astype(np.float64))  # ascending
        keep = np.flatnonzero(strengths > 1e-6 * max(strengths[-1], 1e-12))[::-1][:components]
        basis = centred.T @ (axes[:, keep] / np.sqrt(strengths[keep])).astype(np.float32)
        largest = 2.0 ** np.ceil(np.log2(floor * np.sqrt(flat.shape[1])))  # no vector is longer
        return cls(mean, basis.astype(np.float16), float(largest * 2.0**-24))
