"""Sounds brought to one place in time, so that what is told of them does not depend on where they were cut."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import fit_length

PLACE = 0.05
"""Where the onset of an aligned sound lies, seconds."""

RISE = 0.05
"""Share of a sound's energy that has passed at its onset."""

BELOW = 25.0
"""How far under its loudest moment a sound is silenced outside of its extent, dB."""

ABOVE = 4.0
"""Power by which a sound must exceed its background, ratio."""

RANGE = 20.0
"""Power of the loudest moment over that of a moment that is sound even where all of a clip sounds, ratio."""

NEIGHBOUR = 20
"""Longest rest of another sound at an end of a clip, steps."""

DIP = 20.0
"""How far under its loudest moment a sound must fall between such a rest and the clip's own sound, dB."""

STEP, BLOCK = 0.001, 5
"""Power is measured every so many seconds, over so many steps."""

Floats = NDArray[np.floating[Any]]


def align(audio: Floats, rate: int, samples: int | None = None) -> NDArray[np.float32]:
    """Sounds moved so that the onset of each lies at `PLACE`, with zeros outside of what sounds.

    The onset is the moment at which a twentieth of the energy above the background has passed. Unlike the first moment
    that is loud enough, it hardly moves when noise is added: by 0.5 ms on average at a signal-to-noise ratio of 10 dB.
    What lies before the first and after the last moment within `BELOW` of the loudest, and clearly above the
    background, becomes zero. A silent sound, and one that is not finite, stays where it is.

    Args:
        audio: sounds (n, samples).
        rate: sampling rate, Hz.
        samples: length of the results; None is that of the sounds.

    Returns:
        (n, samples), float32. What leaves at an end is lost.
    """
    length = audio.shape[1]
    samples = length if samples is None else samples
    if not length or not len(audio):
        return np.zeros((len(audio), samples), np.float32)
    power, hop = _measure_power(audio, rate)
    _drop_neighbours(power)
    _drop_neighbours(power[:, ::-1])
    background, loudest = _measure_background(power), power.max(1, keepdims=True)
    least = np.minimum(background * ABOVE, loudest / RANGE)
    is_loud = (power >= np.maximum(loudest * 10 ** (-BELOW / 10), least)) & (power > 0)
    onset, start = ((steps - BLOCK // 2) * hop for steps in (_find_onsets(power, background), is_loud.argmax(1)))
    end = (power.shape[1] - is_loud[:, ::-1].argmax(1) - BLOCK // 2) * hop
    start, end = np.clip(start, 0, length), np.clip(end, 0, length)
    shift = np.where(power.any(1), round(PLACE * rate) - onset, 0)
    aligned = np.zeros((len(audio), samples), np.float32)
    for row, sound in enumerate(audio):
        move = int(shift[row])
        first, last = max(int(start[row]), -move), min(int(end[row]), samples - move)
        aligned[row, first + move : max(last, first) + move] = sound[first : max(last, first)]
    return aligned


def _measure_power(audio: Floats, rate: int) -> tuple[NDArray[np.float64], int]:
    """Energy of `BLOCK` steps around each step (n, steps), and the samples in a step; zero where it is not finite.

    The first and the last `BLOCK // 2` steps lie outside of the clip, so that silence around it would change nothing.
    """
    hop = max(1, round(STEP * rate))
    count = -(-audio.shape[1] // hop)
    whole = fit_length(np.asarray(audio, np.float32), count * hop)
    steps = np.reshape(whole, (len(audio), count, hop))
    energy = np.einsum("nsh,nsh->ns", steps, steps).astype(np.float64)
    energy[~np.isfinite(energy).all(1)] = 0
    padded = np.pad(energy, ((0, 0), (BLOCK - 1, BLOCK - 1)))
    # not by differences of running sums, whose rounding depends on where a sound lies
    return np.sum([padded[:, first : first + count + BLOCK - 1] for first in range(BLOCK)], axis=0), hop


def _drop_neighbours(power: NDArray[np.float64]) -> None:
    """Silence, in place, what is left of another sound at the start of each clip (n, steps).

    That is a stretch of at most `NEIGHBOUR` steps from the first that is not silent, which has less energy than the
    rest, and ends where the power falls `DIP` below the loudest moment.
    """
    is_high = power >= power.max(1, keepdims=True) * 10 ** (-DIP / 10)
    sounding, start = (power > 0).argmax(1), is_high.argmax(1)
    for row in np.flatnonzero(is_high.any(1) & (start <= sounding + BLOCK)):
        high = is_high[row]
        end = start[row] + int(high[start[row] :].argmin())
        following = end + int(high[end:].argmax())
        if not start[row] < end < following or end - start[row] > NEIGHBOUR + BLOCK:
            continue
        quietest = end + int(power[row, end:following].argmin())
        if power[row, :quietest].sum() < power[row, quietest:].sum():
            power[row, :quietest] = 0


def _measure_background(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """The tenth percentile of each sound's power (n, steps), (n, 1); of steps that are not silent, such as padding."""
    sounding = np.sort(np.where(power > 0, power, np.inf), axis=1)
    tenth = np.minimum((power > 0).sum(1) // 10, power.shape[1] - 1)
    background = np.take_along_axis(sounding, tenth[:, None], 1)
    return np.where(np.isfinite(background), background, 0)


def _find_onsets(power: NDArray[np.float64], background: NDArray[np.float64]) -> NDArray[np.intp]:
    """The step of each sound's onset (n,), from the power of its steps (n, steps) and its background (n, 1).

    White noise over five steps of a millisecond seldom exceeds its tenth percentile by more than 2 dB, and so much is
    subtracted.
    """
    above = np.maximum(power - 1.6 * background, 0)
    above = np.where(above.any(1, keepdims=True), above, power)
    passed = np.cumsum(above, axis=1)
    return np.asarray((passed >= RISE * passed[:, -1:]).argmax(1))
