"""Whether generated sounds are of all classes, and in the data's proportions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from canarygan_core import CanaryganError
from canarygan_core.errors import did_you_mean
from canarygan_metrics.scores.distances import Floats
from canarygan_metrics.scores.inception import checked_posteriors

Strings = NDArray[np.str_]

PRIOR = 0.5
"""Clips added to each class of the generated histogram before logarithms (Jeffreys, 1946), so that none is empty."""


@dataclass(frozen=True)
class Balance:
    """The classes of generated sounds beside the data's.

    Attributes:
        generated: by class, share of generated sounds whose likeliest class it is.
        reference: by class, share of the data, 0 for one that the data has not.
        represented: classes of the data that have generated sounds, at least the stated fraction of their share in it.
        cross_entropy: of the generated histogram to the data's, -sum(data ln generated), nats.
        divergence: the same less the data's own entropy: KL(data || generated), nats, 0 where they are alike.
        unsure: share of generated sounds whose likeliest class has a posterior under the stated one.
    """

    generated: Mapping[str, float]
    reference: Mapping[str, float]
    represented: tuple[str, ...]
    cross_entropy: float
    divergence: float
    unsure: float

    @property
    def recall(self) -> float:
        """Share of the data's classes that are represented."""
        return len(self.represented) / sum(share > 0 for share in self.reference.values())


def compare_classes(
    posteriors: Floats, labels: Strings, classes: Sequence[str], *, fraction: float = 0.1, sure: float = 0.5
) -> Balance:
    """Compare the classes of generated sounds with those of the data.

    In the two entropies half a clip is added to each class of the generated histogram, so that a class without any
    costs much and not endlessly.

    Args:
        posteriors: (n, classes) of generated sounds.
        labels: (m,) of the data.
        classes: of the posteriors' columns.
        fraction: of a class's share in the data, which its share of the generated sounds must reach to represent it.
        sure: posterior of its likeliest class under which a sound is unsure.

    Raises:
        CanaryganError: on no clips, what are no posteriors, or labels that are not among the classes.
    """
    if not len(posteriors) or not len(labels):
        raise CanaryganError(f"{len(posteriors)} generated and {len(labels)} real clips have no balance to compare.")
    rows = checked_posteriors(posteriors)
    data = _histogram(labels, classes)  # (classes,) clips
    counts = np.bincount(rows.argmax(1), minlength=len(classes))
    share, target = counts / counts.sum(), data / data.sum()
    smooth = (counts + PRIOR) / (counts + PRIOR).sum()
    cross = -float(xlogy(target, smooth).sum())
    there = (target > 0) & (counts > 0) & (share >= fraction * target)
    return Balance(
        generated=dict(zip(classes, share.tolist(), strict=True)),
        reference=dict(zip(classes, target.tolist(), strict=True)),
        represented=tuple(label for label, is_there in zip(classes, there, strict=True) if is_there),
        cross_entropy=cross,
        divergence=cross + float(xlogy(target, target).sum()),
        unsure=float((rows.max(1) < sure).mean()),
    )


def _histogram(labels: Strings, classes: Sequence[str]) -> NDArray[np.int64]:
    """Clips of each class."""
    counts = dict(zip(*np.unique(labels, return_counts=True), strict=True))
    unknown = [str(label) for label in counts if label not in classes]
    if unknown:
        near = did_you_mean(unknown[0], classes)
        names, known = (
            ", ".join(some[:most]) + ", ..." * (len(some) > most) for some, most in ((unknown, 5), (classes, 20))
        )
        raise CanaryganError(f"The data has clips of {names}; the classifier knows {known} only: train one.{near}")
    return np.array([counts.get(label, 0) for label in classes], np.int64)
