import json

import numpy as np
import pytest
import torch
from canarygan_metrics.scores import inception as scores
from canarygan_metrics.scores.inception import inception_score, shuffled_floor
from scipy.special import softmax
from torchmetrics.image.inception import InceptionScore as Theirs

from canarygan_core.errors import CanaryganError


def posteriors(n: int, classes: int = 5, sharp: float = 3.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)) + sharp * np.eye(classes)[rng.integers(0, classes, n)]
    return softmax(logits, axis=1)


def test_one_where_all_sounds_are_alike() -> None:
    found = inception_score(np.tile([0.7, 0.2, 0.1], (50, 1)), splits=5)
    assert found.mean == pytest.approx(1, abs=1e-12)
    assert (found.std, found.interval) == (pytest.approx(0, abs=1e-12), pytest.approx((1, 1)))


def test_as_many_as_classes_where_each_is_sure_and_all_are_equally_frequent() -> None:
    found = inception_score(np.repeat(np.eye(7), 20, axis=0).astype(np.float32), splits=1)
    assert (found.mean, found.whole) == (pytest.approx(7), pytest.approx(7))


@pytest.mark.parametrize("splits", [1, 4])
def test_is_that_of_torchmetrics(splits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = posteriors(200)
    order = np.random.default_rng([3, 0]).permutation(200)
    monkeypatch.setattr(torch, "randperm", lambda _: torch.tensor(order))
    theirs = Theirs(feature=torch.nn.Identity(), splits=splits, normalize=False)
    theirs.update(torch.tensor(np.log(told)))
    mean, spread = theirs.compute()
    found = inception_score(told, splits=splits, seed=3)
    assert found.mean == pytest.approx(float(mean), rel=1e-9)
    if splits > 1:  # theirs is divided by splits - 1
        assert found.std == pytest.approx(float(spread) * np.sqrt((splits - 1) / splits), rel=1e-9)


def test_splits_are_shuffled_and_a_seed_gives_the_same_score() -> None:
    ordered = np.repeat(np.eye(4), 25, axis=0)
    assert inception_score(ordered, splits=4).mean > 3.5  # unshuffled, each split would be of one class and score 1
    assert inception_score(ordered, splits=4, seed=1) == inception_score(ordered, splits=4, seed=1)
    assert inception_score(ordered, splits=4, seed=1).mean != inception_score(ordered, splits=4, seed=2).mean


def test_splits_of_unequal_length_hold_every_clip() -> None:
    assert inception_score(posteriors(103), splits=10).n == 103
    assert inception_score(np.tile([0.5, 0.5], (13, 1)), splits=10).mean == pytest.approx(1)


@pytest.mark.parametrize(("n", "classes", "sharp"), [(200, 5, 3.0), (100, 10, 6.0)])
def test_interval_holds_the_score_of_endless_clips_about_19_times_in_20(n: int, classes: int, sharp: float) -> None:
    truth = inception_score(posteriors(400_000, classes, sharp, seed=99), splits=1, draws=1).whole
    held = 0
    for seed in range(60):
        low, high = inception_score(posteriors(n, classes, sharp, seed=seed), splits=1, seed=seed).interval
        held += low <= truth <= high
    assert held >= 53


def test_interval_does_not_depend_on_the_size_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    told = posteriors(300)
    whole = inception_score(told).interval
    monkeypatch.setattr(scores, "BLOCK", 900)
    assert inception_score(told).interval == pytest.approx(whole, rel=1e-12)


def test_interval_holds_the_score_and_stays_within_what_a_score_can_be() -> None:
    for told in (posteriors(12, sharp=9), posteriors(30, sharp=0), np.repeat(np.eye(5), 3, axis=0)):
        found = inception_score(told, splits=2)
        assert 1 <= found.interval[0] <= found.whole <= found.interval[1] <= 5


def test_record_is_json() -> None:
    record = json.loads(json.dumps(inception_score(posteriors(60).astype(np.float32)).record()))
    assert record.keys() == {"is_mean", "is_std", "is_whole", "is_interval_95", "clips", "splits"}
    assert (record["clips"], record["splits"], len(record["is_interval_95"])) == (60, 10, 2)


def test_floor_is_one_plus_what_few_clips_differ_by_chance() -> None:
    many, few = posteriors(20_000), posteriors(200)
    floor = shuffled_floor(many, many.argmax(1).astype(str), splits=1)
    assert 1 < floor.mean < 1.001
    assert floor.mean < shuffled_floor(few, few.argmax(1).astype(str), splits=1).mean
    assert inception_score(few).mean > 1.5 * shuffled_floor(few, few.argmax(1).astype(str)).mean


def test_floor_of_one_hot_is_that_of_a_contingency_table() -> None:
    # of independent labels 2 n I is chi-squared with (K - 1)^2 degrees of freedom (Wilks, 1938)
    hot = np.repeat(np.eye(4), 1000, axis=0)
    floor = shuffled_floor(hot, np.repeat(["a", "b", "c", "d"], 1000), splits=1, shuffles=100)
    assert (floor.mean - 1) * 2 * 4000 == pytest.approx(9, abs=5 * np.sqrt(18 / 100))
    assert floor.record() == {"is_mean": floor.mean, "is_std": floor.std, "clips": 4000, "splits": 1}


def test_floor_of_a_label_a_clip_is_the_score_itself() -> None:
    told = posteriors(80)
    names = np.array([f"clip {number}" for number in range(80)])
    assert shuffled_floor(told, names, splits=1).mean == pytest.approx(inception_score(told, splits=1).mean)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (np.zeros((0, 3)), r"the shape \(clips, classes\), not \(0, 3\)"),
        (np.ones((20, 1)), "at least two classes"),
        (np.r_[np.full((19, 2), 0.5), [[np.nan, 1]]], "of 1 of 20 clips hold NaN or infinity; the first is clip 19"),
        (np.r_[[[-0.5, 1.5]], np.full((19, 2), 0.5)], "of 1 of 20 clips hold negative numbers"),
        (np.full((20, 2), 0.7), r"of 20 of 20 clips do not sum to 1 \(are they logits\?\)"),
        (np.full((9, 2), 0.5), "9 clips cannot be split in 10"),
    ],
)
def test_what_cannot_be_scored(told: np.ndarray, said: str) -> None:
    with pytest.raises(CanaryganError, match=said):
        inception_score(told)
    with pytest.raises(CanaryganError, match=said):
        shuffled_floor(told, np.full(len(told), "a"))


def test_another_number_of_labels_and_no_splits() -> None:
    with pytest.raises(CanaryganError, match="3 labels were given for the posteriors of 20 clips"):
        shuffled_floor(posteriors(20), np.array(["a", "b", "c"]))
    with pytest.raises(CanaryganError, match="give 1 to 20 splits"):
        inception_score(posteriors(20), splits=0)
