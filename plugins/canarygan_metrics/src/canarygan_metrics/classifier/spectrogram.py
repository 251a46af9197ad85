"""The input of the classifier: a mel spectrogram of one second. Its sizes stand only here."""

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torchaudio.functional import melscale_fbanks

from canarygan_core.audio import align, resample
from canarygan_core.clips import Clips, fit_length

RANGE = 60.0
"""Range of levels below the loudest band of a clip that are kept, dB."""


@dataclass(frozen=True)
class Spectrogram:
    """Parameters of the mel spectrogram (Donahue et al., 2019).

    Attributes:
        scale: `log` for levels in dB below the clip's loudest band, `linear` for power.
        rate: sampling rate that sounds are resampled to, Hz.
        samples: length that sounds are padded or cut to, samples.
        n_fft: length of the Fourier transform and of its Hann window, samples.
        hop_length: step from frame to frame, samples.
        n_mels: mel bands.
        fmin: lower edge of the first band, Hz.
        fmax: upper edge of the last, Hz.
        align: whether each sound is moved so that its onset lies at one place; false for classifiers of 0.2.
    """

    scale: Literal["log", "linear"] = "log"
    rate: int = 16000
    samples: int = 16000
    n_fft: int = 1024
    hop_length: int = 128
    n_mels: int = 128
    fmin: float = 40.0
    fmax: float = 7800.0
    align: bool = True

    def __post_init__(self) -> None:
        bounds = {"rate": (1000, 768_000), "samples": (1, 1 << 24), "n_fft": (16, 1 << 16), "n_mels": (1, 1 << 12)}
        for name, (low, high) in {**bounds, "hop_length": (1, 1 << 16)}.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name)}: it may be {low} to {high}")
        if self.scale not in ("log", "linear") or not 0 <= self.fmin < self.fmax <= self.rate / 2:
            raise ValueError(f"scale {self.scale} from {self.fmin} to {self.fmax} Hz at {self.rate} Hz")

    @property
    def frames(self) -> int:
        """Frames, centred from the first sample to the last."""
        return 1 + self.samples // self.hop_length

    def of(self, clips: Clips) -> Tensor:
        """Spectrograms (clips, bands, frames), float32, of clips of any rate and length; from 0 to 1 if logarithmic."""
        audio = resample(np.asarray(clips.audio), clips.rate, self.rate)
        audio = align(audio, self.rate, self.samples) if self.align else fit_length(audio, self.samples)
        return spectrogram(torch.tensor(audio), self)


def spectrogram(audio: Tensor, sizes: Spectrogram) -> Tensor:
    """Mel spectrograms (n, bands, frames) of sounds (n, samples), each scaled to a peak of 1 first.

    So the result does not depend on the level of a sound. Silence is 0 throughout.
    """
    peak = audio.abs().amax(1, keepdim=True)
    audio = torch.nn.functional.pad(audio / peak.where(peak > 0, 1.0), (sizes.n_fft // 2, sizes.n_fft // 2))
    frames, is_loud = _frames(audio, sizes), _frames(audio.bool(), sizes).any(2)  # (n, frames, samples), (n, frames)
    window, bands = _filters(sizes)
    power = audio.new_zeros(*is_loud.shape, sizes.n_mels)
    if is_loud.any():
        spectrum = torch.fft.rfft(frames[is_loud] * window)
        power[is_loud] = (spectrum.real.square() + spectrum.imag.square()) @ bands
    return levels(power.mT) if sizes.scale == "log" else power.mT


def levels(power: Tensor) -> Tensor:
    """Power (n, bands, frames) as levels from 0, at `RANGE` dB below the loudest of a sound and less, to 1."""
    loudest = power.amax((1, 2), keepdim=True)
    relative = power / loudest.where(loudest > 0, 1.0)
    return 1 + 10 / RANGE * relative.clamp(min=10 ** (-RANGE / 10)).log10()


def _frames(audio: Tensor, sizes: Spectrogram) -> Tensor:
    return audio.unfold(1, sizes.n_fft, sizes.hop_length)[:, : sizes.frames]


@functools.lru_cache(maxsize=4)
def _filters(sizes: Spectrogram) -> tuple[Tensor, Tensor]:
    """A Hann window (n_fft,) whose amplitude a sine keeps, and the mel bands (bins, bands)."""
    window = torch.hann_window(sizes.n_fft)
    bands = melscale_fbanks(sizes.n_fft // 2 + 1, sizes.fmin, sizes.fmax, sizes.n_mels, sizes.rate)
    return window / window.sum(), bands
