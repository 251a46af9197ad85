"""UMAP (McInnes, Healy & Melville, 2018): a map of vectors, and where on it further vectors belong.

Fitting is umap-learn's. Placing is umap-learn's `transform` of each vector on its own, from plain arrays instead of the
pickled object that it needs: where a sound lies must not depend on which others are placed with it.
"""

import logging
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_metrics.umap import spectra

log = logging.getLogger("canarygan")

EPOCHS = 100
"""Rounds of optimisation when vectors are placed, umap-learn's number for up to 10,000 of them."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Layout:
    """A map.

    Attributes:
        vectors: (n, d) what it is of.
        coordinates: (n, k) where each lies.
        neighbours: how many near vectors say where one belongs.
        a: of the curve 1 / (1 + a distance^(2 b)) that says how near two points of the map are.
        b: of the same.
        seed: of the random draws.
    """

    vectors: Floats
    coordinates: Floats
    neighbours: int
    a: float
    b: float
    seed: int

    def place(self, vectors: Floats) -> Floats:
        """Coordinates (m, k) of vectors (m, d), each as if it were alone; one that the map is of keeps its own."""
        found, away = spectra.neighbours(vectors, self.vectors, self.neighbours)
        placed = self.coordinates[found[:, 0]]
        new = np.flatnonzero(away[:, 0] > 0)
        if len(new):
            placed[new] = self._optimised(found[new], away[new])
        return placed

    def _optimised(self, found: NDArray[np.int32], away: Floats) -> Floats:
        """Coordinates by the rows and distances (m, neighbours) of what is nearest, as `umap.UMAP.transform` does.

        Weights are relative to the greatest of their own vector, not of all, and rounds do not depend on how many
        vectors there are; the rest works on one vector after the other.
        """
        import scipy.sparse
        from umap import umap_
        from umap.layouts import optimize_layout_euclidean

        widths, offsets = umap_.smooth_knn_dist(away, float(self.neighbours), local_connectivity=0.0)
        rows, columns, weights, _ = umap_.compute_membership_strengths(found, away, widths, offsets, bipartite=True)
        shape = (len(found), len(self.vectors))
        graph = scipy.sparse.coo_matrix((weights, (rows, columns)), shape=shape).tocsr()
        graph.eliminate_zeros()
        start = umap_.init_graph_transform(graph, self.coordinates)
        table = weights.reshape(found.shape)
        greatest = table.max(1, keepdims=True)
        strong = (table >= greatest / EPOCHS).ravel()
        draws = np.random.RandomState(self.seed).randint(umap_.INT32_MIN, umap_.INT32_MAX, 3)
        laid: Floats = optimize_layout_euclidean(
            start,
            self.coordinates.copy(),
            rows[strong],
            columns[strong],
            EPOCHS,
            len(self.vectors),
            umap_.make_epochs_per_sample((table / greatest).ravel()[strong], EPOCHS),
            self.a,
            self.b,
            draws.astype(np.int64),
            1.0,
            0.25,
            5.0,
        )
        return laid


def fitted(vectors: Floats, *, neighbours: int, min_dist: float, spread: float, dimensions: int, seed: int) -> Layout:
    """The map of vectors (n, d), the same on one machine for the same vectors and seed.

    Args:
        vectors: n of them, more than dimensions + 1.
        neighbours: how many near vectors say where one belongs, itself among them; clipped to n - 1.
        min_dist: least distance between points of the map, in its units.
        spread: scale of the map, at least `min_dist`.
        dimensions: k, coordinates a point.
        seed: of the random draws.
    """
    import umap

    count = min(neighbours, len(vectors) - 1)
    if count < neighbours:
        log.warning(f"UMAP: {neighbours} neighbours were asked for, and of {len(vectors)} clips each has {count}.")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "precomputed_knn", UserWarning)
        warnings.filterwarnings("ignore", "k >= N", RuntimeWarning)
        learnt: Any = umap.UMAP(
            n_neighbors=count,
            n_components=dimensions,
            min_dist=min_dist,
            spread=spread,
            random_state=seed,
            n_jobs=1,
            precomputed_knn=spectra.neighbours(vectors, vectors, count),
            force_approximation_algorithm=True,  # or the neighbours given would be sought again in small sets
        ).fit(vectors)
    coordinates = np.ascontiguousarray(learnt.embedding_, np.float32)
    return Layout(vectors, coordinates, count, float(learnt._a), float(learnt._b), seed)
