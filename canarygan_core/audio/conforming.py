"""What a metric, a decoder, a projector or a classifier hears of a sound: one definition for all ways in."""

from dataclasses import dataclass, replace

from canarygan_core.audio.filtering import hear
from canarygan_core.audio.options import NOTHING, Filter
from canarygan_core.clips import Clips, fit_length


@dataclass(frozen=True)
class Hearing:
    """How something hears every sound, whatever way it comes in.

    The mean is taken out, the sound is resampled, then filtered as a whole, then padded with zeros at the end or cut at
    the end. Its level stays as it is. Something hears as the clips are that it learnt from, or compares with.

    Attributes:
        rate: Hz.
        samples: length of a sound.
        filtering: what is taken out of it, the mean included; what is out already is not taken out again.
    """

    rate: int
    samples: int
    filtering: Filter = NOTHING

    @classmethod
    def of(cls, clips: Clips) -> "Hearing":
        """That of something that learns from these clips, or compares with them."""
        return cls(clips.rate, clips.samples, Filter.of(clips.origin))

    @property
    def seconds(self) -> float:
        """Length of a sound."""
        return self.samples / self.rate

    def hear(self, clips: Clips) -> Clips:
        """Clips of any rate and length as they are heard; themselves where nothing changes.

        Raises:
            CanaryganError: where the high-pass is at or above half the rate.
        """
        return _fit(hear(clips, self.filtering, self.rate), self.samples)


def conform(clips: Clips, rate: int, samples: int) -> Clips:
    """Clips at a rate in Hz and of a length, as `Hearing` defines it; what was taken out of them stays so."""
    return _fit(hear(clips, Filter.of(clips.origin), rate), samples)


def _fit(clips: Clips, samples: int) -> Clips:
    return clips if clips.samples == samples else replace(clips, audio=fit_length(clips.audio, samples))
