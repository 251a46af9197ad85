"""What sounds are like, as a bioacoustician would measure it. Each measure depends on one sound alone.

The sounding part of a sound is what `audio.find_extent` finds, at most 30 dB below its loudest moment. Of this part:

- duration: its length, ms.
- pitch: the fundamental frequency, Hz: the median over frames, spread evenly over it, in which the sound is periodic.
  A frame is periodic where its autocorrelation, freed of that of the window (Boersma, 1993), rises to 0.5 of the energy
  at a lag above 0. Its pitch is the first lag whose peak is nearly as high as the highest (McLeod and Wyvill, 2005).
  NaN where no frame is periodic.
- mean frequency: weighted by power, Hz (Sueur et al., 2008).
- bandwidth: between the frequencies below which 5 % and 95 % of the power lie, Hz (Charif et al., 2010).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from canarygan_core.audio import find_extent
from canarygan_core.fitted.decoders import is_audible

UNITS = {"duration": "ms", "pitch": "Hz", "mean frequency": "Hz", "bandwidth": "Hz"}
"""What is measured, and in what."""

BELOW = 30.0
"""How far below the loudest moment a sound still counts, dB."""

FRAME, FRAMES = 0.02, 8
"""Length of a frame in seconds, and how many a sound has."""

LOWEST, PERIODIC, NEARLY = 200.0, 0.5, 0.9
"""The lowest pitch in Hz, the autocorrelation of a periodic frame, and the share of the highest peak that is enough."""

FINER = 4
"""How many times finer than a sample lags are."""

CHUNK = 500
"""Sounds measured at a time."""

Floats = NDArray[np.floating[Any]]
Measures = dict[str, Floats]


def measure(audio: NDArray[np.float32], rate: int) -> Measures:
    """The measures of sounds (n, samples) at a rate in Hz, each (n,); NaN of what is silent or not finite."""
    measures = {name: np.full(len(audio), np.nan) for name in UNITS}
    for start in range(0, len(audio), CHUNK):
        part = audio[start : start + CHUNK]
        usable = is_audible(part)
        if usable.any():
            for name, values in _measure(np.asarray(part[usable], np.float32), rate).items():
                measures[name][start + np.flatnonzero(usable)] = values
    return measures


def _measure(audio: NDArray[np.float32], rate: int) -> Measures:
    onset, offset = find_extent(audio, rate, below=BELOW, step=0.001)
    size = min(audio.shape[1], round(FRAME * rate))
    share = np.linspace(0, 1, FRAMES)
    first = np.round(onset[:, None] + share * np.maximum(offset - onset - size, 0)[:, None]).astype(int)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(audio, ((0, 0), (0, size))), size, axis=1)
    frames = windows[np.arange(len(audio))[:, None], first]  # (n, FRAMES, size)
    window = np.hanning(size + 2)[1:-1].astype(np.float32)
    power = np.square(np.abs(fft.rfft((frames - frames.mean(-1, keepdims=True)) * window, 2 * size)))
    spectrum = power.sum(1, dtype=np.float64)  # (n, bins)
    total = np.maximum(spectrum.sum(1, keepdims=True), 1e-30)
    frequency = np.arange(spectrum.shape[1]) * rate / (2 * size)
    below = np.cumsum(spectrum, axis=1) / total
    edges = [frequency[np.minimum((below < part).sum(1), len(frequency) - 1)] for part in (0.05, 0.95)]
    return {
        "duration": 1000 * (offset - onset) / rate,
        "pitch": _find_pitch(power, window, rate),
        "mean frequency": spectrum @ frequency / total[:, 0],
        "bandwidth": edges[1] - edges[0],
    }


def _find_pitch(power: Floats, window: Floats, rate: int) -> Floats:
    """The pitch (n,) of the power of frames (n, frames, bins), each from twice as many samples as the window has."""
    size = len(window)
    length = FINER * 2 * size
    most = min(int(FINER * rate / LOWEST), FINER * size * 3 // 4)
    own = fft.irfft(np.square(np.abs(fft.rfft(window, 2 * size))), length)[: most + 2]
    correlation = fft.irfft(power, length, overwrite_x=True)[..., : most + 2] / own
    correlation /= np.maximum(correlation[..., :1], 1e-30)
    inner = correlation[..., 1:-1]
    is_peak = (inner >= correlation[..., :-2]) & (inner > correlation[..., 2:])
    is_peak[..., : 2 * FINER - 1] = False  # no period is shorter than two samples
    peaks = np.where(is_peak, inner, -np.inf)
    highest = peaks.max(-1, keepdims=True, initial=-np.inf)
    lag = 1 + (peaks >= np.maximum(NEARLY * highest, 1e-30)).argmax(-1)
    at = np.take_along_axis(correlation, lag[..., None] + np.arange(-1, 2), -1)
    bend = at[..., 0] - 2 * at[..., 1] + at[..., 2]
    shift = np.divide(at[..., 0] - at[..., 2], 2 * bend, out=np.zeros_like(bend), where=bend < 0)
    pitch = np.where(highest[..., 0] >= PERIODIC, FINER * rate / (lag + np.clip(shift, -0.5, 0.5)), np.nan)
    known = np.isfinite(pitch).any(1)
    result = np.full(len(pitch), np.nan)
    result[known] = np.nanmedian(pitch[known], axis=1)
    return result
