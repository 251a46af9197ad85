"""Altered clips: the copies that make a decoder robust, and the conditions under which its accuracy is measured."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import Filter, find_extent
from canarygan_core.audio.noise import add_noise, alter
from canarygan_core.clips import Clips

Audio = NDArray[np.float32]

BATCH = 64
"""Clips altered at a time."""

SHIFT = 0.010
"""Largest shift of an altered copy, s."""

LATER = 0.020
"""Shift of the clips of the condition `later-20ms`, s."""


def iterate_copies(clips: Clips, copies: int, seed: int) -> Iterator[Clips]:
    """Altered copies of all clips, then other copies of all, and so on, in batches.

    They are shifted, and altered as `canarygan_core.audio.noise.alter` does it, with noise filtered like the clips.

    Args:
        clips: (n, samples).
        copies: altered copies of each clip.
        seed: of shifts and noise.
    """
    filtering = Filter.of(clips.origin)
    for copy in range(copies):
        rng = np.random.default_rng([seed, copy])
        for batch in clips.batches(BATCH):
            shifted = np.stack([_shift(clip, clips.rate, rng) for clip in np.asarray(batch.audio)])
            yield replace(batch, audio=alter(shifted, clips.rate, rng, filtering))


def _shift(clip: Audio, rate: int, rng: np.random.Generator) -> Audio:
    """A copy (samples,) shifted by up to `SHIFT`, earlier only as far as silence goes."""
    start = int(find_extent(clip, rate, background=None, block=0.0)[0])
    limit = round(SHIFT * rate)
    return move(clip, int(rng.integers(-min(limit, start), limit + 1)))


def move(clip: Audio, shift: int) -> Audio:
    """A clip (samples,) so many samples later, or earlier where the number is negative, with zeros where it was."""
    shifted = np.roll(clip, shift)
    shifted[slice(shift) if shift >= 0 else slice(shift, None)] = 0
    return shifted


def make_conditions(clips: Clips, seed: int) -> dict[str, Clips]:
    """Held-out clips by condition.

    `clean` is unaltered, `other-gain` at the recorded level, `noise-20dB` under white noise that is filtered like the
    clips, and `later-20ms` cut 20 ms earlier, so that the sound starts later.
    """
    audio = np.asarray(clips.audio)
    gain = clips.facts["gain"][:, None] if "gain" in clips.facts else np.float32(20)
    rng = np.random.default_rng([seed, 20])
    noisy = [add_noise(clip, clips.rate, 20.0, rng, Filter.of(clips.origin)) for clip in audio]
    later = np.stack([move(clip, round(LATER * clips.rate)) for clip in audio]) if len(audio) else audio
    return {
        "clean": clips,
        "other-gain": replace(clips, audio=(audio / gain).astype(np.float32)),
        "noise-20dB": replace(clips, audio=np.stack(noisy) if noisy else audio),
        "later-20ms": replace(clips, audio=later),
    }
