"""White noise: under sounds, so that what hears them must bear it, and alone, as what no sound should be taken for."""

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips

AUDIBLE = 0.01
"""Level that counts as sound, of a clip's peak."""

MOST = 1000
"""Clips of white noise that stand beside a score, at most."""


def extent(sound: NDArray[np.float32]) -> tuple[int, int]:
    """Where a clip's sound starts and ends, samples; all of it where it is silent."""
    heard = np.flatnonzero(np.abs(sound) > AUDIBLE * np.abs(sound).max())
    return (int(heard[0]), int(heard[-1]) + 1) if len(heard) else (0, len(sound))


def with_noise(sound: NDArray[np.float32], snr: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A sound (samples,) under white noise, so many dB below the sound's mean power from its start to its end."""
    start, end = extent(sound)
    power = float(np.mean(np.square(sound[start:end], dtype=np.float64)))
    noise = rng.standard_normal(len(sound), np.float32)
    return sound + noise * np.float32(np.sqrt(power * 10 ** (-snr / 10)))


def white_noise(like: Clips, seed: int) -> Clips:
    """White noise, as many clips as there are of `like` but at most `MOST`, as long and brought to the same peak."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((min(len(like), MOST), like.samples), np.float32)
    peak = np.mean([np.abs(batch.audio).max(1).mean() for batch in like.batches(100)])
    return Clips(
        noise * (np.float32(peak) / np.abs(noise).max(1, keepdims=True)), like.rate, origin={"dataset": "noise"}
    )
