"""Clips: what belongs together stays together."""

import os
from dataclasses import replace

import numpy as np
import pytest

from canarygan_core.clips import Clips, check_whole, concatenate, fit_length
from canarygan_core.errors import CanaryganError
from canarygan_core.testing import toy_clips

AUDIO = np.arange(20, dtype=np.float32).reshape(5, 4)


@pytest.fixture
def clips():
    return Clips(
        audio=AUDIO,
        rate=16000,
        labels=np.array(["b", "a", "b", "c", "a"]),
        latents=np.arange(15, dtype=np.float32).reshape(5, 3),
        posteriors={"esn": np.full((5, 2), 0.5)},
        sources=np.array([f"{row}.wav" for row in range(5)]),
        facts={"gain": np.arange(5.0)},
        origin={"dataset": "toy"},
    )


def test_what_a_set_says_of_itself(clips):
    assert (len(clips), clips.samples, clips.classes) == (5, 4, ["a", "b", "c"])
    assert Clips(AUDIO, 16000).classes == []


@pytest.mark.parametrize(
    "rows", [np.array([3, 0]), np.array([True, False, False, True, False]), slice(1, 4), slice(0, 0)]
)
def test_rows_are_selected_everywhere(clips, rows):
    some = clips.select(rows)
    wanted = np.arange(5)[rows]
    assert np.array_equal(some.audio, AUDIO[wanted])
    assert some.labels.tolist() == [clips.labels[row] for row in wanted]
    assert np.array_equal(some.latents[:, 0], 3.0 * wanted)
    assert some.posteriors["esn"].shape == (len(wanted), 2)
    assert some.sources.tolist() == [f"{row}.wav" for row in wanted]
    assert some.facts["gain"].tolist() == wanted.tolist()
    assert (some.rate, some.origin) == (16000, {"dataset": "toy"})


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_batches_are_the_clips_in_order(clips, size):
    batches = list(clips.batches(size))
    assert [len(batch) for batch in batches] == [min(size, 5 - start) for start in range(0, 5, size)]
    assert np.array_equal(np.concatenate([batch.audio for batch in batches]), AUDIO)
    assert np.concatenate([batch.sources for batch in batches]).tolist() == clips.sources.tolist()


def test_a_slice_copies_nothing(clips):
    assert np.shares_memory(clips.select(slice(1, 3)).audio, AUDIO)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"audio": AUDIO.astype(float)}, r"must be float32 of shape \(clips, samples\), not float64 \(5, 4\)"),
        ({"audio": AUDIO[0]}, r"not float32 \(4,\)"),
        ({"labels": np.array(["a"])}, "labels has 1 rows for 5 clips"),
        ({"latents": np.zeros((6, 3), np.float32)}, "latents has 6 rows for 5 clips"),
        ({"sources": np.array([], dtype=np.str_)}, "sources has 0 rows for 5 clips"),
        ({"posteriors": {"esn": np.zeros((4, 2))}}, "esn has 4 rows for 5 clips"),
        ({"facts": {"gain": np.zeros(2)}}, "gain has 2 rows for 5 clips"),
    ],
)
def test_contradictions_are_refused(changed, told):
    with pytest.raises(CanaryganError, match=told):
        Clips(**{"audio": AUDIO, "rate": 16000, **changed})


def test_fit_length():
    assert np.array_equal(fit_length(AUDIO, 6), np.hstack([AUDIO, np.zeros((5, 2), np.float32)]))
    assert np.array_equal(fit_length(AUDIO, 3), AUDIO[:, :3])
    assert np.shares_memory(fit_length(AUDIO, 4), AUDIO)
    assert fit_length(AUDIO, 6).dtype == np.float32


def test_parts_are_joined_in_order_with_all_that_is_known():
    whole = toy_clips(10)
    parts = list(whole.batches(3))
    joined = concatenate(iter(parts))
    np.testing.assert_array_equal(joined.audio, whole.audio)
    np.testing.assert_array_equal(joined.labels, whole.labels)
    np.testing.assert_array_equal(joined.sources, whole.sources)
    assert joined.origin == whole.origin


def test_parts_that_know_different_things_are_not_joined():
    clips = toy_clips(2)
    with pytest.raises(CanaryganError, match="some have none"):
        concatenate([clips, replace(clips, labels=None)])
    with pytest.raises(CanaryganError, match="cannot be joined"):
        concatenate([replace(clips, facts={"gain": np.ones(2)}), clips])
    with pytest.raises(CanaryganError, match="no clips"):
        concatenate([])


def test_a_file_that_is_cut_short_while_it_is_mapped_is_told_before_it_is_read(tmp_path):
    np.save(tmp_path / "audio.npy", np.ones((1000, 64), np.float32))
    clips = Clips(np.load(tmp_path / "audio.npy", mmap_mode="r"), 8000)
    part = clips.select(slice(2, 900))
    np.save(tmp_path / "other.npy", np.zeros(1, np.float32))
    (tmp_path / "other.npy").replace(tmp_path / "audio.npy")  # what is mapped is whole though it has no name
    assert part.select([800]).audio.sum() == 64
    np.save(tmp_path / "audio.npy", np.ones((1000, 64), np.float32))
    part = Clips(np.load(tmp_path / "audio.npy", mmap_mode="r"), 8000).select(slice(2, 900))
    os.truncate(tmp_path / "audio.npy", 5000)
    for read in (lambda: part.select([800]), lambda: list(part.batches(64)), lambda: check_whole(part.audio)):
        with pytest.raises(CanaryganError, match=r"audio\.npy was cut short while it was read"):
            read()
