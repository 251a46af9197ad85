"""Levels of a sound over time and frequency, coarse and deaf to faint noise: what copies are told by."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from canarygan_core.clips import Clips, fit_length

BANDS, LOW, HIGH = 40, 300.0, 8000.0
"""Mel bands, and the frequencies that they reach from and to, Hz."""

WINDOW, STEP, SECONDS = 0.032, 0.016, 1.0
"""Length of a frame, from one frame to the next, and the part of a sound that is looked at, s."""

UNIT = 0.1
"""A step of the stored levels, dB."""

CHUNK = 32
"""Sounds transformed at a time."""


@dataclass(frozen=True)
class Levels:
    """A listener that keeps of each clip its levels, in steps of `UNIT` above the floor, and no audio."""

    floor: float
    """How far below the loudest level of a sound its levels count, dB."""

    def __call__(self, clips: Clips) -> Clips:
        levels = compute_levels(clips.audio, clips.rate, self.floor)
        return replace(clips, audio=clips.audio[:, :0], facts={"levels": levels}, posteriors={}, latents=None)


def compute_levels(audio: NDArray[np.float32], rate: int, floor: float) -> NDArray[np.uint8]:
    """Levels of sounds (n, samples): (n, frames, bands), in steps of `UNIT` above the floor; 0 of silence.

    The power of Hann frames in triangular mel bands, in dB below the loudest of the sound. So the level of a sound as a
    whole says nothing, and neither does noise that lies lower than the floor in each band.

    Args:
        audio: the sounds; what is not finite counts as silence.
        rate: Hz.
        floor: how far below the loudest level others are raised to, dB.
    """
    size, step = 2 * round(WINDOW * rate / 2), round(STEP * rate)
    frames = 1 + round(SECONDS / STEP)
    window, bank = np.hanning(size).astype(np.float32), _mel_bank(rate, size)
    levels = np.zeros((len(audio), frames, BANDS), np.uint8)
    for start in range(0, len(audio), CHUNK):
        part = np.nan_to_num(
            fit_length(np.asarray(audio[start : start + CHUNK]), (frames - 1) * step), posinf=0, neginf=0
        )
        padded = np.pad(part, ((0, 0), (size // 2, size // 2)))
        spectra = fft.rfft(np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, ::step] * window)
        power = (np.square(spectra.real) + np.square(spectra.imag)) @ bank
        loudest = power.max((1, 2), keepdims=True)
        below = 10 * np.log10(np.maximum(power / np.maximum(loudest, 1e-30), 1e-12))
        levels[start : start + CHUNK] = np.round(np.maximum(below + floor, 0) / UNIT)
    return levels


@lru_cache(maxsize=4)
def _mel_bank(rate: int, size: int) -> NDArray[np.float32]:
    """Weights (bins, bands) of triangular bands that lie evenly on the mel scale (O'Shaughnessy, 1987)."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (LOW, min(HIGH, rate / 2)))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = np.arange(size // 2 + 1)[:, None] * rate / size
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def sounding(levels: NDArray[Any], share: float = 0.01) -> NDArray[np.bool_]:
    """Which frames (frames,) of levels (n, frames, bands) sound in at least this share of the clips, and in one."""
    heard = levels.any(2).mean(0)
    return np.asarray((heard >= share) & (heard > 0))
