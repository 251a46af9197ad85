"""Regular grids in the latent space; a grid along one axis is a walk."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.errors import UsageError

MOST = 10_000
"""Points that a grid may have."""

Floats = NDArray[np.floating[Any]]


def build_grid(
    low: Floats, high: Floats, count: int, axes: Sequence[int], at: Floats
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Latents (n, d) at each combination of evenly spaced coordinates, and the number of each coordinate (n, axes).

    Args:
        low: the least of each coordinate (d,).
        high: the greatest (d,).
        count: points along each axis, both ends among them.
        axes: coordinates that vary, counted from 1; the last one varies fastest.
        at: where the others stay (d,).

    Raises:
        UsageError: on an axis that there is not, or too few or too many points.
    """
    dim = len(low)
    wrong = [axis for axis in axes if not 1 <= axis <= dim]
    if wrong or len({*axes}) < len(axes):
        raise UsageError(f"--axis {(wrong or list(axes))[0]}: give each of 1 to {dim} once at most.")
    if count < 2:
        raise UsageError(f"--n-steps is {count}: along an axis there are at least 2 points, its ends.")
    if count ** len(axes) > MOST:
        raise UsageError(f"{count} points along {len(axes)} axes are {count ** len(axes):,}: {MOST:,} is the most.")
    places = np.stack(np.meshgrid(*[np.arange(count)] * len(axes), indexing="ij"), axis=-1).reshape(-1, len(axes))
    latents = np.tile(np.asarray(at, np.float32), (len(places), 1))
    for column, axis in enumerate(axes):
        latents[:, axis - 1] = np.linspace(low[axis - 1], high[axis - 1], count)[places[:, column]]
    return latents, places
