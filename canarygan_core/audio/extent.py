"""What part of a clip sounds."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def find_extent(
    audio: NDArray[np.floating[Any]],
    rate: int,
    *,
    below: float = 40.0,
    background: float | None = 6.0,
    block: float = 0.005,
    step: float | None = None,
    floor: NDArray[np.floating[Any]] | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the sound of each clip starts and ends.

    The power of a clip is averaged over blocks. A block sounds where its power is at most `below` under that of the
    clip's loudest block and at least `background` above that of the clip's background, which is the tenth percentile
    of its blocks, or else `floor`. A clip that sounds all the time has no background: a block within 6 dB of the
    loudest always sounds.
    What is not finite counts as silence.

    Args:
        audio: clips (..., samples).
        rate: sampling rate, Hz.
        below: how far under the loudest block a block still sounds, dB.
        background: how far above the background a block must be, dB; None where the background does not matter.
        block: length of a block, seconds; one sample at least.
        step: from one block to the next, seconds, one sample at least; None is a block. With shorter steps the sound
            starts with the newest step of the first block that sounds, and ends with the oldest step of the last one.
        floor: power of each clip's background where it is known, mean square (...).

    Returns:
        The first sample of each clip's sound (...) and the first after it (...); 0 and 0 where a clip is silent.
    """
    width = max(1, round(block * rate))
    hop = width if step is None else max(1, round(step * rate))
    samples, margin = audio.shape[-1], width - hop
    padding = [*[(0, 0)] * (audio.ndim - 1), (margin + 1, margin + (-samples % hop if samples else hop))]
    square = np.square(np.nan_to_num(audio, posinf=0.0, neginf=0.0), dtype=np.float64)
    total = np.cumsum(np.pad(square, padding), axis=-1)
    power = total[..., width::hop] - total[..., :-width:hop]  # (..., blocks)
    loudest = power.max(-1, keepdims=True, initial=0.0)
    least = loudest * 10 ** (-below / 10)
    if background is not None:
        quiet = np.percentile(power, 10, axis=-1, keepdims=True) if floor is None else width * floor[..., None]
        least = np.maximum(least, np.minimum(quiet * 10 ** (background / 10), loudest / 4))
    sounding = (power >= least) & (loudest > 0)
    onset = sounding.argmax(-1) * hop
    last = sounding.shape[-1] - 1 - sounding[..., ::-1].argmax(-1)
    offset = np.minimum(np.maximum((last + 1) * hop - margin, onset + 1), samples)
    return onset, np.where(sounding.any(-1), offset, 0)
