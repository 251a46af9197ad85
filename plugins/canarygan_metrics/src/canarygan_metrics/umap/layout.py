"""UMAP (McInnes, Healy & Melville, 2018): a map of vectors, and the places of further vectors on it.

umap-learn fits the map. Its `transform` needs a pickled object, and the place of a vector depends on the others given
with it: so vectors are placed here, each on its own, by the same steps on plain arrays.
"""

import logging
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_metrics.umap.options import MapOptions

log = logging.getLogger("canarygan")

EPOCHS = 100
"""Rounds of optimisation when vectors are placed, umap-learn's number for up to 10,000 of them."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Layout:
    """A map.

    Attributes:
        vectors: (n, d) that it was fitted to.
        coordinates: (n, k) of each.
        neighbours: number of nearest vectors that determine the place of one.
        a: of the curve 1 / (1 + a distance^(2 b)), the similarity of two points of the map.
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
        """Coordinates (m, k) of vectors (m, d), each as if it were alone; a vector of the map keeps its own."""
        rows, distances = nearest_neighbours(vectors, self.vectors, self.neighbours)
        placed = self.coordinates[rows[:, 0]]
        new = np.flatnonzero(distances[:, 0] > 0)
        if len(new):
            placed[new] = self._optimise(rows[new], distances[new])
        return placed

    def _optimise(self, nearest: NDArray[np.int32], distances: Floats) -> Floats:
        """Coordinates by the rows and distances (m, neighbours) of what is nearest, as `umap.UMAP.transform` does.

        Weights are relative to the greatest of their own vector, not of all, and rounds do not depend on how many
        vectors there are; the rest works on one vector after the other.
        """
        import scipy.sparse
        from umap import umap_
        from umap.layouts import optimize_layout_euclidean

        widths, offsets = umap_.smooth_knn_dist(distances, float(self.neighbours), local_connectivity=0.0)
        rows, columns, weights, _ = umap_.compute_membership_strengths(
            nearest, distances, widths, offsets, bipartite=True
        )
        graph = scipy.sparse.csr_matrix((weights, (rows, columns)), shape=(len(nearest), len(self.vectors)))
        graph.eliminate_zeros()
        start = umap_.init_graph_transform(graph, self.coordinates)
        table = weights.reshape(nearest.shape)
        greatest = table.max(1, keepdims=True)
        strong = (table >= greatest / EPOCHS).ravel()
        draws = np.random.RandomState(self.seed).randint(umap_.INT32_MIN, umap_.INT32_MAX, 3)
        placed: Floats = optimize_layout_euclidean(
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
        return placed


def nearest_neighbours(queries: Floats, known: Floats, count: int, rows: int = 512) -> tuple[NDArray[np.int32], Floats]:
    """The nearest of the known vectors (m, d) to each query (n, d), nearest first, by exact distances.

    Returns:
        Their rows (n, count), the lower first among equally near ones, and their distances (n, count).
    """
    nearest = np.empty((len(queries), count), np.int32)
    distances = np.empty((len(queries), count), np.float32)
    others = known.astype(np.float64)
    lengths = np.square(others).sum(1)
    for start in range(0, len(queries), rows):
        part = queries[start : start + rows].astype(np.float64)
        squared = np.square(part).sum(1)[:, None] + lengths - 2 * (part @ others.T)  # (rows, m)
        near = np.sort(np.argpartition(squared, count - 1, axis=1)[:, :count], axis=1)
        near_squared = np.take_along_axis(squared, near, 1)
        order = np.argsort(near_squared, axis=1, kind="stable")
        nearest[start : start + rows] = np.take_along_axis(near, order, 1)
        distances[start : start + rows] = np.sqrt(np.take_along_axis(near_squared, order, 1))
    return nearest, distances


def fit(vectors: Floats, options: MapOptions) -> Layout:
    """The map of vectors (n, d), n above the number of dimensions + 1; the same on one machine for the same seed."""
    import umap

    count = min(options.neighbors, len(vectors) - 1)
    if count < options.neighbors:
        log.warning(
            f"UMAP: each of {len(vectors)} clips has {count} neighbours, not the {options.neighbors} of --neighbors."
        )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "precomputed_knn", UserWarning)
        warnings.filterwarnings("ignore", "k >= N", RuntimeWarning)
        fitted: Any = umap.UMAP(
            n_neighbors=count,
            n_components=options.dimensions,
            min_dist=options.min_dist,
            spread=options.spread,
            random_state=options.map_seed,
            n_jobs=1,
            precomputed_knn=nearest_neighbours(vectors, vectors, count),
            force_approximation_algorithm=True,  # or the neighbours given would be sought again in small sets
        ).fit(vectors)
    coordinates = np.ascontiguousarray(fitted.embedding_, np.float32)
    return Layout(vectors, coordinates, count, float(fitted._a), float(fitted._b), options.map_seed)
