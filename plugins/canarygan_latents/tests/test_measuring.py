"""The error between sounds: mel bands, levels, and what noise alone makes of it."""

import numpy as np
import pytest
from canarygan_latents.inversion import measuring
from canarygan_latents.inversion.measuring import Measure

RATE = 16000


def noise(count: int, seed: int = 0, samples: int = 4096) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, (count, samples)).astype(np.float32)


def test_mel_bands_are_those_of_torchaudio() -> None:
    functional = pytest.importorskip("torchaudio.functional")
    expected = functional.melscale_fbanks(257, 0.0, 8000.0, 64, RATE, norm=None, mel_scale="htk").numpy()
    np.testing.assert_allclose(Measure(RATE).filters, expected, atol=1e-4)


def test_a_sound_has_no_error_against_itself() -> None:
    measure, sounds = Measure(RATE), noise(3)
    assert measure.compare_pairs(sounds, sounds).tolist() == [0, 0, 0]
    levels = measure.compute_levels(sounds)
    errors = measure.compare(levels, levels)
    assert np.diag(errors).tolist() == [0, 0, 0]
    assert errors[0, 1] > 1


def test_twice_the_amplitude_is_6_db_where_the_level_counts_and_nothing_else() -> None:
    sounds = noise(2)
    np.testing.assert_allclose(Measure(RATE, False).compare_pairs(sounds, 2 * sounds), 20 * np.log10(2), atol=1e-3)
    np.testing.assert_allclose(Measure(RATE, True).compare_pairs(sounds, 2 * sounds), 0, atol=1e-3)


def test_pairs_and_all_pairs_agree() -> None:
    measure, one, other = Measure(RATE), noise(3), noise(3, seed=1)
    errors = measure.compare(measure.compute_levels(one), measure.compute_levels(other))
    np.testing.assert_allclose(np.diag(errors), measure.compare_pairs(one, other), rtol=1e-5)


def test_the_levels_of_a_sound_do_not_depend_on_how_many_are_measured() -> None:
    sounds = noise(150)
    alone = Measure(RATE).compute_levels(sounds[149:])
    assert Measure(RATE).compute_levels(sounds)[149].tobytes() == alone[0].tobytes()


def test_pairs_are_compared_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    measure, held = Measure(RATE), []
    compute = Measure.compute_levels
    monkeypatch.setattr(Measure, "compute_levels", lambda self, audio: held.append(len(audio)) or compute(self, audio))
    sounds = noise(150)
    errors = measure.compare_pairs(sounds, sounds[::-1])
    assert max(held) * sounds.shape[1] <= measuring.AT_ONCE
    np.testing.assert_array_equal(errors[:1], measure.compare_pairs(sounds[:1], sounds[-1:]))


def test_levels_far_below_the_loudest_do_not_count() -> None:
    time = np.arange(4096) / RATE
    tone = np.sin(2 * np.pi * 2000 * time)[None].astype(np.float32)
    faint = tone + noise(1) * 1e-6
    assert Measure(RATE).compare_pairs(tone, faint)[0] < 0.05
    levels = Measure(RATE).compute_levels(tone)
    assert levels.max() - levels.min() == pytest.approx(60, abs=1e-3)


@pytest.mark.parametrize("lasting", [0.05, 0.2])
def test_the_floor_is_the_error_of_another_recording_with_the_same_noise(lasting: float) -> None:
    measure, time = Measure(RATE), np.arange(4096) / RATE
    tone = (np.sin(2 * np.pi * (2000 + 4000 * time) * time) * (np.abs(time - 0.128) < lasting / 2)).astype(np.float32)
    floors = []
    for loudness, near in ((1e-3, 0.05), (1e-2, 0.5), (1e-1, 0.7), (1, 0.8)):
        one, other = (tone + loudness * 10 * noise(8, seed) for seed in (0, 1))
        floor, apart = measure.compute_noise_floor(one, 2).mean(), measure.compare_pairs(one, other).mean()
        assert floor == pytest.approx(apart, abs=near)
        floors.append(floor)
    assert floors == sorted(floors)
    assert floors[0] < 0.1
    assert floors[-1] > 2


def test_nothing_is_added_to_what_is_silent() -> None:
    sounds = np.zeros((2, 4096), np.float32)
    sounds[1, 1000:2000] = noise(1, samples=1000)[0]
    floors = Measure(RATE).compute_noise_floor(sounds, 0)
    assert floors[0] == 0
    assert 0 < floors[1] < 3
