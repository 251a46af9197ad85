"""What the samples of a file tell of how it was recorded and written."""

import numpy as np
import pytest

from canarygan_core.audio.inspection import (
    are_bytes_swapped,
    inspect,
    is_interleaved,
    measure_flatness,
    measure_likeness,
    measure_loss,
    measure_offset,
)

RATE = 16000


def chirp(start=2000, end=4000, seconds=0.2, rate=RATE, peak=0.1, seed=0):
    """A syllable over a faint floor of noise."""
    time = np.arange(round(seconds * rate)) / rate
    sound = np.sin(2 * np.pi * (start * time + (end - start) / (2 * seconds) * time**2)) * np.hanning(len(time))
    floor = np.random.default_rng(seed).standard_normal(len(time))
    return (peak * (sound + 0.01 * floor)).astype(np.float32)


def swap_bytes(sound):
    return (np.rint(sound * 32768).astype(np.int16).byteswap() / 32768).astype(np.float32)


def noise(count=3200, peak=0.1, seed=0):
    return (peak * np.random.default_rng(seed).standard_normal(count)).astype(np.float32)


def test_the_offset_is_a_share_of_the_peak():
    sound = np.pad(0.02 + 0.01 * np.tile([1.0, -1.0], 500), (100, 300)).astype(np.float32)
    assert measure_offset(sound[:, None]) == pytest.approx(0.02 / 0.03)
    assert measure_offset(np.stack([0 * sound, sound], 1)) == pytest.approx(0.02 / 0.03), "of the worst channel"
    assert measure_offset(np.zeros((10, 1), np.float32)) == 0
    assert measure_offset(chirp()[:, None]) < 0.05


def test_channels_are_alike_or_not():
    one, other = chirp(), noise()
    assert measure_likeness(one[:, None]) == 1
    assert measure_likeness(np.stack([one, 0.1 * one + 0.02], 1)) == pytest.approx(1)
    assert measure_likeness(np.stack([one, -one], 1)) == pytest.approx(-1)
    assert abs(measure_likeness(np.stack([one, other], 1))) < 0.1
    assert abs(measure_likeness(np.stack([0.001 * one, other], 1))) < 0.1, "however much louder one is"
    assert measure_likeness(np.stack([one, np.zeros_like(one)], 1)) == 1, "a silent one is none"
    assert abs(measure_likeness(np.stack([one, one, other], 1))) < 0.1


def test_what_a_rate_loses_is_measured_and_the_rate_that_keeps_it():
    lost, kept = measure_loss(chirp(60000, 70000, rate=250000), 250000, RATE)
    assert lost > 0.95
    assert 130000 < kept < 145000
    assert measure_loss(chirp(), RATE, RATE) == (0, RATE)
    assert measure_loss(chirp(rate=44100), 44100, RATE)[0] < 0.02
    half = chirp(3000, 3000, rate=44100) + chirp(12000, 12000, rate=44100)
    assert measure_loss(half, 44100, RATE)[0] == pytest.approx(0.5, abs=0.02)


def test_swapped_bytes_are_noise_that_becomes_sound():
    for seed in range(20):
        sound = chirp(seed=seed, peak=0.02 + 0.02 * seed)
        assert not are_bytes_swapped(sound)
        assert are_bytes_swapped(swap_bytes(sound))
        assert not are_bytes_swapped(noise(seed=seed)), "noise is noise either way"
    assert measure_flatness(noise(50000)) > 0.95
    assert not inspect(swap_bytes(chirp())[:, None], RATE, "PCM_24", RATE).swapped


def test_two_channels_read_as_one_are_mirrored():
    for seed in range(20):
        one = chirp(1500 + 100 * seed, 3000 + 100 * seed, seed=seed)
        assert not is_interleaved(one)
        others = {
            "alike": one,
            "faint": 0.3 * one + noise(peak=1e-3, seed=seed),
            "silent": 0 * one,
            "noise": noise(peak=0.01, seed=seed),
            "another bird": chirp(5000, 2500, seed=seed + 50),
        }
        for name, other in others.items():
            assert is_interleaved(np.stack([one, other], 1).ravel()), name


def test_noise_is_not_mirrored():
    assert sum(is_interleaved(noise(seed=seed)) for seed in range(50)) == 0


def test_a_file_is_inspected_whole():
    found = inspect(np.stack([chirp(), noise()], 1), RATE, "PCM_16", RATE)
    assert abs(found.likeness) < 0.1
    assert not found.swapped
    assert not found.interleaved
    assert inspect(np.stack([chirp(), noise()], 1), RATE, "PCM_16", RATE, channel=1).likeness == 1
    short = inspect(chirp(seconds=0.01)[:, None], RATE, "PCM_16", RATE)
    assert (short.lost, short.rate_kept, short.swapped) == (0, RATE, False)
    assert inspect(np.full((100, 1), 0.5, np.float32), RATE, "PCM_16", 8000).offset == 1
