"""What decoders say of sounds that are to be played."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError, did_you_mean
from canarygan_core.fitted import decoders
from canarygan_core.fitted.decoders import TrainedDecoder, X
from canarygan_core.plugins import get_registry

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Verdict:
    """What decoders say of sounds together, each number of the least sure of them.

    Attributes:
        labels: (n,) the class that all of them vote for, X where they do not agree.
        posterior: (n,) P(class | syllable).
        syllable: (n,) P(syllable).
    """

    labels: NDArray[np.str_]
    posterior: Floats
    syllable: Floats

    @property
    def likeness(self) -> Floats:
        """P(syllable of the class) at the least (n,)."""
        return np.asarray(self.posterior * self.syllable)


Judge = Callable[[NDArray[np.float32]], Verdict]
"""Gives the verdict on sounds (n, samples)."""


def load(paths: Sequence[Path] | None, device: str) -> list[TrainedDecoder]:
    """Decoders from their folders; raises as `canarygan_core.fitted.decoders.load_all`."""
    return decoders.load_all(paths or [], get_registry(), device=device)


def label(
    trained: Sequence[TrainedDecoder], sounds: NDArray[np.float32], rate: int
) -> tuple[list[str], NDArray[np.float64] | None]:
    """The labels (n,) that decoders give together, and their posteriors (n,); none of either without decoders."""
    if not trained:
        return [], None
    together = decoders.reach_consensus(decoders.judge_all(trained, Clips(sounds, rate)))
    return together.labels.tolist(), together.posterior


def make_judge(trained: Sequence[TrainedDecoder], rate: int) -> Judge:
    """A judge that gives a label where every decoder votes for it."""

    def judge(sounds: NDArray[np.float32]) -> Verdict:
        judged = decoders.judge_all(trained, Clips(sounds, rate))
        votes = np.stack([one.votes for one in judged])
        posterior = np.min([one.certainty for one in judged], axis=0)
        syllable = np.min([one.syllable for one in judged], axis=0)
        return Verdict(np.where((votes == votes[0]).all(0), votes[0], X), posterior, syllable)

    return judge


def check_labels(labels: Sequence[str], trained: Sequence[TrainedDecoder]) -> None:
    """Raise `CanaryganError` on a label that not all decoders know."""
    known = sorted(set.intersection(*({*one.classes} - {*one.garbage} for one in trained)) - {X})
    for one in labels:
        if one not in known:
            near = did_you_mean(one, known)
            raise CanaryganError(f"The decoders know no class {one!r}; they know {', '.join(known)}.{near}")
