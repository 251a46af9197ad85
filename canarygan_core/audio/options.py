"""The options of what is taken out of a sound before anything hears it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from canarygan_core.errors import CanaryganError


@dataclass(frozen=True)
class Filter:
    """What is taken out of a sound before anything hears it: rumble, hiss, an offset.

    `canarygan_core.audio.filtering` applies it.
    """

    highpass: float | None = None
    """Cut-off below which sound is taken out, by a Butterworth filter of order 5 run both ways, Hz."""
    lowpass: float | None = None
    """Cut-off above which sound is taken out, likewise, Hz."""
    remove_mean: bool = True
    """Take the mean of each sound out of it, so that no offset of a recorder is left, yes or no."""

    def __post_init__(self) -> None:
        for name in ("highpass", "lowpass"):
            cutoff = getattr(self, name)
            if cutoff is not None and not 1 <= cutoff <= 384_000:
                raise CanaryganError(f"--{name} is {cutoff:g} Hz: it may be 1 to 384000 Hz.")
        if self.highpass is not None and self.lowpass is not None and self.highpass >= self.lowpass:
            raise CanaryganError(f"--highpass {self.highpass:g} Hz must be below --lowpass {self.lowpass:g} Hz.")

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Filter":
        """What was taken out of clips, by their origin or by a record of it; nothing where that does not say.

        Raises:
            CanaryganError: where it says something that is no filter.
        """
        known = record.get("filter")
        if known is None:
            return NOTHING
        try:
            return cls(**known)
        except TypeError:
            raise CanaryganError(
                f"{known!r} is no record of a filter: it has highpass, lowpass, remove_mean."
            ) from None

    @property
    def origin(self) -> dict[str, Any]:
        """How the origin of clips says that this was taken out of them: the key `filter`, JSON values."""
        return {"filter": asdict(Filter(self.highpass, self.lowpass, self.remove_mean))}

    @property
    def flags(self) -> str:
        """The flags that ask for its cut-offs, each after a space."""
        bands = ((name, getattr(self, name)) for name in ("highpass", "lowpass"))
        words = [f" --{name} {cutoff:g}" for name, cutoff in bands if cutoff is not None]
        return "".join(words)

    def check_rate(self, rate: int) -> None:
        """Raise `CanaryganError` where a cut-off is at or above half the sampling rate, Hz."""
        for name in ("highpass", "lowpass"):
            cutoff = getattr(self, name)
            if cutoff is not None and cutoff >= rate / 2:
                most = f"sound at {rate} Hz reaches {rate / 2:g} Hz"
                raise CanaryganError(f"--{name} is {cutoff:g} Hz, and {most}: give less, or a higher --sampling-rate.")

    def exclude(self, done: "Filter") -> "Filter":
        """What is left to take out of sounds after another filter."""
        highpass = None if (self.highpass or 0) <= (done.highpass or 0) else self.highpass
        lowpass = None if self.lowpass is None or self.lowpass >= (done.lowpass or self.lowpass + 1) else self.lowpass
        has_mean = done.highpass is None and not done.remove_mean
        return Filter(highpass, lowpass, self.remove_mean and has_mean)


def check_channel(channel: int | None) -> None:
    """Raise `CanaryganError` where a channel is not counted from 1."""
    if channel is not None and channel < 1:
        raise CanaryganError(f"--channel is {channel}: channels are counted from 1.")


NOTHING = Filter(remove_mean=False)
"""The filter that leaves sounds as they are."""
