"""The metrics of the classifier: inception score, distances, neighbours and the balance of classes."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from canarygan_core import CanaryganError, Metric
from canarygan_core.components import Listener
from canarygan_metrics.options import check_ranges
from canarygan_metrics.scores.base import ClassifierMetric, both_embeddings, check_agreement, posteriors_and_classes
from canarygan_metrics.units import COPY_UNITS

if TYPE_CHECKING:
    import numpy as np

    from canarygan_core.clips import Clips
    from canarygan_metrics.scores.distances import FittedFrechet

log = logging.getLogger("canarygan")

Scores = dict[str, float]

FEW = 100
"""Clips below which shares and neighbours are rough."""

FEW_UNSEEN = 20
"""Unseen clips below which it is rough how near sounds lie to them."""

PER_CLASS = 10
"""Clips a class below which a histogram over classes is rough."""

IS_SCORES = ("is_mean", "is_std", "is_whole", "is_low", "is_high", "is_shuffled", "is_ceiling")
"""Scores of `inception-score`, all of them numbers of classes."""

WIDE_BALLS = "the balls around so few clips are wide, which raises the score"


@dataclass(frozen=True)
class InceptionScore(ClassifierMetric):
    """Inception score (Salimans et al., 2016): how sure the classifier is, and of how many classes; of generated clips.

    `is_mean` and `is_std` over splits, from 1 to the number of classes; `is_whole` of all clips together with its
    bootstrap 95 % interval, `is_low` to `is_high`; `is_shuffled`, the mean after labels were shuffled among the clips;
    `is_ceiling`, what sounds with the class frequencies of the real clips would score if each were certain.
    """

    name: ClassVar[str] = "inception-score"
    units: ClassVar[Mapping[str, str]] = dict.fromkeys(IS_SCORES, "classes")
    better: ClassVar[Mapping[str, str]] = {"is_mean": "larger", "is_whole": "larger"}
    tested: ClassVar[frozenset[str]] = frozenset({"is_mean", "is_whole"})

    n_split: int = 10
    """Equal parts that are scored on their own, count."""
    draws: int = 200
    """Samples of the bootstrap, count."""
    seed: int = 0
    """Seed of the shuffle and the bootstrap, an integer from 0."""

    def __post_init__(self) -> None:
        check_ranges(self, n_split=1, draws=20, seed=0)

    def score(self, generated: "Clips", reference: "Clips") -> Scores:
        from canarygan_metrics.scores.inception import compute_ceiling, inception_score, shuffled_floor

        posteriors, classes = posteriors_and_classes(generated)
        enough = PER_CLASS * len(classes) * self.n_split
        reason = "in each split the score is low by up to a twentieth"
        self.warn_few(enough, reason, generated=len(posteriors))
        score = inception_score(posteriors, splits=self.n_split, seed=self.seed, draws=self.draws)
        floor = shuffled_floor(posteriors, posteriors.argmax(1), splits=self.n_split, seed=self.seed)
        low, high = score.interval
        whole = {"is_whole": score.whole, "is_low": low, "is_high": high}
        ceiling = {} if reference.labels is None else {"is_ceiling": compute_ceiling(reference.labels)}
        return {"is_mean": score.mean, "is_std": score.std, **whole, "is_shuffled": floor.mean, **ceiling}


@dataclass(frozen=True)
class Frechet(ClassifierMetric):
    """Fréchet distance between Gaussians fitted to embeddings (Heusel et al., 2017).

    `frechet`, 0 where mean and covariance are those of the real clips. Compare only scores of equally many clips.
    `frechet_bias`, about what as many real clips would have, because there are so few for so many dimensions.
    """

    name: ClassVar[str] = "frechet"
    units: ClassVar[Mapping[str, str]] = dict.fromkeys(("frechet", "frechet_bias"), "embedding^2")
    better: ClassVar[Mapping[str, str]] = {"frechet": "smaller"}
    tested: ClassVar[frozenset[str]] = frozenset({"frechet"})

    def fit(self, reference: "Clips") -> "FittedFrechet":
        """The distance to the Gaussian of the real clips, for all sets that are scored against them."""
        from canarygan_metrics.scores.distances import FittedFrechet

        return FittedFrechet(self.name, reference)

    def score(self, generated: "Clips", reference: "Clips") -> Scores:
        return self.fit(reference).score(generated)


@dataclass(frozen=True)
class KID(ClassifierMetric):
    """Kernel distance of embeddings, unbiased for any number of clips (Binkowski et al., 2018).

    `kid`, the mean over random subsets, around 0 (a little below as often as above) for clips like the real ones;
    `kid_std` over subsets.
    """

    name: ClassVar[str] = "kid"
    units: ClassVar[Mapping[str, str]] = dict.fromkeys(("kid", "kid_std"), "kernel")
    better: ClassVar[Mapping[str, str]] = {"kid": "smaller"}
    tested: ClassVar[frozenset[str]] = frozenset({"kid"})

    subsets: int = 50
    """Random subsets, count."""
    subset_size: int = 1000
    """Clips of either set in a subset, at most half of the smaller set, clips."""
    seed: int = 0
    """Seed of the subsets, an integer from 0."""

    def __post_init__(self) -> None:
        check_ranges(self, subsets=1, subset_size=2, seed=0)

    def score(self, generated: "Clips", reference: "Clips") -> Scores:
        from canarygan_metrics.scores import distances

        a, b = both_embeddings(generated, reference, least=2)
        self.warn_few(FEW, "subsets of so few vary much", generated=len(a), real=len(b))
        distance = distances.kernel_distance(a, b, subsets=self.subsets, size=self.subset_size, seed=self.seed)
        return {"kid": distance.mean, "kid_std": distance.std}


@dataclass(frozen=True)
class PrecisionRecall(ClassifierMetric):
    """Improved precision and recall of embeddings (Kynkäänniemi et al., 2019).

    `precision`, share of generated clips among real ones; `recall`, share of real clips among generated ones, which
    grows with their number: compare scores of equally many clips.
    """

    name: ClassVar[str] = "precision-recall"
    units: ClassVar[Mapping[str, str]] = dict.fromkeys(("precision", "recall"), "share")
    better: ClassVar[Mapping[str, str]] = dict.fromkeys(("precision", "recall"), "larger")

    k: int = 3
    """Number of the neighbour that the ball around a clip reaches, count."""

    def __post_init__(self) -> None:
        check_ranges(self, k=1)

    def score(self, generated: "Clips", reference: "Clips") -> Scores:
        from canarygan_metrics.scores import neighbours

        a, b = both_embeddings(generated, reference, least=self.k + 1)
        self.warn_few(FEW, WIDE_BALLS, generated=len(a), real=len(b))
        return vars(neighbours.precision_recall(a, b, self.k))


@dataclass(frozen=True)
class DensityCoverage(ClassifierMetric):
    """Density and coverage of embeddings (Naeem et al., 2020), which outliers mislead less than precision and recall.

    `density`, about 1 for more clips like the real ones, above where generated ones crowd; `coverage`, share of real
    clips with a generated one in the ball that reaches their k-th real neighbour.
    """

    name: ClassVar[str] = "density-coverage"
    units: ClassVar[Mapping[str, str]] = {"density": "ratio", "coverage": "share"}
    better: ClassVar[Mapping[str, str]] = {"coverage": "larger"}

    k: int = 5
    """Number of the neighbour that the ball around a real clip reaches, count."""

    def __post_init__(self) -> None:
        check_ranges(self, k=1)

    def score(self, generated: "Clips", reference: "Clips") -> Scores:
        from canarygan_metrics.scores import neighbours

        a, b = both_embeddings(generated, reference, least=1, least_real=self.k + 1)
        self.warn_few(FEW, WIDE_BALLS, real=len(b))
        reason = "with fewer than real clips, coverage cannot be full"
        self.warn_few(len(b), reason, generated=len(a))
        return vars(neighbours.density_coverage(a, b, self.k))


@dataclass(frozen=True)
class Memorisation(Metric):
    """Whether generated sounds are copies: whether they lie nearer to training clips than to as many unseen ones.

    Unseen clips are those that the generator was not trained on (train-gan --hold-out). Distances are between levels
    over time and frequency, down to a floor, so that faint noise hides no copy. `memorised`, the probability that the
    clip that a sound lies nearest to is a training clip, were there as many unseen ones: 0.5 where nothing is copied, 1
    where everything is; sounds count by how much nearer that clip is than the next. `copied`, the share of copies, with
    its 95 % interval; median distances to the nearest training clip and to the nearest unseen one, and their numbers.
    """

    name: ClassVar[str] = "memorisation"
    units: ClassVar[Mapping[str, str]] = COPY_UNITS
    better: ClassVar[Mapping[str, str]] = {"memorised": "smaller", "copied": "smaller"}
    tested: ClassVar[frozenset[str]] = frozenset({"memorised", "copied"})
    needs_unseen: ClassVar[bool] = True

    floor: float = 25.0
    """How far below the loudest level of a sound its levels count, dB."""

    def __post_init__(self) -> None:
        check_ranges(self, floor=(10, 25.5, "dB"))

    def listener(self) -> Listener:
        from canarygan_metrics.scores.levels import Levels

        return Levels(self.floor)

    def score(self, generated: "Clips", reference: "Clips") -> Scores:
        from canarygan_metrics.scores import copies

        found = copies.score(generated, reference)
        if found.unseen_clips < FEW_UNSEEN:
            log.warning(f"{self.name}: {found.unseen_clips:g} unseen clips are few; {FEW_UNSEEN} would do.")
        return vars(found)

    def resample(
        self, generated: "Clips", reference: "Clips", rng: "np.random.Generator"
    ) -> "Iterator[tuple[Clips, Clips]]":
        from canarygan_metrics.scores import copies

        return copies.exchange(generated, reference, rng)


@dataclass(frozen=True)
class ClassBalance(ClassifierMetric):
    """Whether generated clips are of all classes and in the data's proportions, by the classifier's likeliest class.

    `class_recall`, share of the data's classes that are represented; `cross_entropy` of the generated histogram to the
    data's, and `kl`, the same less the data's own entropy, nats; `unsure`, share of generated clips without a
    likely class; and of every class `CLASS/share` among generated clips and `CLASS/real` among the real ones.
    """

    name: ClassVar[str] = "class-balance"
    units: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("class_recall", "unsure", "share", "real"), "share"),
        **dict.fromkeys(("cross_entropy", "kl"), "nats"),
    }
    better: ClassVar[Mapping[str, str]] = {
        "class_recall": "larger",
        **dict.fromkeys(("cross_entropy", "kl", "unsure"), "smaller"),
    }
    tested: ClassVar[frozenset[str]] = frozenset({"class_recall", "kl", "unsure", "share"})

    fraction: float = 0.1
    """A class is represented where its share of generated clips is at least this part of its share of data, 0 to 1."""
    sure: float = 0.5
    """Posterior of the likeliest class below which a clip is unsure, 0 to 1."""

    def __post_init__(self) -> None:
        check_ranges(self, fraction=(0, 1), sure=(0, 1))

    def score(self, generated: "Clips", reference: "Clips") -> Scores:
        from canarygan_metrics.scores.balance import compare_classes

        check_agreement(generated, reference)
        if reference.labels is None:
            raise CanaryganError("class-balance needs real clips with labels: give a folder of sounds by class.")
        posteriors, classes = posteriors_and_classes(generated)
        self.warn_few(PER_CLASS * len(classes), "a class may be missing by chance", generated=len(posteriors))
        balance = compare_classes(posteriors, reference.labels, classes, fraction=self.fraction, sure=self.sure)
        return {
            "class_recall": balance.recall,
            "cross_entropy": balance.cross_entropy,
            "kl": balance.divergence,
            "unsure": balance.unsure,
            **{f"{label}/share": share for label, share in balance.generated.items()},
            **{f"{label}/real": share for label, share in balance.reference.items()},
        }
