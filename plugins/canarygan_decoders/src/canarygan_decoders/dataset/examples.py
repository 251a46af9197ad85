"""Examples: features with labels."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError
from canarygan_decoders.features import Features

GARBAGE = "garbage"
"""Fact of clips: whether each counts as X."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Features with the labels to learn.

    Attributes:
        features: (n, frames, size), or of any other shape, float32, memory-mapped where there are many.
        labels: (n,) label of each.
        sources: (n,) where each came from.
        groups: (n,) number of the clip that each was made of; the unaltered clip comes before its altered copies.
        parameters: of the features.
        garbage: labels that count as X.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.str_]
    sources: NDArray[np.str_]
    groups: NDArray[np.intp]
    parameters: Features
    garbage: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def from_clips(cls, clips: Clips, parameters: Features, compute: Any = None) -> "Examples":
        """Examples of unaltered clips, whose features a function computes where one is given.

        Raises:
            CanaryganError: where the clips have no labels.
        """
        from canarygan_decoders.features.extraction import extract

        labels, sources = labels_and_sources(clips)
        features, groups = extract(clips, parameters, compute), np.arange(len(clips))
        return cls(features, labels, sources, groups, parameters, find_garbage(clips))

    def select(self, rows: NDArray[Any]) -> "Examples":
        """The examples in these rows."""
        features, labels = self.features[rows], self.labels[rows]
        return Examples(features, labels, self.sources[rows], self.groups[rows], self.parameters, self.garbage)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The distinct labels, sorted."""
        return tuple(np.unique(self.labels).tolist())

    @cached_property
    def targets(self) -> NDArray[np.intp]:
        """Number of each example's class (n,)."""
        return np.unique(self.labels, return_inverse=True)[1]

    @property
    def is_garbage(self) -> NDArray[np.bool_]:
        """Which examples count as X (n,)."""
        return np.isin(self.labels, self.garbage)

    @property
    def one_hot(self) -> NDArray[np.float64]:
        """Targets (n, classes): 1 for the class of an example, 0 for the others."""
        return np.eye(len(self.classes))[self.targets]

    @cached_property
    def is_original(self) -> NDArray[np.bool_]:
        """Which examples are unaltered clips (n,)."""
        mask = np.zeros(len(self), bool)
        mask[np.unique(self.groups, return_index=True)[1]] = True
        return mask

    def folds(self, count: int) -> NDArray[np.intp]:
        """The fold of each example (n,): the clips of each class are dealt out in turn, copies with their clip."""
        _, first, clip = np.unique(self.groups, return_index=True, return_inverse=True)
        fold_of_clip = np.zeros(len(first), np.intp)
        for label in self.classes:
            members = np.flatnonzero(self.labels[first] == label)
            fold_of_clip[members] = np.arange(len(members)) % count
        return fold_of_clip[clip]


def labels_and_sources(clips: Clips) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Labels and sources of clips, both (n,); clips without sources get their numbers.

    Raises:
        CanaryganError: where the clips have no labels.
    """
    if clips.labels is None:
        raise CanaryganError("A decoder learns from labelled clips, and these have no labels.")
    sources = clips.sources if clips.sources is not None else np.array([f"clip {row}" for row in range(len(clips))])
    return clips.labels, sources


def find_garbage(clips: Clips) -> tuple[str, ...]:
    """The labels that count as X, by the clips' fact `garbage`; none where they have no such fact."""
    if clips.labels is None or GARBAGE not in clips.facts:
        return ()
    return tuple(np.unique(clips.labels[clips.facts[GARBAGE]]).tolist())
