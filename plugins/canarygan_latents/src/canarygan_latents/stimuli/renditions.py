"""Renditions of a label: latents whose sounds decoders call so, spread over the region where they do."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.console import show_bar
from canarygan_core.errors import CanaryganError
from canarygan_latents.stimuli.judging import Judge

BATCH = 100
"""Latents drawn at a time."""

POOL, LIKELY = 4, 2
"""How many times more sounds are found than are asked for, and among how many times more the choice is then made."""

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Demands:
    """What a sound must be to be a rendition of a label, by every decoder, and how long to look for such.

    Attributes:
        posterior: the least P(class | syllable).
        syllable: the least P(syllable).
        apart: the least distance between two latents of a label, in sides of the box.
        tries: latents drawn at most.
    """

    posterior: float = 0.9
    syllable: float = 0.6
    apart: float = 0.01
    tries: int = 20000

    def are_met(self, posterior: Floats, syllable: Floats) -> NDArray[np.bool_]:
        """Which sounds are sure enough."""
        return np.asarray((posterior >= self.posterior) & (syllable >= self.syllable))


@dataclass(frozen=True, eq=False)
class Renditions:
    """Latents of one label.

    Attributes:
        label: what decoders call their sounds.
        latents: (n, d).
        posteriors: (n,) of the least sure decoder.
        apart: the least distance between two of the latents, in sides of the box; None of a single one.
        found: how many there were to choose from.
        drawn: latents that were tried for it.
    """

    label: str
    latents: NDArray[np.float32]
    posteriors: NDArray[np.float64]
    apart: float | None
    found: int
    drawn: int


class _Pool:
    """Latents whose sounds are called by one label, with what the least sure decoder gives them."""

    def __init__(self, demands: Demands) -> None:
        self.demands = demands
        self.latents: list[Floats] = []
        self.posterior: list[float] = []
        self.syllable: list[float] = []
        self.found = 0

    def add(self, latents: Floats, posterior: Floats, syllable: Floats) -> None:
        self.latents += list(latents)
        self.posterior += posterior.tolist()
        self.syllable += syllable.tolist()
        self.found += int(self.demands.are_met(posterior, syllable).sum())

    def lack(self, count: int) -> int:
        """How many are missing of the `POOL` times as many as are asked for."""
        return max(POOL * count - self.found, 0)


def find_renditions(
    labels: Sequence[str],
    count: int,
    draw: Callable[[int, int], NDArray[np.float32]],
    generate: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    judge: Judge,
    demands: Demands,
    *,
    sides: Floats,
    play: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None,
) -> list[Renditions]:
    """For each label latents whose sounds are called so, as far from each other as the likeliest of them allow.

    `POOL` times as many as are asked for are found. Of these the choice is among `LIKELY` times as many, to which
    decoders give the greatest P(syllable of the class): those on the edge of a region are often heard otherwise.

    Args:
        labels: distinct.
        count: latents of each.
        draw: gives so many latents by a number that seeds them.
        generate: makes their sounds.
        judge: labels them.
        demands: that they must meet.
        sides: of the box that training knew (d,).
        play: gives sounds (n, samples) as they will be played, which are judged again; None for as they are.

    Raises:
        CanaryganError: where labels have too few, all of which are named.
    """
    pools, drawn = {label: _Pool(demands) for label in labels}, 0
    with show_bar("finding renditions", POOL * count * len(labels)) as advance:
        for seed in itertools.count():
            missing = sum(pool.lack(count) for pool in pools.values())
            if drawn >= demands.tries or not missing:
                break
            latents = draw(min(BATCH, demands.tries - drawn), seed)
            _collect(pools, latents, generate(latents), judge, play)
            drawn += len(latents)
            left = sum(pool.lack(count) for pool in pools.values())
            advance(missing - left, note=f"{drawn} of at most {demands.tries} latents drawn")
    found, problems = list[Renditions](), list[str]()
    for label, pool in pools.items():
        try:
            found.append(_choose(label, pool, count, drawn, sides))
        except CanaryganError as error:
            problems.append(str(error))
    if problems:
        raise CanaryganError("\n".join(problems))
    return found


def _collect(
    pools: dict[str, _Pool],
    latents: NDArray[np.float32],
    sounds: NDArray[np.float32],
    judge: Judge,
    play: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None,
) -> None:
    """Put the latents of sounds that are called by a label that is wanted into the pool of it."""
    verdict = judge(sounds)
    posterior, syllable = verdict.posterior, verdict.syllable
    wanted = np.flatnonzero(np.isin(verdict.labels, list(pools)))
    if play is not None and len(wanted):
        again = judge(play(sounds[wanted]))
        is_same = again.labels == verdict.labels[wanted]
        posterior, syllable = posterior.copy(), syllable.copy()
        posterior[wanted] = np.minimum(posterior[wanted], again.posterior)
        syllable[wanted] = np.minimum(syllable[wanted], again.syllable)
        wanted = wanted[is_same]
    for label, pool in pools.items():
        rows = wanted[verdict.labels[wanted] == label]
        pool.add(latents[rows], posterior[rows], syllable[rows])


def _choose(label: str, pool: _Pool, count: int, drawn: int, sides: Floats) -> Renditions:
    """Those of a pool that are farthest from each other; raises `CanaryganError` where there are too few."""
    if pool.found < count:
        raise CanaryganError(_explain_few(label, pool, count, drawn))
    apart, posterior, syllable = pool.demands.apart, np.array(pool.posterior), np.array(pool.syllable)
    sure = np.flatnonzero(pool.demands.are_met(posterior, syllable))
    likeness = posterior * syllable
    likely = sure[np.argsort(-likeness[sure], kind="stable")[: LIKELY * count]]
    latents = np.array(pool.latents, np.float32)
    rows, gaps = spread(latents[likely] / sides, count)
    if gaps.min(initial=np.inf) < apart:
        far = 1 + int((gaps >= apart).sum())
        what = f"{label}: {drawn} latents brought {pool.found} that decoders are sure of, {far} of them {apart:g} apart"
        raise CanaryganError(f"{what}, and {count} are asked for. Ask for {far}, lower --apart, or raise --tries.")
    chosen = likely[rows]
    least = float(gaps.min()) if len(gaps) else None
    return Renditions(label, latents[chosen], posterior[chosen], least, pool.found, drawn)


def _explain_few(label: str, pool: _Pool, count: int, drawn: int) -> str:
    """Why there are too few, and what would have worked."""
    if not pool.latents:
        what = f"{label} has no region in the latent space: of {drawn} latents decoders call no sound so"
        return f"{what}. Raise --tries, or train the model for longer."
    demands, posterior, syllable = pool.demands, np.array(pool.posterior), np.array(pool.syllable)
    surely = f"a posterior of {demands.posterior:g} and a P(syllable) of {demands.syllable:g}"
    what = f"{label}: {drawn} latents brought {pool.found} of {count} sounds that every decoder gives {surely}"
    for flag, values, others in (
        ("--posterior", posterior, syllable >= demands.syllable),
        ("--syllable", syllable, posterior >= demands.posterior),
    ):
        reached = np.sort(values[others])[::-1]
        if len(reached) >= count:
            level = np.floor(100 * reached[count - 1]) / 100
            return f"{what}; {flag} {level:g} gives {count}, less sure ones. Or raise --tries."
    told = f"they call {len(posterior)} so at all, the surest with {posterior.max():.3f} and {syllable.max():.3f}"
    return f"{what}; {told}. Ask for fewer, raise --tries, or train the model for longer."


def spread(points: Floats, count: int, first: int = 0) -> tuple[NDArray[np.intp], Floats]:
    """Rows that are far from each other, each the one that is farthest from those before it (Gonzalez, 1985).

    Args:
        points: (m, d), at least `count`.
        count: rows to choose.
        first: the row to begin with.

    Returns:
        The rows (count,), and how far each but the first was from the nearest before it (count - 1,), which never
        rises: the last is the least distance between any two.
    """
    rows, gaps = [first], []
    nearest = np.full(len(points), np.inf)
    for _ in range(count - 1):
        nearest = np.minimum(nearest, np.sqrt(np.square(points - points[rows[-1]]).sum(1)))
        nearest[rows[-1]] = -np.inf
        rows.append(int(nearest.argmax()))
        gaps.append(float(nearest[rows[-1]]))
    return np.array(rows, np.intp), np.array(gaps)
