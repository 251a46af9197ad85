"""Whether generated sounds are copies of training clips, by real clips that the generator was not trained on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import CanaryganError
from canarygan_core.evaluation import accuracy, holding
from canarygan_metrics.scores.distances import Exact
from canarygan_metrics.scores.levels import UNIT, sounding
from canarygan_metrics.scores.neighbours import blocks

if TYPE_CHECKING:
    from canarygan_core.clips import Clips

Mask = NDArray[np.bool_]

DRAWS = 400
"""Samples of the bootstrap."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """The real clip nearest to each generated sound.

    Attributes:
        clip: (n,) its row.
        gap: (n,) how much nearer it is than the next: 1 less the distance to it over that to the next, from 0 (as near)
            to 1 (the same).
        distance: (n, 2) to the nearest training clip and to the nearest unseen one, dB.
    """

    clip: NDArray[np.intp]
    gap: Exact
    distance: Exact


@dataclass(frozen=True)
class Copies:
    """How many generated sounds are copies of training clips.

    Attributes:
        memorised: probability that the clip that a sound lies nearest to is a training clip rather than an unseen one,
            were there equally many of both; sounds count by how much nearer that clip is than the next. 0.5 where
            nothing is copied, 1 where everything is.
        copied: share of sounds that are copies, of which each counts by how much nearer it lies to its clip than to the
            next, which an exact copy does by 1; around 0 where nothing is copied, so it may be negative.
        copied_low: lower end of its 95 % interval (bootstrap of the real clips).
        copied_high: upper end.
        training_distance: median distance to the nearest training clip, dB.
        unseen_distance: median distance to the nearest unseen clip, dB.
        training_clips: how many there are.
        unseen_clips: how many there are.
    """

    memorised: float
    copied: float
    copied_low: float
    copied_high: float
    training_distance: float
    unseen_distance: float
    training_clips: float
    unseen_clips: float


def find_nearest(generated: NDArray[np.uint8], real: NDArray[np.uint8], unseen: Mask) -> Nearest:
    """The nearest of real clips to each generated sound, by their levels (n, frames, bands) and (m, frames, bands).

    The distance is the root mean square difference over the time in which real clips sound, dB.

    Raises:
        CanaryganError: where no real clip sounds.
    """
    frames = sounding(real)
    if not frames.any():
        raise CanaryganError("memorisation: the real clips are silent, so nothing can be told of copies.")
    a, b = (levels[:, frames].reshape(len(levels), -1) for levels in (generated, real))
    near, gaps, distances = [], [], []
    for _, apart in blocks(a.astype(np.float32), b.astype(np.float32)):
        sides = [apart[:, side].min(1) for side in (~unseen, unseen)]
        row = np.arange(len(apart))
        first = apart.argmin(1)
        least = apart[row, first].copy()
        apart[row, first] = np.inf
        following = apart.min(1)
        gaps.append(1 - np.sqrt(np.divide(least, following, out=np.ones(len(row)), where=following > 0)))
        near.append(first)
        distances.append(UNIT * np.sqrt(np.stack(sides, axis=1) / b.shape[1]))
    return Nearest(np.concatenate(near), np.concatenate(gaps), np.concatenate(distances))


def compare(nearest: Nearest, unseen: Mask, *, draws: int = DRAWS, seed: int = 0) -> Copies:
    """How many sounds are copies, by which of the real clips (m,) are unseen; without draws there is no interval."""
    weights = np.bincount(nearest.clip, nearest.gap, len(unseen))  # (m,) of the sounds nearest to each
    sums = np.array([weights[~unseen].sum(), weights[unseen].sum()])
    counts = np.array([(~unseen).sum(), unseen.sum()])
    rates = sums / counts
    copied = (sums[0] - rates[1] * counts[0]) / len(nearest.clip)
    low = high = copied
    if draws:
        rng = np.random.default_rng(seed)
        drawn = [  # (draws,) mean weight of training clips, and of unseen ones, drawn with replacement
            rng.multinomial(len(side), np.full(len(side), 1 / len(side)), draws) @ side / len(side)
            for side in (weights[~unseen], weights[unseen])
        ]
        low, high = np.percentile((drawn[0] - drawn[1]) * counts[0] / len(nearest.clip), [2.5, 97.5])
    return Copies(
        memorised=float(rates[0] / rates.sum()) if rates.sum() > 0 else 0.5,
        copied=float(copied),
        copied_low=float(min(low, copied)),
        copied_high=float(min(max(high, copied), 1.0)),
        training_distance=float(np.median(nearest.distance[:, 0])),
        unseen_distance=float(np.median(nearest.distance[:, 1])),
        training_clips=float(counts[0]),
        unseen_clips=float(counts[1]),
    )


def find_unseen(reference: "Clips") -> Mask:
    """Which real clips (m,) the generator was not trained on.

    Raises:
        CanaryganError: where nothing says so, or all or none are.
    """
    unseen: Any = reference.facts.get(holding.UNSEEN)
    if unseen is None:
        raise CanaryganError("memorisation needs to know which real clips the model was not trained on.")
    if unseen.all() or not unseen.any():
        what = "All" if unseen.all() else "None"
        raise CanaryganError(f"{what} of {len(unseen)} real clips are unseen: memorisation needs training clips too.")
    return np.asarray(unseen, bool)


def exchange(generated: "Clips", reference: "Clips", rng: np.random.Generator) -> Iterator["tuple[Clips, Clips]"]:
    """The same clips, time and again with others of the real ones called unseen: as the training might have chosen.

    Where the generator has copied nothing, it does not matter which those are. So this is a test by randomisation
    (Fisher, 1935). Whole groups are exchanged where whole groups were held out.
    """
    unseen = find_unseen(reference)
    nearest = find_nearest(generated.facts["levels"], reference.facts["levels"], unseen)
    facts = {"nearest": nearest.clip, "gap": nearest.gap, "distance": nearest.distance}
    known = replace(generated, facts=facts)
    labels = reference.labels if reference.labels is not None else np.full(len(reference), "")
    groups = reference.facts.get(holding.GROUP)
    while True:
        _, rows = accuracy.split(labels, unseen.mean(), int(rng.integers(2**31)), groups)
        other = np.zeros(len(unseen), bool)
        other[rows] = True
        yield known, replace(reference, facts={holding.UNSEEN: other})


def score(generated: "Clips", reference: "Clips") -> Copies:
    """How many generated sounds are copies; `exchange` has found their nearest clips already."""
    unseen = find_unseen(reference)
    if "nearest" in generated.facts:
        return compare(Nearest(*(generated.facts[name] for name in ("nearest", "gap", "distance"))), unseen, draws=0)
    if not len(generated):
        raise CanaryganError("memorisation: there is no generated clip.")
    for what, clips in (("generated", generated), ("real", reference)):
        if "levels" not in clips.facts:
            raise CanaryganError(f"memorisation: pass the {what} clips through the metric's listener first.")
    return compare(find_nearest(generated.facts["levels"], reference.facts["levels"], unseen), unseen)
