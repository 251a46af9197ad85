"""What part of a clip sounds."""

import numpy as np
import pytest

from canarygan_core.audio import find_extent

RATE = 16000


def burst(frequency=1000.0, peak=0.5, start=0.1, end=0.2, seconds=1.0):
    time = np.arange(round(seconds * RATE)) / RATE
    return (peak * np.sin(2 * np.pi * frequency * time) * ((time >= start) & (time < end))).astype(np.float32)


def seconds(sound):
    onset, offset = find_extent(sound, RATE)
    return float(offset - onset) / RATE


def test_padding_and_soft_noise_are_left_out():
    sound = burst()
    assert seconds(sound) == pytest.approx(0.1, abs=0.0051)
    hiss = np.random.default_rng(0).normal(0, 0.5, len(sound)).astype(np.float32)
    for below in (50, 20):
        assert seconds(sound + hiss * 10 ** (-below / 20)) == pytest.approx(0.1, abs=0.0101)
    assert seconds(np.ones(200, np.float32)) == pytest.approx(0.0125)


def test_many_clips_at_once_are_as_one_by_one():
    clips = np.stack([burst(700 + 100 * n, start=0.05 * n, end=0.3 + 0.1 * n) for n in range(6)])
    clips += np.random.default_rng(0).normal(0, 1e-3, clips.shape).astype(np.float32)
    for options in ({}, {"below": 20.0, "background": None, "step": 0.0}, {"block": 0.0, "background": None}):
        onset, offset = find_extent(clips, RATE, **options)
        assert onset.shape == offset.shape == (6,)
        for clip, *both in zip(clips, onset, offset, strict=True):
            assert find_extent(clip, RATE, **options) == tuple(both)


def test_a_known_background_takes_the_place_of_the_tenth_percentile():
    sound = np.stack([burst(peak=1.0, start=0.0, end=1.0)] * 3)
    sound[:, 1600:] *= 0.1  # 20 dB below: a power of 0.005
    floor = np.float64([0.0, 0.001, 0.002])
    onset, offset = find_extent(sound, RATE, below=30.0, background=6.0, floor=floor)
    assert onset.tolist() == [0, 0, 0]
    assert offset.tolist() == [16000, 16000, 1600]


def test_single_samples_within_a_level_of_the_peak():
    sound = np.float32([0, 0, 0.001, 0.02, 1, -0.5, 0.009, 0, 0])
    assert find_extent(sound, RATE, background=None, block=0.0) == (3, 6)
    assert find_extent(sound, RATE, below=70.0, background=None, block=0.0) == (2, 7)


def test_shorter_steps_find_a_sharp_onset_where_it_is():
    sound = burst(start=0.1234, end=0.3001)
    first, last = np.flatnonzero(sound)[[0, -1]]
    onset, offset = find_extent(sound, RATE, below=20.0, background=None, step=0.0)
    assert abs(int(onset) - first) <= 3
    assert abs(int(offset) - 1 - last) <= 3
    onset, offset = find_extent(sound, RATE)
    assert onset % 80 == offset % 80 == 0
    assert onset <= first < onset + 80
    assert offset - 80 <= last < offset


def test_zeros_before_and_after_change_nothing():
    sound = burst(start=0.0, end=0.1, seconds=0.1)
    padded = np.pad(sound, (37, 4000))
    onset, offset = find_extent(padded, RATE, below=20.0, background=None, step=0.0)
    assert (onset - 37, offset - 37) == find_extent(sound, RATE, below=20.0, background=None, step=0.0)


@pytest.mark.parametrize("step", [None, 0.0, 0.001])
def test_silence_has_no_extent(step):
    clips = np.zeros((4, 1000), np.float32)
    clips[1] = np.nan
    clips[2, 300] = np.inf
    clips[3, 500:600] = 0.1
    onset, offset = find_extent(clips, RATE, step=step)
    assert onset[:3].tolist() == offset[:3].tolist() == [0, 0, 0]
    assert 0 < onset[3] < 600 <= offset[3] + 80
    for shape in ((0,), (3, 0), (0, 5)):
        empty = np.zeros(shape, np.float32)
        assert all(part.shape == shape[:-1] for part in find_extent(empty, RATE, step=step))


def test_a_clip_never_ends_after_its_last_sample():
    sound = np.ones(203, np.float32)
    for step in (None, 0.0, 0.002):
        onset, offset = find_extent(sound, RATE, step=step, background=None)
        assert 0 <= onset < offset <= 203
    assert find_extent(sound, RATE) == (0, 203)
