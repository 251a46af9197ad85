import numpy as np
import pytest
from canarygan_metrics.umap import clusters
from canarygan_metrics.umap.clusters import OUTSIDE, Scale
from canarygan_metrics.umap.placements import Placement
from scipy.spatial.distance import cdist
from sklearn.cluster import HDBSCAN

from canarygan_core.errors import CanaryganError


def blobs(per_blob: int = 30, centres: tuple[tuple[float, float], ...] = ((0, 0), (10, 0), (0, 10))) -> np.ndarray:
    drawn = np.random.default_rng(0).normal(scale=0.3, size=(len(centres), per_blob, 2))
    return (np.asarray(centres)[:, None] + drawn).reshape(-1, 2).astype(np.float32)


@pytest.mark.parametrize(
    ("count", "size", "density"),
    [(16000, 500, 250), (50000, 500, 250), (8000, 250, 125), (1000, 31, 16), (160, 5, 3), (10, 5, 3), (0, 5, 3)],
)
def test_clusters_scale_with_the_set(count: int, size: int, density: int) -> None:
    assert Scale.of(count) == Scale(size, density)


def test_each_blob_is_a_cluster_and_a_stray_is_in_none() -> None:
    points = np.concatenate([blobs(), np.array([[30, 30]], np.float32)])
    before = points.copy()
    found = clusters.find_clusters(points, Scale.of(len(points)))
    assert found[-1] == OUTSIDE
    blob = np.repeat([0, 1, 2], 30)
    inside = found[:-1] != OUTSIDE
    assert inside.mean() > 0.9
    assert all(len(set(found[:-1][inside & (blob == number)])) == 1 for number in range(3))
    assert len(set(found[:-1][inside])) == 3
    np.testing.assert_array_equal(points, before)
    np.testing.assert_array_equal(clusters.find_clusters(points, Scale.of(len(points))), found)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_fewer_sounds_than_a_cluster_has_are_in_none(count: int) -> None:
    assert clusters.find_clusters(blobs()[:count], Scale.of(count)).tolist() == [OUTSIDE] * count


def test_those_in_clusters_take_the_label_of_the_nearest_real_sound() -> None:
    real = np.array([[0, 0], [1, 0], [5, 5], [6, 5]], np.float32)
    labels = np.array(["low", "middle", "a long name", "b"])
    points = np.array([[0.4, 0], [0.6, 0], [4, 5], [0, 0]], np.float32)
    made = clusters.label_clusters(np.array([0, 0, 1, OUTSIDE]), points, real, labels)
    assert made.tolist() == ["low", "middle", "a long name", "X"]
    assert clusters.label_clusters(np.array([], int), points[:0], real, labels).tolist() == []


def test_reach_is_how_far_real_sounds_are_from_their_neighbours() -> None:
    line = np.arange(200.0)[:, None] * [2, 0]  # of so many, a point needs 3 within a cluster: itself and two others
    assert clusters.find_reach(line) == pytest.approx(2, abs=0.05)  # on both sides, but for the two ends
    real = np.random.default_rng(0).normal(size=(320, 2))
    core = np.sort(cdist(real, real), 1)[:, Scale.of(320).density - 1]
    assert clusters.find_reach(real) == pytest.approx(np.percentile(core, 99))
    points = np.array([[0.0, 1.9], [0.0, 2.1]])
    assert clusters.label_clusters(np.array([0, 0]), points, line, np.full(200, "a")).tolist() == ["a", "X"]


def test_no_real_sound_is_explained() -> None:
    with pytest.raises(CanaryganError, match="no real sound"):
        clusters.label_clusters(np.array([0]), np.zeros((1, 2)), np.zeros((0, 2)), np.array([], np.str_))


def test_real_and_generated_sounds_are_clustered_together_as_by_scikit_learn() -> None:
    real, made = blobs(), blobs(20, ((0.2, 0), (0, 10), (6, 6)))
    labels = np.repeat(np.array(["a", "b", "c"]), 30)
    placed = Placement.compute(made, real, labels)
    together = np.concatenate([real, made]).astype(np.float64)
    theirs = HDBSCAN(placed.scale.size, min_samples=placed.scale.density, copy=True).fit_predict(together)
    np.testing.assert_array_equal(placed.cluster, theirs[90:])
    far = cdist(made, real).min(1) > np.percentile(np.sort(cdist(real, real), 1)[:, Scale.of(90).density - 1], 99)
    nearest = labels[cdist(made, real).argmin(1)]
    np.testing.assert_array_equal(placed.label, np.where(far | (theirs[90:] == OUTSIDE), "X", nearest))
    assert (placed.label[:20] == "a").mean() > 0.8
    assert (placed.label[20:40] == "c").mean() > 0.8
    assert set(placed.label[40:]) == {"X"}, "far from any real sound"


def test_unseen_real_sounds_keep_their_labels_and_garbage_far_from_them_gets_none() -> None:
    labels = np.repeat(np.array(["a", "b", "c"]), 100)
    rng = np.random.default_rng(1)
    centres = np.array([[0, 0], [10, 0], [0, 10]])
    real, unseen = (np.repeat(centres, count, 0) + rng.normal(size=(3 * count, 2)) for count in (100, 4))
    garbage = np.repeat([[40, 40], [-30, 25]], 60, 0) + rng.normal(size=(120, 2))
    alone = clusters.find_clusters(unseen, Scale.of(12))
    assert (alone == OUTSIDE).mean() > 0.2, "too few of a class to be a cluster of their own"
    placed = Placement.compute(np.concatenate([unseen, garbage]), real, labels)
    assert (placed.label[:12] == labels[::100].repeat(4)).mean() > 0.9, "over 100 seeds the least is 0.96"
    assert set(placed.label[12:]) == {"X"}
    assert (placed.cluster[12:] != OUTSIDE).mean() > 0.5, "it is a cluster, and still gives no label"


def test_shares_are_of_every_class_and_of_x() -> None:
    labels = np.array(["b", "b", "X", "b"])
    assert clusters.shares(labels, ["a", "b"]) == {"a": 0.0, "b": 0.75, "X": 0.25}
    assert clusters.shares(labels, ["X", "b"]) == {"X": 0.25, "b": 0.75}
    assert clusters.shares(labels[:0], ["a"]) == {"a": 0.0, "X": 0.0}
