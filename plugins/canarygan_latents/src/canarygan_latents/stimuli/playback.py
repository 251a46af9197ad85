"""A sound made ready to be played: cut to what sounds, without offset, ramped at both ends, at one level."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import find_extent
from canarygan_core.clips import fit_length
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_latents.stimuli.options import Playback

EXTENT = 30.0
"""A stimulus ends where it stays so far below its loudest, which is under what generators leave as noise, dB."""

QUIET = 1e-6
"""Root mean square of what sounds below which there is nothing to bring to a level; full scale is 1."""

FULL = 32767 / 32768
"""The largest sample that 16 bits hold."""

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Played:
    """A sound as it is played.

    Attributes:
        sound: (samples,) float32, silence at both ends included; the first and the last sample are zero.
        start: the first sample of the model's sound that is in it.
        gain: by which the model's sound was multiplied, dB.
    """

    sound: NDArray[np.float32]
    start: int
    gain: float


def prepare(sounds: Floats, names: Sequence[str], rate: int, playback: Playback) -> list[Played]:
    """Sounds (n, samples) as they are played.

    A sound's mean is taken out; it is cut to the part that sounds, unless it is to stay whole; it rises and falls as
    half a cosine; and it is brought to the level that all have. This level is that of the part that sounds.

    Args:
        sounds: full scale is 1.
        names: what each is called in errors.
        rate: Hz.
        playback: level, ramp and silence.

    Raises:
        CanaryganError: where a sound is silent, too short for its ramps, or not finite.
        UsageError: where a sound at this level would go beyond full scale.
    """
    centred = sounds - sounds.mean(1, keepdims=True, dtype=np.float64)
    onsets, offsets = find_extent(centred, rate, below=EXTENT, background=None)
    rest = np.zeros(round(playback.silence / 1000 * rate), np.float32)
    played, highest, loudest = [], 0.0, ""
    for sound, name, onset, offset in zip(centred, names, onsets.tolist(), offsets.tolist(), strict=True):
        if not np.isfinite(sound).all():
            raise CanaryganError(f"{name} holds NaN or infinite samples: take an earlier checkpoint.")
        start, stop = (0, len(sound)) if playback.whole else (onset, offset)
        if offset > onset and stop - start < 2 * round(playback.ramp / 1000 * rate):
            length = 1000 * (stop - start) / rate
            raise UsageError(f"{name} lasts {length:.1f} ms, too short for two ramps: give --ramp {length / 4:.2g}.")
        shaped = shape_edges(sound[start:stop], rate, playback.ramp)
        measured = measure_level(shaped[onset - start : offset - start], by_peak=playback.level_by == "peak")
        if measured < QUIET:
            raise CanaryganError(f"{name} is silent: take other latents, or another checkpoint.")
        factor = 10 ** (playback.level / 20) / measured
        if (peak := float(np.abs(shaped).max()) * factor) > highest:
            highest, loudest = peak, name
        levelled = np.concatenate([rest, (shaped * factor).astype(np.float32), rest])
        played.append(Played(levelled, start, float(20 * np.log10(factor))))
    if highest > FULL:
        fits = np.floor(10 * (playback.level - 20 * np.log10(highest / FULL))) / 10
        above = f"{20 * np.log10(highest / FULL):.1f} dB above full scale"
        raise UsageError(f"--level {playback.level:g}: the peak of {loudest} would be {above}. --level {fits:g} fits.")
    return played


class Rehearsal:
    """Sounds as they will be played, for decoders to hear.

    Attributes:
        refusals: why sounds cannot be played, one of each such sound.
    """

    def __init__(self, rate: int, playback: Playback) -> None:
        self.rate, self.playback = rate, replace(playback, silence=0.0)
        self.refusals: list[CanaryganError] = []

    def __call__(self, sounds: NDArray[np.float32]) -> NDArray[np.float32]:
        """Sounds (n, samples) of the same length; one that cannot be played is silent, so that no decoder labels it."""
        heard = np.zeros_like(sounds)
        for row, sound in enumerate(sounds):
            try:
                (played,) = prepare(sound[None], ["a sound"], self.rate, self.playback)
            except CanaryganError as error:
                self.refusals.append(error)
            else:
                heard[row] = fit_length(played.sound[None], sounds.shape[1])[0]
        return heard


def shape_edges(sound: Floats, rate: int, ramp: float) -> NDArray[np.float64]:
    """A sound (samples,) without its mean, that rises from zero and falls to zero over a ramp in milliseconds."""
    count = min(max(1, round(ramp / 1000 * rate)), len(sound) // 2)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(count) / max(count, 1))
    shape = np.ones(len(sound))
    shape[:count], shape[len(sound) - count :] = rise, rise[::-1]
    return np.asarray((sound - sound.mean(dtype=np.float64)) * shape if len(sound) else sound, np.float64)


def measure_level(sound: Floats, *, by_peak: bool = False) -> float:
    """The root mean square of a sound (samples,), or its largest sample; 0 of no samples."""
    if not len(sound):
        return 0.0
    return float(np.abs(sound).max() if by_peak else np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
