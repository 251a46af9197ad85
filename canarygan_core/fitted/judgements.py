"""What decoders say of clips, each alone and together: labels, margins, agreement, rejection."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

X = "X"
"""The label of what is none of the classes."""

EVEN = 0.5
"""P(syllable) below which a clip is X, and the share of decoders that a label must exceed."""

FEW = 2
"""So many decoders need no majority: of two that contradict each other, the more certain is right."""

Floats = NDArray[np.floating[Any]]
Strings = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a decoder says of clips.

    Attributes:
        classes: the syllables that it tells apart.
        posteriors: (n, classes) P(class | syllable): of each class, if the clip is a syllable.
        syllable: (n,) P(syllable): that the clip is of a kind with the training clips, and no garbage.
        threshold: posterior of the best class below which a clip is none of the classes.
        usable: (n,) which clips are finite and not silent.
    """

    classes: tuple[str, ...]
    posteriors: NDArray[np.float32]
    syllable: NDArray[np.float32]
    threshold: float
    usable: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        posteriors: Floats,
        classes: Sequence[str],
        *,
        garbage: Sequence[str] = (),
        resemblance: Floats | None = None,
        threshold: float = 0.0,
        usable: NDArray[np.bool_] | None = None,
    ) -> "Judgement":
        """The judgement that follows from posteriors.

        Args:
            posteriors: (n, classes), garbage among them.
            classes: their columns.
            garbage: those of `classes` that count as X.
            resemblance: (n,) how likely each clip is of a kind with the training clips; None where it is not known.
            threshold: posterior of the best class below which a clip is X.
            usable: (n,) which clips are finite and not silent; None for all.
        """
        is_garbage = np.isin(classes, garbage)
        heard = np.ones(len(posteriors), bool) if usable is None else usable
        syllable = 1 - posteriors[:, is_garbage].sum(1)
        if resemblance is not None:
            syllable = syllable * resemblance
        syllable = np.where(heard, np.clip(syllable, 0, 1), 0).astype(np.float32)
        given = np.asarray(posteriors[:, ~is_garbage], np.float32)
        total = given.sum(1, keepdims=True)
        given = np.divide(given, total, out=np.full_like(given, 1 / max(given.shape[1], 1)), where=total > 0)
        named = tuple(label for label in classes if label not in garbage)
        return cls(named, given, syllable, threshold, heard)

    @classmethod
    def join(cls, parts: Sequence["Judgement"]) -> "Judgement":
        """One decoder's judgement of clips that came in parts, at least one."""
        posteriors, syllable, usable = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("posteriors", "syllable", "usable")
        )
        return cls(parts[0].classes, posteriors, syllable, parts[0].threshold, usable)

    @property
    def labels(self) -> Strings:
        """The likeliest class of each clip (n,), X only where it is silent or not finite."""
        return np.where(self.usable, pick_labels(self.posteriors, self.classes), X)

    @property
    def certainty(self) -> Floats:
        """The posterior of the likeliest class (n,)."""
        return np.asarray(self.posteriors.max(1))

    @property
    def vote_certainty(self) -> Floats:
        """The probability of each clip's vote (n,): of a syllable of the class, or, where it is X, of anything else."""
        named = self.syllable * self.certainty
        return np.where(self.votes == X, 1 - named, named)

    @property
    def votes(self) -> Strings:
        """The label of each clip (n,), X where the decoder rejects it."""
        rejected = (self.certainty < self.threshold) | (self.syllable < EVEN)
        return np.where(rejected, X, self.labels)


@dataclass(frozen=True, eq=False)
class Consensus:
    """What several decoders say of clips together.

    Attributes:
        labels: (n,) label that most decoders give; X where most reject the clip, where it is less likely a syllable
            than not, or where three decoders or more give no label a majority, or are too unsure of it on average.
        agreement: (n,) share of decoders that give the label.
        posterior: (n,) mean P(class | syllable) of the label over the decoders that know it; 0 where the label is X.
        syllable: (n,) mean P(syllable) over decoders.
    """

    labels: Strings
    agreement: NDArray[np.float64]
    posterior: NDArray[np.float64]
    syllable: NDArray[np.float64]

    @property
    def is_sure(self) -> NDArray[np.bool_]:
        """Which clips have a label other than X (n,)."""
        return np.asarray(self.labels != X)

    @property
    def is_unanimous(self) -> NDArray[np.bool_]:
        """Which clips have a label other than X that all decoders give (n,)."""
        return np.asarray(self.is_sure & (self.agreement == 1))

    def describe(self, names: Sequence[str]) -> str:
        """How many are sure, and on how many of those all decoders agree."""
        return describe_consensus(names, len(self.labels), int(self.is_sure.sum()), int(self.is_unanimous.sum()))


def describe_consensus(names: Sequence[str], total: int, sure: int, unanimous: int) -> str:
    """A sentence such as `812 of 1000 sounds are sure, the others X; esn, knn, svm all agree on 770 of these 812.`"""
    text = f"{sure} of {total} sounds are sure{f', the others {X}' if sure < total else ''}"
    return f"{text}; {', '.join(names)} all agree on {unanimous} of these {sure}." if len(names) > 1 else f"{text}."


def reach_consensus(judgements: Sequence[Judgement], *, reject: bool = True) -> Consensus:
    """What most decoders say of each clip; a tie goes to the more certain.

    Args:
        judgements: of the same clips, one a decoder.
        reject: whether labels may be X for a clip that is not silent.
    """
    votes = [one.votes if reject else one.labels for one in judgements]
    certainty = [one.vote_certainty if reject else one.certainty for one in judgements]
    labels, agreement = find_consensus(votes, certainty)
    syllable = np.asarray(np.mean([one.syllable for one in judgements], axis=0, dtype=np.float64))
    if reject:
        is_known = syllable >= EVEN
        if len(judgements) > FEW:
            is_certain = _mean_posterior(judgements, labels) >= np.mean([one.threshold for one in judgements])
            is_known &= (agreement > EVEN) & is_certain
        agreement = np.where(is_known | (labels == X), agreement, np.mean(np.stack(votes) == X, axis=0))
        labels = np.where(is_known, labels, X)
    return Consensus(labels, agreement, _mean_posterior(judgements, labels), syllable)


def _mean_posterior(judgements: Sequence[Judgement], labels: Strings) -> NDArray[np.float64]:
    """Mean posterior of each clip's label over the judgements that know its class (n,), 0 where none does."""
    total, known = np.zeros(len(labels)), np.zeros(len(labels))
    for one in judgements:
        is_label = labels[:, None] == np.asarray(one.classes)
        total += np.where(is_label, one.posteriors, 0).sum(1)
        known += is_label.any(1)
    return np.asarray(total / np.maximum(known, 1))


def pick_labels(posteriors: Floats, classes: Sequence[str]) -> Strings:
    """The likeliest class of each row of posteriors (n, classes)."""
    return np.asarray(np.take(list(classes), posteriors.argmax(1)))


def compute_margins(posteriors: Floats) -> Floats:
    """By how much the likeliest class leads the next, (n,)."""
    best = np.sort(posteriors, axis=1)[:, -2:]
    return best[:, -1] - best[:, 0] if best.shape[1] > 1 else best[:, 0]


def find_consensus(votes: Sequence[Strings], certainty: Sequence[Floats]) -> tuple[Strings, NDArray[np.float64]]:
    """What most decoders say of each clip, and the share of them that does; a tie goes to the more certain.

    Args:
        votes: by decoder, the label of each clip (n,).
        certainty: by decoder, the posterior of the label voted for (n,).
    """
    labels, sure = np.stack(votes), np.stack(certainty)  # (decoders, n)
    same = labels[:, None] == labels[None]  # (decoders, decoders, n)
    support = same.sum(1) + (same * sure[None]).sum(1) / (len(votes) + 1)
    chosen, clips = support.argmax(0), np.arange(labels.shape[1])
    return labels[chosen, clips], same[chosen, :, clips].mean(1)
