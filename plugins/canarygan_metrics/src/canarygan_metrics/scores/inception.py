"""The inception score of posteriors, its interval, and the score that chance alone gives."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from canarygan_core import CanaryganError
from canarygan_metrics.scores.distances import Exact, Floats

BLOCK = 1_000_000
"""Numbers in a block of bootstrap weights."""


@dataclass(frozen=True)
class SplitScore:
    """The score of posteriors in splits; as it stands, that of shuffled labels.

    Attributes:
        mean: over splits; of all shuffles, where labels were shuffled.
        std: over the same, of the population (divided by their number), as in the authors' code.
        n: clips.
        splits: parts of equal size, but for a clip.
    """

    mean: float
    std: float
    n: int
    splits: int

    def record(self) -> dict[str, Any]:
        """The score as JSON values."""
        return {"is_mean": self.mean, "is_std": self.std, "clips": self.n, "splits": self.splits}


@dataclass(frozen=True)
class InceptionScore(SplitScore):
    """An inception score (Salimans et al., 2016): exp(mean KL(p(y|x) || p(y))), from 1 to the number of classes.

    Attributes:
        mean: over splits, each with the p(y) of its own clips.
        std, n, splits: as in `SplitScore`.
        whole: of all clips together, at least as high as the splits' on average but for chance.
        interval: bootstrap 95 % interval of `whole`, low and high.
    """

    whole: float
    interval: tuple[float, float]

    def record(self) -> dict[str, Any]:
        """The score as JSON values."""
        whole = {"is_whole": self.whole, "is_interval_95": list(self.interval)}
        return {"is_mean": self.mean, "is_std": self.std, **whole, "clips": self.n, "splits": self.splits}


def inception_score(posteriors: Floats, *, splits: int = 10, seed: int = 0, draws: int = 200) -> InceptionScore:
    """The inception score of posteriors (n, classes), rows summing to 1.

    The score of few clips is low on average: p(y) of a split of m clips is less even than that of all, which costs
    up to a factor of exp(-(classes - 1) / 2m). Compare scores of equally many clips and splits.

    Args:
        posteriors: p(y|x) of each clip; in any order, for they are shuffled before they are split.
        splits: parts that are scored on their own.
        seed: of the shuffle and of the bootstrap.
        draws: bootstrap samples, each of n clips drawn with replacement.

    Raises:
        CanaryganError: on what are no posteriors, a single class, or fewer clips than splits.
    """
    rows = checked_posteriors(posteriors, splits)
    order = np.random.default_rng([seed, 0]).permutation(len(rows))
    parts = [_score(rows[part]) for part in np.array_split(order, splits)]
    interval = _interval(rows, draws, np.random.default_rng([seed, 1]))
    return InceptionScore(float(np.mean(parts)), float(np.std(parts)), len(rows), splits, _score(rows), interval)


def compute_ceiling(labels: NDArray[Any]) -> float:
    """The score of clips with these labels (n,) if the classifier were certain of each: exp of the labels' entropy.

    It is the number of classes where all are equally frequent, and less where some are rare.
    """
    counts = np.unique(labels, return_counts=True)[1]
    return float(np.exp(entr(counts / counts.sum()).sum()))


def shuffled_floor(
    posteriors: Floats, labels: NDArray[Any], *, splits: int = 10, seed: int = 0, shuffles: int = 20
) -> SplitScore:
    """The score of posteriors (n, classes) averaged by label, after labels (n,) were shuffled among the clips.

    A shuffled label says nothing about its sound: with endless clips the averages of all labels are alike and the score
    is 1. With n clips they differ by chance, and the score exceeds 1 by as much. A score near this floor is no evidence
    that the classifier tells the classes apart.

    Args:
        posteriors: p(y|x) of each clip.
        labels: of each clip, such as its likeliest class.
        splits: parts that are averaged and scored on their own.
        seed: of the shuffles.
        shuffles: how often labels are shuffled, each time anew.

    Raises:
        CanaryganError: as `inception_score`, or on another number of labels.
    """
    rows = checked_posteriors(posteriors, splits)
    if len(labels) != len(rows):
        raise CanaryganError(f"{len(labels)} labels were given for the posteriors of {len(rows)} clips.")
    rng = np.random.default_rng([seed, 2])
    number = np.unique(labels, return_inverse=True)[1]  # (n,)
    parts = []
    for _ in range(shuffles):
        order = rng.permutation(len(rows))
        shuffled = number[rng.permutation(len(rows))]
        parts += [_between(rows[part], shuffled[part]) for part in np.array_split(order, splits)]
    return SplitScore(float(np.mean(parts)), float(np.std(parts)), len(rows), splits)


def checked_posteriors(posteriors: Floats, splits: int = 1) -> Exact:
    """Posteriors (n, classes) as float64, rows summing to 1 as nearly as that can.

    Raises:
        CanaryganError: on another shape, fewer than two classes, rows that are no probabilities, or fewer rows than
            there are to be splits.
    """
    if posteriors.ndim != 2 or not len(posteriors):
        raise CanaryganError(f"Posteriors must have the shape (clips, classes), not {posteriors.shape}.")
    if posteriors.shape[1] < 2:
        raise CanaryganError("A score needs posteriors of at least two classes, and these are of one.")
    rows = np.asarray(posteriors, np.float64)
    total = rows.sum(1)
    for wrong, what in (
        (~np.isfinite(total), "hold NaN or infinity"),
        ((rows < 0).any(1), "hold negative numbers"),
        (abs(total - 1) > 1e-3, "do not sum to 1 (are they logits?)"),
    ):
        if wrong.any():
            count = f"{wrong.sum()} of {len(rows)} clips"
            raise CanaryganError(f"The posteriors of {count} {what}; the first is clip {wrong.argmax()}.")
    if not 1 <= splits <= len(rows):
        raise CanaryganError(f"{len(rows)} clips cannot be split in {splits}: give 1 to {len(rows)} splits.")
    return np.asarray(rows / total[:, None])


def _score(rows: Exact, weights: Exact | None = None) -> float:
    """exp(H(mean p) - mean H(p)) of rows (n, classes) that weigh (n,), summing to 1; equally by default."""
    mean = np.average(rows, axis=0, weights=weights)
    spread = np.average(entr(rows).sum(1), weights=weights)
    return float(np.clip(np.exp(entr(mean).sum() - spread), 1, rows.shape[1]))


def _between(rows: Exact, number: NDArray[np.intp]) -> float:
    """The score of rows (n, classes) averaged by the number (n,) of their label."""
    counts = np.bincount(number)
    sums = np.stack([np.bincount(number, column, len(counts)) for column in rows.T], axis=1)  # (labels, classes)
    there = counts > 0
    return _score(sums[there] / counts[there, None], counts[there] / len(rows))


def _interval(rows: Exact, draws: int, rng: np.random.Generator) -> tuple[float, float]:
    """95 % interval of the score of all rows (n, classes), from samples of n of them drawn with replacement.

    The basic bootstrap (Davison and Hinkley, 1997) of the logarithm: a sample's score is lower than that of all clips
    by as much as theirs is lower than that of endless clips, so its percentiles are mirrored at the score. The
    interval is clipped to what a score can be, and holds the score itself.
    """
    n, classes = rows.shape
    entropies = entr(rows).sum(1)  # (n,) nats
    size = max(1, BLOCK // n)
    logs: list[float] = []
    for start in range(0, draws, size):
        drawn = [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(min(size, draws - start))]
        weights = np.stack(drawn) / n  # (draws, n), multinomial
        logs += list(entr(weights @ rows).sum(1) - weights @ entropies)
    score = _score(rows)
    low, high = score**2 / np.exp(np.percentile(logs, [97.5, 2.5]))
    return float(np.clip(low, 1, score)), float(np.clip(high, score, classes))
