"""The computation of features: spectrograms, mel bands, cepstral coefficients and their derivatives."""

import functools
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from canarygan_core.audio import align, resample
from canarygan_core.clips import Clips, fit_length
from canarygan_decoders.features.options import WIDTH, Features

log = logging.getLogger("canarygan")

FLOOR = 1e-4
"""Amplitude below which the logarithmic scale flattens, of full scale (Pagliarini et al., 2021)."""

AMIN, TOP_DB = 1e-10, 80.0
"""Least power of the classic coefficients, and their range below the loudest band of a clip, dB."""

Compute = Callable[[NDArray[np.float32], int], NDArray[Any]]
"""Features (n, ...) of sounds (n, samples) at a rate in Hz."""

CHUNK = 64
"""Clips transformed at a time."""


def extract(clips: Clips, parameters: Features, compute: Compute | None = None) -> NDArray[np.float32]:
    """Features (clips, frames, size) of clips of any rate and length; or those that a function computes of sounds."""
    if clips.rate != parameters.sampling_rate:
        log.info(f"Resampling clips from {clips.rate} Hz to {parameters.sampling_rate} Hz.")
    result = np.empty((len(clips), *find_shape(parameters, compute)), np.float32)
    for start in range(0, len(clips), CHUNK):
        audio = resample(np.asarray(clips.audio[start : start + CHUNK]), clips.rate, parameters.sampling_rate)
        if parameters.align:
            audio = align(audio, parameters.sampling_rate, parameters.samples)
        audio = fit_length(audio, parameters.samples)
        if compute is not None:
            result[start : start + CHUNK] = compute(audio, parameters.sampling_rate)
            continue
        with torch.inference_mode():
            chunk = transform(torch.tensor(audio), parameters)
        result[start : start + CHUNK] = chunk.numpy()
    return result


def find_shape(parameters: Features, compute: Compute | None = None) -> tuple[int, ...]:
    """The shape of a clip's features; those of a function by asking it for the features of silence."""
    if compute is None:
        return parameters.shape
    return np.shape(compute(np.zeros((1, parameters.samples), np.float32), parameters.sampling_rate))[1:]


def transform(audio: Tensor, parameters: Features) -> Tensor:
    """Features (n, frames, size) of sounds (n, samples) that have the rate and length of the parameters."""
    if parameters.norm_audio:
        peak = audio.abs().amax(1, keepdim=True)
        audio = audio / peak.where(peak > 0, 1.0)
    compute = _classic_coefficients if parameters.features == "mfcc-classic" else _log_spectrogram
    values = compute(audio, parameters)
    return _derive(values, parameters) if parameters.has_derivatives else values


def _log_spectrogram(audio: Tensor, parameters: Features) -> Tensor:
    """Magnitudes s on a scale from 0 to 1, log10(s / FLOOR + 1) / log10(1 / FLOOR + 1), or a linear map of them.

    A magnitude is that of a periodic Hann window divided by its sum: a sine at full scale has 0.5. The mean of a frame
    is subtracted before (`detrend`), as scipy's spectrogram does and so the original's. Mel bands are taken after the
    logarithm (Pagliarini et al., 2021), so one matrix product gives bands and cepstral coefficients.
    """
    window = torch.hann_window(parameters.win_length)
    window /= window.sum()
    frames = audio.unfold(1, parameters.win_length, parameters.hop_length)  # (n, frames, samples)
    rows = frames.flatten(0, 1)
    # The features of silent frames are zero, and most frames are silent; a transform needs one frame.
    has_sound = rows.any(1)
    has_sound[0] = True
    sounding = rows[has_sound]
    if parameters.detrend:
        sounding -= sounding.mean(1, keepdim=True)
    magnitude = torch.fft.rfft(sounding.mul_(window), parameters.n_fft).abs()
    levels = magnitude.mul_(1 / FLOOR).log1p_().mul_(1 / math.log1p(1 / FLOOR))  # (rows, bins)
    if parameters.features != "spec":
        levels = levels @ _log_spectrum_map(parameters)
    result = rows.new_zeros(len(rows), levels.shape[1])
    result[has_sound] = levels
    return result.view(*frames.shape[:2], -1)


def _classic_coefficients(audio: Tensor, parameters: Features) -> Tensor:
    """Cepstral coefficients (n, frames, n_mfcc) of power mel bands in dB, at most `TOP_DB` below the clip's loudest."""
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
    bands = power.mT @ _mel_bands(parameters).to(power)  # (n, frames, mels)
    level = 10 * bands.clamp(min=AMIN).log10()
    level = level.maximum(level.amax((1, 2), keepdim=True) - TOP_DB)
    return level @ _cosines(parameters).to(level)


def _derive(coefficients: Tensor, parameters: Features) -> Tensor:
    """First and second derivatives (n, frames, 2 n_mfcc), after the coefficients themselves where `mfcc` is set."""
    parts = [_derivative(parameters.frames, order, parameters.padding) @ coefficients for order in (1, 2)]
    return torch.cat([coefficients, *parts] if parameters.mfcc else parts, 2)


@functools.lru_cache(maxsize=8)
def _derivative(frames: int, order: int, padding: Any) -> Tensor:
    """Derivative of a polynomial fitted over `WIDTH` frames (Savitzky and Golay, 1964), a matrix (frames, frames)."""
    from scipy.signal import savgol_filter

    matrix = savgol_filter(np.eye(frames), WIDTH, polyorder=order, deriv=order, axis=0, mode=padding)
    return torch.tensor(matrix, dtype=torch.float32)


@functools.lru_cache(maxsize=8)
def _log_spectrum_map(parameters: Features) -> Tensor:
    """The matrix from scaled magnitudes to mel bands or cepstral coefficients, (bins, n_mels or n_mfcc)."""
    bands = _mel_bands(parameters)
    return (bands if parameters.features == "mel" else bands @ _cosines(parameters)).float()


@functools.lru_cache(maxsize=8)
def _mel_bands(parameters: Features) -> Tensor:
    """Triangular bands of unit area on a mel scale (Slaney, 1998), (bins, n_mels), float64."""
    import torchaudio

    bins, rate = parameters.n_fft // 2 + 1, parameters.sampling_rate
    is_classic = parameters.features == "mfcc-classic"
    low, high = (parameters.fmin, parameters.fmax) if is_classic else (0.0, rate / 2)
    # torchaudio rounds half of the rate down, so it gets twice the rate, and the upper half of its bins is left out.
    with _double_precision(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "At least one mel filterbank has all zero values")
        bands: Tensor = torchaudio.functional.melscale_fbanks(
            2 * bins - 1, low, high, parameters.n_mels, 2 * rate, norm="slaney", mel_scale="slaney"
        )
    return bands[:bins]


@functools.lru_cache(maxsize=8)
def _cosines(parameters: Features) -> Tensor:
    """Orthonormal cosine transform of type 2 with the lifter's weights, (n_mels, n_mfcc), float64."""
    import torchaudio

    with _double_precision():
        matrix: Tensor = torchaudio.functional.create_dct(parameters.n_mfcc, parameters.n_mels, norm="ortho")
    if parameters.lifter:
        order = torch.arange(1, parameters.n_mfcc + 1)
        matrix = matrix * (1 + parameters.lifter / 2 * torch.sin(math.pi * order / parameters.lifter))
    return matrix


@contextmanager
def _double_precision() -> Iterator[None]:
    """Let torch make float64 tensors inside the block; torchaudio's functions take the type of their result from it."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
