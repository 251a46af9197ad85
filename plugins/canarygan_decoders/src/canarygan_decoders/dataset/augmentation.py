"""Altered clips: the copies that make a decoder robust, and the conditions under which its accuracy is measured."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import find_extent
from canarygan_core.audio.noise import add_noise
from canarygan_core.clips import Clips

BATCH = 64
"""Clips altered at a time."""

SHIFT = 0.010
"""Largest shift of an altered copy, s."""

SNR = (15.0, 40.0)
"""Lowest and highest signal-to-noise ratio of an altered copy, dB."""


def with_copies(clips: Clips, copies: int, seed: int) -> Iterator[Clips]:
    """The clips and then their altered copies, shifted and under noise, in batches.

    Args:
        clips: (n, samples).
        copies: altered copies of each clip.
        seed: of shifts and noise.
    """
    yield from clips.batches(BATCH)
    for copy in range(copies):
        rng = np.random.default_rng([seed, copy])
        for batch in clips.batches(BATCH):
            altered = [_alter(clip, clips.rate, rng) for clip in np.asarray(batch.audio)]
            yield replace(batch, audio=np.stack(altered))


def _alter(clip: NDArray[np.float32], rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A copy (samples,) shifted by up to `SHIFT`, earlier only as far as silence goes, and under white noise."""
    start = int(find_extent(clip, rate, background=None, block=0.0)[0])
    limit = round(SHIFT * rate)
    shift = int(rng.integers(-min(limit, start), limit + 1))
    shifted = np.roll(clip, shift)
    shifted[slice(shift) if shift >= 0 else slice(shift, None)] = 0
    return add_noise(shifted, rate, rng.uniform(*SNR), rng)


def make_conditions(clips: Clips, seed: int) -> dict[str, Clips]:
    """Held-out clips by condition: `clean` (unaltered), `other-gain` (at the recorded level) and `noise-20dB`."""
    audio = np.asarray(clips.audio)
    gain = clips.facts["gain"][:, None] if "gain" in clips.facts else np.float32(20)
    rng = np.random.default_rng([seed, 20])
    noisy = np.stack([add_noise(clip, clips.rate, 20.0, rng) for clip in audio]) if len(audio) else audio
    return {
        "clean": clips,
        "other-gain": replace(clips, audio=(audio / gain).astype(np.float32)),
        "noise-20dB": replace(clips, audio=noisy),
    }
