"""The options of the features, which values they may have, and the shape of the features that follow from them."""

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from canarygan_core.errors import CanaryganError, did_you_mean
from canarygan_core.runs.documents import Format

KINDS = ("deltas", "spec", "mel", "mfcc-classic")

PADDINGS = ("interp", "nearest", "mirror", "constant", "wrap")

MOST = 1 << 16
"""Samples, coefficients or bands that an option may be, at most."""

LARGEST = 1 << 26
"""Numbers of a clip's features, at most."""

WIDTH = 9
"""Frames that a derivative is taken over."""


@dataclass(frozen=True)
class Features:
    """The features that a decoder takes from a clip."""

    features: Literal["deltas", "spec", "mel", "mfcc-classic"] = "deltas"
    """Derivatives of cepstral coefficients, log spectrogram, its mel bands, or the usual MFCC and derivatives, word."""
    n_mfcc: int = 13
    """Cepstral coefficients, count."""
    sampling_rate: int = 16000
    """Sampling rate to which sounds are resampled, Hz."""
    norm_audio: bool = True
    """Scale each clip to a peak of 1, so that the features do not depend on its level, yes or no."""
    max_length: float = 1.0
    """Length of a clip: shorter ones are padded with zeros at the end, longer ones cut at the end, seconds."""
    align: bool = True
    """Move each sound so that its onset lies at 50 ms, and silence what lies outside of it, yes or no."""
    mfcc: bool = False
    """Keep the coefficients themselves beside their derivatives, yes or no."""
    lifter: int = 0
    """Sinusoidal weight of the higher coefficients; 0 for none, coefficients."""
    padding: Literal["interp", "nearest", "mirror", "constant", "wrap"] = "interp"
    """How the derivatives extend a clip beyond its ends, word."""
    hop_length: int = 128
    """Step from frame to frame, samples."""
    win_length: int = 256
    """Length of a frame, samples."""
    fmin: float = 500.0
    """Lower edge of the mel bands of mfcc-classic; the others begin at 0, Hz."""
    fmax: float = 8000.0
    """Upper edge of the mel bands of mfcc-classic; the others end at half the sampling rate, Hz."""
    n_fft: int = 512
    """Length of the Fourier transform, samples."""
    n_mels: int = 128
    """Mel bands, count."""
    detrend: bool = True
    """Subtract each frame's mean before its window, so that an offset has no effect; not mfcc-classic, yes or no."""

    def __post_init__(self) -> None:
        if self.features not in KINDS:
            near = did_you_mean(str(self.features), KINDS)
            raise CanaryganError(f"--features is {self.features!r}; there are {', '.join(KINDS)}.{near}")
        if self.padding not in PADDINGS:
            near = did_you_mean(str(self.padding), PADDINGS)
            raise CanaryganError(f"--padding is {self.padding!r}; there are {', '.join(PADDINGS)}.{near}")
        if not 1000 <= self.sampling_rate <= 768_000:
            raise CanaryganError(f"--sampling-rate is {self.sampling_rate} Hz: it may be 1000 to 768000 Hz.")
        for name in ("hop_length", "win_length", "n_mfcc", "n_mels", "n_fft", "lifter"):
            value, least = getattr(self, name), int(name != "lifter")
            if not least <= value <= MOST:
                problem = f"must be at least {least}" if value < least else f"may be at most {MOST}"
                raise CanaryganError(f"--{name.replace('_', '-')} {problem}, not {value}.")
        if self.n_fft < self.win_length:
            raise CanaryganError(f"--n-fft is {self.n_fft}: it must be at least --win-length, {self.win_length}.")
        if self.n_mfcc > self.n_mels:
            raise CanaryganError(f"--n-mfcc is {self.n_mfcc}: it may be at most --n-mels, {self.n_mels}.")
        if self.features == "mfcc-classic" and not 0 <= self.fmin < self.fmax <= self.sampling_rate / 2:
            raise CanaryganError(
                f"--fmin {self.fmin:g} and --fmax {self.fmax:g}: mfcc-classic needs 0 <= fmin < fmax <= "
                f"{self.sampling_rate / 2:g} Hz, half the sampling rate."
            )
        if not 0.01 <= self.max_length <= 600 or self.samples < self.win_length:
            shortest = max(0.01, self.win_length / self.sampling_rate)
            raise CanaryganError(f"--max-length is {self.max_length:g} s: it may be {shortest:g} to 600 s.")
        if self.has_derivatives and self.frames < WIDTH:
            shortest = (self.win_length + (WIDTH - 1) * self.hop_length) / self.sampling_rate
            raise CanaryganError(
                f"--max-length {self.max_length:g} s makes {self.frames} frames and derivatives need {WIDTH}: "
                f"take {shortest:g} s or more, or a shorter --hop-length."
            )
        if self.frames * self.size > LARGEST:
            raise CanaryganError(f"Features of {self.frames} x {self.size} numbers a clip: there may be {LARGEST:,}.")

    @property
    def has_derivatives(self) -> bool:
        return self.features in ("deltas", "mfcc-classic")

    @property
    def samples(self) -> int:
        """Samples in a clip."""
        return round(self.max_length * self.sampling_rate)

    @property
    def frames(self) -> int:
        """Frames in a clip: inside it, or, for mfcc-classic, centred from its first sample to its last."""
        if self.features == "mfcc-classic":
            return 1 + self.samples // self.hop_length
        return 1 + (self.samples - self.win_length) // self.hop_length

    @property
    def size(self) -> int:
        """Numbers in a frame."""
        if self.features == "spec":
            return self.n_fft // 2 + 1
        return self.n_mels if self.features == "mel" else self.n_mfcc * (3 if self.mfcc else 2)

    @property
    def shape(self) -> tuple[int, int]:
        """(frames, numbers in a frame) of a clip."""
        return self.frames, self.size

    def differences(self, other: "Features", flags: Collection[str] | None = None) -> list[str]:
        """What differs from other parameters, such as `n-mfcc 13, not 20`; of these flags where some are given."""
        texts = []
        for name, value in dataclasses.asdict(self).items():
            flag, theirs = name.replace("_", "-"), getattr(other, name)
            if value != theirs and (flags is None or flag in flags):
                texts.append(f"{flag} {value}, not {theirs}")
        return texts

    @classmethod
    def from_record(cls, record: Mapping[str, Any], source: object) -> "Features":
        """Parameters from the content of a file; what is older than an option was computed without it.

        Args:
            record: values by name.
            source: the file, for messages.

        Raises:
            CanaryganError: on unknown keys, wrong types, or values out of range.
        """
        known = {one.name: one.type if one.type in (int, float, bool) else str for one in dataclasses.fields(cls)}
        for key in record:
            if key not in known:
                raise CanaryganError(f"{source}: there is no feature parameter {key!r}.{did_you_mean(str(key), known)}")
        Format("a file of feature parameters", {}, known).check(record, source)
        try:
            return cls(**{"detrend": False, "align": False, **record})
        except CanaryganError as error:
            raise CanaryganError(f"{source}: {error}") from None
