"""Places on a line at equal distances of each other, by a measure that is not even along the line."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LENGTHS = 32
"""Lengths of a step that are tried, and as many again around the best of them."""

Floats = NDArray[np.floating[Any]]


def choose_evenly(distances: Floats, count: int) -> NDArray[np.intp]:
    """Rows from the first to the last, in order, whose neighbours are as equally far from each other as can be.

    For each length that a step may have, dynamic programming finds the rows whose steps are nearest to it, by the
    square of the logarithm of their ratio. Of these the one with the least ratio of the longest step to the shortest is
    taken. A step is no shorter than an even part of the straight distance, and no longer than one of the way through
    all rows.

    Args:
        distances: (m, m) of all rows from each other.
        count: rows to choose, 2 to m.
    """
    last, steps = len(distances) - 1, count - 1
    if steps < 2:
        return np.array([0, last], np.intp)
    ahead = np.where(np.triu(np.ones(distances.shape, bool), 1), distances, np.nan)
    logs = np.log(np.maximum(ahead, 1e-12))

    def walk(length: float) -> NDArray[np.intp]:
        return _walk(logs, float(np.log(length)), steps)

    def spread(rows: NDArray[np.intp]) -> float:
        taken = distances[rows[:-1], rows[1:]]
        return float(taken.max() / max(taken.min(), 1e-12))

    low = max(float(distances[0, last]) / steps, 1e-9)
    high = max(float(np.diagonal(distances, 1).sum()) / steps, low)
    best = min(map(walk, np.geomspace(low, high, LENGTHS)), key=spread)
    middle = max(float(distances[best[:-1], best[1:]].mean()), 1e-9)
    return min((best, *map(walk, middle * np.geomspace(0.9, 1.1, LENGTHS))), key=spread)


def _walk(logs: Floats, length: float, steps: int) -> NDArray[np.intp]:
    """The rows, from the first to the last, whose steps are nearest to a length; logarithms both."""
    miss = np.nan_to_num(np.square(logs - length), nan=np.inf)
    cost, came = miss[0], []
    for _ in range(steps - 1):
        total = cost[:, None] + miss
        came.append(total.argmin(0))
        cost = total[came[-1], np.arange(len(miss))]
    rows = [len(logs) - 1]
    for back in reversed(came):
        rows.append(int(back[rows[-1]]))
    return np.array([0, *reversed(rows)], np.intp)
