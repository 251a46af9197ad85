"""The stream of clips."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from canarygan_wavegan.data.stream import ClipStream

from canarygan_core import CanaryganError

AUDIO = np.arange(7, dtype=np.float32)[:, None] * np.ones((1, 10), np.float32)


def stream(audio: np.ndarray = AUDIO, **changes: object) -> ClipStream:
    options = {"samples": 10, "shape": (2, 4), "rows": slice(None), "seed": 0, "start": 0, "total": 14, "ahead": False}
    return ClipStream(audio, **(options | changes))


def test_every_clip_is_seen_equally_often() -> None:
    seen = Counter(int(clip[0]) for batch in stream() for clip in batch.flatten(0, 1))
    assert seen == dict.fromkeys(range(7), 14 * 8 // 7)


def test_each_pass_is_another_permutation() -> None:
    order = np.concatenate([stream().indices(update).ravel() for update in range(7)]).reshape(-1, 7)
    assert all(sorted(one) == list(range(7)) for one in order)
    assert len({tuple(one) for one in order}) > 1


@pytest.mark.parametrize("ahead", [False, True])
def test_a_stream_that_starts_later_goes_on_as_if_it_had_not(ahead: bool) -> None:
    whole, rest = list(stream(ahead=ahead)), list(stream(ahead=ahead, start=5))
    assert len(whole) == 14
    assert len(rest) == 9
    assert all(torch.equal(a, b) for a, b in zip(whole[5:], rest, strict=True))


def test_processes_share_a_batch() -> None:
    halves = [stream(rows=slice(0, 2)).batch(3), stream(rows=slice(2, 4)).batch(3)]
    assert torch.equal(torch.cat(halves, dim=1), stream().batch(3))


def test_short_clips_are_padded_and_long_ones_cut() -> None:
    assert stream(samples=16).batch(0)[..., 10:].abs().sum() == 0
    assert stream(samples=4).batch(0).shape == (2, 4, 4)


def test_another_seed_is_another_order() -> None:
    assert not np.array_equal(stream().indices(0), stream(seed=1).indices(0))


def test_what_breaks_in_the_reading_thread_is_raised_where_it_is_read() -> None:
    class Broken(ClipStream):
        def batch(self, update: int) -> torch.Tensor:
            if update == 2:
                raise OSError("disk gone")
            return super().batch(update)

    broken = Broken(AUDIO, samples=10, shape=(1, 2), rows=slice(None), seed=0, start=0, total=5, ahead=True)
    with pytest.raises(OSError, match="disk gone"):
        list(broken)


def test_a_reader_that_leaves_early_leaves_no_thread() -> None:
    import threading

    before = threading.active_count()
    batches = iter(stream(ahead=True))
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    del batches
    assert threading.active_count() == before


def test_every_class_is_shown_equally_often_and_every_clip_of_it() -> None:
    labels = np.array(["a"] * 1 + ["b"] * 5 + ["c"] * 24)
    audio = np.repeat(np.arange(30, dtype=np.float32)[:, None], 4, 1)
    options = {"samples": 4, "shape": (3, 5), "rows": slice(None), "seed": 3, "start": 0, "total": 80, "ahead": False}
    balanced = ClipStream(audio, labels=labels, **options)
    seen = Counter(int(clip[0]) for batch in balanced for clip in batch.flatten(0, 1))
    of_class = Counter(str(labels[clip]) for clip in seen.elements())
    assert of_class == {"a": 400, "b": 400, "c": 400}
    assert {seen[clip] for clip in range(1, 6)} == {80}
    assert {seen[clip] for clip in range(6, 30)} <= {16, 17}
    later = ClipStream(audio, labels=labels, **(options | {"start": 37}))
    assert np.array_equal(next(iter(later)), balanced.batch(37))
    other = ClipStream(audio, labels=labels, **(options | {"seed": 4}))
    assert not np.array_equal(other.indices(0), balanced.indices(0))


def test_clips_whose_file_is_cut_short_end_a_training_with_an_error(tmp_path: Path) -> None:
    np.save(tmp_path / "audio.npy", np.ones((1000, 64), np.float32))
    audio = np.load(tmp_path / "audio.npy", mmap_mode="r")
    stream = ClipStream(audio, samples=64, shape=(1, 4), rows=slice(0, 4), seed=0, start=0, total=50, ahead=False)
    batches = iter(stream)
    assert next(batches).shape == (1, 4, 64)
    os.truncate(tmp_path / "audio.npy", 5000)
    with pytest.raises(CanaryganError, match=r"audio\.npy was cut short"):
        next(batches)
