"""What scores would be by chance alone: real clips in the place of generated ones, as many against as many.

The real clips are split at random, without replacement, into as many as there are generated sounds and the rest, and
one part is scored against the other. A clip drawn twice would be its own nearest neighbour and make every distance too
small. So there are at most half as many as real clips, and where there are more generated sounds, or more than `MOST`,
random parts of them are scored, as large as those of the real clips: the scores that are compared are of equal sizes.

A score of two sets varies between such parts as between sets drawn anew (a permutation test). One that depends on the
generated sounds alone varies less, because the parts come from the few real clips that there are: n of m clips without
replacement by 1/n - 1/m, where n new ones differ from the m by 1/n + 1/m. So its resamplings are spread by as much.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips
from canarygan_core.components import Metric
from canarygan_core.console import log
from canarygan_core.evaluation.streaming import collect_warnings

MOST = 500
"""Clips of either side in a resampling, at most: what it costs grows with their square."""

DRAWS = 8
"""Random parts of the generated sounds whose scores are averaged."""

LEAST = 20
"""Resamplings that tell what chance does."""

SHARE = "share"
"""Unit of scores that one clip changes by one of their number: chance is taken to vary them by as much at least."""

RANGES = {SHARE: (0.0, 1.0), "probability": (0.0, 1.0), "0 to 1": (0.0, 1.0), "-1 to 1": (-1.0, 1.0)}
"""Units whose scores lie in a range, and so do their intervals."""

LEVEL = 0.05
"""How likely chance alone makes any score of a family outside."""


@dataclass(frozen=True)
class Null:
    """A score beside what chance alone makes of it.

    Attributes:
        score: of parts as large as those of the resamplings, averaged over several.
        mean: of the resamplings.
        low: 2.5th percentile of the resamplings.
        high: 97.5th percentile.
        p: how likely chance alone is as far from its mean, on either side, as the score is.
    """

    score: float
    mean: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Comparison:
    """The scores of a metric beside what chance alone makes of them.

    Attributes:
        generated: clips in the place of the generated ones in a resampling.
        reference: real clips that they are compared with.
        resamplings: how many gave scores.
        scores: by score, those that are tested.
        means: by score, the mean of the resamplings, of all scores.
    """

    generated: int
    reference: int
    resamplings: int
    scores: Mapping[str, Null]
    means: Mapping[str, float]


def choose_sizes(generated: int, reference: int) -> tuple[int, int]:
    """How many clips stand for generated ones and for real ones in a resampling, of so many of either."""
    first = min(generated, reference // 2, MOST)
    return first, min(reference - first, MOST)


def compare(
    metric: Metric, generated: Clips, reference: Clips, scores: Mapping[str, float], *, resamplings: int, seed: int
) -> Comparison | None:
    """Scores beside those of resampled real clips; None where the metric wants none or has none for so few clips.

    Args:
        metric: that scored.
        generated: as its listener left them.
        reference: the real clips, likewise.
        scores: what it said of them.
        resamplings: how many.
        seed: of the draws.
    """
    tested = [key for key in scores if metric.tested is None or get_name(key) in metric.tested]
    if not tested or not resamplings:
        return None
    rng = np.random.default_rng([seed, 5])
    own = metric.resample(generated, reference, rng)
    sizes = (len(generated), len(reference)) if own is not None else choose_sizes(len(generated), len(reference))
    if own is None and min(sizes) < 2:
        return None
    with collect_warnings(should_show=False):  # parts are small by design
        null = _score_all(metric, islice(own or _split(reference, sizes, rng), resamplings))
        parts = islice(_draw(generated, reference, sizes, rng), DRAWS)
        alike = _score_all(metric, parts) if own is None else [dict(scores)]
        alone = _find_alone(metric, reference, sizes, rng) if own is None else frozenset()
    if len(null) < min(LEAST, resamplings) or not alike:
        log.debug(f"{metric.name} scores {len(null)} of {resamplings} resamplings: too few to tell what chance does.")
        return None
    drawn = {key: _collect(null, key) for key in dict.fromkeys(key for one in null for key in one)}
    wider = np.sqrt((len(reference) + sizes[0]) / max(1, len(reference) - sizes[0]))
    for key in alone & drawn.keys():
        drawn[key] = drawn[key].mean() + wider * (drawn[key] - drawn[key].mean())
    found = {}
    for key in tested:
        here = _collect(alike, key)
        if len(here) and len(drawn.get(key, ())) >= min(LEAST, resamplings):
            unit = metric.units.get(key, metric.units.get(get_name(key), ""))
            found[key] = _compare_one(float(here.mean()), drawn[key], unit, sizes[0])
    means = {key: float(values.mean()) for key, values in drawn.items()}
    return Comparison(*sizes, len(null), found, means)


def get_name(key: str) -> str:
    """The name of a score without the class before it: `CLASS/score` is a `score` of one class."""
    return key.rpartition("/")[2]


def _find_alone(metric: Metric, reference: Clips, sizes: tuple[int, int], rng: np.random.Generator) -> frozenset[str]:
    """The scores that depend on the generated clips alone: they stay the same whatever the real ones are."""
    rows = rng.permutation(len(reference))
    first, others = reference.select(rows[: sizes[0]]), rows[sizes[0] :]
    pairs = [(first, reference.select(rng.permutation(others)[: max(2, sizes[1] // 2)])) for _ in range(3)]
    found = _score_all(metric, iter(pairs))
    return frozenset(key for key in found[0] if len({one.get(key) for one in found}) == 1) if found else frozenset()


def _split(reference: Clips, sizes: tuple[int, int], rng: np.random.Generator) -> Iterator[tuple[Clips, Clips]]:
    """Real clips in two parts, drawn without replacement."""
    while True:
        rows = rng.permutation(len(reference))
        yield reference.select(rows[: sizes[0]]), reference.select(rows[sizes[0] : sum(sizes)])


def _draw(
    generated: Clips, reference: Clips, sizes: tuple[int, int], rng: np.random.Generator
) -> Iterator[tuple[Clips, Clips]]:
    """Parts of generated and of real clips."""
    while True:
        yield tuple(  # type: ignore[misc]
            clips.select(rng.permutation(len(clips))[:size])
            for clips, size in zip((generated, reference), sizes, strict=True)
        )


def _score_all(metric: Metric, pairs: Iterator[tuple[Clips, Clips]]) -> list[dict[str, float]]:
    """The scores of each pair that has some."""
    found = []
    for pair in pairs:
        try:
            found.append(metric.score(*pair))
        except Exception as error:  # noqa: BLE001 a stranger's metric may raise anything
            log.debug(f"{metric.name} has no score of a resampling: {error}")
    return found


def _collect(records: Sequence[Mapping[str, float]], key: str) -> NDArray[np.float64]:
    return np.array([record[key] for record in records if key in record])


def _compare_one(score: float, null: NDArray[np.float64], unit: str, clips: int) -> Null:
    low, high = np.percentile(null, [2.5, 97.5], method="weibull")  # which holds 95 % of others, not of these
    low, high = np.clip([low, high], *RANGES.get(unit, (-np.inf, np.inf)))  # wider draws may leave it
    p = _compute_p(score, null, 1 / clips if unit == SHARE else 0.0)
    return Null(score, float(null.mean()), float(low), float(high), p)


def _compute_p(score: float, null: NDArray[np.float64], least: float = 0.0) -> float:
    """How likely chance alone is as far from its mean as a score is, from so few draws of it.

    Student's distribution of another draw (n - 1 degrees of freedom), because ranks among 50 draws say nothing below
    0.04, and that of the ranks where the score lies among the draws and they say that it is likelier. The spread of
    the draws counts as `least` at least: what is rare may be in none of them.
    """
    count, spread = len(null), max(least, float(null.std(ddof=1)))
    scale = 1e-9 * max(1.0, abs(score), float(np.abs(null).max()))  # rounding
    if spread <= scale:
        return 1.0 if abs(score - null.mean()) <= scale else 0.0
    far = abs(score - float(null.mean())) / (spread * np.sqrt(1 + 1 / count))
    by_spread = student(far, count - 1)
    beyond = min((null <= score).sum(), (null >= score).sum())
    return max(by_spread, min(1.0, 2 * float(beyond) / (count + 1))) if beyond else by_spread


def student(t: float, degrees: int) -> float:
    """How likely Student's t of so many degrees of freedom is at least as far from 0 (Abramowitz and Stegun, 26.7)."""
    angle = math.atan(abs(t) / math.sqrt(degrees))
    cosine, odd = math.cos(angle), degrees % 2
    term, total = (cosine, 0.0) if odd else (1.0, 0.0)
    for number in range(2 + odd, degrees + 1, 2):
        total += term
        term *= cosine**2 * (number - 1) / number
    within = 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total
    return min(1.0, max(0.0, 1 - within))


def correct(values: Mapping[Any, float]) -> dict[Any, float]:
    """Probabilities of several tests, corrected for their number (Holm, 1979): outside where at most `LEVEL`."""
    ordered = sorted(values, key=lambda key: values[key])
    corrected: dict[Any, float] = {}
    worst = 0.0
    for rank, key in enumerate(ordered):
        worst = max(worst, min(1.0, (len(ordered) - rank) * values[key]))
        corrected[key] = worst
    return corrected
