"""How far apart two sets of embeddings are as distributions: Fréchet and kernel distance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import CanaryganError

Floats = NDArray[np.floating[Any]]
Exact = NDArray[np.float64]

SUBSET = 1000
"""Embeddings of either set in a subset of the kernel distance, at most."""

BLOCK = 4_000_000
"""Numbers in a block of a kernel matrix."""


@dataclass(frozen=True)
class KernelDistance:
    """A kernel distance over subsets.

    Attributes:
        mean: over subsets, unbiased: around 0, below it as often as above, for two samples of one distribution.
        std: over subsets, of the population; how much one of `size` embeddings varies, not the error of the mean.
        subsets: how many.
        size: embeddings of either set in each.
    """

    mean: float
    std: float
    subsets: int
    size: int


def frechet(a: Floats, b: Floats) -> float:
    """Squared Fréchet distance between Gaussians fitted to embeddings (n, d) and (m, d) (Heusel et al., 2017).

    Covariances are divided by n - 1. Fewer embeddings than about 2 d bias it up, the more so the fewer.

    Raises:
        CanaryganError: on fewer than two embeddings, or other dimensions.
    """
    check_embeddings(2, a, b)
    return _distance(*_fit_gaussian(a), *_fit_gaussian(b))


def kernel_distance(a: Floats, b: Floats, *, subsets: int = 50, size: int = SUBSET, seed: int = 0) -> KernelDistance:
    """Squared maximum mean discrepancy of embeddings (n, d) and (m, d), unbiased (Binkowski et al., 2018).

    Under the kernel (x . y / d + 1)^3, over random subsets of either set.

    Args:
        a: embeddings.
        b: embeddings.
        subsets: drawn, each without replacement.
        size: of a subset; at most half of the smaller set, so that subsets differ where there are few.
        seed: of the subsets.

    Raises:
        CanaryganError: on fewer than two embeddings, or other dimensions.
    """
    check_embeddings(2, a, b)
    rng = np.random.default_rng(seed)
    size = max(2, min(size, len(a) // 2, len(b) // 2))
    subset_pairs = ([rows[rng.choice(len(rows), size, replace=False)] for rows in (a, b)] for _ in range(subsets))
    values = [discrepancy(*pair) for pair in subset_pairs]
    return KernelDistance(float(np.mean(values)), float(np.std(values)), subsets, size)


def discrepancy(a: Floats, b: Floats) -> float:
    """Squared maximum mean discrepancy under the cubic kernel of all embeddings (n, d) and (m, d), unbiased.

    The U-statistic of Gretton et al. (2012): no embedding is compared with itself.
    """
    check_embeddings(2, a, b)
    n, m = len(a), len(b)
    within_a = (_kernel_sum(a, a) - _diagonal(a)) / (n * (n - 1))
    within_b = (_kernel_sum(b, b) - _diagonal(b)) / (m * (m - 1))
    return float(within_a + within_b - 2 * _kernel_sum(a, b) / (n * m))


def _fit_gaussian(rows: Floats) -> tuple[Exact, Exact]:
    """Mean (d,) and a root (d, r) of the covariance, r the smaller of n and d, without ever forming it."""
    exact = np.asarray(rows, np.float64)
    mean = exact.mean(0)
    triangle = np.asarray(np.linalg.qr(exact - mean, mode="r"))  # (r, d)
    return mean, triangle.T / np.sqrt(len(rows) - 1)


def _distance(mean1: Exact, root1: Exact, mean2: Exact, root2: Exact) -> float:
    """The distance of Gaussians, from their means and roots of their covariances (Dowson and Landau, 1982).

    |mean1 - mean2|^2 + tr(cov1 + cov2 - 2 (cov1 cov2)^(1/2)), where cov is root root^T.
    tr((cov1 cov2)^(1/2)) is the nuclear norm of root1^T root2.
    No root of a negative number is taken where there are fewer embeddings than dimensions, and squaring loses nothing.
    """
    shared = np.linalg.svd(root1.T @ root2, compute_uv=False).sum()
    apart = np.square(mean1 - mean2).sum() + np.square(root1).sum() + np.square(root2).sum() - 2 * shared
    return max(0.0, float(apart))


def _cubic(products: Exact, dimensions: int) -> Exact:
    return (products / dimensions + 1) ** 3


def _diagonal(rows: Floats) -> float:
    return float(_cubic(np.square(rows, dtype=np.float64).sum(1), rows.shape[1]).sum())


def _kernel_sum(a: Floats, b: Floats) -> float:
    """Sum of the kernel of all pairs, a few rows at a time."""
    other = np.asarray(b, np.float64)
    size = max(1, BLOCK // len(b))
    parts = (np.asarray(a[start : start + size], np.float64) for start in range(0, len(a), size))
    return float(sum(_cubic(part @ other.T, a.shape[1]).sum() for part in parts))


def check_embeddings(least: int, *sets: Floats) -> None:
    """Raise `CanaryganError` unless sets of embeddings have `least` rows each and the same number of columns."""
    for rows in sets:
        if rows.ndim != 2 or len(rows) < least:
            raise CanaryganError(f"Embeddings must have the shape (at least {least}, numbers), not {rows.shape}.")
    numbers = sorted({rows.shape[1] for rows in sets})
    if len(numbers) > 1:
        raise CanaryganError(f"Embeddings of {numbers[0]} and {numbers[-1]} numbers come from two classifiers.")
