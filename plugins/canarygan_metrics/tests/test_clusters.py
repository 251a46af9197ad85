import numpy as np
import pytest
from canarygan_metrics.umap import clusters
from canarygan_metrics.umap.clusters import OUTSIDE, Scale

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
    real = np.array([[0, 0], [1, 0], [5, 5]], np.float32)
    labels = np.array(["low", "middle", "a long name"])
    points = np.array([[0.4, 0], [0.6, 0], [9, 9], [0, 0]], np.float32)
    made = clusters.label_clusters(np.array([0, 0, 1, OUTSIDE]), points, real, labels)
    assert made.tolist() == ["low", "middle", "a long name", "X"]
    assert clusters.label_clusters(np.array([], int), points[:0], real, labels).tolist() == []


def test_one_class_labels_all_that_is_in_a_cluster() -> None:
    made = clusters.label_clusters(np.array([2, OUTSIDE]), np.zeros((2, 2)), np.ones((1, 2)), np.array(["é"]))
    assert made.tolist() == ["é", "X"]


def test_no_real_sound_is_explained() -> None:
    with pytest.raises(CanaryganError, match="no real sound"):
        clusters.label_clusters(np.array([0]), np.zeros((1, 2)), np.zeros((0, 2)), np.array([], np.str_))


def test_shares_are_of_every_class_and_of_x() -> None:
    labels = np.array(["b", "b", "X", "b"])
    assert clusters.shares(labels, ["a", "b"]) == {"a": 0.0, "b": 0.75, "X": 0.25}
    assert clusters.shares(labels, ["X", "b"]) == {"X": 0.25, "b": 0.75}
    assert clusters.shares(labels[:0], ["a"]) == {"a": 0.0, "X": 0.0}
