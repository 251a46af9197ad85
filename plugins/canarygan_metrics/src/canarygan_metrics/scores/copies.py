"""Whether generated sounds are copies of training clips, by real clips that the generator was not trained on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
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

DRAWS = 100
"""Other choices of unseen clips that the interval is from."""


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
        copied_low: lower end of its 95 % interval: how far chance alone moves it, if it chooses other unseen clips.
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


def compare(nearest: Nearest, unseen: Mask, others: Iterable[Mask] = ()) -> Copies:
    """How many sounds are copies, by which of the real clips (m,) are unseen.

    Args:
        nearest: the real clip nearest to each sound.
        unseen: which real clips are unseen.
        others: the same if chance had chosen others, for the interval; without any there is none.
    """
    weights = np.asarray(np.bincount(nearest.clip, nearest.gap, len(unseen)), np.float64)  # (m,) by nearest clip
    count = int(unseen.sum()), int((~unseen).sum())
    mean = weights[unseen].sum() / count[0], weights[~unseen].sum() / count[1]
    copied = _count_copies(weights, unseen, len(nearest.clip))
    chance = [_count_copies(weights, other, len(nearest.clip)) for other in others]
    low, high = copied - np.percentile(chance, [97.5, 2.5]) if chance else (copied, copied)
    return Copies(
        memorised=float(mean[1] / sum(mean)) if sum(mean) > 0 else 0.5,
        copied=copied,
        copied_low=float(min(low, copied)),
        copied_high=float(min(max(high, copied), 1.0)),
        training_distance=float(np.median(nearest.distance[:, 0])),
        unseen_distance=float(np.median(nearest.distance[:, 1])),
        training_clips=float(count[1]),
        unseen_clips=float(count[0]),
    )


def _count_copies(weights: Exact, unseen: Mask, sounds: int) -> float:
    """How much more weight (m,) training clips have than unseen ones would, were there as many; by sound."""
    return float((weights[~unseen].sum() - weights[unseen].mean() * (~unseen).sum()) / sounds)


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
    nearest = find_nearest(generated.facts["levels"], reference.facts["levels"], find_unseen(reference))
    facts = {"nearest": nearest.clip, "gap": nearest.gap, "distance": nearest.distance}
    known = replace(generated, facts=facts)
    for other in _choose_others(reference, rng):
        yield known, replace(reference, facts={holding.UNSEEN: other})


def _choose_others(reference: "Clips", rng: np.random.Generator) -> Iterator[Mask]:
    """Which real clips (m,) might have been held out: as many, of each class as many, and whole groups."""
    labels = reference.labels if reference.labels is not None else np.full(len(reference), "")
    numbers = np.unique(labels, return_inverse=True)[1]
    share = float(find_unseen(reference).mean())
    while True:
        _, rows = accuracy.split(numbers, share, int(rng.integers(2**31)), reference.facts.get(holding.GROUP))
        other = np.zeros(len(reference), bool)
        other[rows] = True
        yield other


def score(generated: "Clips", reference: "Clips", *, seed: int = 0) -> Copies:
    """How many generated sounds are copies; `exchange` has found their nearest clips already."""
    unseen = find_unseen(reference)
    if "nearest" in generated.facts:
        return compare(Nearest(*(generated.facts[name] for name in ("nearest", "gap", "distance"))), unseen)
    if not len(generated):
        raise CanaryganError("memorisation: there is no generated clip.")
    for what, clips in (("generated", generated), ("real", reference)):
        if "levels" not in clips.facts:
            raise CanaryganError(f"memorisation: pass the {what} clips through the metric's listener first.")
    nearest = find_nearest(generated.facts["levels"], reference.facts["levels"], unseen)
    return compare(nearest, unseen, islice(_choose_others(reference, np.random.default_rng(seed)), DRAWS))
