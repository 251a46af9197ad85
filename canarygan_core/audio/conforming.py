"""What a metric, a decoder, a projector or a classifier hears of a sound: one definition for all ways in."""

from dataclasses import replace

from canarygan_core.audio.filtering import resample
from canarygan_core.clips import Clips, fit_length


def conform(clips: Clips, rate: int, samples: int) -> Clips:
    """Clips at a rate and of a length, as whatever judges them hears them.

    They are resampled, then padded with zeros at the end or cut at the end. Their level stays as it is. Rate and length
    are those of the clips that the judge learnt from, or is to compare with.

    Args:
        clips: of any rate and length.
        rate: Hz.
        samples: length of a clip.
    """
    if (clips.rate, clips.samples) == (rate, samples):
        return clips
    return replace(clips, audio=fit_length(resample(clips.audio, clips.rate, rate), samples), rate=rate)
