import numpy as np
import pytest
from canarygan_metrics.scores.balance import compare_classes

from canarygan_core.errors import CanaryganError

CLASSES = ["a", "b", "c", "d"]


def posteriors(counts: list[int], top: float = 0.97) -> np.ndarray:
    """So many sounds of each class, their likeliest at a posterior of `top`."""
    rest = (1 - top) / 3
    return (np.full((sum(counts), 4), rest) + (top - rest) * np.repeat(np.eye(4), counts, axis=0)).astype(np.float32)


def labels(counts: list[int]) -> np.ndarray:
    return np.repeat(CLASSES, counts)


def test_the_datas_own_proportions_are_balanced() -> None:
    found = compare_classes(posteriors([400, 300, 200, 100]), labels([40, 30, 20, 10]), CLASSES)
    assert found.generated == pytest.approx({"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1})
    assert found.generated == pytest.approx(dict(found.reference))
    assert (found.recall, found.represented, found.unsure) == (1, ("a", "b", "c", "d"), 0)
    assert 0 <= found.divergence < 1e-3
    entropy = -np.sum([share * np.log(share) for share in (0.4, 0.3, 0.2, 0.1)])
    assert found.cross_entropy == pytest.approx(entropy, abs=1e-3)


def test_entropies_are_those_of_the_histogram_with_half_a_clip_more_a_class() -> None:
    found = compare_classes(posteriors([8, 2, 0, 0]), labels([1, 1, 2, 0]), CLASSES)
    smooth, data = np.array([8.5, 2.5, 0.5, 0.5]) / 12, np.array([0.25, 0.25, 0.5])
    assert found.cross_entropy == pytest.approx(-(data * np.log(smooth[:3])).sum())
    assert found.divergence == pytest.approx((data * np.log(data / smooth[:3])).sum())


def test_a_class_is_represented_by_a_stated_fraction_of_its_share() -> None:
    data, made = labels([50, 50, 100, 0]), posteriors([900, 25, 24, 51])
    assert compare_classes(made, data, CLASSES).represented == ("a", "b")
    assert compare_classes(made, data, CLASSES, fraction=0.11).represented == ("a",)
    assert compare_classes(made, data, CLASSES, fraction=0.04).represented == ("a", "b", "c")
    assert compare_classes(made, data, CLASSES).recall == pytest.approx(2 / 3)  # the data has no d
    assert compare_classes(posteriors([10, 0, 0, 0]), data, CLASSES, fraction=0).represented == ("a",)


def test_one_class_over_and_over_costs_much_and_not_endlessly() -> None:
    found = compare_classes(posteriors([0, 1000, 0, 0]), labels([10, 10, 10, 10]), CLASSES)
    assert found.recall == 0.25
    assert found.divergence == pytest.approx(0.75 * np.log(0.25 * 1002 / 0.5) + 0.25 * np.log(0.25 * 1002 / 1000.5))


def test_unsure_are_those_under_the_stated_posterior() -> None:
    told = np.concatenate([posteriors([5, 5, 5, 5]), posteriors([5, 0, 0, 0], top=0.45)])
    assert compare_classes(told, labels([1, 1, 1, 1]), CLASSES).unsure == pytest.approx(0.2)
    assert compare_classes(told, labels([1, 1, 1, 1]), CLASSES, sure=0.4).unsure == 0


def test_classes_that_the_classifier_does_not_know_are_refused() -> None:
    with pytest.raises(CanaryganError, match="clips of x, y; the classifier knows a, b, c, d only"):
        compare_classes(posteriors([1, 1, 1, 1]), np.array(["a", "y", "x", "x"]), CLASSES)


def test_nothing_to_compare() -> None:
    with pytest.raises(CanaryganError, match="0 generated and 4 real clips"):
        compare_classes(posteriors([0, 0, 0, 0]), labels([1, 1, 1, 1]), CLASSES)
    with pytest.raises(CanaryganError, match="of 1 of 4 clips hold NaN"):
        compare_classes(np.r_[posteriors([1, 1, 1, 0]), [[np.nan] * 4]], labels([1, 1, 1, 1]), CLASSES)
