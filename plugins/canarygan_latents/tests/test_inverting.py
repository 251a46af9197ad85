"""From sounds to latents: those of a model's own sounds are found again, each by itself."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canarygan_latents.inversion import inverting
from canarygan_latents.inversion.inverting import Search, choose_refiner, find_starts, invert
from canarygan_latents.inversion.measuring import Measure
from canarygan_latents.inversion.searching import Evolution
from canarygan_latents.opening import open_generator

from canarygan_core import Generator
from canarygan_core.testing import check_cheap_import

SEARCH = Search(candidates=300, starts=3, steps=100, batch_size=2)


@pytest.fixture(scope="module")
def generator(checkpoint: Path) -> Generator:
    return open_generator(checkpoint, "cpu").generator


@pytest.fixture(scope="module")
def z() -> np.ndarray:
    return np.random.default_rng(5).uniform(-0.9, 0.9, (3, 3)).astype(np.float32)


class Closed:
    """A generator that does not give its network."""

    def __init__(self, inner: Generator) -> None:
        self.inner = inner
        self.latent_dim, self.rate, self.samples = inner.latent_dim, inner.rate, inner.samples
        self.progress, self.latent_range = inner.progress, (-1.0, 1.0)

    def generate(self, z: Any) -> Any:
        return self.inner.generate(z)


def test_the_entry_module_is_cheap() -> None:
    check_cheap_import("canarygan_latents")


def test_the_models_own_sounds_are_found_again(generator: Generator, z: np.ndarray) -> None:
    sounds, measure = generator.generate(z), Measure(generator.rate, is_level_free=False)
    inverted = invert(generator, sounds, measure, SEARCH)
    assert (10 * inverted.error < inverted.random_error).all()
    assert np.abs(inverted.z - z).max() < 0.05
    np.testing.assert_allclose(inverted.error, measure.compare_pairs(generator.generate(inverted.z), sounds), atol=0.01)
    assert inverted.gain.tolist() == [1, 1, 1]


def test_a_sound_is_found_whatever_its_level_unless_that_counts(generator: Generator, z: np.ndarray) -> None:
    sounds = generator.generate(z[:2]) / 10
    free, bound = (invert(generator, sounds, Measure(generator.rate, is_free), SEARCH) for is_free in (True, False))
    assert (free.error < 0.3).all()
    np.testing.assert_allclose(free.gain, 0.1, rtol=0.2)
    assert np.abs(bound.z).max() < 0.2  # the sounds of this model are louder the farther out they are
    assert bound.gain.tolist() == [1, 1]


def test_the_result_for_a_sound_does_not_depend_on_the_others(generator: Generator, z: np.ndarray) -> None:
    sounds, measure = generator.generate(z), Measure(generator.rate)
    together = invert(generator, sounds, measure, SEARCH)
    for row in (0, 2):
        alone = invert(generator, sounds[row : row + 1], measure, SEARCH)
        for name in ("z", "x", "error", "random_error", "gain"):
            assert getattr(alone, name)[0].tobytes() == getattr(together, name)[row].tobytes(), name


def test_starts_are_the_best_candidates_in_their_order(generator: Generator, z: np.ndarray) -> None:
    sounds, measure = generator.generate(z), Measure(generator.rate)
    starts, errors, median = find_starts(generator, sounds, measure, SEARCH)
    assert starts.shape == (3, 3, 3)
    assert (np.diff(errors, axis=1) >= 0).all()
    assert (errors[:, 0] < median).all()
    made = generator.generate(starts[:, 0])
    np.testing.assert_allclose(measure.compare_pairs(made, sounds), errors[:, 0], atol=0.01)


def test_errors_of_few_sounds_are_held_at_a_time(
    generator: Generator, z: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    sounds, measure, held = generator.generate(z), Measure(generator.rate), []
    whole = find_starts(generator, sounds, measure, SEARCH)
    compare = Measure.compare
    monkeypatch.setattr(Measure, "compare", lambda self, *levels: held.append(len(levels[0])) or compare(self, *levels))
    monkeypatch.setattr(inverting, "TOGETHER", 2)
    parts = find_starts(generator, sounds, measure, SEARCH)
    assert {*held} == {1, 2}
    assert [one.tobytes() for one in parts] == [one.tobytes() for one in whole]


def test_latents_stay_in_the_box(generator: Generator) -> None:
    outside = generator.generate(np.full((1, 3), 1.4, np.float32))
    inverted = invert(generator, outside, Measure(generator.rate), SEARCH)
    assert np.abs(inverted.z).max() <= 1


def test_a_model_without_a_network_is_searched_without_gradients(generator: Generator, z: np.ndarray) -> None:
    closed, measure = Closed(generator), Measure(generator.rate)
    assert isinstance(choose_refiner(closed, measure, SEARCH), Evolution)
    sounds = generator.generate(z)
    search = replace(SEARCH, steps=30)
    inverted = invert(closed, sounds, measure, search)
    first = find_starts(closed, sounds, measure, search)[1][:, 0]
    assert (inverted.error < first / 2).all()
    again = invert(closed, sounds[1:2], measure, search)
    assert again.z[0].tobytes() == inverted.z[1].tobytes()


def test_no_steps_leave_the_best_candidate(generator: Generator, z: np.ndarray) -> None:
    sounds, measure = generator.generate(z[:2]), Measure(generator.rate)
    search = Search(candidates=50, starts=2, steps=0, batch_size=2)
    expected = find_starts(generator, sounds, measure, search)[0][:, 0]
    np.testing.assert_allclose(invert(generator, sounds, measure, search).z, expected, atol=1e-6)


class Astray:
    """Makes latents worse."""

    def refine(self, sounds: Any, starts: Any, advance: Any) -> Any:
        return np.zeros_like(starts[:, 0])


def test_a_search_that_goes_astray_leaves_the_best_candidate(
    generator: Generator, z: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inverting, "choose_refiner", lambda *given: Astray())
    sounds, measure = generator.generate(z), Measure(generator.rate)
    inverted = invert(generator, sounds, measure, SEARCH)
    starts, errors, _ = find_starts(generator, sounds, measure, SEARCH)
    assert np.array_equal(inverted.z, starts[:, 0])
    np.testing.assert_allclose(inverted.error, errors[:, 0], atol=0.01)
