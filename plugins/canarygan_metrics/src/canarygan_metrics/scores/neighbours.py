"""Scores by nearest neighbours: which generated sounds lie among real ones, and which real ones are covered.

Distances are Euclidean, of embeddings (n, d), computed in float64 some rows at a time; two embeddings that float32 can
hardly tell apart are at distance 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from canarygan_core import CanaryganError
from canarygan_metrics.scores.distances import Exact, Floats, check_embeddings

BLOCK = 4_000_000
"""Distances in a block."""

SAME = 1e-13
"""Squared distance, as a share of the two squared norms, below which embeddings are the same."""

TIE = 1 + 1e-9
"""Factor of squared radii, so that rounding does not put a neighbour beyond the ball that it defines."""


@dataclass(frozen=True)
class PrecisionRecall:
    """Improved precision and recall (Kynkäänniemi et al., 2019), shares from 0 to 1.

    Attributes:
        precision: generated clips that lie no farther from some real clip than its k-th real neighbour does.
        recall: real clips that lie no farther from some generated clip than its k-th generated neighbour does.
    """

    precision: float
    recall: float


@dataclass(frozen=True)
class DensityCoverage:
    """Density and coverage (Naeem et al., 2020), with balls that reach from real clips to their k-th real neighbour.

    Attributes:
        density: balls that a generated clip lies in, on average, by k: about 1 for more real clips, above 1 where they
            crowd where real ones are dense, 0 where there are none.
        coverage: share of the balls that hold a generated clip.
    """

    density: float
    coverage: float


def precision_recall(generated: Floats, reference: Floats, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall of embeddings (n, d) against real ones (m, d).

    Raises:
        CanaryganError: where either has no more than k, or dimensions differ.
    """
    check_embeddings(1, generated, reference)
    real, own = radii(reference, k) * TIE, radii(generated, k) * TIE
    inside = 0
    reached = np.zeros(len(reference), bool)
    for rows, apart in blocks(generated, reference):
        inside += int((apart <= real).any(1).sum())
        reached |= (apart <= own[rows, None]).any(0)
    return PrecisionRecall(inside / len(generated), float(reached.mean()))


def density_coverage(generated: Floats, reference: Floats, k: int = 5) -> DensityCoverage:
    """Density and coverage of embeddings (n, d) against real ones (m, d).

    Raises:
        CanaryganError: where there are no more than k real ones or no generated one, or dimensions differ.
    """
    check_embeddings(1, generated, reference)
    real = radii(reference, k) * TIE
    balls = 0
    reached = np.zeros(len(reference), bool)
    for _, apart in blocks(generated, reference):
        inside = apart <= real
        balls += int(inside.sum())
        reached |= inside.any(0)
    return DensityCoverage(balls / (k * len(generated)), float(reached.mean()))


def radii(rows: Floats, k: int) -> Exact:
    """Squared distance (n,) of each of embeddings (n, d) to its k-th neighbour among the others.

    Raises:
        CanaryganError: where there are no more than k.
    """
    if k < 1 or len(rows) <= k:
        raise CanaryganError(f"{len(rows)} clips have no {k} neighbours each: give more clips, or fewer neighbours.")
    squared = []
    for part, apart in blocks(rows, rows):
        number = np.arange(part.stop - part.start)
        apart[number, number + part.start] = np.inf
        apart.partition(k - 1, axis=1)
        squared.append(apart[:, k - 1].copy())
    return np.concatenate(squared)


def blocks(a: Floats, b: Floats) -> Iterator[tuple[slice, Exact]]:
    """Squared distances (rows, m) of embeddings (n, d) to (m, d): which rows, and theirs; at most `BLOCK` at a time."""
    middle = np.asarray(b, np.float64).mean(0)
    other = np.asarray(b, np.float64) - middle  # what is far from the origin would cancel
    norms = np.square(other).sum(1)
    size = max(1, BLOCK // len(b))
    for start in range(0, len(a), size):
        rows = slice(start, min(start + size, len(a)))
        part = np.asarray(a[rows], np.float64) - middle
        apart = part @ other.T
        apart *= -2
        total = np.square(part).sum(1)[:, None] + norms
        apart += total
        total *= SAME
        apart[apart < total] = 0
        yield rows, apart
