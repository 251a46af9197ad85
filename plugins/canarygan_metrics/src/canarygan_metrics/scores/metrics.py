"""The metrics that listen with the classifier: scores, distances, neighbours and the balance of classes."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from canarygan_core.errors import CanaryganError
from canarygan_metrics.scores.base import Embedded, check_agreement, classes, embeddings, posteriors

if TYPE_CHECKING:
    import numpy as np

    from canarygan_core.clips import Clips

log = logging.getLogger("canarygan")

FEW = 100
"""Clips below which shares and neighbours are rough."""

PER_CLASS = 10
"""Clips a class below which a histogram over classes is rough."""


@dataclass(frozen=True)
class InceptionScore(Embedded):
    """Inception score (Salimans et al., 2016): how sure the classifier is, and of how many classes; of generated clips.

    `is_mean` and `is_std` over splits, from 1 to the number of classes; `is_whole` of all clips together with its
    bootstrap 95 % interval, `is_low` to `is_high`; `is_shuffled`, the mean where labels tell nothing of the sounds.
    """

    name: ClassVar[str] = "inception-score"

    n_split: int = 10
    """Equal parts that are scored on their own, count."""
    draws: int = 200
    """Samples of the bootstrap, count."""
    seed: int = 0
    """Seed of the shuffle and the bootstrap, an integer from 0."""

    def __post_init__(self) -> None:
        self._check(n_split=1, draws=20, seed=0)

    def score(self, generated: "Clips", reference: "Clips") -> dict[str, float]:
        import numpy as np

        from canarygan_metrics.scores import inception as scores

        told = posteriors(generated, "generated")
        labels = np.asarray(classes(generated))[told.argmax(1)]
        enough = PER_CLASS * told.shape[1] * self.n_split
        _warn_few(self.name, len(told), enough, "generated", "in each split the score is low by up to a twentieth")
        found = scores.inception_score(told, splits=self.n_split, seed=self.seed, draws=self.draws)
        floor = scores.shuffled_floor(told, labels, splits=self.n_split, seed=self.seed)
        return {
            "is_mean": found.mean,
            "is_std": found.std,
            "is_whole": found.whole,
            "is_low": found.interval[0],
            "is_high": found.interval[1],
            "is_shuffled": floor.mean,
        }


@dataclass(frozen=True)
class Frechet(Embedded):
    """Fréchet distance between Gaussians fitted to embeddings (Heusel et al., 2017).

    `frechet`, 0 where mean and covariance are those of the real clips. Compare only figures of equally many clips.
    """

    name: ClassVar[str] = "frechet"

    def score(self, generated: "Clips", reference: "Clips") -> dict[str, float]:
        from canarygan_metrics.scores import distances

        made, real = _both(generated, reference, least=2)
        for rows, what in ((made, "generated"), (real, "real")):
            _warn_few(self.name, len(rows), 2 * rows.shape[1], what, "the distance is biased up; kid is not")
        return {"frechet": distances.frechet(made, real)}


@dataclass(frozen=True)
class KID(Embedded):
    """Kernel distance of embeddings, unbiased for any number of clips (Binkowski et al., 2018).

    `kid`, the mean over random subsets, around 0 (a little below as often as above) for clips like the real ones;
    `kid_std` over subsets.
    """

    name: ClassVar[str] = "kid"

    subsets: int = 50
    """Random subsets, count."""
    subset_size: int = 1000
    """Clips of either set in a subset, at most half of the smaller set, clips."""
    seed: int = 0
    """Seed of the subsets, an integer from 0."""

    def __post_init__(self) -> None:
        self._check(subsets=1, subset_size=2, seed=0)

    def score(self, generated: "Clips", reference: "Clips") -> dict[str, float]:
        from canarygan_metrics.scores import distances

        made, real = _both(generated, reference, least=2)
        for rows, what in ((made, "generated"), (real, "real")):
            _warn_few(self.name, len(rows), FEW, what, "subsets of so few vary much")
        found = distances.kernel_distance(made, real, subsets=self.subsets, size=self.subset_size, seed=self.seed)
        return {"kid": found.mean, "kid_std": found.std}


@dataclass(frozen=True)
class PrecisionRecall(Embedded):
    """Improved precision and recall of embeddings (Kynkäänniemi et al., 2019).

    `precision`, share of generated clips among real ones; `recall`, share of real clips among generated ones, which
    grows with their number: compare figures of equally many clips.
    """

    name: ClassVar[str] = "precision-recall"

    k: int = 3
    """Neighbours that a ball about a clip reaches, count."""

    def __post_init__(self) -> None:
        self._check(k=1)

    def score(self, generated: "Clips", reference: "Clips") -> dict[str, float]:
        from canarygan_metrics.scores import neighbours

        made, real = _both(generated, reference, least=self.k + 1)
        for rows, what in ((made, "generated"), (real, "real")):
            _warn_few(self.name, len(rows), FEW, what, "balls about so few are wide, which flatters")
        found = neighbours.precision_recall(made, real, self.k)
        return {"precision": found.precision, "recall": found.recall}


@dataclass(frozen=True)
class DensityCoverage(Embedded):
    """Density and coverage of embeddings (Naeem et al., 2020), which outliers mislead less than precision and recall.

    `density`, about 1 for more clips like the real ones, above where generated ones crowd; `coverage`, share of real
    clips with a generated one in the ball that reaches their k-th real neighbour.
    """

    name: ClassVar[str] = "density-coverage"

    k: int = 5
    """Neighbours that a ball about a real clip reaches, count."""

    def __post_init__(self) -> None:
        self._check(k=1)

    def score(self, generated: "Clips", reference: "Clips") -> dict[str, float]:
        from canarygan_metrics.scores import neighbours

        check_agreement(generated, reference)
        made, real = embeddings(generated, "generated"), embeddings(reference, "real", self.k + 1)
        _warn_few(self.name, len(real), FEW, "real", "balls about so few are wide, which flatters")
        _warn_few(self.name, len(made), len(real), "generated", "coverage cannot be full with fewer than real clips")
        found = neighbours.density_coverage(made, real, self.k)
        return {"density": found.density, "coverage": found.coverage}


@dataclass(frozen=True)
class Memorisation(Embedded):
    """Whether generated clips are copies: distances to the nearest training clip, beside those of held-out real clips.

    Training clips are those that the classifier was trained on, held-out ones those that it was not. `memorised`, the
    probability that a generated clip lies nearer than a held-out one: 0.5 where nothing is copied, 1 where all is;
    `nearer`, share of generated clips nearer than 99 % of held-out ones, about 0.01 where nothing is copied;
    `distance_ratio` of the medians `generated_distance` and `held_out_distance`. Sounds that are all typical of their
    class lie near to training clips too: high figures with a low `coverage` may mean that rather than copies.
    """

    name: ClassVar[str] = "memorisation"

    def score(self, generated: "Clips", reference: "Clips") -> dict[str, float]:
        from canarygan_metrics.scores import neighbours

        made, real = _both(generated, reference, least=1)
        held = _held_out(reference)
        _warn_few(self.name, int(held.sum()), FEW, "held-out real", "the share nearer than 99 % of them is rough")
        found = neighbours.memorisation(made, real[~held], real[held])
        return {
            "memorised": found.probability,
            "nearer": found.nearer,
            "distance_ratio": found.ratio,
            "generated_distance": found.generated,
            "held_out_distance": found.held,
        }


@dataclass(frozen=True)
class ClassBalance(Embedded):
    """Whether generated clips are of all classes and in the data's proportions, by the classifier's likeliest class.

    `class_recall`, share of the data's classes that are represented; `cross_entropy` of the generated histogram to the
    data's and `kl`, what of it is not the data's own entropy, nats; `unsure`, share of generated clips without a
    likely class; and of every class `CLASS/share` among generated clips and `CLASS/real` among the real ones.
    """

    name: ClassVar[str] = "class-balance"

    fraction: float = 0.1
    """A class is represented whose share of generated clips is at least this much of its share of the data, 0 to 1."""
    sure: float = 0.5
    """Posterior of the likeliest class below which a clip is unsure, 0 to 1."""

    def __post_init__(self) -> None:
        for option in ("fraction", "sure"):
            if not 0 <= getattr(self, option) <= 1:
                raise CanaryganError(f"--{self.name}.{option} may be 0 to 1, not {getattr(self, option):g}.")

    def score(self, generated: "Clips", reference: "Clips") -> dict[str, float]:
        from canarygan_metrics.scores import balance

        check_agreement(generated, reference)
        if reference.labels is None:
            raise CanaryganError(
                "class-balance compares classes, and the real clips have no labels: give a folder of sounds by class."
            )
        told, known = posteriors(generated, "generated"), classes(generated)
        _warn_few(self.name, len(told), PER_CLASS * len(known), "generated", "a class may be missing by chance")
        found = balance.balance(told, reference.labels, known, fraction=self.fraction, sure=self.sure)
        return {
            "class_recall": found.recall,
            "cross_entropy": found.cross_entropy,
            "kl": found.divergence,
            "unsure": found.unsure,
            **{f"{label}/share": share for label, share in found.generated.items()},
            **{f"{label}/real": share for label, share in found.reference.items()},
        }


def _both(
    generated: "Clips", reference: "Clips", least: int
) -> "tuple[np.ndarray[tuple[int, int], np.dtype[np.float32]], np.ndarray[tuple[int, int], np.dtype[np.float32]]]":
    """The embeddings of either, of one classifier."""
    check_agreement(generated, reference)
    return embeddings(generated, "generated", least), embeddings(reference, "real", least)


def _held_out(reference: "Clips") -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Which real clips the classifier was not trained on (clips,)."""
    import numpy as np

    listed = [str(source) for source in reference.origin.get("held_out", ())]
    if reference.sources is None or not listed:
        raise CanaryganError(
            "memorisation compares with real clips that the classifier was not trained on, and "
            + (
                "it has held none out."
                if reference.sources is not None
                else "the clips do not say where they are from."
            )
        )
    held = np.isin(reference.sources, listed)
    if not held.any():
        raise CanaryganError(
            f"None of the {len(reference)} real clips is one of the {len(listed)} that the classifier was not trained "
            f"on (such as {listed[0]}; the data has {reference.sources[0]}): give the data that it was trained on."
        )
    if held.all():
        raise CanaryganError(
            f"All {len(reference)} real clips are ones that the classifier was not trained on: "
            "give all of the data that it was trained on."
        )
    return held


def _warn_few(name: str, there: int, enough: int, what: str, why: str) -> None:
    if there < enough:
        log.warning(f"{name}: too few {what} clips to trust, {there}: {why}; {enough} would do.")
