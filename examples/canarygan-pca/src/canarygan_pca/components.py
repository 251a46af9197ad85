"""Principal components of spectrograms, and latents laid over their scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

STEPS = 101
"""Quantiles kept of each component's scores."""


@dataclass(frozen=True, eq=False)
class Components:
    """What is learnt.

    Attributes:
        mean: (frames, bins) level.
        axes: (d, frames, bins), orthonormal.
        quantiles: (d, steps) of the training clips' scores along each axis, rising.
    """

    mean: Floats
    axes: Floats
    quantiles: Floats

    @property
    def dim(self) -> int:
        return len(self.axes)


def fit(levels: Floats, dim: int) -> tuple[Components, float]:
    """The first `dim` components of levels (clips, frames, bins), and the share of the variance that they tell."""
    mean = levels.mean(0)
    flat = (levels - mean).reshape(len(levels), -1)  # (clips, numbers)
    variance, vectors = np.linalg.eigh(flat @ flat.T)  # fewer clips than numbers: their products are the smaller matrix
    order = np.argsort(variance)[::-1][:dim]
    axes = vectors[:, order].T @ flat
    axes /= np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-12)
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]  # the sign is free: fix it
    quantiles = np.quantile(flat @ axes.T, np.linspace(0, 1, STEPS), axis=0).T
    explained = float(variance[order].sum() / max(variance.sum(), 1e-12))
    made = Components(mean, axes.reshape(-1, *mean.shape).astype(np.float32), quantiles.astype(np.float32))
    return made, explained


def check(components: Components) -> None:
    """Raise `ValueError` where the arrays do not fit together."""
    mean, axes, quantiles = components.mean, components.axes, components.quantiles
    if mean.ndim != 2 or axes.shape[1:] != mean.shape or quantiles.shape != (len(axes), STEPS):
        raise ValueError(f"arrays of shapes {mean.shape}, {axes.shape} and {quantiles.shape} do not fit together")


def at(components: Components, z: Floats) -> Floats:
    """Levels (n, frames, bins) of latents (n, d): -1 to 1 spans each axis's scores as often as clips had them."""
    grid = np.linspace(-1, 1, components.quantiles.shape[1])
    scores = [np.interp(z[:, axis], grid, known) for axis, known in enumerate(components.quantiles)]
    offsets = np.tensordot(np.stack(scores, 1).astype(np.float32), components.axes, 1)
    levels: Floats = components.mean + offsets
    return levels
