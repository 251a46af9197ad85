"""Agreement beyond chance: the kappas of Cohen (1960) and of Fleiss (1971)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.evaluation.accuracy import compute_interval

Z = 1.959964
"""Half width of a 95 % interval of the normal distribution, in standard errors."""


@dataclass(frozen=True)
class Kappa:
    """Agreement of two that label the same trials.

    Attributes:
        value: 1 for full agreement, 0 for that of chance; NaN where both give every trial one and the same label.
        error: its standard error (Fleiss, Cohen & Everitt, 1969), for many trials that do not depend on each other.
        observed: share of trials with equal labels.
        expected: the share that chance would give.
        trials: count.
    """

    value: float
    error: float
    observed: float
    expected: float
    trials: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval.

        Where all trials are alike, their standard error is 0 however few they are. The interval then is that of the
        share of trials alike (Wilson, 1927), at the same agreement by chance.
        """
        if self.observed == 1:
            least, _ = compute_interval(self.trials, self.trials)
            return (least - self.expected) / (1 - self.expected), 1.0
        return max(-1.0, self.value - Z * self.error), min(1.0, self.value + Z * self.error)

    def describe(self) -> str:
        """Such as `0.83, 95 % from 0.71 to 0.95 (45 of 50 trials alike)`."""
        alike = f"({round(self.observed * self.trials)} of {self.trials} trials alike)"
        if math.isnan(self.value):
            return f"not defined: both give one label alone {alike}"
        low, high = self.interval
        return f"{self.value:.2f}, 95 % from {low:.2f} to {high:.2f} {alike}"

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        is_known = not math.isnan(self.value)
        return {
            "kappa": self.value if is_known else None,
            "interval_95": list(self.interval) if is_known else None,
            "observed": self.observed,
            "expected": self.expected,
            "trials": self.trials,
        }


def count_pairs(first: Sequence[str], second: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """The labels of either, sorted, and how often the first gave one (row) and the second another (column)."""
    labels = sorted({*first, *second})
    place = {label: number for number, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(counts, ([place[one] for one in first], [place[one] for one in second]), 1)
    return labels, counts


def compute_cohen(first: Sequence[str], second: Sequence[str]) -> Kappa:
    """Cohen's kappa of two that labelled the same trials, at least one."""
    _, counts = count_pairs(first, second)
    trials = int(counts.sum())
    share = counts / trials
    rows, columns = share.sum(1), share.sum(0)
    observed, expected = float(np.trace(share)), float(rows @ columns)
    if expected >= 1:
        return Kappa(math.nan, math.nan, observed, expected, trials)
    kappa = (observed - expected) / (1 - expected)
    own = np.diag(share) @ np.square(1 - (rows + columns) * (1 - kappa))
    others = share * np.square(columns[:, None] + rows[None])  # of label i by the first: what the second gives it
    crossed = (1 - kappa) ** 2 * (others.sum() - np.trace(others))
    variance = own + crossed - (kappa - expected * (1 - kappa)) ** 2
    error = math.sqrt(max(float(variance), 0) / trials) / (1 - expected)
    return Kappa(kappa, error, observed, expected, trials)


def compute_fleiss(ratings: Sequence[Sequence[str]]) -> float:
    """Fleiss' kappa of trials that were each labelled by the same number of listeners, two or more.

    NaN where all give every trial one and the same label.
    """
    labels = sorted({label for trial in ratings for label in trial})
    counts = np.array([[list(trial).count(label) for label in labels] for trial in ratings], float)
    listeners = counts.sum(1)[0]
    alike = (np.square(counts).sum(1) - listeners) / (listeners * (listeners - 1))
    expected = float(np.square(counts.sum(0) / counts.sum()).sum())
    return math.nan if expected >= 1 else (float(alike.mean()) - expected) / (1 - expected)
