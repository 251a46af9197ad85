"""White noise under sounds, so that what learns from them must bear it; and alone, as what is no sound of any class."""

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio.extent import find_extent
from canarygan_core.clips import Clips

MOST = 1000
"""Clips of white noise that stand beside a score, at most."""


def add_noise(sound: NDArray[np.float32], rate: int, snr: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A sound (samples,) at `rate` Hz under white noise.

    The noise is `snr` dB below the sound's mean power, from the first to the last sample within 40 dB of its peak. A
    silent sound gets none.
    """
    start, end = find_extent(sound, rate, background=None, block=0.0)
    power = np.sum(np.square(sound[start:end], dtype=np.float64)) / max(end - start, 1)
    noise = rng.standard_normal(len(sound), np.float32)
    return sound + noise * np.float32(np.sqrt(power * 10 ** (-snr / 10)))


def draw_white_noise(like: Clips, seed: int) -> Clips:
    """White noise, as many clips as there are of `like` but at most `MOST`, as long and brought to the same peak."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((min(len(like), MOST), like.samples), np.float32)
    peak = np.mean([np.abs(batch.audio).max(1).mean() for batch in like.batches(100)])
    noise *= np.float32(peak) / np.abs(noise).max(1, keepdims=True)
    return Clips(noise, like.rate, origin={"dataset": "noise"})
