"""From sounds to features: spectrograms, mel spectrograms and the derivatives of cepstral coefficients.

The only place with sizes of windows, transforms and filter banks. The parameters travel with what was made from them:
in a YAML file beside preprocessed features, and inside every trained decoder.
"""

import dataclasses
import functools
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from canarygan_core.errors import CanaryganError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from canarygan_core.clips import Clips

log = logging.getLogger("canarygan")

KINDS = ("deltas", "spec", "mel", "mfcc-classic")

FLOOR = 1e-4
"""Amplitude below which the logarithmic scale flattens, of full scale (Pagliarini et al., 2021)."""

WIDTH = 9
"""Frames that a derivative is taken over."""

AMIN, TOP_DB = 1e-10, 80.0
"""Least power of the classic coefficients, and their range below the loudest band of a clip, dB."""

CHUNK = 64
"""Clips transformed at a time."""


@dataclass(frozen=True)
class Features:
    """What a decoder hears of a clip."""

    features: Literal["deltas", "spec", "mel", "mfcc-classic"] = "deltas"
    """Derivatives of cepstral coefficients, log spectrogram, its mel bands, or the usual MFCC and derivatives, word."""
    n_mfcc: int = 13
    """Cepstral coefficients, count."""
    sampling_rate: int = 16000
    """Sampling rate that sounds are brought to, Hz."""
    norm_audio: bool = True
    """Bring each clip to a peak of 1, so that nothing depends on its level, yes or no."""
    max_length: float = 1.0
    """Length of a clip: shorter ones are padded with zeros at the end, longer ones cut at the end, seconds."""
    mfcc: bool = False
    """Keep the coefficients themselves beside their derivatives, yes or no."""
    lifter: int = 0
    """Sinusoidal weight of the higher coefficients; 0 for none, coefficients."""
    padding: Literal["interp", "nearest", "mirror", "constant", "wrap"] = "interp"
    """What the derivatives take to lie beyond a clip's ends, word."""
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

    def __post_init__(self) -> None:
        if self.features not in KINDS:
            near = did_you_mean(str(self.features), KINDS)
            raise CanaryganError(f"--features is {self.features!r}; there are {', '.join(KINDS)}.{near}")
        if not 1000 <= self.sampling_rate <= 768_000:
            raise CanaryganError(f"--sampling-rate is {self.sampling_rate} Hz: it may be 1000 to 768000 Hz.")
        for name in ("hop_length", "win_length", "n_mfcc", "n_mels"):
            if getattr(self, name) < 1:
                raise CanaryganError(f"--{name.replace('_', '-')} must be at least 1, not {getattr(self, name)}.")
        if self.n_fft < self.win_length:
            raise CanaryganError(f"--n-fft is {self.n_fft}: it must be at least --win-length, {self.win_length}.")
        if self.n_mfcc > self.n_mels:
            raise CanaryganError(f"--n-mfcc is {self.n_mfcc}: it may be at most --n-mels, {self.n_mels}.")
        if self.lifter < 0:
            raise CanaryganError(f"--lifter must be at least 0, not {self.lifter}.")
        if self.features == "mfcc-classic" and not 0 <= self.fmin < self.fmax <= self.sampling_rate / 2:
            raise CanaryganError(
                f"--fmin {self.fmin:g} and --fmax {self.fmax:g}: mfcc-classic needs 0 <= fmin < fmax <= "
                f"{self.sampling_rate / 2:g} Hz, half the sampling rate."
            )
        if not 0.01 <= self.max_length <= 600 or self.samples < self.win_length:
            least = max(0.01, self.win_length / self.sampling_rate)
            raise CanaryganError(f"--max-length is {self.max_length:g} s: it may be {least:g} to 600 s.")
        if self.differentiates and self.frames < WIDTH:
            least = (self.win_length + (WIDTH - 1) * self.hop_length) / self.sampling_rate
            raise CanaryganError(
                f"--max-length {self.max_length:g} s makes {self.frames} frames and derivatives need {WIDTH}: "
                f"take {least:g} s or more, or a shorter --hop-length."
            )

    @property
    def differentiates(self) -> bool:
        return self.features in ("deltas", "mfcc-classic")

    @property
    def samples(self) -> int:
        """Samples of a clip."""
        return round(self.max_length * self.sampling_rate)

    @property
    def frames(self) -> int:
        """Frames of a clip: within it, or, for mfcc-classic, centred from its first sample to its last."""
        if self.features == "mfcc-classic":
            return 1 + self.samples // self.hop_length
        return 1 + (self.samples - self.win_length) // self.hop_length

    @property
    def size(self) -> int:
        """Numbers a frame."""
        if self.features == "spec":
            return self.n_fft // 2 + 1
        return self.n_mels if self.features == "mel" else self.n_mfcc * (3 if self.mfcc else 2)

    @property
    def shape(self) -> tuple[int, int]:
        """(frames, numbers a frame) of a clip."""
        return self.frames, self.size

    @classmethod
    def of(cls, record: Mapping[str, Any], where: object) -> "Features":
        """Parameters from a file's content.

        Raises:
            CanaryganError: on keys that are not known, or values out of range.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        for key in record:
            if key not in known:
                raise CanaryganError(f"{where}: there is no feature parameter {key!r}.{did_you_mean(str(key), known)}")
        try:
            return cls(**record)
        except TypeError as error:
            raise CanaryganError(f"{where} holds feature parameters of the wrong type ({error}).") from None
        except CanaryganError as error:
            raise CanaryganError(f"{where}: {error}") from None


def extract(clips: "Clips", parameters: Features) -> "NDArray[np.float32]":
    """Features (clips, frames, size) of clips of any rate and length, `CHUNK` of them at a time."""
    import numpy as np

    made = np.empty((len(clips), *parameters.shape), np.float32)
    filled = 0
    for part in stream(clips, parameters):
        made[filled : filled + len(part)] = part
        filled += len(part)
    return made


def stream(clips: "Clips", parameters: Features) -> "Iterator[NDArray[np.float32]]":
    """Features of clips, chunk by chunk (at most `CHUNK`, frames, size)."""
    import numpy as np
    import torch

    from canarygan_core.audio import resample
    from canarygan_core.clips import fit_length

    if clips.rate != parameters.sampling_rate:
        log.info(f"Resampling clips from {clips.rate} Hz to {parameters.sampling_rate} Hz.")
    for batch in clips.batches(CHUNK):
        audio = fit_length(resample(np.asarray(batch.audio), clips.rate, parameters.sampling_rate), parameters.samples)
        with torch.inference_mode():
            yield transform(torch.tensor(audio), parameters).numpy()


def transform(audio: "Tensor", parameters: Features) -> "Tensor":
    """Features (n, frames, size) of sounds (n, samples) at the parameters' rate and length."""
    if parameters.norm_audio:
        peak = audio.abs().amax(1, keepdim=True)
        audio = audio / peak.where(peak > 0, 1.0)
    if parameters.features == "mfcc-classic":
        return differentiated(_classic(audio, parameters), parameters)
    scaled = _log_spectrogram(audio, parameters)
    return differentiated(scaled, parameters) if parameters.features == "deltas" else scaled


def _log_spectrogram(audio: "Tensor", parameters: Features) -> "Tensor":
    """Magnitudes scaled from 0 to 1, log10(s / FLOOR + 1) / log10(1 / FLOOR + 1), and what is linear in them.

    A magnitude is of a periodic Hann window over its sum: a sine at full scale has 0.5. Bands are taken after the
    logarithm (Pagliarini et al., 2021), so they and their cosines are sums of levels, and one product gives them.
    """
    import math

    import torch

    window = torch.hann_window(parameters.win_length)
    window /= window.sum()
    frames = audio.unfold(1, parameters.win_length, parameters.hop_length)  # (n, frames, samples)
    basis = _basis(parameters)

    def scaled(frames: "Tensor") -> "Tensor":
        magnitude: Tensor = torch.fft.rfft(frames * window, parameters.n_fft).abs()
        levels: Tensor = magnitude.mul_(1 / FLOOR).log1p_().mul_(1 / math.log1p(1 / FLOOR))  # (rows, bins)
        return levels if basis is None else levels @ basis

    return _where_sound(frames, parameters.size if basis is None else basis.shape[1], scaled)


def _where_sound(frames: "Tensor", size: int, scaled: Any) -> "Tensor":
    """Apply to frames (n, frames, samples) what gives 0 for 0, leaving out those that are silent."""
    rows = frames.flatten(0, 1)
    live = rows.any(1)
    if live.all():
        made = scaled(rows)
    else:
        made = rows.new_zeros(len(rows), size)
        if live.any():
            made[live] = scaled(rows[live])
    return made.view(*frames.shape[:2], size)  # type: ignore[no-any-return]


def _classic(audio: "Tensor", parameters: Features) -> "Tensor":
    """Cepstral coefficients (n, frames, n_mfcc) of power mel bands in dB, at most `TOP_DB` below the clip's loudest."""
    import torch

    window = torch.hann_window(parameters.win_length)
    spectrum = torch.stft(
        audio,
        parameters.n_fft,
        parameters.hop_length,
        parameters.win_length,
        window,
        center=True,
        pad_mode="constant",
        return_complex=True,
    )  # (n, bins, frames)
    power = spectrum.real.square() + spectrum.imag.square()
    bands = power.mT @ _bands(parameters).to(power)  # (n, frames, mels)
    level = 10 * bands.clamp(min=AMIN).log10()
    level = level.maximum(level.amax((1, 2), keepdim=True) - TOP_DB)
    return level @ _cosines(parameters).to(level)


def differentiated(coefficients: "Tensor", parameters: Features) -> "Tensor":
    """First and second derivatives (n, frames, 2 n_mfcc), the coefficients before them where they are kept."""
    import torch

    first, second = _derivatives(parameters.frames, parameters.padding)
    parts = [first @ coefficients, second @ coefficients]
    return torch.cat([coefficients, *parts] if parameters.mfcc else parts, 2)


@functools.lru_cache(maxsize=8)
def _derivatives(frames: int, padding: str) -> "tuple[Tensor, Tensor]":
    """First and second derivatives over `WIDTH` frames, as matrices (frames, frames)."""
    from canarygan_decoders import filterbanks

    return filterbanks.derivative(frames, WIDTH, 1, padding), filterbanks.derivative(frames, WIDTH, 2, padding)


@functools.lru_cache(maxsize=8)
def _basis(parameters: Features) -> "Tensor | None":
    """What maps scaled magnitudes to features, (bins, size before derivatives); None where nothing does."""
    if parameters.features == "spec":
        return None
    bands = _bands(parameters)
    return (bands if parameters.features == "mel" else bands @ _cosines(parameters)).float()


def _bands(parameters: Features) -> "Tensor":
    """Mel bands (bins, n_mels), float64."""
    from canarygan_decoders import filterbanks

    is_classic = parameters.features == "mfcc-classic"
    low, high = (parameters.fmin, parameters.fmax) if is_classic else (0.0, parameters.sampling_rate / 2)
    return filterbanks.mel(parameters.sampling_rate, parameters.n_fft, parameters.n_mels, low, high)


def _cosines(parameters: Features) -> "Tensor":
    """Cosine transform (n_mels, n_mfcc) with the lifter's weights, float64."""
    from canarygan_decoders import filterbanks

    return filterbanks.cosines(parameters.n_mels, parameters.n_mfcc, parameters.lifter)
