import numpy as np
import pytest

from canarygan_core.audio import Filter, align
from canarygan_core.audio.alignment import PLACE
from canarygan_core.audio.noise import add_noise, alter, draw_coloured_noise

RATE = 16000


def chirps(count: int, seed: int = 0) -> np.ndarray:
    """Sounds (count, 8000) of 60 to 120 ms that start 25 ms in."""
    rng = np.random.default_rng(seed)
    sounds = np.zeros((count, 8000), np.float32)
    for sound in sounds:
        length = int(rng.integers(960, 1920))
        time = np.arange(length) / RATE
        tone = np.sin(2 * np.pi * (rng.uniform(800, 3000) + rng.uniform(-5000, 5000) * time) * time)
        sound[400 : 400 + length] = tone * np.hanning(length) ** rng.uniform(0.3, 1.5)
    return sounds


def find_lag(one: np.ndarray, other: np.ndarray) -> int:
    """By how many samples a sound lies later than another, by their cross-correlation."""
    correlation = np.fft.irfft(np.fft.rfft(one, 20000) * np.conj(np.fft.rfft(other, 20000)), 20000)
    lag = int(correlation.argmax())
    return lag if lag < 10000 else lag - 20000


@pytest.mark.parametrize("shift", [-160, 16, 320, 800])
def test_a_shift_changes_nothing(shift: int) -> None:
    sounds = chirps(20)
    np.testing.assert_array_equal(align(np.roll(sounds, shift, axis=1), RATE), align(sounds, RATE))


def test_a_shift_of_part_of_a_step_moves_a_sound_by_less_than_a_step() -> None:
    sounds = chirps(20)
    pairs = zip(align(np.roll(sounds, 7, axis=1), RATE), align(sounds, RATE), strict=True)
    assert max(abs(find_lag(one, other)) for one, other in pairs) <= 16


def test_a_twentieth_of_the_energy_comes_before_the_place() -> None:
    aligned = align(chirps(20), RATE)
    before = np.square(aligned[:, : round(PLACE * RATE)]).sum(1) / np.square(aligned).sum(1)
    assert before.min() > 0
    assert before.max() < 0.12


@pytest.mark.parametrize("snr", [30, 20, 10])
def test_noise_hardly_moves_a_sound(snr: float) -> None:
    rng = np.random.default_rng(0)
    sounds = chirps(40)
    noisy = np.stack([add_noise(sound, RATE, snr, rng) for sound in sounds])
    lags = [abs(find_lag(one, other)) for one, other in zip(align(noisy, RATE), align(sounds, RATE), strict=True)]
    assert np.quantile(lags, 0.95) <= 48, "over 30 seeds at most 33 samples, 2 ms"


def test_what_lies_outside_of_the_sound_is_silenced() -> None:
    sounds = chirps(20)
    noisy = sounds + 1e-3 * np.random.default_rng(0).standard_normal(sounds.shape).astype(np.float32)
    assert not align(noisy, RATE)[:, round((PLACE + 0.15) * RATE) :].any()


def test_silence_short_sounds_and_what_is_not_finite() -> None:
    silent = np.zeros((2, 500), np.float32)
    np.testing.assert_array_equal(align(silent, RATE), silent)
    assert align(np.zeros((0, 500), np.float32), RATE).shape == (0, 500)
    assert align(np.zeros((3, 0), np.float32), RATE, 20).shape == (3, 20)
    broken = chirps(2)
    broken[0, 10] = np.nan
    np.testing.assert_array_equal(align(broken, RATE)[0], broken[0])
    np.testing.assert_array_equal(align(broken, RATE)[1], align(chirps(2), RATE)[1])


def test_results_of_another_length_lose_only_what_does_not_fit() -> None:
    sounds = chirps(5)
    short, long = align(sounds[:, :3000], RATE, 3200), align(sounds, RATE)
    np.testing.assert_array_equal(short, long[:, :3200])


def test_coloured_noise_has_power_one_and_its_slope() -> None:
    rng = np.random.default_rng(0)
    noise = draw_coloured_noise((200, 4096), RATE, rng, slopes=(1.0, 1.0), roughness=0.0)
    np.testing.assert_allclose(np.square(noise).mean(1), 1, rtol=1e-4)
    power = np.square(np.abs(np.fft.rfft(noise))).mean(0)
    low, high = (power[round(hertz * 4096 / RATE) + np.arange(-40, 41)].mean() for hertz in (1000, 4000))
    assert low / high == pytest.approx(4, rel=0.1)  # pink falls as 1 / f


@pytest.mark.parametrize("add", ["alter", "add_noise"])
def test_noise_has_nothing_that_was_taken_out_of_the_sound(add: str) -> None:
    wanted = Filter(highpass=1000, lowpass=3000)
    time = np.arange(8000) / RATE
    sounds = np.repeat(np.sin(2 * np.pi * 2000 * time)[None].astype(np.float32), 20, 0)

    def find_share_outside(filtering: Filter) -> float:
        rng = np.random.default_rng(0)
        noisy = (
            alter(sounds, RATE, rng, filtering)
            if add == "alter"
            else np.stack([add_noise(sound, RATE, 10.0, rng, filtering) for sound in sounds])
        )
        power = np.square(np.abs(np.fft.rfft(noisy * np.hanning(8000)))).sum(0)
        frequency = np.fft.rfftfreq(8000, 1 / RATE)
        return float(power[(frequency < 700) | (frequency > 4000)].sum() / power.sum())

    assert find_share_outside(Filter(remove_mean=False)) > 0.01
    assert find_share_outside(wanted) < 1e-4


def test_altered_sounds_keep_their_place_and_bear_two_noises() -> None:
    sounds = chirps(60)
    rng = np.random.default_rng(0)
    altered = alter(sounds, RATE, rng)
    assert altered.dtype == np.float32
    lags = [abs(find_lag(one, other)) for one, other in zip(altered, sounds, strict=True)]
    assert np.median(lags) <= 4
    ends = np.array([np.flatnonzero(sound)[-1] for sound in altered])
    assert 5 < (ends == 7999).sum() < 30
    assert (ends < 2400).sum() > 15
    assert not alter(np.zeros((3, 4000), np.float32), RATE, rng).any()


@pytest.mark.parametrize("end", [False, True], ids=["before", "after"])
def test_the_rest_of_another_sound_is_dropped(end: bool) -> None:
    sounds = chirps(10) + 0
    alone = np.zeros((10, 3200), np.float32)
    alone[:, 320:2720] = sounds[:, 400:2800]
    width = np.array([np.flatnonzero(sound)[-1] for sound in alone]) + 320
    crowded = alone.copy()
    noise = 0.8 * np.sin(np.arange(160) * 0.9).astype(np.float32)
    for sound, stop in zip(crowded, width, strict=True):
        sound[stop:] = 0
        sound[slice(stop - 160, stop) if end else slice(0, 160)] += noise
    np.testing.assert_allclose(align(crowded, RATE), align(alone, RATE), atol=1e-6)


def test_a_sound_of_two_parts_is_kept_whole() -> None:
    sounds = chirps(4)
    double = sounds[:, :4000] + np.roll(sounds[:, :4000], 2000, axis=1)  # of 60 ms and more each
    kept = np.square(align(double, RATE)).sum(1) / np.square(double).sum(1)
    assert (kept > 0.95).all()
