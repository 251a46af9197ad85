"""Kappas against scikit-learn, a published table, and standard errors against simulation and derivatives."""

import math

import numpy as np
import pytest
from canarygan_latents.stimuli.kappa import compute_cohen, compute_fleiss


def draw(trials=200, classes=4, alike=0.6, seed=0):
    rng = np.random.default_rng(seed)
    first = rng.choice(classes, trials, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())
    second = np.where(rng.random(trials) < alike, first, rng.choice(classes, trials))
    return [list(map(str, one)) for one in (first, second)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("classes", [2, 4, 9])
def test_cohens_kappa_is_that_of_sklearn(classes, seed):
    metrics = pytest.importorskip("sklearn.metrics")
    first, second = draw(60, classes, seed=seed)
    assert compute_cohen(first, second).value == pytest.approx(metrics.cohen_kappa_score(first, second))
    reverse = compute_cohen(second, first)
    assert (reverse.value, reverse.error) == pytest.approx(
        (compute_cohen(first, second).value, compute_cohen(first, second).error)
    )


def test_the_standard_error_is_that_of_the_delta_method():
    first, second = draw(150, 3)
    labels = sorted({*first, *second})
    counts = np.array(
        [[sum(a == i and b == j for a, b in zip(first, second, strict=True)) for j in labels] for i in labels]
    )
    share = counts / counts.sum()

    def kappa(p):
        p = p / p.sum()
        expected = p.sum(1) @ p.sum(0)
        return (np.trace(p) - expected) / (1 - expected)

    slope = np.zeros_like(share)
    for place in np.ndindex(share.shape):
        step = np.zeros_like(share)
        step[place] = 1e-6
        slope[place] = (kappa(share + step) - kappa(share - step)) / 2e-6
    variance = ((share * slope**2).sum() - (share * slope).sum() ** 2) / counts.sum()
    assert compute_cohen(first, second).error == pytest.approx(math.sqrt(variance), rel=1e-5)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    truth = compute_cohen(*draw(400_000)).value
    held = 0
    for seed in range(400):
        low, high = compute_cohen(*draw(200, seed=1000 + seed)).interval
        held += low <= truth <= high
    assert held / 400 == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / 400) ** 0.5)


@pytest.mark.parametrize("trials", [4, 15, 200])
def test_few_trials_that_are_all_alike_are_not_taken_for_certain(trials):
    """Of listeners who agree with probability p, all trials are alike in few cases where p is the least end."""
    first = ["a", "b"] * (trials // 2) + ["a"] * (trials % 2)
    alike = compute_cohen(first, first)
    low, high = alike.interval
    share = low * (1 - alike.expected) + alike.expected
    assert high == 1
    assert 0.01 < share**trials < 0.07


def test_full_agreement_and_one_label_alone():
    assert compute_cohen(["a", "b"], ["a", "b"]).value == 1
    assert compute_cohen(["a", "b"], ["b", "a"]).value == -1
    alone = compute_cohen(["a", "a"], ["a", "a"])
    assert math.isnan(alone.value)
    assert "not defined: both give one label alone (2 of 2 trials alike)" in alone.describe()
    assert alone.to_json()["kappa"] is None


def test_fleiss_kappa_of_a_published_table():
    """Fourteen raters sort ten subjects into five categories (the example of Wikipedia's article on Fleiss' kappa)."""
    table = [
        *("0 0 0 0 14", "0 2 6 4 2", "0 0 3 5 6", "0 3 9 2 0", "2 2 8 1 1"),
        *("7 7 0 0 0", "3 2 6 3 0", "2 5 3 2 2", "6 5 2 1 0", "0 2 2 3 7"),
    ]
    ratings = [
        [str(category) for category, count in enumerate(row.split()) for _ in range(int(count))] for row in table
    ]
    assert compute_fleiss(ratings) == pytest.approx(0.210, abs=5e-4)
    assert compute_fleiss([["a", "a"], ["b", "b"]]) == 1
    assert math.isnan(compute_fleiss([["a", "a"], ["a", "a"]]))
