"""Bridges: steps that are equal in a measure, whatever the line sounds like."""

import logging

import numpy as np
import pytest
from canarygan_latents.stimuli import bridges
from canarygan_latents.stimuli.measures import LOG_MEL, Measure, compute_distances, compute_steps
from canarygan_latents.stimuli.points import Point
from canarygan_latents.stimuli.spacing import choose_evenly
from stimulus_toys import Tones

ENDS = [(Point("a", np.float32([-0.9, -0.5, 0])), Point("b", np.float32([0.8, 0.9, 0.1])))]


def test_on_a_line_that_runs_ever_faster_the_places_are_the_roots():
    positions = np.linspace(0, 1, 401)
    rows = choose_evenly(compute_distances(positions[:, None] ** 3), 9)
    np.testing.assert_allclose(positions[rows], np.cbrt(np.linspace(0, 1, 9)), atol=0.006)


def test_on_an_arc_the_chords_are_equal():
    angle = np.linspace(0, 1, 401) ** 2 * np.pi
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rows = choose_evenly(compute_distances(circle), 7)
    np.testing.assert_allclose(np.diff(angle[rows]), np.pi / 6, rtol=0.04)


def test_on_a_way_that_turns_back_steps_are_equal_all_the_same():
    features = np.random.default_rng(1).normal(size=(257, 5)).cumsum(0)
    rows = choose_evenly(compute_distances(features), 9)
    steps = compute_steps(features[rows])
    assert (np.diff(rows) > 0).all()
    assert (rows[0], rows[-1]) == (0, 256)
    assert steps.max() / steps.min() < 1.1


@pytest.mark.parametrize("count", [2, 3])
def test_few_steps(count):
    rows = choose_evenly(compute_distances(np.linspace(0, 1, 11)[:, None]), count)
    assert rows.tolist() == np.linspace(0, 10, count).tolist()


@pytest.mark.parametrize("count", [3, 9, 20])
def test_equal_steps_are_within_a_fifth_of_each_other_in_the_sounds(count):
    model = Tones()
    (equal,) = bridges.build(model, ENDS, count, LOG_MEL, is_equal=True)
    (linear,) = bridges.build(model, ENDS, count, LOG_MEL, is_equal=False)
    for one in (equal, linear):
        heard = compute_steps(LOG_MEL(model.generate(one.latents), model.rate))
        np.testing.assert_allclose(one.steps, heard, rtol=1e-3)
        np.testing.assert_array_equal(one.latents[[0, -1]], [ENDS[0][0].latent, ENDS[0][1].latent])
    assert (np.diff(equal.positions) > 0).all()
    assert equal.ratio <= 1.2
    assert equal.ratio < linear.ratio


def test_equal_steps_of_a_network(checkpoint):
    from canarygan_latents.opening import open_generator

    model = open_generator(checkpoint, "cpu").generator
    (one,) = bridges.build(model, ENDS, 9, LOG_MEL, is_equal=True)
    heard = compute_steps(LOG_MEL(model.generate(one.latents), model.rate))
    assert heard.max() / heard.min() <= 1.2


def test_a_sound_that_jumps_is_told(caplog):
    jump = Measure("jump", "units", lambda sounds, rate: np.cumsum(np.arange(len(sounds)) == 5)[:, None] * 1.0)
    with caplog.at_level(logging.WARNING):
        (one,) = bridges.build(Tones(), ENDS, 9, jump, is_equal=True)
    assert "Bridge 1: no equal steps were found" in caplog.text
    assert len(one.positions) == 9


def test_the_line_is_cut_more_finely_where_that_is_needed(monkeypatch):
    made = []
    monkeypatch.setattr(bridges, "make_sounds", lambda model, z: made.append(len(z)) or z)
    steep = Measure("steep", "units", lambda z, rate: np.exp(40 * (z[:, :1].astype(float) + 0.9) / 1.7))
    (one,) = bridges.build(Tones(), ENDS, 9, steep, is_equal=True)
    assert made[0] == 129
    assert len(made) > 1
    assert sum(made) <= 513
    assert one.ratio <= 1.2


def test_the_last_latent_sounds_as_it_does_alone():
    (one,) = bridges.build(Tones(), ENDS, 5, LOG_MEL, is_equal=True)
    stimuli = bridges.to_stimuli([one, one], Tones(), [])
    assert stimuli.names[5] == "bridge_2-step_1"
    np.testing.assert_array_equal(stimuli.sounds[4], Tones().generate(stimuli.latents[4:5])[0])
    assert stimuli.columns["bridge"] == [1] * 5 + [2] * 5
    assert stimuli.columns["distance"][0] == "" == stimuli.columns["distance"][5]
