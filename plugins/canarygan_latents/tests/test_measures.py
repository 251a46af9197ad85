"""How far sounds are from each other."""

import numpy as np
import pytest
from canarygan_latents.stimuli.measures import LOG_MEL, compute_distances, compute_steps
from scipy.spatial.distance import cdist
from stimulus_toys import RATE, Tones


def tone(*latents):
    return Tones().generate(np.array(latents, np.float32)) - np.float32(0.02)


def test_a_louder_sound_is_the_same_and_a_farther_pitch_is_farther():
    sounds = tone((0, 0, 0), (0, 0, 0.8), (0.05, 0, 0), (0.5, 0, 0))
    from_first = compute_distances(LOG_MEL(sounds, RATE))[0]
    assert from_first[1] < 0.01
    assert from_first[1] < from_first[2] < from_first[3]


def test_the_distance_is_the_root_mean_square_difference_in_db():
    first, second = LOG_MEL(tone((0, 0, 0), (0.3, 0.2, 0)), RATE)
    cells = np.sqrt(len(first))
    assert np.ptp(first * cells) == pytest.approx(60, abs=1e-3)
    wanted = np.sqrt(np.mean(np.square((first - second) * cells)))
    assert compute_distances(np.stack([first, second]))[0, 1] == pytest.approx(wanted)


def test_distances_are_those_of_scipy():
    features = np.random.default_rng(0).normal(100, 1, (20, 7))
    np.testing.assert_allclose(compute_distances(features), cdist(features, features), atol=1e-6)
    np.testing.assert_allclose(compute_steps(features), np.diagonal(cdist(features, features), 1))
