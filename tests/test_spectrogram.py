"""A spectrogram to look at."""

import numpy as np
import pytest
import scipy.signal

from canarygan_core.audio import compute_spectrogram

RATE = 16000


def tone(hertz, peak=1.0, samples=RATE, rate=RATE):
    return (peak * np.sin(2 * np.pi * hertz * np.arange(samples) / rate)).astype(np.float32)


def test_it_is_an_independent_one_below_its_loudest_cell():
    clips = np.random.default_rng(0).normal(0, 0.1, (3, 4000)).astype(np.float32)
    levels = compute_spectrogram(clips, RATE, floor=90.0)
    padded = np.pad(clips, ((0, 0), (128, 128)))
    _, _, power = scipy.signal.spectrogram(
        padded, window=np.hanning(256), noverlap=192, detrend=False, mode="magnitude"
    )
    expected = 20 * np.log10(power / power.max((1, 2), keepdims=True))
    assert levels.shape == expected.shape == (3, 129, 63)
    np.testing.assert_allclose(levels, np.maximum(expected, -90), atol=1e-3)


def test_a_tone_lies_in_its_bin_at_its_level():
    levels = compute_spectrogram(np.stack([tone(2000), tone(2000, 0.1)]), RATE, reference=1.0)
    assert (levels[:, :, 5:-5].argmax(1) == 32).all(), "62.5 Hz a bin"
    np.testing.assert_allclose(levels[:, 32, 10], [0, -20], atol=0.05)
    loudest = compute_spectrogram(np.stack([tone(2000), tone(2000, 0.1)]), RATE)
    np.testing.assert_allclose(loudest[0], loudest[1], atol=1e-3)
    assert loudest.max() == 0


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_windows_last_as_long_at_any_rate(rate):
    levels = compute_spectrogram(tone(2000, samples=rate, rate=rate)[None], rate)
    assert levels.shape[1] == 2 * round(0.016 * rate / 2) // 2 + 1
    assert levels.shape[2] == 1 + rate // round(0.004 * rate)
    peak = levels[0, :, 20].argmax() * rate / 2 / (levels.shape[1] - 1)
    assert peak == pytest.approx(2000, abs=40)


def test_with_a_rate_of_one_sizes_are_samples():
    clip = tone(3000, samples=4000)[None]
    np.testing.assert_array_equal(compute_spectrogram(clip, 1, window=256, hop=64), compute_spectrogram(clip, RATE))


def test_silence_and_what_is_no_number_lie_at_the_floor():
    clips = np.zeros((3, 1000), np.float32)
    clips[1] = np.nan
    clips[2, 3] = np.inf
    for reference in (None, 1.0):
        assert (compute_spectrogram(clips, RATE, floor=50.0, reference=reference) == -50).all()
    assert compute_spectrogram(np.zeros((0, 1000), np.float32), RATE).shape == (0, 129, 16)
