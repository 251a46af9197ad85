"""What a listener hears of a sound: rumble, hiss and offsets taken out, once, by whatever way the sound comes in.

Digital silence at the ends of a sound is padding. It stays silent, and a sound is filtered as if it were not padded.
"""

import functools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from canarygan_core.audio.options import NOTHING, Filter
from canarygan_core.clips import Clips
from canarygan_core.console import log

ORDER = 5
"""Order of the filters, each run forwards and then backwards (Pagliarini et al., 2021: 700 Hz, order 5)."""

_PERIODS = 3  # of the lowest cut-off by which a sound is continued at both ends, so that the filter settles there
_FAINT = 1e-15  # what is left of a filter's response in silence, at which arithmetic would become slow

Audio = NDArray[np.float32]


def hear(clips: Clips, wanted: Filter, rate: int | None = None) -> Clips:
    """Clips as a listener hears them: what it wants taken out is taken out, and nothing that is out already.

    Args:
        clips: their origin says what was taken out of them; see `Filter.of`.
        wanted: what the clips that the listener has learnt from had taken out. A low-pass at or above half the rate
            has nothing to do.
        rate: that they are brought to, Hz; None is their own.

    Raises:
        CanaryganError: where the high-pass is at or above half the rate.
    """
    rate = clips.rate if rate is None else rate
    done = Filter.of(clips.origin)
    if missing := replace(done, remove_mean=False).exclude(wanted).flags:
        _warn_missing(missing, wanted.flags)
    rest = wanted.exclude(done)
    if rest == NOTHING and rate == clips.rate:
        return clips
    lowest = min(filter(None, (done.lowpass, wanted.lowpass)), default=None)
    highest = max(filter(None, (done.highpass, wanted.highpass)), default=None)
    both = Filter(highest, lowest, done.remove_mean or wanted.remove_mean)
    origin = clips.origin if rest == NOTHING else {**clips.origin, **both.origin}
    return replace(clips, audio=convert(clips.audio, clips.rate, rate, rest), rate=rate, origin=origin)


def convert(audio: Audio, rate: int, wanted: int, filtering: Filter) -> Audio:
    """Sounds (n, samples) from one rate to another, Hz, with the filter applied; themselves where nothing changes.

    The mean goes first, so that no offset rings at the ends when the rate changes. The cut-offs count at the new rate.
    """
    if filtering.remove_mean:
        audio = remove_mean(audio)
    return apply(resample(audio, rate, wanted), wanted, replace(filtering, remove_mean=False))


def apply(audio: Audio, rate: int, filtering: Filter) -> Audio:
    """Take what a filter names out of sounds (n, samples) at `rate` Hz; those not finite stay as they are.

    Raises:
        CanaryganError: where the high-pass is at or above half the rate.
    """
    if filtering.remove_mean:
        audio = remove_mean(audio)
    lowpass = filtering.lowpass if (filtering.lowpass or math.inf) < rate / 2 else None
    if filtering.highpass is None and lowpass is None:
        return audio
    Filter(filtering.highpass).check_rate(rate)
    from scipy.signal import sosfiltfilt

    sections, lowest = _design(filtering.highpass, lowpass, rate), filtering.highpass or lowpass or 1.0
    result = np.array(audio)
    for sound in result:
        content = sound[find_content(sound)]
        if len(content) > 1 and np.isfinite(content).all():
            ends = min(len(content) - 1, math.ceil(_PERIODS * rate / lowest))
            content[:] = sosfiltfilt(sections, content.astype(np.float64), padlen=ends)
    result[np.abs(result) < _FAINT] = 0
    return result


def remove_mean(audio: Audio) -> Audio:
    """Take its mean out of each sound (n, samples), padding left out; those not finite stay as they are."""
    result = np.array(audio)
    with np.errstate(invalid="ignore", over="ignore"):
        for sound in result:
            content = sound[find_content(sound)]
            mean = content.mean() if len(content) else 0.0
            if math.isfinite(mean):
                content -= mean
    return result


def find_content(sound: Audio) -> slice:
    """What of a sound (samples,) is no padding: from the first sample that is not 0 to the last; none where all are."""
    if len(sound) and sound[0] and sound[-1]:
        return slice(0, len(sound))
    is_loud = sound != 0
    if not is_loud.any():
        return slice(0, 0)
    return slice(int(is_loud.argmax()), len(sound) - int(is_loud[::-1].argmax()))


def resample(audio: Audio, rate: int, wanted: int) -> Audio:
    """Clips (n, samples) brought from one sampling rate to another, Hz; themselves where it is the same."""
    if rate == wanted:
        return audio
    clips = [soxr.resample(np.ascontiguousarray(clip), rate, wanted, quality="HQ") for clip in audio]
    return np.stack(clips) if clips else np.empty((0, round(audio.shape[1] * wanted / rate)), np.float32)


@functools.lru_cache(maxsize=8)
def _design(highpass: float | None, lowpass: float | None, rate: int) -> NDArray[Any]:
    """The second-order sections (sections, 6) of the filters, one after the other."""
    from scipy.signal import butter

    sections = []
    if highpass is not None:
        sections.append(butter(ORDER, highpass, "highpass", fs=rate, output="sos"))
    if lowpass is not None:
        sections.append(butter(ORDER, lowpass, "lowpass", fs=rate, output="sos"))
    return np.vstack(sections)


@functools.lru_cache(maxsize=8)
def _warn_missing(missing: str, wanted: str) -> None:
    """Warn, once, that sounds lack something that a listener has learnt from."""
    learnt = f"clips loaded with{wanted}" if wanted else "clips without it"
    log.warning(f"These clips are loaded with{missing}, and what listens to them has learnt from {learnt}.")
