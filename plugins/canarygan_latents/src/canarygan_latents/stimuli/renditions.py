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
    """Latents found of one label, with what decoders gave them; and the posteriors of all that they called so."""

    def __init__(self) -> None:
        self.latents: list[Floats] = []
        self.posteriors: list[float] = []
        self.likeness: list[float] = []
        self.seen: list[float] = []


def find_renditions(
    labels: Sequence[str],
    count: int,
    draw: Callable[[int, int], NDArray[np.float32]],
    generate: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    judge: Judge,
    *,
    posterior: float,
    tries: int,
    apart: float,
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
        posterior: that must be reached.
        tries: latents drawn at most.
        apart: the least distance between two latents of a label, in sides of the box.
        sides: of the box that training knew (d,).
        play: gives sounds (n, samples) as they will be played, which are judged again; None for as they are.

    Raises:
        CanaryganError: where a label has too few.
    """
    pools, drawn = {label: _Pool() for label in labels}, 0
    with show_bar("finding renditions", POOL * count * len(labels)) as advance:
        for seed in itertools.count():
            missing = sum(max(POOL * count - len(pool.latents), 0) for pool in pools.values())
            if drawn >= tries or not missing:
                break
            latents = draw(min(BATCH, tries - drawn), seed)
            _collect(pools, latents, generate(latents), judge, posterior, play)
            drawn += len(latents)
            left = sum(max(POOL * count - len(pool.latents), 0) for pool in pools.values())
            advance(missing - left, note=f"{drawn} of at most {tries} latents drawn")
    return [_choose(label, pool, count, drawn, posterior, apart, sides) for label, pool in pools.items()]


def _collect(
    pools: dict[str, _Pool],
    latents: NDArray[np.float32],
    sounds: NDArray[np.float32],
    judge: Judge,
    posterior: float,
    play: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None,
) -> None:
    """Put the latents of sounds that are called by a label that is wanted into the pool of it."""
    given, sure, likeness = judge(sounds)
    wanted = np.flatnonzero(np.isin(given, list(pools)))
    if play is not None and len(wanted):
        again, *others = judge(play(sounds[wanted]))
        is_same = again == given[wanted]
        wanted, sure, likeness = wanted[is_same], sure.copy(), likeness.copy()
        for values, other in zip((sure, likeness), others, strict=True):
            values[wanted] = np.minimum(values[wanted], other[is_same])
    for row in wanted.tolist():
        pool = pools[str(given[row])]
        pool.seen.append(float(sure[row]))
        if sure[row] >= posterior:
            pool.latents.append(latents[row])
            pool.posteriors.append(float(sure[row]))
            pool.likeness.append(float(likeness[row]))


def _choose(
    label: str, pool: _Pool, count: int, drawn: int, posterior: float, apart: float, sides: Floats
) -> Renditions:
    """Those of a pool that are farthest from each other; raises `CanaryganError` where there are too few."""
    latents, posteriors = np.array(pool.latents, np.float32), np.array(pool.posteriors)
    if len(latents) < count:
        raise CanaryganError(_explain_few(label, pool, count, drawn, posterior))
    likely = np.argsort(-np.array(pool.likeness), kind="stable")[: LIKELY * count]
    rows, gaps = spread(latents[likely] / sides, count)
    if gaps.min(initial=np.inf) < apart:
        far = 1 + int((gaps >= apart).sum())
        what = (
            f"{label}: {drawn} latents brought {len(latents)} that decoders are sure of, {far} of them {apart:g} apart"
        )
        raise CanaryganError(f"{what}, and {count} are asked for. Ask for {far}, lower --apart, or raise --tries.")
    chosen = likely[rows]
    least = float(gaps.min()) if len(gaps) else None
    return Renditions(label, latents[chosen], posteriors[chosen], least, len(latents), drawn)


def _explain_few(label: str, pool: _Pool, count: int, drawn: int, posterior: float) -> str:
    """Why there are too few, and what would have worked."""
    there, best = len(pool.latents), max(pool.seen, default=0.0)
    if not pool.seen:
        what = f"{label} has no region in the latent space: of {drawn} latents decoders call no sound so"
        return f"{what}. Raise --tries, or train the model for longer."
    what = f"{label}: {drawn} latents brought {there} of {count} sounds that decoders give a posterior of {posterior:g}"
    if len(pool.seen) >= count:
        level = np.floor(100 * sorted(pool.seen, reverse=True)[count - 1]) / 100
        return f"{what}; the surest has {best:.3f}. --posterior {level:g} gives {count}, or raise --tries."
    told = f"they call {len(pool.seen)} so at all, the surest with {best:.3f}"
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
