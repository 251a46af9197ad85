import json
import logging
from dataclasses import replace

import numpy as np
import pytest
import scipy.signal
import umap
from canarygan_metrics.umap import layout
from canarygan_metrics.umap.fitted import sample_rows
from canarygan_metrics.umap.projector import UMAP
from canarygan_metrics.umap.vectors import Reduction, levels
from scipy.spatial import cKDTree
from sklearn.neighbors import NearestNeighbors

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError
from canarygan_core.testing import check_component, toy_clips

FLOOR = 40.0
SMALL = UMAP(neighbors=10)


def on_grid(values: np.ndarray) -> np.ndarray:
    return (np.round(values * 1024) / 1024).astype(np.float32)


@pytest.fixture(scope="module")
def clouds() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors of three overlapping clouds, which cloud each is of, and further ones."""
    rng = np.random.default_rng(0)
    cloud = np.arange(150) % 3
    return on_grid(rng.normal(size=(150, 12)) + 3 * cloud[:, None]), cloud, on_grid(rng.normal(3, 3, size=(40, 12)))


@pytest.fixture(scope="module")
def toys() -> Clips:
    return toy_clips(60, classes=4, samples=4800)


@pytest.fixture(scope="module")
def fitted(toys: Clips):
    return SMALL.fit(toys)


def test_levels_are_an_independent_spectrogram_below_its_loudest_bin() -> None:
    audio = np.random.default_rng(0).normal(scale=0.1, size=(2, 1024)).astype(np.float32)
    _, _, made = scipy.signal.spectrogram(
        audio, window="hann", nperseg=256, noverlap=128, nfft=1024, detrend=False, mode="magnitude"
    )
    expected = 20 * np.log10(made.swapaxes(1, 2))
    expected -= expected.max((1, 2), keepdims=True)
    np.testing.assert_allclose(levels(audio, 40), np.maximum(expected, -40), atol=1e-3)


def test_levels_depend_on_no_gain_and_end_at_the_floor() -> None:
    clips = toy_clips(3).audio
    made = levels(clips, FLOOR)
    np.testing.assert_allclose(levels(0.02 * clips, FLOOR), made, atol=1e-3)
    assert made.max((1, 2)).tolist() == [0, 0, 0]
    assert made.min() == -FLOOR


def test_silence_is_at_the_floor_throughout() -> None:
    assert (levels(np.zeros((1, 512), np.float32), FLOOR) == -FLOOR).all()


def test_reduced_vectors_keep_distances() -> None:
    flat = np.random.default_rng(0).uniform(-FLOOR, 0, (30, 400)).astype(np.float32)
    others = np.random.default_rng(1).uniform(-FLOOR, 0, (5, 400)).astype(np.float32)

    def distances(rows: np.ndarray) -> np.ndarray:
        return np.linalg.norm(rows[:, None].astype(float) - rows[None], axis=2)

    whole = Reduction.fit(flat, 64, FLOOR).of(flat)
    np.testing.assert_allclose(distances(whole), distances(flat), rtol=2e-3, atol=0.5)
    few = Reduction.fit(flat, 8, FLOOR).of(np.concatenate([flat, others]))
    assert few.shape == (35, 9)
    assert (distances(few) <= distances(np.concatenate([flat, others])) * 1.001).all()
    centred = np.concatenate([flat, others]) - flat.mean(0)
    np.testing.assert_allclose(np.linalg.norm(few, axis=1), np.linalg.norm(centred, axis=1), rtol=1e-3)


def test_neighbours_are_the_nearest(clouds) -> None:
    vectors, _, others = clouds
    found, away = layout.nearest_neighbours(others, vectors, 7, rows=16)
    distances, rows = NearestNeighbors(n_neighbors=7, algorithm="brute").fit(vectors.astype(float)).kneighbors(others)
    np.testing.assert_array_equal(found, rows)
    np.testing.assert_allclose(away, distances, rtol=1e-5)


def test_placing_is_what_umap_does_to_each_alone(clouds) -> None:
    vectors, cloud, others = clouds
    reference = umap.UMAP(n_neighbors=10, min_dist=0.9, random_state=42, n_jobs=1).fit(vectors)
    mine = layout.Layout(vectors, reference.embedding_, 10, reference._a, reference._b, 42).place(others)
    alone = np.concatenate([reference.transform(others[row : row + 1]) for row in range(len(others))])
    same = np.isclose(mine, alone, atol=1e-4).all(1)  # umap rounds distances otherwise, which can change a draw
    assert same.mean() >= 0.9
    nearest = cKDTree(reference.embedding_)
    together = cloud[nearest.query(reference.transform(others))[1]]
    assert (cloud[nearest.query(mine)[1]] == together).mean() >= 0.85


def test_the_map_keeps_neighbours_as_well_as_one_fitted_ordinarily(clouds) -> None:
    vectors, cloud, _ = clouds
    mine = layout.fit(vectors, UMAP(neighbors=10, min_dist=0.9, map_seed=42))
    reference = umap.UMAP(n_neighbors=10, min_dist=0.9, random_state=42, n_jobs=1).fit(vectors)
    assert (mine.a, mine.b) == (reference._a, reference._b)

    def pure(coordinates: np.ndarray) -> float:
        return float((cloud[cKDTree(coordinates).query(coordinates, 6)[1][:, 1:]] == cloud[:, None]).mean())

    assert pure(mine.coordinates) == pytest.approx(pure(reference.embedding_), abs=0.05)


def test_a_clips_place_depends_on_no_other_and_on_no_order(fitted) -> None:
    clips = toy_clips(20, classes=4, samples=4800, seed=9)
    laid = fitted.project(clips)
    order = np.random.default_rng(0).permutation(20)
    np.testing.assert_array_equal(fitted.project(clips.select(order)), laid[order])
    alone = [fitted.project(clips.select(slice(row, row + 1)))[0] for row in range(20)]
    np.testing.assert_array_equal(alone, laid)


def test_clips_that_the_map_is_of_keep_their_place(fitted, toys: Clips) -> None:
    np.testing.assert_array_equal(fitted.project(toys), fitted.layout.coordinates)


def test_the_map_follows_its_seed(fitted, toys: Clips) -> None:
    np.testing.assert_array_equal(SMALL.fit(toys).layout.coordinates, fitted.layout.coordinates)
    other = replace(SMALL, map_seed=1).fit(toys).layout.coordinates
    assert np.abs(other - fitted.layout.coordinates).max() > 0.1


@pytest.mark.parametrize(("rate", "samples"), [(16000, 3000), (16000, 9000), (32000, 9600), (44100, 20000)])
def test_like_sounds_are_near_at_any_rate_and_length(rate: int, samples: int, fitted, toys: Clips) -> None:
    given = toy_clips(16, classes=4, samples=4800, seed=7)
    time = np.arange(samples) / rate
    audio = np.stack([np.interp(time, np.arange(4800) / 16000, one, right=0) for one in given.audio])
    labels = toys.labels[cKDTree(fitted.layout.coordinates).query(fitted.project(Clips(np.float32(audio), rate)))[1]]
    assert (labels == given.labels).mean() >= 0.9


def test_a_large_set_is_mapped_by_some_of_each_class(toys: Clips, caplog, monkeypatch) -> None:
    monkeypatch.setattr(logging.getLogger("canarygan"), "propagate", True)
    with caplog.at_level("INFO", "canarygan"):
        fitted = replace(SMALL, fit_at_most=40).fit(toys)
    assert "made of 40 of 60 clips" in caplog.text
    rows = sample_rows(toys.labels, 60, 40, SMALL.map_seed)
    assert np.unique(toys.labels[rows], return_counts=True)[1].tolist() == [10] * 4
    laid = fitted.project(toys)
    np.testing.assert_array_equal(laid[rows], fitted.layout.coordinates)
    assert (toys.labels[rows][cKDTree(fitted.layout.coordinates).query(laid)[1]] == toys.labels).mean() > 0.9


def test_samples_are_of_each_class_the_same_share() -> None:
    labels = np.repeat(["a", "b", "c"], [600, 300, 100])
    rows = sample_rows(labels, 1000, 100, 0)
    assert np.unique(labels[rows], return_counts=True)[1].tolist() == [60, 30, 10]
    assert (np.diff(rows) > 0).all()
    assert (sample_rows(labels, 1000, 100, 1) != rows).any()
    assert sample_rows(None, 5, 5, 0).tolist() == [0, 1, 2, 3, 4]


def test_neighbours_are_clipped_to_the_set_and_that_is_said(toys: Clips, caplog, monkeypatch) -> None:
    monkeypatch.setattr(logging.getLogger("canarygan"), "propagate", True)
    few = UMAP().fit(toys.select(slice(0, 12)))
    assert few.layout.neighbours == 11
    assert "each of 12 clips has 11 neighbours, not the 100" in caplog.text
    assert np.isfinite(few.layout.coordinates).all()


def test_what_makes_no_map_is_explained(toys: Clips) -> None:
    with pytest.raises(CanaryganError, match="takes 4 clips or more, not 3"):
        SMALL.fit(toys.select(slice(0, 3)))
    with pytest.raises(CanaryganError, match="nearly all the same"):
        SMALL.fit(Clips(np.zeros((10, 4800), np.float32), 16000))
    broken = toys.audio.copy()
    broken[5, 5] = np.inf
    with pytest.raises(CanaryganError, match="NaN or infinite"):
        SMALL.fit(Clips(broken, 16000))


@pytest.mark.parametrize(
    "options",
    [
        {"seconds": 0.001},
        {"floor": 0.0},
        {"neighbors": 1},
        {"min_dist": 1.5},
        {"spread": 0.0, "min_dist": 0.0},
        {"dimensions": 0},
        {"fit_at_most": 3},
        {"map_seed": -1},
    ],
)
def test_options_out_of_range_name_their_flag(options: dict[str, float]) -> None:
    with pytest.raises(CanaryganError, match=f"--{next(iter(options)).replace('_', '-')}"):
        UMAP(**options)


def test_damaged_folders_are_refused(fitted, tmp_path) -> None:
    fitted.save(tmp_path)
    about = json.loads((tmp_path / "component.json").read_text())
    options = [{"seconds": 0.2}, {"dimensions": 3}, {"x": 1}]
    for change in [{"rate": 8000}, {"neighbours": 1000}, {"step": None}, *({"options": one} for one in options)]:
        (tmp_path / "component.json").write_text(json.dumps(about | change))
        with pytest.raises(CanaryganError, match=r"no map that this version can read|not the record of a map"):
            UMAP.load(tmp_path)
    (tmp_path / "component.json").write_text(json.dumps(about))
    (tmp_path / "state.npz").write_bytes(b"PK")
    with pytest.raises(CanaryganError, match="Cannot read the archive"):
        UMAP.load(tmp_path)


def test_the_projector_keeps_the_contract() -> None:
    check_component(UMAP, neighbors=8)
