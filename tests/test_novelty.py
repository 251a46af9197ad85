import numpy as np
import pytest

from canarygan_core.fitted.novelty import Novelty, square_distances


def make_features(count: int, seed: int = 0) -> np.ndarray:
    """Features (count, 4, 5) around two centres, zero behind the first ten numbers."""
    rng = np.random.default_rng(seed)
    features = np.zeros((count, 4, 5), np.float32)
    features[:, :2] = rng.normal(0, 1, (count, 2, 5))
    features[count // 2 :, 0] += 20
    return features


def fit(count: int) -> Novelty:
    """The test by these features and a near copy of each."""
    features = make_features(count)
    copies = features * np.float32(1.001)
    novelty = Novelty.fit(np.concatenate([features, copies]), np.tile(np.arange(count), 2))
    assert novelty is not None
    return novelty


def test_distances_are_those_of_numpy_with_zeros_after_the_references() -> None:
    rng = np.random.default_rng(0)
    queries, references = rng.normal(size=(5, 9)).astype(np.float32), rng.normal(size=(7, 6)).astype(np.float32)
    padded = np.pad(references, ((0, 0), (0, 3)))
    expected = np.square(queries[:, None] - padded).sum(2)
    np.testing.assert_allclose(square_distances(queries, references), expected, rtol=1e-4)


def test_few_clips_that_were_not_learnt_lie_beyond_the_limit() -> None:
    novelty = fit(800)
    assert novelty.references.shape == (1600, 10)  # all is zero behind
    shares = novelty.compare(make_features(4000, seed=1))
    assert 0.0 < np.mean(shares < 0.5) < 0.02, "over 20 sets of clips from 0.0005 to 0.012"
    assert np.median(shares) == pytest.approx(0.95, abs=0.02)


def test_rows_of_garbage_are_left_out() -> None:
    features = np.concatenate([make_features(50), np.full((5, 4, 5), 100, np.float32)])
    novelty = Novelty.fit(features, np.arange(55), np.arange(50))
    assert novelty is not None
    assert novelty.references.shape == (50, 10)
    assert (novelty.compare(features[50:]) < 0.01).all()


def test_many_clips_are_kept_in_part() -> None:
    assert fit(2000).references.shape == (1600, 10)


def test_what_lies_between_classes_or_goes_on_longer_is_new() -> None:
    strange = np.zeros((2, 4, 5), np.float32)
    strange[0, 0] = 10
    strange[1, 3] = 10
    assert (fit(200).compare(strange) < 0.01).all()


def test_copies_of_one_clip_have_no_distance_to_others() -> None:
    assert Novelty.fit(make_features(2), np.array([3, 3])) is None


def test_arrays_that_do_not_fit_are_refused_and_others_kept() -> None:
    novelty = fit(20)
    assert Novelty.from_arrays({}, 20) is None
    with pytest.raises(ValueError, match="do not fit 5 features"):
        Novelty.from_arrays(novelty.arrays(), 5)
    with pytest.raises(ValueError, match=r"\(0, \d+\), do not fit 20 features"):
        Novelty.from_arrays(novelty.arrays() | {"novelty_references": novelty.references[:0]}, 20)
    again = Novelty.from_arrays(novelty.arrays(), 20)
    assert again is not None
    np.testing.assert_array_equal(again.compare(make_features(9, seed=2)), novelty.compare(make_features(9, seed=2)))
