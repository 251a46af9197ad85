import base64

import numpy as np
import pytest
from canarygan_report import material, points, sounds

from canarygan_core.clips import Clips

RATE = 16000


def test_mu_law_loses_little_at_any_level() -> None:
    noise = np.random.default_rng(0).normal(size=4000).astype(np.float32)
    for peak in (1.0, 0.1, 0.01):
        sound = peak * noise / np.abs(noise).max()
        levels = (sounds.mu_law(sound).astype(float) - 128) / 127
        heard = np.sign(levels) * (256 ** np.abs(levels) - 1) / 255
        assert 10 * np.log10(np.mean(sound**2) / np.mean((heard - sound) ** 2)) > 25
    assert sounds.mu_law(np.array([0, 1, -1, 7, np.nan], np.float32)).tolist() == [128, 255, 1, 255, 128]


def test_silence_has_no_sounding_part() -> None:
    assert points.find_span(np.zeros(9, np.float32), 16000) == (0, 0)
    assert points.find_span(np.full(9, np.nan, np.float32), 16000) == (0, 0)
    faint = np.array([0, 10**-2.6, 0, 1, 0, -(10**-2.4), 0], np.float32)
    assert points.find_span(faint, 16000) == (3, 6)


@pytest.mark.parametrize("budget", [0, 5, 60, 61, 110, 1000])
def test_sounds_are_cut_to_the_longest_length_that_fits(budget: int) -> None:
    lengths = [30, 10, 50, 20]
    longest = sounds.fitting(lengths, budget)
    assert sum(min(length, longest) for length in lengths) <= max(budget, 0)
    assert longest == 50 or sum(min(length, longest + 1) for length in lengths) > budget


def test_the_loudest_part_is_kept() -> None:
    sound = np.random.default_rng(1).normal(size=60).astype(np.float32)
    start, end = sounds.loudest(sound, (5, 55), 7)
    energies = {first: np.sum(sound[first : first + 7].astype(float) ** 2) for first in range(5, 49)}
    assert (start, end) == (max(energies, key=energies.get), start + 7)
    assert sounds.loudest(sound, (5, 12), 7) == (5, 12)
    assert sounds.loudest(sound, (5, 12), 0) == (5, 5)


def test_a_draw_keeps_the_share_of_each_label() -> None:
    labels = np.array(["a"] * 60 + ["b"] * 30 + ["c"] * 10)
    rows = sounds.stratified(labels, 20, np.random.default_rng(0))
    assert np.unique(labels[rows], return_counts=True)[1].tolist() == [12, 6, 2]
    assert len(np.unique(rows)) == 20
    assert sounds.stratified(labels, 100, np.random.default_rng(0)).tolist() == list(range(100))


def test_a_mean_spectrogram_is_brightest_where_the_tone_is() -> None:
    time = np.arange(3200) / RATE
    tones = np.stack([np.sin(2 * np.pi * 3100 * time), 0.01 * np.sin(2 * np.pi * 3100 * time)]).astype(np.float32)
    tones[:, 1600:] = 0
    levels = sounds.mean_spectrogram(tones, 3200)
    assert levels.shape == (sounds.BANDS, 50)
    assert levels[:, 12].argmax() == int(3100 / (RATE / 2) * sounds.BANDS)
    assert levels[:, 40].max() < levels.max() - 90
    np.testing.assert_allclose(levels, sounds.mean_spectrogram(tones[:1], 3200), atol=0.1)


def test_long_sounds_are_cut_to_the_budget_and_said() -> None:
    noise = np.random.default_rng(0).normal(0, 0.2, (6, RATE)).astype(np.float32)
    sources = np.array([f"a/{row}.wav" for row in range(6)])
    layout = material.Layout(np.zeros((6, 2), np.float32), sources=sources)
    side = points.real_side(layout, Clips(noise, RATE, sources=sources))
    drawn = points.points([side], count=6, seed=0, budget=30_000)
    lengths = [len(base64.b64decode(sound)) for sound in drawn["sound"]]
    assert (drawn["cut"], drawn["longest"], lengths) == (6, 5000, [5000] * 6)


def test_clips_that_are_not_at_hand_have_no_sound() -> None:
    layout = material.Layout(np.zeros((2, 2), np.float32), sources=np.array(["a/0.wav", "a/1.wav"]))
    clips = Clips(np.ones((1, 8), np.float32), RATE, sources=np.array(["a/1.wav"]))
    sound = points.points([points.real_side(layout, clips)], count=2, seed=0)["sound"]
    assert sound[0] is None
    assert len(base64.b64decode(sound[1])) == 8


def test_an_offset_costs_a_clip_nothing_of_its_weight_in_the_mean() -> None:
    time = np.arange(3200) / RATE
    tones = np.stack([np.sin(2 * np.pi * 1000 * time), 0.5 * np.sin(2 * np.pi * 4000 * time)]).astype(np.float32)
    plain = sounds.mean_spectrogram(tones, 3200)
    tones[1] += 0.4
    np.testing.assert_allclose(sounds.mean_spectrogram(tones, 3200).max(1)[32], plain.max(1)[32], atol=1)
