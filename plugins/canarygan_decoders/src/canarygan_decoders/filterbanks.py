"""Linear maps of spectra as matrices: mel bands, cosine transforms, derivatives. The caller gives all sizes."""

import math
from typing import Any

import torch
from torch import Tensor

LINEAR = 200 / 3
"""Hz a mel up to the knee of Slaney's scale."""

KNEE = 1000.0
"""Where Slaney's scale turns from linear to logarithmic, Hz."""

STEP = math.log(6.4) / 27
"""Logarithm of the factor from mel to mel above the knee."""


def mel(rate: int, n_fft: int, count: int, low: float, high: float) -> Tensor:
    """Triangular bands of unit area, evenly spaced in mels (Slaney, 1998): (n_fft / 2 + 1, count), float64.

    Args:
        rate: sampling rate, Hz.
        n_fft: length of the Fourier transform, samples.
        count: bands.
        low: lower edge of the first band, Hz.
        high: upper edge of the last, Hz.
    """
    bins = torch.linspace(0, rate / 2, n_fft // 2 + 1, dtype=torch.float64)
    first, last = to_mel(torch.tensor([low, high], dtype=torch.float64)).tolist()
    edges = to_hertz(torch.linspace(float(first), float(last), count + 2, dtype=torch.float64))
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    return rising.minimum(falling).clamp(min=0) * (2 / (edges[2:] - edges[:-2]))


def to_mel(hertz: Tensor) -> Tensor:
    """Slaney's mel scale (1998): linear to the knee, logarithmic above."""
    above = KNEE / LINEAR + (hertz.clamp(min=KNEE) / KNEE).log() / STEP
    return above.where(hertz >= KNEE, hertz / LINEAR)


def to_hertz(mels: Tensor) -> Tensor:
    """The inverse of `to_mel`."""
    above = KNEE * ((mels - KNEE / LINEAR).clamp(min=0) * STEP).exp()
    return above.where(mels >= KNEE / LINEAR, mels * LINEAR)


def cosines(bands: int, count: int, lifter: int) -> Tensor:
    """Orthonormal discrete cosine transform of type 2, (bands, count), float64, weighted by a sinusoidal lifter.

    Args:
        bands: inputs.
        count: coefficients.
        lifter: half the period of the weights, coefficients; 0 for none.
    """
    place, order = torch.arange(bands, dtype=torch.float64) + 0.5, torch.arange(count)
    made = torch.cos(math.pi / bands * place[:, None] * order) * math.sqrt(2 / bands)
    made[:, 0] *= math.sqrt(0.5)
    if lifter:
        made *= 1 + lifter / 2 * torch.sin(math.pi * (order + 1) / lifter)
    return made


def derivative(frames: int, width: int, order: int, padding: str) -> Tensor:
    """Derivative of a polynomial fitted over `width` frames (Savitzky and Golay, 1964), (frames, frames).

    Args:
        frames: of the series.
        width: frames fitted.
        order: 1 or 2.
        padding: what lies beyond the ends, as scipy's `savgol_filter` names it.
    """
    import numpy as np
    from scipy.signal import savgol_filter

    mode: Any = padding
    made = savgol_filter(np.eye(frames), width, polyorder=order, deriv=order, axis=0, mode=mode)
    return torch.tensor(made, dtype=torch.float32)
