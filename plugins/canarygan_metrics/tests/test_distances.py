import numpy as np
import pytest
import torch
from canarygan_metrics.scores import distances
from canarygan_metrics.scores.distances import discrepancy, frechet, kernel_distance
from scipy.linalg import sqrtm
from torchmetrics.image.fid import _compute_fid
from torchmetrics.image.kid import poly_mmd

from canarygan_core.errors import CanaryganError


def rows(n: int, d: int = 8, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) * np.linspace(0.5, 2, d) + shift).astype(np.float32)


def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x.astype(float).mean(0), np.cov(x.astype(float), rowvar=False)


def root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0))


def frechet_moments(mu1: np.ndarray, cov1: np.ndarray, mu2: np.ndarray, cov2: np.ndarray) -> float:
    one, other = (distances.Gaussian(9, mu, root(cov)) for mu, cov in ((mu1, cov1), (mu2, cov2)))
    return one.measure_distance(other)


def test_of_commuting_covariances_by_their_eigenvalues() -> None:
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    one, other = rng.uniform(0, 3, 6), rng.uniform(0, 3, 6)
    mu1, mu2 = rng.normal(size=6), rng.normal(size=6)
    expected = np.square(mu1 - mu2).sum() + np.square(np.sqrt(one) - np.sqrt(other)).sum()
    cov1, cov2 = (axes * one) @ axes.T, (axes * other) @ axes.T
    assert frechet_moments(mu1, cov1, mu2, cov2) == pytest.approx(expected, rel=1e-10)


def test_is_that_of_torchmetrics_and_of_a_matrix_root() -> None:
    a, b = rows(300), rows(200, seed=1, shift=0.3) @ np.random.default_rng(2).normal(size=(8, 8))
    (mu1, cov1), (mu2, cov2) = moments(a), moments(b)
    found = frechet(a, b)
    theirs = _compute_fid(*map(torch.tensor, (mu1, cov1, mu2, cov2)))
    assert found == pytest.approx(float(theirs), rel=1e-9)
    rooted = np.square(mu1 - mu2).sum() + np.trace(cov1 + cov2 - 2 * sqrtm(cov1 @ cov2).real)
    assert found == pytest.approx(rooted, rel=1e-9)
    assert found == pytest.approx(frechet_moments(mu1, cov1, mu2, cov2), rel=1e-9)


def test_nothing_between_a_set_and_itself_and_the_same_both_ways() -> None:
    a, b = rows(100), rows(150, seed=1)
    assert frechet(a, a) == pytest.approx(0, abs=1e-12)
    assert frechet(a, b) == pytest.approx(frechet(b, a), rel=1e-12)
    assert frechet(a, a + np.float32(3)) == pytest.approx(8 * 9, rel=1e-5)


def test_fewer_embeddings_than_dimensions_are_borne() -> None:
    a, b = rows(20, d=64), rows(15, d=64, seed=1, shift=1)
    assert frechet(a, a) == pytest.approx(0, abs=1e-10)
    (mu1, cov1), (mu2, cov2) = moments(a), moments(b)
    assert frechet(a, b) == pytest.approx(frechet_moments(mu1, cov1, mu2, cov2), rel=1e-6)
    assert frechet(np.zeros((5, 3), np.float32), np.ones((5, 3), np.float32)) == 3


def test_discrepancy_is_that_of_torchmetrics_and_of_a_double_loop() -> None:
    a, b = rows(30), rows(30, seed=1, shift=0.5)
    found = discrepancy(a, b)
    assert found == pytest.approx(float(poly_mmd(torch.tensor(a).double(), torch.tensor(b).double())), rel=1e-10)

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return (float(x.astype(float) @ y.astype(float)) / 8 + 1) ** 3

    short = b[:20]
    within = np.mean([kernel(x, y) for i, x in enumerate(a) for j, y in enumerate(a) if i != j])
    beyond = np.mean([kernel(x, y) for i, x in enumerate(short) for j, y in enumerate(short) if i != j])
    between = np.mean([kernel(x, y) for x in a for y in short])
    assert discrepancy(a, short) == pytest.approx(within + beyond - 2 * between, rel=1e-10)


def test_discrepancy_is_unbiased() -> None:
    whole, rng, halves = rows(200), np.random.default_rng(5), []
    for _ in range(300):
        order = rng.permutation(200)
        halves.append(discrepancy(whole[order[:100]], whole[order[100:]]))
    fresh = [discrepancy(rows(60, seed=2 * seed), rows(60, seed=2 * seed + 1)) for seed in range(300)]
    for found in (halves, fresh):
        assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(300)
        assert min(found) < 0 < max(found)


def test_kernel_distance_is_the_mean_over_subsets() -> None:
    a, b = rows(120), rows(90, seed=1, shift=0.4)
    found = kernel_distance(a, b, subsets=400, size=1000, seed=2)
    assert (found.subsets, found.size) == (400, 45)
    assert found.mean == pytest.approx(discrepancy(a, b), abs=4 * found.std / np.sqrt(400))
    assert found.std > 0
    assert kernel_distance(a, b, subsets=5, seed=2) == kernel_distance(a, b, subsets=5, seed=2)
    assert kernel_distance(a, b, subsets=5, seed=2) != kernel_distance(a, b, subsets=5, seed=3)


def test_sets_farther_apart_have_larger_distances() -> None:
    a = rows(200)
    near, far = (kernel_distance(a, rows(200, seed=1, shift=shift)).mean for shift in (0.2, 1.0))
    assert near < far / 5


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = rows(50), rows(40, seed=1)
    whole = discrepancy(a, b)
    monkeypatch.setattr(distances, "BLOCK", 120)
    assert discrepancy(a, b) == pytest.approx(whole, rel=1e-9)


@pytest.mark.parametrize("distance", [frechet, discrepancy, kernel_distance])
def test_one_clip_has_no_distance_nor_have_other_dimensions(distance) -> None:
    with pytest.raises(CanaryganError, match=r"\(at least 2, numbers\), not \(1, 8\)"):
        distance(rows(1), rows(20))
    with pytest.raises(CanaryganError, match="of 6 and 8 numbers come from two classifiers"):
        distance(rows(20), rows(20, d=6))


@pytest.mark.parametrize(("n", "m"), [(150, 400), (400, 400), (60, 900)])
def test_the_bias_is_what_samples_of_one_distribution_have(n: int, m: int) -> None:
    """The standard error of the mean of 30 draws is 2 to 4 % here; the expansion leaves out terms of third order."""
    rng = np.random.default_rng(0)
    scales = np.r_[np.linspace(2, 0.5, 10), np.full(30, 0.01)]  # 40 numbers, ten of which matter
    draw = [[rng.normal(size=(size, 40)) * scales for size in (n, m)] for _ in range(30)]
    found = np.mean([frechet(*pair) for pair in draw])
    told = np.mean([distances.frechet_bias(pair[1], n) for pair in draw])
    assert told == pytest.approx(found, rel=0.2)


def test_the_bias_goes_by_dimensions_that_embeddings_spread_over() -> None:
    few, many = rows(300, d=4), rows(300, d=64)
    assert distances.frechet_bias(many, 300) > 10 * distances.frechet_bias(few, 300)
    padded = np.concatenate([few, np.zeros((300, 60), np.float32)], axis=1)
    assert distances.frechet_bias(padded, 300) == pytest.approx(distances.frechet_bias(few, 300), rel=1e-6)
    assert distances.frechet_bias(np.ones((30, 4)), 30) == 0


def test_subsets_of_one_kernel_are_those_computed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = rows(120), rows(90, seed=1, shift=0.3)
    together = kernel_distance(a, b, subsets=20, size=30)
    monkeypatch.setattr(distances, "BLOCK", 100)
    apart = kernel_distance(a, b, subsets=20, size=30)
    assert (together.mean, together.std) == pytest.approx((apart.mean, apart.std), rel=1e-9)
