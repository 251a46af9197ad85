"""Principal components of spectrograms, and the map from latents to their scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

STEPS = 101
"""Number of quantiles stored for the scores of each component."""


@dataclass(frozen=True, eq=False)
class Components:
    """The result of fitting.

    Attributes:
        mean: mean levels (frames, bins).
        axes: orthonormal axes (d, frames, bins).
        quantiles: rising quantiles (d, steps) of the training clips' scores along each axis.
    """

    mean: Floats
    axes: Floats
    quantiles: Floats

    @property
    def dim(self) -> int:
        return len(self.axes)


def fit(levels: Floats, dim: int) -> tuple[Components, float]:
    """Fit the first `dim` components of levels (clips, frames, bins); also return their share of the variance."""
    mean = levels.mean(0)
    flat = (levels - mean).reshape(len(levels), -1)  # (clips, numbers)
    variance, vectors = np.linalg.eigh(flat @ flat.T)  # with fewer clips than numbers this matrix is the smaller one
    order = np.argsort(variance)[::-1][:dim]
    axes = vectors[:, order].T @ flat
    axes /= np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-12)
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]  # the sign is arbitrary: fix it
    quantiles = np.quantile(flat @ axes.T, np.linspace(0, 1, STEPS), axis=0).T
    explained = float(variance[order].sum() / max(variance.sum(), 1e-12))
    made = Components(mean, axes.reshape(-1, *mean.shape).astype(np.float32), quantiles.astype(np.float32))
    return made, explained


def check(components: Components) -> None:
    """Raise `ValueError` if the shapes of the arrays do not match."""
    mean, axes, quantiles = components.mean, components.axes, components.quantiles
    if mean.ndim != 2 or axes.shape[1:] != mean.shape or quantiles.shape != (len(axes), STEPS):
        raise ValueError(f"arrays of shapes {mean.shape}, {axes.shape} and {quantiles.shape} do not match")


def at(components: Components, z: Floats) -> Floats:
    """Map latents (n, d) to levels (n, frames, bins): -1 to 1 covers the quantiles of the training clips' scores."""
    grid = np.linspace(-1, 1, components.quantiles.shape[1])
    scores = [np.interp(z[:, axis], grid, known) for axis, known in enumerate(components.quantiles)]
    offsets = np.tensordot(np.stack(scores, 1).astype(np.float32), components.axes, 1)
    levels: Floats = components.mean + offsets
    return levels
