import dataclasses
import logging
import math
import re

import numpy as np
import pytest
from canarygan_metrics.scores import distances, neighbours
from canarygan_metrics.scores import inception as scores
from canarygan_metrics.scores.base import ClassifierMetric
from canarygan_metrics.scores.metrics import (
    KID,
    ClassBalance,
    DensityCoverage,
    Frechet,
    InceptionScore,
    PrecisionRecall,
)

from canarygan_core import Metric
from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError
from canarygan_core.testing import check_component, contracts

CLASSES = ["A", "B", "C"]
METRICS = [InceptionScore, Frechet, KID, PrecisionRecall, DensityCoverage, ClassBalance]


def heard(n: int, *, seed: int = 0, shift: float = 0.0, numbers: int = 16, held: int = 0) -> Clips:
    """Clips of three classes in turn as the classifier leaves them: no samples, a cloud of embeddings a class."""
    rng = np.random.default_rng(seed)
    kind = np.arange(n) % 3
    embedding = rng.normal(size=(n, numbers)) + 4 * np.eye(3, numbers)[kind] + shift
    told = np.exp(4 * np.eye(3)[kind] + rng.normal(size=(n, 3)))
    sources = np.array([f"{CLASSES[one]}/{number:04d}.wav" for number, one in enumerate(kind)], dtype=np.str_)
    return Clips(
        np.zeros((n, 0), np.float32),
        16000,
        labels=np.array(CLASSES)[kind],
        sources=sources,
        facts={"embedding": embedding.astype(np.float32)},
        posteriors={"inception": (told / told.sum(1, keepdims=True)).astype(np.float32)},
        origin={"classes": CLASSES, "classifier": "c0ffee", "held_out": sources[:held].tolist()},
    )


def changed(clips: Clips, **origin: object) -> Clips:
    return dataclasses.replace(clips, origin={**clips.origin, **origin})


@pytest.mark.parametrize("cls", METRICS)
def test_options_are_documented_and_come_back_from_their_record(cls: type[ClassifierMetric], monkeypatch) -> None:
    monkeypatch.setitem(contracts.CHECKS, Metric, lambda *_: None)  # the classifier does not know toy clips
    check_component(cls)


@pytest.mark.parametrize("cls", METRICS)
def test_scores_are_named_finite_the_same_again_and_documented(cls: type[ClassifierMetric]) -> None:
    generated, reference = heard(150, seed=1), heard(300, held=100)
    found = cls().score(generated, reference)
    assert found == cls().score(generated, reference)
    assert found
    assert all(type(value) is float and math.isfinite(value) for value in found.values())
    told = str(cls.__doc__)
    for key in found:
        assert f"`{key}`" in told or "/" in key, f"{key} is not documented"


@pytest.mark.parametrize("cls", METRICS)
def test_without_a_classifier_the_way_to_one_is_told(cls: type[ClassifierMetric]) -> None:
    with pytest.raises(CanaryganError, match=r"^a metric of .* -m/--model-ckpt.*canarygan train-inception"):
        cls().listener()


@pytest.mark.parametrize("cls", METRICS)
def test_clips_that_no_classifier_heard_are_refused(cls: type[ClassifierMetric]) -> None:
    with pytest.raises(CanaryganError, match="No classifier has seen the generated clips"):
        cls().score(contracts.toy_clips(), contracts.toy_clips())


@pytest.mark.parametrize("cls", [cls for cls in METRICS if cls is not InceptionScore])
def test_two_classifiers_cannot_be_compared(cls: type[ClassifierMetric]) -> None:
    generated, reference = heard(60), heard(60, held=20)
    with pytest.raises(CanaryganError, match=r"different classifiers \(f00d and c0ffee\)"):
        cls().score(changed(generated, classifier="f00d"), reference)
    with pytest.raises(CanaryganError, match=r"different classes \(A, B, C and A, B\)"):
        cls().score(generated, changed(reference, classes=["A", "B"]))


@pytest.mark.parametrize("cls", [Frechet, KID, PrecisionRecall, DensityCoverage])
def test_embeddings_that_are_not_finite_are_counted(cls: type[ClassifierMetric]) -> None:
    broken = heard(60, held=20)
    broken.facts["embedding"][[3, 5], 0] = [np.nan, np.inf]
    with pytest.raises(CanaryganError, match="embeddings of 2 of 60 generated clips are not finite"):
        cls().score(broken, heard(60, held=20))
    with pytest.raises(CanaryganError, match="embeddings of 2 of 60 real clips are not finite"):
        cls().score(heard(60), broken)


@pytest.mark.parametrize("cls", [InceptionScore, ClassBalance])
def test_posteriors_that_are_not_finite_are_counted(cls: type[ClassifierMetric]) -> None:
    broken = heard(60)
    broken.posteriors["inception"][7] = np.nan
    with pytest.raises(CanaryganError, match="posteriors of 1 of 60 clips hold NaN"):
        cls().score(broken, heard(60))


@pytest.mark.parametrize("cls", METRICS)
def test_no_generated_clips_are_an_error(cls: type[ClassifierMetric]) -> None:
    with pytest.raises(CanaryganError, match=r"0 clips cannot|too few generated clips: 0|0 generated"):
        cls().score(heard(0), heard(60, held=20))


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (InceptionScore, "1 clips cannot be split in 10"),
        (Frechet, "too few generated clips: 1, and at least 2"),
        (KID, "too few generated clips: 1, and at least 2"),
        (PrecisionRecall, "too few generated clips: 1, and at least 4"),
    ],
)
def test_one_clip_is_too_few(cls: type[ClassifierMetric], said: str) -> None:
    with pytest.raises(CanaryganError, match=said):
        cls().score(heard(1), heard(60))


@pytest.mark.parametrize(
    ("cls", "enough", "said"),
    [
        (InceptionScore, 300, "inception-score: too few generated clips to trust, 60: .* 300 would do"),
        (KID, 100, "kid: too few real clips to trust, 60: .* 100 would do"),
        (PrecisionRecall, 100, "precision-recall: too few generated clips to trust, 60: .* 100 would do"),
        (DensityCoverage, 100, "density-coverage: too few real clips to trust, 60: .* 100 would do"),
        (ClassBalance, 30, "class-balance: too few generated clips to trust, 20: .* 30 would do"),
    ],
)
def test_few_clips_are_warned_of(cls: type[ClassifierMetric], enough: int, said: str, caplog) -> None:
    few = {ClassBalance: 20}.get(cls, 60)
    with caplog.at_level(logging.WARNING, logger="canarygan"):
        cls().score(heard(enough), heard(enough, held=enough // 2))
        assert not caplog.records
        cls().score(heard(few), heard(few, held=20))
    assert any(re.search(said, record.getMessage()) for record in caplog.records)


def test_components_give_what_the_functions_give() -> None:
    generated, reference = heard(200, seed=1, shift=0.5), heard(300, held=100)
    made, real = generated.facts["embedding"], reference.facts["embedding"]
    score = InceptionScore(n_split=4, seed=2).score(generated, reference)
    direct = scores.inception_score(generated.posteriors["inception"], splits=4, seed=2)
    assert (score["is_mean"], score["is_std"], score["is_whole"]) == (direct.mean, direct.std, direct.whole)
    assert (score["is_low"], score["is_high"]) == direct.interval
    assert 1 < score["is_shuffled"] < 1.1 < score["is_mean"] <= 3
    bias = distances.frechet_bias(real, len(made))
    assert Frechet().score(generated, reference) == {"frechet": distances.frechet(made, real), "frechet_bias": bias}
    kernel = distances.kernel_distance(made, real, subsets=9, size=40, seed=2)
    assert KID(subsets=9, subset_size=40, seed=2).score(generated, reference) == {
        "kid": kernel.mean,
        "kid_std": kernel.std,
    }
    assert PrecisionRecall(k=2).score(generated, reference) == vars(neighbours.precision_recall(made, real, 2))
    assert DensityCoverage(k=4).score(generated, reference) == vars(neighbours.density_coverage(made, real, 4))


def test_every_score_has_a_unit_and_those_that_are_tested_and_better_are_scores() -> None:
    found = {cls: cls().score(heard(150, seed=1), heard(300)) for cls in METRICS}
    for cls, scored in found.items():
        names = {key.rpartition("/")[2] for key in scored}
        assert names == set(cls.units), cls
        assert set(cls.better) <= names
        assert set(cls.better.values()) <= {"smaller", "larger"}
        assert set(cls.tested or ()) <= names


def test_a_distance_that_is_mostly_bias_is_warned_of_by_what_was_measured(caplog) -> None:
    few = {"generated": heard(60, seed=1), "reference": heard(60)}
    with caplog.at_level(logging.WARNING, logger="canarygan"):
        Frechet().score(heard(600, seed=1, shift=1), heard(600))
        assert not caplog.records
        Frechet().score(**few)
    assert re.search("frechet: 60 generated and 60 real clips are too few .* kid has no such bias", caplog.text)
    # numbers that say nothing more cost nothing: 256 copies of the same 16 dimensions are no more than these
    wide = {
        side: dataclasses.replace(clips, facts={"embedding": np.repeat(clips.facts["embedding"], 16, 1) / 4})
        for side, clips in few.items()
    }
    narrow, repeated = Frechet().score(**few), Frechet().score(**wide)
    assert repeated == pytest.approx(narrow, rel=1e-4)


def test_the_ceiling_takes_the_frequencies_of_the_classes() -> None:
    reference = heard(90)
    assert InceptionScore().score(heard(90, seed=1), reference)["is_ceiling"] == pytest.approx(3)
    uneven = reference.select(np.r_[np.arange(0, 90, 3), [1, 2]])  # 30, 1 and 1
    expected = np.exp(-(30 / 32 * np.log(30 / 32) + 2 / 32 * np.log(1 / 32)))
    assert InceptionScore().score(heard(90, seed=1), uneven)["is_ceiling"] == pytest.approx(expected)
    unlabelled = dataclasses.replace(reference, labels=None)
    assert "is_ceiling" not in InceptionScore().score(heard(90, seed=1), unlabelled)


def test_balance_counts_classes_of_posteriors_against_labels_of_the_data() -> None:
    generated, reference = heard(300, seed=1), heard(90)
    only = generated.select(np.flatnonzero(generated.labels == "A"))
    found = ClassBalance().score(only, reference)
    assert found["A/share"] > 0.9
    assert found["A/real"] == pytest.approx(1 / 3)
    assert found["class_recall"] == pytest.approx(1 / 3)
    assert ClassBalance().score(generated, reference)["class_recall"] == 1


def test_balance_refuses_data_of_other_classes_or_none() -> None:
    generated, reference = heard(60), heard(60)
    with pytest.raises(CanaryganError, match="clips of a0; the classifier knows A, B, C only"):
        ClassBalance().score(generated, dataclasses.replace(reference, labels=np.full(60, "a0")))
    with pytest.raises(CanaryganError, match="class-balance needs real clips with labels"):
        ClassBalance().score(generated, dataclasses.replace(reference, labels=None))
    with pytest.raises(CanaryganError, match="names 2 classes for posteriors of 3"):
        ClassBalance().score(changed(generated, classes=["A", "B"]), changed(reference, classes=["A", "B"]))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: InceptionScore(n_split=0), "--inception-score.n-split must be at least 1, not 0"),
        (lambda: InceptionScore(draws=3), "--inception-score.draws must be at least 20, not 3"),
        (lambda: KID(subset_size=1), "--kid.subset-size must be at least 2, not 1"),
        (lambda: KID(seed=-1), "--kid.seed must be at least 0, not -1"),
        (lambda: PrecisionRecall(k=0), "--precision-recall.k must be at least 1, not 0"),
        (lambda: DensityCoverage(k=0), "--density-coverage.k must be at least 1, not 0"),
        (lambda: ClassBalance(fraction=2), "--class-balance.fraction must be 0 to 1, not 2"),
        (lambda: ClassBalance(sure=math.nan), "--class-balance.sure must be 0 to 1, not nan"),
    ],
)
def test_options_out_of_range_are_refused(make, said: str) -> None:
    with pytest.raises(CanaryganError, match=said):
        make()
