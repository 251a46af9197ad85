import math

import numpy as np
import pytest
import scipy.signal
import scipy.special
import scipy.stats
from canarygan_metrics.acoustics import comparison
from canarygan_metrics.acoustics import measures as acoustics

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError

RATE = 16000


def tones(pitch: np.ndarray, seconds: float, amplitude: float = 0.5, rate: int = RATE) -> np.ndarray:
    """Sines that start and end sharply, each of its pitch in Hz, with zeros about them, (n, 1.2 s)."""
    time = np.arange(round(1.2 * rate)) / rate
    start = np.random.default_rng(1).integers(0, round(0.15 * rate), len(pitch))[:, None]
    phase = np.random.default_rng(2).uniform(0, 2 * np.pi, len(pitch))[:, None]
    within = (np.arange(len(time)) >= start) & (np.arange(len(time)) < start + round(seconds * rate))
    return (amplitude * np.sin(2 * np.pi * pitch[:, None] * time + phase) * within).astype(np.float32)


def noise(count: int, samples: int = RATE) -> np.ndarray:
    return 0.1 * np.random.default_rng(3).standard_normal((count, samples), np.float32)


def bursts() -> np.ndarray:
    """Noise, sweeps and clicks of several lengths and levels, (24, 3000)."""
    rng = np.random.default_rng(4)
    sounds = np.zeros((24, 3000), np.float32)
    time = np.arange(3000) / RATE
    for row, length in enumerate(rng.integers(40, 2400, 24)):
        sweep = np.sin(2 * np.pi * (rng.uniform(700, 3000) * time + rng.uniform(0, 20000) * time**2))
        sound = (sweep + rng.uniform(0, 0.5) * rng.standard_normal(3000))[:length] * np.hanning(length)
        sounds[row, 200 : 200 + length] = 10 ** rng.uniform(-3, 0) * sound
    sounds[5], sounds[6] = 0, 0
    sounds[6, 1500] = 0.3
    return sounds


@pytest.mark.parametrize(("rate", "frame"), [(RATE, 256), (32000, 512), (44100, 720)])
@pytest.mark.parametrize("seconds", [0.02, 0.1, 1.0])
def test_a_tone_has_its_pitch_length_and_level(seconds: float, rate: int, frame: int) -> None:
    pitch = np.random.default_rng(0).uniform(700, 7500, 40)
    made = acoustics.measure(tones(pitch, seconds, rate=rate), rate, gain="none")
    np.testing.assert_allclose(made["peak_frequency"], pitch, rtol=0, atol=1)
    np.testing.assert_allclose(made["centroid"], pitch, rtol=0, atol=5)
    np.testing.assert_allclose(made["duration"], seconds, rtol=0, atol=0.0005)
    np.testing.assert_allclose(made["level"], 20 * math.log10(0.5 / math.sqrt(2)), rtol=0, atol=0.1)
    lobe = np.abs(np.fft.rfft(scipy.signal.windows.hann(frame, sym=False), 1 << 16)) ** 2
    share = np.cumsum(lobe) / lobe.sum()  # of the power on one side of the tone
    width = 2 * np.searchsorted(share, 0.9) / (1 << 16) * rate  # Hz
    np.testing.assert_allclose(made["bandwidth"], width, rtol=0, atol=0.5 * rate / (2 * frame))  # half a bin


def test_entropy_of_a_tone_is_its_windows_and_of_noise_that_of_random_powers() -> None:
    bins = 121  # from 500 to 8000 Hz, 62.5 Hz each
    pitch = 62.5 * np.arange(16, 100)  # where only three bins of a Hann window have any power
    line = scipy.stats.entropy([1 / 6, 2 / 3, 1 / 6]) / math.log(bins)
    np.testing.assert_allclose(acoustics.measure(tones(pitch, 0.3), RATE)["entropy"], line, rtol=0, atol=2e-3)
    # Powers of white noise are exponential, so their shares are Dirichlet: a mean entropy of psi(n + 1) - psi(2).
    white = (scipy.special.digamma(bins + 1) - scipy.special.digamma(2)) / math.log(bins)
    np.testing.assert_allclose(acoustics.measure(noise(20), RATE)["entropy"], white, rtol=0, atol=0.01)
    assert line < 0.2
    assert white > 0.9


def test_a_sweep_is_wide_and_yet_tonal() -> None:
    time = np.arange(4800) / RATE
    sweep = scipy.signal.chirp(time, 2000, 0.3, 6000).astype(np.float32)[None]
    made = acoustics.measure(sweep, RATE)
    assert made["entropy"][0] < 0.3
    assert made["centroid"][0] == pytest.approx(4000, abs=20)
    assert made["bandwidth"][0] == pytest.approx(0.9 * 4000, rel=0.03)


@pytest.mark.parametrize(("low", "high"), [(2000, 5000), (1000, 1500), (500, 8000)])
def test_bandwidth_of_noise_is_nine_tenths_of_its_band(low: float, high: float) -> None:
    spectrum = np.fft.rfft(noise(8))
    frequency = np.fft.rfftfreq(RATE, 1 / RATE)
    spectrum[:, (frequency < low) | (frequency > high)] = 0
    made = acoustics.measure(np.fft.irfft(spectrum).astype(np.float32), RATE)
    np.testing.assert_allclose(made["bandwidth"], 0.9 * (high - low), rtol=0, atol=1 / acoustics.FRAME)
    np.testing.assert_allclose(made["centroid"], (low + high) / 2, rtol=0.02)


def test_a_click_is_flat_and_so_are_two() -> None:
    clicks = np.zeros((2, 8000), np.float32)
    clicks[:, 1000], clicks[1, 5000] = 0.5, -0.5  # at the very ends of the first and the last frame of the second clip
    made = acoustics.measure(clicks, RATE, gain="none")
    np.testing.assert_allclose(made["duration"], [1 / RATE, 4001 / RATE])
    np.testing.assert_allclose(made["entropy"], 1, rtol=0, atol=1e-6)
    np.testing.assert_allclose(made["bandwidth"], 0.9 * (7500 + 31.25), rtol=1e-5)
    np.testing.assert_allclose(made["centroid"], 4250, rtol=1e-5)
    np.testing.assert_allclose(made["level"], [20 * math.log10(0.5), 10 * math.log10(0.5 / 4001)])


def test_spectra_agree_with_scipy() -> None:
    pitch = np.array([900.0, 2000, 3100, 6000])
    sounds = noise(4, 256 + 10 * 128) + 0.4 * tones(pitch, 1)[:, 4000:5536]
    made = acoustics.measure(sounds, RATE, threshold=60, gain="none")
    for row, sound in enumerate(sounds):
        frequency, power = scipy.signal.welch(sound, RATE, "hann", 256, 128, 512, detrend=False, scaling="spectrum")
        power[-1] *= 2  # scipy adds negative frequencies to all bins but this one
        band = frequency >= 500
        weights = power[band] / power[band].sum()
        assert made["centroid"][row] == pytest.approx(weights @ frequency[band], rel=2e-3)
        assert made["peak_frequency"][row] == pytest.approx(frequency[band][weights.argmax()], abs=31.25)
        assert made["level"][row] == pytest.approx(10 * np.log10(np.mean(sound.astype(np.float64) ** 2)), abs=0.05)


def test_what_is_quieter_than_the_threshold_does_not_count() -> None:
    sounds = tones(np.array([2000.0]), 1.0)
    loud = np.zeros(sounds.shape[1], bool)
    loud[6000:9200] = True
    sounds[:, [0, -1]] = 1e-4  # all between is not 0, and the background is silent
    for below, threshold, seconds in ((15, 20, 1.0), (15, 30, 1.0), (25, 30, 1.0), (25, 20, 0.2)):
        faded = sounds * np.where(loud, 1, 10 ** (-below / 20)).astype(np.float32)
        ends = 0 if below > threshold else below  # how far below the loudest moment the sound begins and ends, dB
        late = acoustics.MOMENT * 10 ** ((ends - threshold) / 10)
        duration = acoustics.measure(faded, RATE, threshold=threshold)["duration"][0]
        assert duration == pytest.approx(seconds - 2 * late, abs=0.0003)


def test_zeros_about_a_sound_change_nothing() -> None:
    sounds = bursts()
    bare = acoustics.measure(sounds, RATE)
    assert np.isnan(bare["duration"]).tolist() == [row == 5 for row in range(24)]
    for before, after in ((0, 1), (0, 13384), (777, 5), (100, 0)):
        padded = acoustics.measure(np.pad(sounds, ((0, 0), (before, after))), RATE)
        for name in acoustics.UNITS:
            np.testing.assert_allclose(padded[name], bare[name], rtol=1e-5, err_msg=name)
    cut = acoustics.measure(sounds[:, 200:], RATE)
    for name in acoustics.UNITS:
        np.testing.assert_allclose(cut[name], bare[name], rtol=1e-5, err_msg=name)


def test_does_not_depend_on_what_else_is_measured() -> None:
    sounds = np.concatenate([bursts()] * 5)
    assert len(sounds) > acoustics.CHUNK
    together = acoustics.measure(sounds, RATE)
    for rows in (slice(7, 8), slice(50, 110), slice(None, None, -1)):
        apart = acoustics.measure(sounds[rows], RATE)
        for name in acoustics.UNITS:
            np.testing.assert_allclose(apart[name], together[name][rows], rtol=1e-5, err_msg=name)


def test_only_level_depends_on_the_gain_and_only_on_request() -> None:
    sounds = bursts()
    plain, quiet = (acoustics.measure(one, RATE, gain="none") for one in (sounds, sounds / 8))
    for name in acoustics.UNITS.keys() - {"level"}:
        np.testing.assert_allclose(quiet[name], plain[name], rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(quiet["level"], plain["level"] - 20 * math.log10(8), rtol=0, atol=1e-4)
    same, other = (acoustics.measure(one, RATE)["level"] for one in (sounds, sounds / 8))
    np.testing.assert_allclose(same, other, rtol=0, atol=1e-4)
    tone = acoustics.measure(tones(np.array([2000.0]), 0.1, 0.02), RATE)["level"]
    assert tone == pytest.approx(20 * math.log10(1 / math.sqrt(2)), abs=0.2)


@pytest.mark.parametrize("offset", [0.0, 0.2, -0.2])
@pytest.mark.parametrize(("snr", "late", "high"), [(20, 0.001, 0.6), (15, 0.0015, 1.0), (10, 0.003, 1.6)])
@pytest.mark.parametrize("seconds", [0.03, 0.1, 0.4])
def test_noise_and_offsets_change_neither_duration_nor_level(
    seconds: float, snr: float, late: float, high: float, offset: float
) -> None:
    """Tolerances, s and dB: the greatest errors of 200 tones were 0.6, 0.9 and 2.5 ms, and 0.5, 0.8 and 1.3 dB."""
    sounds = tones(np.random.default_rng(0).uniform(700, 7500, 40), seconds)
    hiss = 0.5 / math.sqrt(2) * 10 ** (-snr / 20) * np.random.default_rng(5).standard_normal(sounds.shape, np.float32)
    noisy = sounds + hiss + np.float32(offset * 0.5)
    made = acoustics.measure(noisy, RATE)
    np.testing.assert_allclose(made["duration"], seconds, rtol=0, atol=late)
    np.testing.assert_allclose(made["level"], 20 * math.log10(1 / math.sqrt(2)), rtol=0, atol=high)
    level = acoustics.measure(noisy, RATE, gain="none")["level"]
    np.testing.assert_allclose(level, 20 * math.log10(0.5 / math.sqrt(2)), rtol=0, atol=high / 2)


def test_the_quiet_part_of_a_sound_cut_out_exactly_is_no_background() -> None:
    sound = tones(np.array([2000.0]), 0.1)
    start = np.flatnonzero(sound[0])[0]
    sound[0, start + 1200 :] *= 10 ** (-15 / 20)  # the last quarter is 15 dB below
    assert acoustics.measure(sound, RATE)["duration"][0] == pytest.approx(0.1, abs=0.002)


def test_a_sound_with_an_offset_and_zeros_after_it_ends_where_it_does() -> None:
    sound = tones(np.array([2000.0]), 0.1)
    start = np.flatnonzero(sound[0])[0] - 400
    sound[0, start : start + 2400] += 0.1
    assert acoustics.measure(sound, RATE)["duration"][0] == pytest.approx(0.1, abs=0.001)


def test_what_cannot_be_measured_is_nan_and_harms_nothing_else() -> None:
    sounds = tones(np.array([3000.0] * 6), 0.1)
    sounds[0] = 0
    sounds[1, 5000] = np.nan
    sounds[2, 0] = np.inf
    sounds[3] = 0.3  # constant
    sounds[4] *= np.float32(3e38)
    made = acoustics.measure(sounds, RATE)
    for name, values in made.items():
        assert np.isnan(values).tolist() == [True, True, True, True, False, False], name
    assert made["peak_frequency"][4:] == pytest.approx([3000, 3000], abs=1)
    assert all(np.isnan(values).all() for values in acoustics.measure(np.zeros((3, 0), np.float32), RATE).values())
    assert all(values.shape == (0,) for values in acoustics.measure(np.zeros((0, 100), np.float32), RATE).values())


def test_hum_below_the_lowest_frequency_is_not_heard() -> None:
    time = np.arange(8000) / RATE
    sound = (0.3 * np.sin(2 * np.pi * 100 * time) + 0.1 * np.sin(2 * np.pi * 2500 * time)).astype(np.float32)[None]
    assert acoustics.measure(sound, RATE)["peak_frequency"][0] == pytest.approx(2500, abs=1)
    assert acoustics.measure(sound, RATE, low=0)["peak_frequency"][0] == pytest.approx(100, abs=2)


def test_refuses_a_rate_that_leaves_nothing_to_measure() -> None:
    with pytest.raises(CanaryganError, match="500 to 500 Hz is too narrow to measure at 1000 Hz: at least 188 Hz"):
        acoustics.measure(noise(1), 1000)


@pytest.mark.parametrize(("one", "other"), [(50, 50), (30, 81), (1, 7)])
def test_differences_agree_with_their_definitions(one: int, other: int) -> None:
    rng = np.random.default_rng(one)
    made, real = rng.normal(0.5, 2, one).round(1), rng.normal(0, 1, other).round(1)  # rounded, so that some are tied
    found = comparison.compare(made, real)
    assert found.effect == pytest.approx(np.sign(made[:, None] - real).mean())
    assert found.effect == pytest.approx(2 * scipy.stats.mannwhitneyu(made, real)[0] / (one * other) - 1)
    grid = np.unique(np.concatenate([made, real]))
    gaps = np.abs((made[:, None] <= grid).mean(0) - (real[:, None] <= grid).mean(0))
    assert found.ks == pytest.approx(gaps.max())
    assert found.distance == pytest.approx((gaps[:-1] * np.diff(grid)).sum())
    assert found.distance == pytest.approx(scipy.stats.wasserstein_distance(made, real))
    assert found.relative == pytest.approx(found.distance / np.std(real))


def test_effect_of_shifted_normals_is_that_of_their_overlap() -> None:
    rank = (np.arange(4000) + 0.5) / 4000
    real = scipy.stats.norm.ppf(rank)
    for shift in (-1.0, 0.0, 0.3, 2.0):
        found = comparison.compare(real + shift, real)
        assert found.effect == pytest.approx(2 * scipy.stats.norm.cdf(shift / math.sqrt(2)) - 1, abs=1e-3)
        assert found.distance == pytest.approx(abs(shift), abs=1e-9)
        assert found.ks == pytest.approx(2 * scipy.stats.norm.cdf(abs(shift) / 2) - 1, abs=1e-3)
    assert found.effect == comparison.cliff(real + 2, real) == -comparison.cliff(real, real + 2)


def test_values_that_are_all_equal_have_no_spread_to_compare_with() -> None:
    real = np.random.default_rng(0).normal(0, 3, 400)
    assert math.isnan(comparison.compare(real, np.ones(9)).relative)


def listened(values: np.ndarray, labels: list[str] | None) -> Clips:
    """Clips with one value for all of their measures."""
    named = None if labels is None else np.array(labels)
    facts = dict.fromkeys(acoustics.UNITS, values)
    return Clips(np.zeros((len(values), 0), np.float32), RATE, labels=named, facts=facts)


def test_table_compares_all_and_each_class_that_has_enough() -> None:
    real = listened(np.array([1.0, 2, 3, 10, 20, 30, 5]), ["a", "a", "a", "b", "b", "b", "c"])
    made = listened(np.array([2.0, 3, 4, 10, np.nan, 5, 7]), ["a", "a", "a", "b", "b", "c", "X"])
    rows = comparison.table(made, real, least=2)
    assert [row["class"] for row in rows[:: len(acoustics.UNITS)]] == ["", "a"]
    assert [row["measure"] for row in rows[:6]] == list(acoustics.UNITS)
    first = next(row for row in rows if row["class"] == "a")
    assert first["unit"] == "s"
    assert (first["real"], first["generated"]) == (2, 3)
    assert (first["real_clips"], first["generated_clips"]) == (3, 3)
    assert first["distance"] == pytest.approx(1)
    assert first["effect"] == pytest.approx(5 / 9)
    assert "halves" not in first
    assert rows[0]["generated_clips"] == 6
    unlabelled = comparison.table(listened(np.ones(5), None), real, least=2)
    assert {row["class"] for row in unlabelled} == {""}
