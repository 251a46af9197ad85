import dataclasses
import logging

import numpy as np
import pytest
from canarygan_metrics.acoustics import measures as acoustics
from canarygan_metrics.acoustics.comparison import ENOUGH
from canarygan_metrics.acoustics.metric import Acoustics

from canarygan_core.clips import Clips, concatenate
from canarygan_core.errors import CanaryganError
from canarygan_core.testing import check_component, toy_clips

KEYS = ("effect", "distance", "relative", "ks")


@pytest.fixture(scope="module")
def real() -> Clips:
    return Acoustics().listener()(toy_clips(60, classes=3, seed=1))


def noise(like: Clips) -> Clips:
    audio = 0.1 * np.random.default_rng(0).standard_normal((len(like), 4096), np.float32)
    return Acoustics().listener()(Clips(audio, like.rate, labels=like.labels))


def test_keeps_the_contract() -> None:
    check_component(Acoustics)


def test_the_listener_leaves_measures_and_no_audio() -> None:
    clips = toy_clips(70)
    measured = Acoustics().listener()(clips)
    assert measured.audio.shape == (70, 0)
    assert set(measured.facts) == set(acoustics.UNITS)
    assert measured.rate == clips.rate
    np.testing.assert_array_equal(measured.labels, clips.labels)
    np.testing.assert_array_equal(measured.sources, clips.sources)
    parts = concatenate(Acoustics().listener()(part) for part in clips.batches(32))
    for name, values in measured.facts.items():
        np.testing.assert_allclose(parts.facts[name], values, rtol=1e-5)


def test_equal_options_share_a_listener() -> None:
    assert Acoustics().listener() == Acoustics(enough=5).listener()
    assert hash(Acoustics().listener()) == hash(Acoustics(enough=5).listener())
    assert Acoustics().listener() != Acoustics(low=700).listener()


def test_the_functions_have_the_metrics_defaults() -> None:
    same = Acoustics(acoustics.THRESHOLD, acoustics.LOW, acoustics.HIGH, enough=ENOUGH)
    assert same == Acoustics()


def test_the_same_sounds_are_no_distance_apart(real: Clips) -> None:
    scores = Acoustics().score(real, real)
    for measure in acoustics.UNITS:
        assert [scores[f"{measure}.{key}"] for key in KEYS] == [0, 0, 0, 0]
    assert scores["generated.clips"] == scores["reference.clips"] == 60
    assert scores["generated.unmeasured"] == scores["reference.unmeasured"] == 0


def test_noise_is_farther_from_the_real_than_other_real_sounds_are(real: Clips) -> None:
    good = Acoustics().score(Acoustics().listener()(toy_clips(60, classes=3, seed=2)), real)
    bad = Acoustics().score(noise(real), real)
    assert bad["entropy.effect"] == bad["bandwidth.effect"] == bad["s0/entropy.effect"] == 1
    for measure in ("entropy", "bandwidth", "duration", "level"):
        assert bad[f"{measure}.distance"] > 5 * good[f"{measure}.distance"], measure


def test_scores_each_class_and_all_under_names_that_are_told(real: Clips) -> None:
    scores = Acoustics().score(noise(real), real)
    everything = [f"{measure}.{key}" for measure in acoustics.UNITS for key in KEYS]
    counts = {f"{side}.{key}" for side in ("generated", "reference") for key in ("clips", "unmeasured")}
    assert set(scores) == counts | {prefix + name for prefix in ("", "s0/", "s1/", "s2/") for name in everything}
    unlabelled = dataclasses.replace(noise(real), labels=None)
    assert set(Acoustics().score(unlabelled, real)) == counts | set(everything)


def test_clips_come_measured_or_whole() -> None:
    made, real = toy_clips(24, seed=1), toy_clips(24, seed=2)
    listener = Acoustics().listener()
    assert Acoustics().score(made, real) == Acoustics().score(listener(made), listener(real))


def test_warns_of_classes_and_sides_too_small_and_of_clips_without_sound(
    real: Clips, caplog: pytest.LogCaptureFixture
) -> None:
    clips = toy_clips(18, classes=3, seed=3)
    clips.audio[:3] = 0
    with caplog.at_level(logging.WARNING, "canarygan"):
        scores = Acoustics(enough=16).score(Acoustics().listener()(clips), real)
    told = caplog.text
    assert "3 of 18 generated clips are left out: silent, not finite" in told
    assert "15 generated clips are too few to trust the scores: 16 or more are needed" in told
    assert "classes of under 16 clips on a side are not compared: s0, s1, s2" in told
    assert "reference" not in told
    assert scores["generated.unmeasured"] == 3 / 18
    assert scores["generated.clips"] == 18
    assert not [key for key in scores if "/" in key]


def test_refuses_sounds_of_which_none_can_be_measured(real: Clips) -> None:
    silent = Acoustics().listener()(Clips(np.zeros((4, 4096), np.float32), 16000))
    with pytest.raises(CanaryganError, match=r"none of the 4 generated clips can be measured: .*silent"):
        Acoustics().score(silent, real)
    with pytest.raises(CanaryganError, match="none of the 4 reference clips"):
        Acoustics().score(real, silent)


def test_refuses_sides_whose_rates_reach_to_different_frequencies(real: Clips) -> None:
    made = toy_clips(24, rate=8000)
    with pytest.raises(CanaryganError, match=r"at 8000 Hz .* at 16000 Hz: take --acoustics.high 4000"):
        Acoustics().score(made, real)
    assert Acoustics(high=4000).score(made, toy_clips(24))["duration.ks"] > 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"threshold": 0}, "--acoustics.threshold must be 3 to 60 dB, not 0"),
        ({"threshold": float("nan")}, "--acoustics.threshold must be 3 to 60 dB, not nan"),
        ({"low": 9000}, "--acoustics.low 9000, --acoustics.high 8000"),
        ({"low": -1}, "0 <= low < high"),
        ({"gain": "set"}, "--acoustics.gain is 'set': it may be clip or none"),
        ({"enough": 1}, "--acoustics.enough must be at least 2, not 1"),
    ],
)
def test_refuses_options_out_of_range(options: dict[str, float], told: str) -> None:
    with pytest.raises(CanaryganError) as error:
        Acoustics(**options)
    assert told in str(error.value)
