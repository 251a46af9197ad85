"""Clusters of real and generated sounds together on a map, and the labels that generated ones take from real ones.

Both are clustered together, as the code of Pagliarini et al. (2021) does. So a class that a generator makes seldom is a
cluster all the same, by its real sounds. Beyond that code (ours), a sound takes no label where the nearest real one is
farther than real ones are from their own neighbours: else a cluster of garbage far away would be given one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canarygan_core import CanaryganError
from canarygan_core.fitted.decoders import X

SOUNDS, SIZE, DENSITY = 16000, 500, 250
"""Of so many sounds, real and generated, a cluster has at least `SIZE`, and a sound within has `DENSITY` near it."""

LEAST_SIZE, LEAST_DENSITY = 5, 3
"""The least that these are scaled down to for fewer sounds."""

OUTSIDE = -1
"""The number of no cluster."""

Floats = NDArray[np.float32]
Labels = NDArray[np.str_]


@dataclass(frozen=True)
class Scale:
    """How large clusters are.

    Attributes:
        size: sounds of a cluster, at least.
        density: sounds that one within a cluster has near it, itself among them; HDBSCAN's `min_samples`.
    """

    size: int
    density: int

    @classmethod
    def of(cls, count: int) -> "Scale":
        """That of a set of so many sounds: the paper's from 16,000 on, in proportion below."""
        share = min(count / SOUNDS, 1.0)
        return cls(max(round(SIZE * share), LEAST_SIZE), max(round(DENSITY * share), LEAST_DENSITY))

    def record(self) -> dict[str, int]:
        """The two by their names in HDBSCAN."""
        return {"min_cluster_size": self.size, "min_samples": self.density}


def find_clusters(coordinates: Floats, scale: Scale) -> NDArray[np.int64]:
    """The cluster of each point (n, k), from 0, -1 where it is in none; HDBSCAN with excess of mass (Campello, 2013).

    Fewer points than a cluster needs are in none. HDBSCAN never returns all points as one cluster here.
    """
    from sklearn.cluster import HDBSCAN

    if len(coordinates) < max(scale.size, scale.density):
        return np.full(len(coordinates), OUTSIDE, np.int64)
    model = HDBSCAN(**scale.record(), cluster_selection_method="eom", copy=True, n_jobs=1)
    return np.asarray(model.fit_predict(coordinates.astype(np.float64)), np.int64)


def find_reach(real: Floats) -> float:
    """How far real points (m, k) lie from their neighbours: for all but 1 % of them no farther, in the map's units.

    The neighbour is the one that decides whether a point is in a cluster, so this is the core distance of HDBSCAN
    (Campello, 2013) of the real points among themselves.
    """
    from scipy.spatial import cKDTree

    neighbour = min(Scale.of(len(real)).density, len(real))  # the first is the point itself
    return float(np.percentile(cKDTree(real).query(real, k=[neighbour])[0], 99))


def label_clusters(clusters: NDArray[np.int64], points: Floats, real: Floats, labels: Labels) -> Labels:
    """The label of the nearest real point for each that is in a cluster and within reach of it, X for the others.

    Args:
        clusters: (n,) as `find_clusters` returns them.
        points: (n, k) coordinates of the sounds.
        real: (m, k) coordinates of the real ones.
        labels: (m,) of the real ones.

    Raises:
        CanaryganError: where there is no real one.
    """
    from scipy.spatial import cKDTree

    if not len(real):
        raise CanaryganError("There is no real sound to take labels from.")
    result = np.full(len(points), X, dtype=np.result_type(labels.dtype, np.array(X).dtype))
    distance, nearest = map(np.asarray, cKDTree(real).query(points))
    known = (clusters != OUTSIDE) & (distance <= find_reach(real))
    result[known] = labels[nearest[known]]
    return result


def shares(labels: Labels, classes: list[str]) -> dict[str, float]:
    """The share of sounds of each class and of X, in that order; 0 where there is no sound."""
    total = max(len(labels), 1)
    return {label: float((labels == label).sum() / total) for label in dict.fromkeys([*classes, X])}
