"""Sounds as they are played: one level, no click, nothing but what sounds."""

import numpy as np
import pytest
import soundfile
from canarygan_latents.stimuli.options import Playback
from canarygan_latents.stimuli.playback import FULL, Rehearsal, measure_level, prepare, shape_edges
from stimulus_toys import RATE, Tones

from canarygan_core import audio
from canarygan_core.errors import CanaryganError, UsageError


def make(count=12):
    z = np.random.default_rng(3).uniform(-1, 1, (count, 3)).astype(np.float32)
    return Tones().generate(z)


def names(sounds):
    return [f"sound {number}" for number in range(len(sounds))]


@pytest.mark.parametrize("bits", ["PCM_16", "FLOAT"])
@pytest.mark.parametrize("whole", [False, True])
def test_levels_are_one_and_ends_are_zero_in_the_files(tmp_path, whole, bits):
    sounds = make()
    levels = []
    for number, one in enumerate(prepare(sounds, names(sounds), RATE, Playback(whole=whole))):
        audio.write(tmp_path / f"{number}.wav", one.sound, RATE, bits)
        played, rate = soundfile.read(tmp_path / f"{number}.wav")
        assert rate == RATE
        assert (played[0], played[-1]) == (0, 0)
        onset, offset = audio.find_extent(played[None], RATE, below=30, background=None)
        levels.append(20 * np.log10(measure_level(played[onset[0] : offset[0]])))
    raw = [20 * np.log10(measure_level(sound)) for sound in sounds]
    assert np.ptp(raw) > 6
    assert np.ptp(levels) < 0.5
    assert np.median(levels) == pytest.approx(-26, abs=0.5)


def test_peaks_are_one_where_the_level_is_that_of_the_peak():
    sounds = make()
    played = prepare(sounds, names(sounds), RATE, Playback(level=-3, level_by="peak"))
    assert [np.abs(one.sound).max() for one in played] == pytest.approx([10 ** (-3 / 20)] * len(sounds), rel=1e-5)


def test_what_sounds_is_what_is_cut_out_and_the_offset_goes():
    sounds = make()
    onsets, offsets = audio.find_extent(sounds - 0.02, RATE, below=30, background=None)
    for one, onset, offset in zip(
        prepare(sounds - 0.02, names(sounds), RATE, Playback()), onsets, offsets, strict=True
    ):
        assert (one.start, len(one.sound)) == (onset, offset - onset)
    for sound in sounds:
        assert abs(shape_edges(sound, RATE, 0).mean()) < 1e-4


def test_a_ramp_is_half_a_cosine_and_silence_lies_around_it():
    tone = np.full(1600, 0.5, np.float32)
    tone[::2] *= -1
    (one,) = prepare(tone[None], ["tone"], RATE, Playback(ramp=10, silence=25))
    pad, count = 400, 160
    assert len(one.sound) == 1600 + 2 * pad
    assert not one.sound[:pad].any()
    assert not one.sound[-pad:].any()
    inner = np.abs(one.sound[pad:-pad])
    wanted = 0.5 - 0.5 * np.cos(np.pi * np.arange(count) / count)
    np.testing.assert_allclose(inner[:count], wanted * inner[800], atol=1e-6)
    np.testing.assert_allclose(inner, inner[::-1], atol=1e-6)
    assert 20 * np.log10(measure_level(inner)) == pytest.approx(-26, abs=0.01)


def test_no_ramp_still_begins_and_ends_with_zero():
    (one,) = prepare(make(1), ["tone"], RATE, Playback(ramp=0))
    assert (one.sound[0], one.sound[-1]) == (0, 0)
    assert np.abs(one.sound).max() > 0.05


def test_a_level_that_does_not_fit_names_one_that_does():
    sounds = make()
    with pytest.raises(
        UsageError, match=r"--level -1: the peak of sound \d+ would be .* above full scale\. --level"
    ) as told:
        prepare(sounds, names(sounds), RATE, Playback(level=-1))
    fits = float(str(told.value).split("--level ")[-1].split()[0])
    played = prepare(sounds, names(sounds), RATE, Playback(level=fits))
    assert FULL * 10 ** (-0.2 / 20) < max(np.abs(one.sound).max() for one in played) <= FULL


@pytest.mark.parametrize(
    ("sound", "told"),
    [
        (np.zeros(3200), "bad is silent: take other latents, or another checkpoint"),
        (np.full(3200, 0.3), "bad is silent"),
        (np.full(3200, np.nan), "bad holds NaN"),
        (np.pad(0.5 * (-1.0) ** np.arange(40), (1600, 1560)), "bad lasts 5.0 ms, too short for two ramps"),
    ],
)
def test_what_cannot_be_played_is_named(sound, told):
    sounds = np.stack([make(1)[0], sound])
    with pytest.raises(CanaryganError, match=told):
        prepare(sounds, ["good", "bad"], RATE, Playback())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"level": 0}, "--level is 0 dB"),
        ({"level": float("nan")}, "--level is nan dB"),
        ({"ramp": -1}, "--ramp is -1 ms"),
        ({"ramp": float("nan")}, "--ramp is nan ms"),
        ({"silence": 1e6}, "--silence is 1e\\+06 ms"),
        ({"repeats": 0}, "--repeats is 0"),
        ({"real": -1}, "--real is -1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, told):
    with pytest.raises(UsageError, match=told):
        Playback(**options)


def test_decoders_hear_what_will_be_played_without_its_silence_and_what_cannot_be_played_not_at_all():
    sounds = make(3)
    sounds[1] = 0
    rehearse = Rehearsal(RATE, Playback(silence=50))
    heard = rehearse(sounds)
    (played,) = prepare(sounds[2:], ["third"], RATE, Playback())
    assert heard.shape == sounds.shape
    np.testing.assert_array_equal(heard[2, : len(played.sound)], played.sound)
    assert not heard[2, len(played.sound) :].any()
    assert not heard[1].any()
    assert [str(one) for one in rehearse.refusals] == ["a sound is silent: take other latents, or another checkpoint."]
