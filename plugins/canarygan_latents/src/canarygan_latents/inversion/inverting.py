"""From sounds to latents: starts by the error of many latents, then a search from the best of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from canarygan_core import Generator
from canarygan_core.console import log, show_bar
from canarygan_core.fitted import generators, latents
from canarygan_latents.inversion.measuring import Floats, Measure
from canarygan_latents.opening import find_box, find_network

MAKING = 100
"""Sounds of candidates that are made at a time."""

TOGETHER = 1000
"""Sounds whose errors against all others are held at a time."""


class Refining(Protocol):
    """What makes latents better."""

    def refine(self, sounds: Floats, starts: Floats, advance: Callable[[float], None]) -> Floats:
        """The best latents (n, d) found for sounds (n, samples) from starts (n, k, d); `advance` gets shares of 1."""


@dataclass(frozen=True)
class Search:
    """How latents are looked for.

    Attributes:
        candidates: latents that are drawn and compared with every sound first.
        starts: the best of them, from which the search for each sound begins.
        steps: of the search.
        batch_size: sounds that are searched for side by side.
        seed: of the candidates.
    """

    candidates: int = 2000
    starts: int = 4
    steps: int = 200
    batch_size: int = 16
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Inverted:
    """The latents that were found for sounds, a row each.

    Attributes:
        z: (n, d).
        x: (n, samples) what the model makes of them.
        error: (n,) of x against the sounds, dB; see `Measure`.
        random_error: (n,) median error of the candidates, dB: that of a latent drawn blindly.
        gain: (n,) factor that brings x to the level of the sound; 1 where the level counted in the search.
    """

    z: Floats
    x: Floats
    error: Floats
    random_error: Floats
    gain: Floats


def invert(generator: Generator, sounds: Floats, measure: Measure, search: Search) -> Inverted:
    """The latents whose sounds are nearest to sounds (n, samples), which are as the model's own in rate and length.

    The result for a sound does not depend on the others: batches are filled up, so that all have one size.
    """
    starts, first_errors, median = find_starts(generator, sounds, measure, search)
    refiner = choose_refiner(generator, measure, search)
    refined = np.empty_like(starts[:, 0])
    with show_bar("inverting", len(sounds)) as advance:
        for begin in range(0, len(sounds), search.batch_size):
            rows = np.arange(begin, min(begin + search.batch_size, len(sounds)))
            filled = np.pad(rows, (0, search.batch_size - len(rows)), "edge")
            found = refiner.refine(sounds[filled], starts[filled], partial(_advance, advance, len(rows)))
            refined[rows] = found[: len(rows)]
    x = _make(generator, refined)
    error = measure.compare_pairs(x, sounds)
    is_worse = error > first_errors[:, 0]  # the loss of the search is not the error
    if is_worse.any():
        refined[is_worse] = starts[is_worse, 0]
        x = _make(generator, refined)
        error = measure.compare_pairs(x, sounds)
    gain = _compute_rms(sounds) / np.maximum(_compute_rms(x), 1e-9) if measure.is_level_free else np.ones(len(x))
    return Inverted(refined, x, error, median, np.asarray(gain, np.float32))


def find_starts(
    generator: Generator, sounds: Floats, measure: Measure, search: Search
) -> tuple[Floats, Floats, Floats]:
    """For each sound the best of the candidates (n, starts, d), their errors (n, starts), the median of all (n,)."""
    z = latents.draw_for(generator, search.candidates, seed=search.seed)
    low, high = find_box(generator)
    z = np.clip(z, low, high)
    found = []
    for begin in range(0, len(sounds), TOGETHER):
        levels = measure.compute_levels(sounds[begin : begin + TOGETHER])
        made = generators.generate_sounds(generator, z, MAKING)
        errors = np.concatenate([measure.compare(levels, measure.compute_levels(part)) for part in made], axis=1)
        order = np.argsort(errors, axis=1, kind="stable")[:, : min(search.starts, len(z))]
        found.append((z[order], np.take_along_axis(errors, order, 1), np.median(errors, axis=1)))
    starts, least, median = map(np.concatenate, zip(*found, strict=True))
    return starts, least, median


def choose_refiner(generator: Generator, measure: Measure, search: Search) -> Refining:
    """A descent by gradients where the model gives its network; an evolution strategy for others."""
    low, high = find_box(generator)
    network = find_network(generator)
    if network is None:
        from canarygan_latents.inversion.searching import Evolution

        log.info("This model does not give its network: it is searched without gradients, which takes longer.")
        return Evolution(generator, measure, low, high, search.steps, search.seed)
    from canarygan_latents.inversion.gradients import Descent

    return Descent(network, measure, low, high, search.steps)


def _advance(advance: Callable[[float], None], count: int, share: float) -> None:
    advance(share * count)


def _make(generator: Generator, z: Floats) -> Floats:
    """Sounds of latents in batches of `MAKING`, each filled up, so that a sound's bytes depend on its latent alone."""
    return np.concatenate(list(generators.generate_sounds(generator, z, MAKING)))


def _compute_rms(audio: Floats) -> Floats:
    return np.asarray(np.sqrt(np.square(audio).mean(1)), np.float32)
