"""Scores by nearest neighbours: which generated sounds lie among real ones, which real ones are covered, and copies.

Distances are Euclidean, of embeddings (n, d), computed in float64 some rows at a time; two embeddings that float32 can
hardly tell apart are at distance 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canarygan_core import CanaryganError
from canarygan_core.clips import Clips
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


@dataclass(frozen=True)
class Memorisation:
    """How near generated clips lie to training clips, beside held-out real clips.

    Attributes:
        memorised: probability that a generated clip lies nearer to its nearest training clip than a held-out one does,
            ties counted half (Mann and Whitney, 1947): 0.5 where nothing is copied, 1 where all clips are copies.
        nearer: share of generated clips nearer to a training clip than 99 % of held-out ones are, about 0.01 where
            nothing is copied (1 / (held + 1) with fewer than 100 held out).
        distance_ratio: median distance of the generated over that of the held-out, 0 where most are copies.
        generated_distance: median distance of generated clips to the nearest training clip.
        held_out_distance: median distance of held-out clips to the same.
    """

    memorised: float
    nearer: float
    distance_ratio: float
    generated_distance: float
    held_out_distance: float


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


def memorisation(generated: Floats, training: Floats, held_out: Floats) -> Memorisation:
    """How near embeddings (n, d) lie to those of training clips (m, d), beside those of held-out real clips (h, d).

    Raises:
        CanaryganError: where one of the three is empty, or dimensions differ.
    """
    check_embeddings(1, generated, training, held_out)
    own, real = nearest(generated, training), np.sort(nearest(held_out, training))
    ties = np.searchsorted(real, own, "left") + np.searchsorted(real, own, "right")
    median, usual = float(np.median(own)), float(np.median(real))
    if usual == 0:
        copies = f"Most of {len(held_out)} held-out clips are training clips too"
        raise CanaryganError(f"{copies}: canarygan check-data names them.")
    memorised = 1 - float(ties.mean()) / (2 * len(real))
    nearer = float((own < np.quantile(real, 0.01, method="lower")).mean())
    return Memorisation(memorised, nearer, median / usual, median, usual)


def find_held_out(reference: Clips) -> NDArray[np.bool_]:
    """Which real clips the classifier was not trained on (clips,).

    Raises:
        CanaryganError: where nothing says so, or all clips are of one kind.
    """
    named = [str(source) for source in reference.origin.get("held_out", ())]
    if reference.sources is None or not named:
        missing = "sources of the real clips" if named else "a classifier that has held out clips"
        raise CanaryganError(f"memorisation needs {missing}, to compare with clips that it was not trained on.")
    held_out = np.isin(reference.sources, named)
    if not held_out.any() or held_out.all():
        count = f"{'All' if held_out.all() else 'None'} of the {len(held_out)} real clips"
        example = f"the classifier has held out {named[0]} and others, the data has {reference.sources[0]}"
        raise CanaryganError(f"{count} are held out from training: give all data of the classifier ({example}).")
    return held_out


def nearest(rows: Floats, among: Floats) -> Exact:
    """Distance (n,) of each of embeddings (n, d) to the nearest of others (m, d)."""
    return np.asarray(np.sqrt(np.concatenate([apart.min(1) for _, apart in blocks(rows, among)])))


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
