"""Bridges between two latents, in steps that are equal in the latents or in how far the sounds are from each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import Generator
from canarygan_core.console import log, track
from canarygan_core.fitted.decoders import TrainedDecoder
from canarygan_latents.stimuli import judging
from canarygan_latents.stimuli.measures import Measure, compute_distances, compute_steps
from canarygan_latents.stimuli.points import Point
from canarygan_latents.stimuli.session import Stimuli
from canarygan_latents.stimuli.sounds import make_sounds
from canarygan_latents.stimuli.spacing import choose_evenly

COARSE, FINE = 128, 512
"""Parts that the line is cut into to find equal steps, at first and at most, where a bridge has no more steps."""

NEAR, NARROW = 0.1, 1e-5
"""A part is cut in two where its ends are further from each other than this share of a step, unless it is so short."""

EQUAL = 1.2
"""Steps are equal where the longest is at most so many times the shortest."""

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Bridge:
    """Latents from A to B.

    Attributes:
        start: A.
        end: B.
        positions: (n,) where each latent lies on the line, 0 at A and 1 at B.
        steps: (n - 1,) how far the sounds of neighbours are from each other.
        unit: of the steps.
    """

    start: Point
    end: Point
    positions: NDArray[np.float64]
    steps: NDArray[np.float64]
    unit: str

    @property
    def latents(self) -> NDArray[np.float32]:
        """The latents (n, d)."""
        return place(self.start.latent, self.end.latent, self.positions)

    @property
    def ratio(self) -> float:
        """The longest step over the shortest."""
        return float(self.steps.max() / max(self.steps.min(), 1e-12))

    def describe(self, number: int) -> str:
        """A line about it, with its number."""
        steps = f"steps of {self.steps.min():.3g} to {self.steps.max():.3g} {self.unit}"
        return f"{number}. {self.start.name} to {self.end.name}: {steps}, a ratio of {self.ratio:.2f}"

    def to_json(self) -> dict[str, Any]:
        """Its steps, for programs."""
        return {"positions": self.positions.tolist(), "steps": self.steps.tolist(), "ratio": self.ratio}


def build(
    generator: Generator, ends: Sequence[tuple[Point, Point]], count: int, measure: Measure, *, is_equal: bool
) -> list[Bridge]:
    """A bridge for each pair of ends; those whose steps cannot be made equal are told.

    Args:
        generator: makes the sounds.
        ends: A and B of each.
        count: latents of a bridge, A and B among them.
        measure: how far two sounds are from each other.
        is_equal: whether neighbours are equally far from each other in this measure, or else in the latents.
    """
    built = []
    for number, (start, end) in enumerate(track(ends, "building bridges"), 1):
        build_one = build_equal if is_equal else build_linear
        built.append(build_one(generator, start, end, count, measure))
        if is_equal and built[-1].ratio > EQUAL:
            log.warning(
                f"Bridge {number}: no equal steps were found; the longest is {built[-1].ratio:.2f} times the shortest. "
                "The sound jumps somewhere on this line: take fewer steps, or other ends."
            )
    return built


def build_linear(generator: Generator, start: Point, end: Point, count: int, measure: Measure) -> Bridge:
    """A bridge whose latents lie evenly on the line."""
    positions = np.linspace(0, 1, count)
    sounds = make_sounds(generator, place(start.latent, end.latent, positions))
    return Bridge(start, end, positions, compute_steps(measure(sounds, generator.rate)), measure.unit)


def build_equal(generator: Generator, start: Point, end: Point, count: int, measure: Measure) -> Bridge:
    """A bridge whose neighbours are equally far from each other in the measure.

    The line is cut into parts, and the distances of the sounds at all their ends from each other are measured. Of these
    places those are chosen whose neighbours are as equally far from each other as can be. Where the longest step is not
    within `EQUAL` of the shortest, parts along which the sound changes much are cut in two, and so on. Gives the most
    equal bridge of these.
    """

    def listen(positions: NDArray[np.float64]) -> NDArray[np.float64]:
        return measure(make_sounds(generator, place(start.latent, end.latent, positions)), generator.rate)

    parts = max(COARSE, 4 * (count - 1))
    positions = np.linspace(0, 1, parts + 1)
    features, found = listen(positions), list[Bridge]()
    while True:
        rows = choose_evenly(compute_distances(features), count)
        found.append(Bridge(start, end, positions[rows], compute_steps(features[rows]), measure.unit))
        far, wide = compute_steps(features), np.diff(positions) > NARROW
        room = max(FINE, 2 * parts) + 1 - len(positions)
        cut = np.flatnonzero((far > NEAR * found[-1].steps.mean()) & wide)
        cut = np.sort(cut[np.argsort(-far[cut], kind="stable")[:room]])
        if found[-1].ratio <= EQUAL or not len(cut):
            return min(found, key=lambda bridge: bridge.ratio)
        middles = (positions[cut] + positions[cut + 1]) / 2
        features = np.insert(features, cut + 1, listen(middles), axis=0)
        positions = np.insert(positions, cut + 1, middles)


def place(start: Floats, end: Floats, positions: Floats) -> NDArray[np.float32]:
    """Latents (n, d) on the line from one (d,) to the other; the ends are exact."""
    share = np.asarray(positions, np.float64)[:, None]
    return np.asarray((1 - share) * start + share * end, np.float32)


def to_stimuli(built: Sequence[Bridge], generator: Generator, trained: Sequence[TrainedDecoder]) -> Stimuli:
    """The sounds of bridges, with the columns that the key has of them."""
    z = np.concatenate([one.latents for one in built])
    sounds = make_sounds(generator, z)
    labels, posteriors = judging.label(trained, sounds, generator.rate)
    numbers = [(bridge, step) for bridge, one in enumerate(built, 1) for step in range(1, len(one.positions) + 1)]
    columns: dict[str, list[Any]] = {
        "bridge": [bridge for bridge, _ in numbers],
        "step": [step for _, step in numbers],
        "position": [round(float(value), 6) for one in built for value in one.positions],
        "distance": [value for one in built for value in ("", *(round(float(step), 6) for step in one.steps))],
    }
    names = [f"bridge_{bridge}-step_{step}" for bridge, step in numbers]
    return Stimuli(names, z, sounds, labels, posteriors, columns, row=len(built[0].positions))
