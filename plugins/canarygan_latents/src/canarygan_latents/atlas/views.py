"""Views of the latent space: regular grids along one to three of its axes, the other coordinates fixed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from canarygan_core.errors import UsageError

MOST_AXES = 3
"""Axes of a view at most: what can be seen."""

PAIRS = 20_000
"""Sounds that the views of pairs of axes may take together."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class View:
    """A regular grid. Its latents lie in the middle of cells that fill the box, the first axis fastest.

    Attributes:
        axes: coordinates along which it lies, from 0.
        side: cells along each axis.
        low: the least of each coordinate of the box (d,).
        high: the greatest of each (d,).
        at: latent whose coordinates the other axes keep (d,).
    """

    axes: tuple[int, ...]
    side: int
    low: Floats
    high: Floats
    at: Floats

    @property
    def count(self) -> int:
        """Latents of the grid."""
        return int(self.side ** len(self.axes))

    def ticks(self, axis: int) -> Floats:
        """The coordinates of the cells' middles along an axis (side,)."""
        share = (np.arange(self.side) + 0.5) / self.side
        return np.asarray(self.low[axis] + share * (self.high[axis] - self.low[axis]), np.float32)

    def latents(self) -> Floats:
        """The grid (count, d)."""
        z = np.tile(self.at, (self.count, 1))
        places = np.indices((self.side,) * len(self.axes)).reshape(len(self.axes), -1)[::-1]
        for axis, place in zip(self.axes, places, strict=True):
            z[:, axis] = self.ticks(axis)[place]
        return z

    def coarsened(self, side: int) -> "View":
        """The same with so many cells along each axis."""
        return View(self.axes, side, self.low, self.high, self.at)


def make_views(low: Floats, high: Floats, *, side: int, axes: Sequence[int], at: Floats) -> list[View]:
    """The view along `axes`, and of a space of more than three dimensions each pair of axes besides, up to `PAIRS`."""
    chosen = View(tuple(axes), side, low, high, at)
    if len(low) <= MOST_AXES:
        return [chosen]
    known = len(low)
    while known > 2 and known * (known - 1) // 2 * side**2 > PAIRS:
        known -= 1
    return [chosen, *(View(pair, side, low, high, at) for pair in combinations(range(known), 2))]


def choose_axes(dim: int, given: Sequence[int] | None) -> tuple[int, ...]:
    """The axes of the first view, from 0: those given, counted from 1, or else the first three.

    Raises:
        UsageError: where there are more than three, one twice, or one that the space does not have.
    """
    if given is None:
        return tuple(range(min(dim, MOST_AXES)))
    if not 1 <= len(given) <= MOST_AXES or len(set(given)) < len(given) or not all(1 <= one <= dim for one in given):
        words = " ".join(map(str, given))
        raise UsageError(f"--axes is {words}: give one to three different numbers from 1 to {dim}, as in --axes 1 2.")
    return tuple(one - 1 for one in given)


def choose_point(low: Floats, high: Floats, given: str | None) -> Floats:
    """The latent whose coordinates the other axes keep (d,): the one given, or else the middle of the box.

    Args:
        low: the least of each coordinate of the box (d,).
        high: the greatest of each (d,).
        given: numbers with commas between them.

    Raises:
        UsageError: where there are more or fewer numbers than coordinates, or one is none that is finite.
    """
    if given is None:
        return np.asarray((low + high) / 2, np.float32)
    try:
        numbers = np.array([float(part) for part in given.split(",")], np.float32)
    except ValueError:
        numbers = np.empty(0, np.float32)
    if len(numbers) != len(low) or not np.isfinite(numbers).all():
        example = ",".join(["0.5"] * len(low))
        raise UsageError(f"--at is {given!r}: give {len(low)} numbers, one for each coordinate, such as {example}.")
    return numbers
