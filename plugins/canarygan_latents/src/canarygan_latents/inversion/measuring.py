"""How far sounds lie apart: log-mel spectrograms, the error between two, and what noise alone makes of it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.spatial.distance import cdist

AT_ONCE = 1 << 18
"""Samples of which spectra are held at a time."""

BANDS, WINDOW, HOP, DEPTH = 64, 0.032, 0.008, 60.0
"""Mel bands, length and distance of windows in seconds, and dB below a sound's loudest cell that still count."""

QUIET = 0.1
"""Share of a sound's windows, by frequency the quietest ones, that are taken for its background."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Measure:
    """The error between sounds.

    A sound becomes its power in `BANDS` mel bands (O'Shaughnessy, 1987) in Hann windows of 32 ms every 8 ms, in dB.
    Cells more than 60 dB below the loudest one are raised to there. The error of two sounds is the mean over all cells
    of the absolute difference, dB.

    Attributes:
        rate: Hz.
        is_level_free: whether sounds are brought to one level (root mean square) first.
    """

    rate: int
    is_level_free: bool = True

    @cached_property
    def window(self) -> int:
        """Samples of a window, an even number."""
        return 2 * max(2, round(WINDOW * self.rate / 2))

    @cached_property
    def filters(self) -> Floats:
        """Triangles of the mel bands from 0 Hz to half the rate, (bins, BANDS); each bin falls to two bands at most."""
        top = 2595 * np.log10(1 + self.rate / 2 / 700)
        edges = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)  # Hz
        bins = np.arange(self.window // 2 + 1)[:, None] * self.rate / self.window
        rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
        fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
        return np.maximum(0, np.minimum(rise, fall)).astype(np.float32)

    def set_level(self, audio: Floats) -> Floats:
        """Sounds (n, samples) at a root mean square of 1, where the level does not count; silence stays silent."""
        if not self.is_level_free:
            return audio
        return np.asarray(audio / np.maximum(np.sqrt(np.square(audio).mean(1, keepdims=True)), 1e-9), np.float32)

    def compute_powers(self, audio: Floats) -> Floats:
        """Power of sounds (n, samples) in windows, (n, frames, bins); the first is centred on the first sample."""
        half, step = self.window // 2, max(1, round(HOP * self.rate))
        padded = np.pad(audio, ((0, 0), (half, half)))
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.window, axis=1)[:, ::step]
        hann = np.hanning(self.window).astype(np.float32)
        spectra = fft.rfft(np.asarray(frames * (hann / hann.sum()), np.float32))
        return np.asarray(np.square(np.abs(spectra)), np.float32)

    def compute_levels(self, audio: Floats) -> Floats:
        """What sounds (n, samples) are compared by: (n, frames * BANDS), dB."""
        parts = [self.compute_powers(self.set_level(part)) @ self.filters for part in _split(audio)]
        powers = np.concatenate(parts)  # (n, frames, BANDS)
        levels = 10 * np.log10(np.maximum(powers, 1e-12)).reshape(len(audio), -1)
        return np.asarray(np.maximum(levels, levels.max(1, keepdims=True) - DEPTH), np.float32)

    def compare(self, levels: Floats, others: Floats) -> Floats:
        """Errors (n, m) of each of n sounds against each of m others, by their levels, dB."""
        return np.asarray(cdist(levels, others, "cityblock") / levels.shape[1], np.float32)

    def compare_pairs(self, audio: Floats, other: Floats) -> Floats:
        """Errors (n,) of sounds (n, samples) against others, each against the one of its row, dB."""
        levels = (map(self.compute_levels, _split(sounds)) for sounds in (audio, other))
        return np.concatenate([np.abs(one - two).mean(1) for one, two in zip(*levels, strict=True)]).astype(np.float32)

    def compute_noise_floor(self, audio: Floats, seed: int) -> Floats:
        """Errors (n,) between two copies of each of n sounds (n, samples), to which noise is added independently.

        The noise of each copy has half the power of the sound's background, so the copies differ by noise as loud as
        that. The background is, at each frequency, what windows of noise alone would have on average if the quietest
        tenth of the sound's windows were a tenth of theirs: the power of noise is distributed exponentially. An error
        as low as this is as good as another recording of the same. In a clip that is cut close around a syllable the
        quietest windows hold some of it, and the floor is too high. What is before the first sample and after the last
        one that is not zero is left out, and no noise is added there.
        """
        white = fft.rfft(np.random.default_rng(seed).standard_normal((2, audio.shape[1])))
        hann, places = np.hanning(self.window), np.linspace(0, self.window // 2, white.shape[1])
        copies = np.stack([audio, audio])
        for number, sound in enumerate(audio):
            places_of_sound = np.flatnonzero(sound)
            if not len(places_of_sound):
                continue
            start, end = places_of_sound[0], places_of_sound[-1] + 1
            quiet = np.quantile(self.compute_powers(sound[None, start:end])[0], QUIET, axis=0)  # (bins,)
            mean = quiet / -np.log(1 - QUIET)
            density = mean * hann.sum() ** 2 / np.square(hann).sum()  # power of a sample, by frequency
            shape = np.interp(places, np.arange(len(density)), np.sqrt(density / 2))
            copies[:, number, start:end] += fft.irfft(white * shape, len(sound))[:, start:end]
        return self.compare_pairs(*copies)


def _split(audio: Floats) -> list[Floats]:
    """Sounds (n, samples), n at least 1, in parts of about `AT_ONCE` samples."""
    size = max(1, AT_ONCE // audio.shape[1])
    return [audio[start : start + size] for start in range(0, len(audio), size)]
