import numpy as np
import pytest
from canarygan_metrics.scores import neighbours
from canarygan_metrics.scores.neighbours import density_coverage, precision_recall, radii
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from canarygan_core.errors import CanaryganError


def rows(n: int, d: int = 4, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(n, d)) + shift).astype(np.float32)


def by_hand(generated: np.ndarray, reference: np.ndarray, k: int) -> tuple[float, float, float, float]:
    """Precision, recall, density and coverage from their definitions, clip by clip."""
    real = np.sort(cdist(reference, reference), axis=1)[:, k]
    made = np.sort(cdist(generated, generated), axis=1)[:, k]
    apart = cdist(generated, reference)
    pairs = range(len(generated)), range(len(reference))
    precision = np.mean([any(apart[j, i] <= real[i] for i in pairs[1]) for j in pairs[0]])
    recall = np.mean([any(apart[j, i] <= made[j] for j in pairs[0]) for i in pairs[1]])
    density = np.mean([sum(apart[j, i] <= real[i] for i in pairs[1]) for j in pairs[0]]) / k
    coverage = np.mean([any(apart[j, i] <= real[i] for j in pairs[0]) for i in pairs[1]])
    return float(precision), float(recall), float(density), float(coverage)


@pytest.mark.parametrize("block", [10**6, 130])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_are_their_definitions(k: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "BLOCK", block)
    generated, reference = rows(40, seed=1, shift=0.8), rows(60)
    first, second = precision_recall(generated, reference, k), density_coverage(generated, reference, k)
    expected = by_hand(generated.astype(float), reference.astype(float), k)
    assert (first.precision, first.recall, second.density, second.coverage) == pytest.approx(expected)
    assert 0.1 < min(expected) < max(expected[:2]) < 1


def test_a_drawn_example() -> None:
    reference = np.array([[0.0], [1.0], [2.0], [10.0]])  # to the nearest other: 1, 1, 1, 8
    generated = np.array([[0.5], [2.5], [30.0]])  # 2, 2, 27.5
    first, second = precision_recall(generated, reference, 1), density_coverage(generated, reference, 1)
    assert (first.precision, first.recall) == (2 / 3, 1)  # 30 is near to nothing real; its ball reaches 10
    assert second.density == pytest.approx((2 + 2 + 0) / 3)  # 0.5 is in the balls of 0 and 1, 2.5 of 2 and 10
    assert second.coverage == 1


@pytest.mark.parametrize("shift", [0.0, 1000.0])
def test_all_is_reached_where_the_sets_are_the_same(shift: float) -> None:
    same = rows(150, d=128, shift=shift)
    first, second = precision_recall(same[::-1], same), density_coverage(same[::-1], same)
    assert (first.precision, first.recall, second.coverage) == (1, 1, 1)
    assert second.density == pytest.approx(6 / 5)  # in each ball its k neighbours and its middle
    apart = np.concatenate([part for _, part in neighbours.blocks(same[::-1], same)])
    np.testing.assert_array_equal(apart.min(1), 0)


def test_nothing_is_reached_where_the_sets_are_apart() -> None:
    first, second = precision_recall(rows(50, shift=100), rows(50)), density_coverage(rows(50, shift=100), rows(50))
    assert (first.precision, first.recall, second.density, second.coverage) == (0, 0, 0, 0)


def test_one_sound_over_and_over_covers_little() -> None:
    reference = rows(200)
    collapsed = np.repeat(reference[:1], 100, axis=0)
    first, second = precision_recall(collapsed, reference), density_coverage(collapsed, reference)
    assert (first.precision, first.recall) == (1, 1 / 200)
    assert second.coverage < 0.1


def test_distances_are_those_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "BLOCK", 700)
    a, b = rows(50, d=30, shift=5), rows(80, d=30, seed=1, shift=5)
    theirs = NearestNeighbors(n_neighbors=4).fit(b)
    apart = np.concatenate([part for _, part in neighbours.blocks(a, b)])
    np.testing.assert_allclose(np.sqrt(apart.min(1)), theirs.kneighbors(a)[0][:, 0], rtol=1e-5)
    np.testing.assert_allclose(np.sqrt(radii(b, 3)), theirs.kneighbors(b)[0][:, 3], rtol=1e-5)


def test_what_has_no_neighbours() -> None:
    with pytest.raises(CanaryganError, match="3 clips have no 3 neighbours each"):
        precision_recall(rows(3), rows(30))
    with pytest.raises(CanaryganError, match="5 clips have no 5 neighbours each"):
        density_coverage(rows(30), rows(5))
    with pytest.raises(CanaryganError, match=r"\(at least 1, numbers\), not \(0, 4\)"):
        density_coverage(rows(0), rows(30))
    with pytest.raises(CanaryganError, match="of 4 and 7 numbers"):
        precision_recall(rows(30), rows(30, d=7))
