"""How far apart two sets of embeddings are as distributions: Fréchet and kernel distance."""

import logging
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import CanaryganError
from canarygan_core.clips import Clips
from canarygan_metrics.scores.base import both_embeddings

Floats = NDArray[np.floating[Any]]
Exact = NDArray[np.float64]

log = logging.getLogger("canarygan")

MOSTLY = 0.2
"""Share of a Fréchet distance that may be bias."""

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

    Covariances are divided by n - 1. Few embeddings bias it up, the more so the fewer: see `frechet_bias`.

    Raises:
        CanaryganError: on fewer than two embeddings, or other dimensions.
    """
    check_embeddings(2, a, b)
    return Gaussian.fit(a).measure_distance(Gaussian.fit(b))


def frechet_bias(rows: Floats, others: int) -> float:
    """`Gaussian.estimate_bias` of the Gaussian fitted to embeddings (n, d)."""
    return Gaussian.fit(rows).estimate_bias(others)


@dataclass(frozen=True, eq=False)
class Gaussian:
    """What a Fréchet distance needs of embeddings.

    Attributes:
        count: embeddings that it was fitted to.
        mean: (d,).
        root: (d, r) of the covariance, r the smaller of n and d, without ever forming it.
    """

    count: int
    mean: Exact
    root: Exact

    @classmethod
    def fit(cls, rows: Floats) -> "Gaussian":
        """That of embeddings (n, d); `CanaryganError` on fewer than two."""
        check_embeddings(2, rows)
        exact = np.asarray(rows, np.float64)
        mean = exact.mean(0)
        triangle = np.asarray(np.linalg.qr(exact - mean, mode="r"))  # (r, d)
        return cls(len(rows), mean, triangle.T / np.sqrt(len(rows) - 1))

    def measure_distance(self, other: "Gaussian") -> float:
        """The squared Fréchet distance to another of as many dimensions (Dowson and Landau, 1982).

        |mean1 - mean2|^2 + tr(cov1 + cov2 - 2 (cov1 cov2)^(1/2)), where cov is root root^T. tr((cov1 cov2)^(1/2)) is
        the nuclear norm of root1^T root2. No root of a negative number is taken where there are fewer embeddings than
        dimensions, and squaring loses nothing.
        """
        shared = np.linalg.svd(self.root.T @ other.root, compute_uv=False).sum()
        traces = np.square(self.root).sum() + np.square(other.root).sum()
        return max(0.0, float(np.square(self.mean - other.mean).sum() + traces - 2 * shared))

    def estimate_bias(self, others: int) -> float:
        """About the distance that `others` more embeddings of this distribution would have to those it was fitted to.

        By the second-order expansion of the distance about equal Gaussians: (1/n + 1/m) (3/2 sum l_i + 1/2 sum over
        i != j of l_i l_j / (l_i + l_j)), l being the eigenvalues of the covariance. It counts the dimensions that
        embeddings spread over, not those that they have.
        """
        spread = np.square(np.linalg.svd(self.root, compute_uv=False))  # eigenvalues
        spread = spread[spread > spread.max() * 1e-12] if spread.max() > 0 else spread[:0]
        pairs = np.outer(spread, spread) / np.add.outer(spread, spread)
        off_diagonal = float(pairs.sum() - np.trace(pairs))
        return float((1 / self.count + 1 / others) * (1.5 * spread.sum() + 0.5 * off_diagonal))


@dataclass(frozen=True, eq=False)
class FittedFrechet:
    """The Fréchet distance to the Gaussian of real clips, which is fitted when it is first needed.

    Attributes:
        name: of the metric, for warnings.
        reference: the real clips, as the classifier left them.
    """

    name: str
    reference: Clips

    @cached_property
    def gaussian(self) -> Gaussian:
        """That of the real clips."""
        return Gaussian.fit(self.reference.facts["embedding"])

    def score(self, generated: Clips) -> dict[str, float]:
        """The distance of generated clips, and about what as many real ones would have."""
        a, b = both_embeddings(generated, self.reference, least=2)
        check_embeddings(2, a, b)
        distance, bias = Gaussian.fit(a).measure_distance(self.gaussian), self.gaussian.estimate_bias(len(a))
        if bias > MOSTLY * distance:
            counts = f"{len(a)} generated and {len(b)} real clips are too few for this distance"
            part = f"about {bias:.2g} of {distance:.2g} is what as many real clips would have; kid has no such bias"
            log.warning(f"{self.name}: {counts}: {part}.")
        return {"frechet": distance, "frechet_bias": bias}


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
    chosen = [[rng.choice(len(rows), size, replace=False) for rows in (a, b)] for _ in range(subsets)]
    if max(len(a), len(b)) ** 2 <= BLOCK:
        values = _discrepancies(a, b, chosen)
    else:
        values = [discrepancy(a[own], b[other]) for own, other in chosen]
    return KernelDistance(float(np.mean(values)), float(np.std(values)), subsets, size)


def _discrepancies(a: Floats, b: Floats, chosen: list[list[NDArray[np.intp]]]) -> list[float]:
    """`discrepancy` of chosen rows of both sets, of which the kernel is computed once for all."""
    n, m, size = len(a), len(b), len(chosen[0][0])
    exact = np.concatenate([np.asarray(a, np.float64), np.asarray(b, np.float64)])
    kernel = _cubic(exact @ exact.T, a.shape[1])
    np.fill_diagonal(kernel[:n, :n], 0)
    np.fill_diagonal(kernel[n:, n:], 0)
    signs = np.zeros((len(chosen), n + m))
    for row, (own, other) in zip(signs, chosen, strict=True):
        row[own], row[n + other] = 1, -1
    left, right = signs[:, :n], signs[:, n:]
    within = ((left @ kernel[:n, :n]) * left).sum(1) + ((right @ kernel[n:, n:]) * right).sum(1)
    across = ((left @ kernel[:n, n:]) * right).sum(1)  # negative
    return list(within / (size * (size - 1)) + 2 * across / size**2)


def discrepancy(a: Floats, b: Floats) -> float:
    """Squared maximum mean discrepancy under the cubic kernel of all embeddings (n, d) and (m, d), unbiased.

    The U-statistic of Gretton et al. (2012): no embedding is compared with itself.
    """
    check_embeddings(2, a, b)
    n, m = len(a), len(b)
    within_a = (_kernel_sum(a, a) - _diagonal(a)) / (n * (n - 1))
    within_b = (_kernel_sum(b, b) - _diagonal(b)) / (m * (m - 1))
    return float(within_a + within_b - 2 * _kernel_sum(a, b) / (n * m))


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
