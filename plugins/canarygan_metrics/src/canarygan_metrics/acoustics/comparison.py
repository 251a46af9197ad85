"""How far apart two sets of measured sounds are."""

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import CanaryganError
from canarygan_core.clips import Clips
from canarygan_metrics.acoustics.measures import UNITS, Floats, ceiling

log = logging.getLogger("canarygan")

ENOUGH = 20
"""Clips a side that a class needs to be compared."""


@dataclass(frozen=True)
class Difference:
    """How far the generated values of a measure are from the real ones.

    Attributes:
        effect: Cliff's delta (1993), from -1 to 1: how much likelier a generated value is above a real one than below.
        distance: Wasserstein-1 distance, in the measure's unit.
        relative: that distance over the standard deviation of the real values; NaN where they are all equal.
        ks: Kolmogorov-Smirnov statistic, the largest difference of the distribution functions, from 0 to 1.
    """

    effect: float
    distance: float
    relative: float
    ks: float


def compare(generated: Floats, real: Floats) -> Difference:
    """The difference of generated values (n,) and real ones (m,), all finite and at least one each."""
    both, spread = np.sort(np.concatenate([generated, real])), float(real.std())
    below = [np.searchsorted(np.sort(values), both, "right") / len(values) for values in (generated, real)]
    apart = np.abs(below[0] - below[1])  # of the distribution functions, from one value to the next
    distance, ks = float(apart[:-1] @ np.diff(both)), float(apart.max())
    relative = distance / spread if spread > 0 else math.nan
    return Difference(cliff(generated, real), distance, relative, ks)


def cliff(generated: Floats, real: Floats) -> float:
    """Cliff's delta: P(generated > real) - P(generated < real) over all pairs of values (n,) and (m,)."""
    ordered = np.sort(real)
    above = np.searchsorted(ordered, generated, "left").sum(dtype=np.int64)
    below = (len(real) - np.searchsorted(ordered, generated, "right")).sum(dtype=np.int64)
    return float((above - below) / (len(generated) * len(real)))


def usable(clips: Clips) -> NDArray[np.bool_]:
    """Which measured clips have all measures."""
    return np.asarray(np.isfinite([clips.facts[name] for name in UNITS]).all(axis=0))


def pairs(generated: Clips, reference: Clips, least: int) -> Iterator[tuple[str, Clips, Clips]]:
    """What can be compared of measured clips: all that are usable, under no name, then each class.

    A class is compared where both sides have `least` usable clips of it; none is where a side has no labels.
    """
    generated, real = generated.select(usable(generated)), reference.select(usable(reference))
    yield "", generated, real
    if generated.labels is None or real.labels is None:
        return
    for label in real.classes:
        one, other = generated.select(generated.labels == label), real.select(real.labels == label)
        if min(len(one), len(other)) >= least:
            yield label, one, other


def table(generated: Clips, reference: Clips, least: int = ENOUGH) -> list[dict[str, Any]]:
    """A row for each class and measure of measured clips, and first for all classes, whose name is empty.

    A row has `class`, `measure`, `unit`, `real` and `generated` (medians), `effect`, `distance`, `relative`, `ks`,
    as in `Difference`, `real_clips` and `generated_clips`. None stands for a number that there is not.
    """
    rows = []
    for label, own, real in pairs(generated, reference, least):
        for name, unit in UNITS.items() if len(own) and len(real) else ():
            values = own.facts[name], real.facts[name]
            difference = {key: None if math.isnan(value) else value for key, value in vars(compare(*values)).items()}
            medians = {"real": float(np.median(values[1])), "generated": float(np.median(values[0]))}
            counts = {"real_clips": len(real), "generated_clips": len(own)}
            rows.append({"class": label, "measure": name, "unit": unit, **medians, **difference, **counts})
    return rows


def score(
    generated: Clips, reference: Clips, measure: Callable[[Clips], Clips], *, low: float, high: float, least: int
) -> dict[str, float]:
    """The scores of the metric `acoustics`, and warnings of what they leave out.

    Args:
        generated: clips, measured or not.
        reference: the real ones.
        measure: measures clips.
        low: lowest frequency that is measured, Hz.
        high: highest frequency that is measured, Hz.
        least: clips that a class needs on both sides.

    Raises:
        CanaryganError: where a side has no usable clip, or the rates reach to different frequencies.
    """
    tops = [ceiling(clips.rate, high) for clips in (generated, reference)]
    if tops[0] != tops[1]:
        both = f"generated clips at {generated.rate} Hz and real ones at {reference.rate} Hz"
        raise CanaryganError(f"To compare {both}: take --acoustics.high {min(tops):g}.")
    sides = {"generated": generated, "reference": reference}
    scores: dict[str, float] = {}
    reason = f"silent, not finite, or without sound from {low:g} to {high:g} Hz"
    for name, clips in sides.items():
        sides[name] = clips = clips if UNITS.keys() <= clips.facts.keys() else measure(clips)
        total, count = len(clips), int(usable(clips).sum())
        if not count:
            raise CanaryganError(f"acoustics: none of the {total} {name} clips can be measured: they are {reason}.")
        if count < total:
            log.warning(f"acoustics: {total - count} of {total} {name} clips are left out: {reason}.")
        if count < least:
            log.warning(f"acoustics: {count} {name} clips are too few to trust the scores: {least} or more are needed.")
        scores |= {f"{name}.clips": total, f"{name}.unmeasured": (total - count) / total}
    rows = table(sides["generated"], sides["reference"], least)
    for row in rows:
        measure_name = "/".join(filter(None, (row["class"], row["measure"])))
        scores |= {f"{measure_name}.{key}": row[key] for key in Difference.__annotations__ if row[key] is not None}
    if all(clips.labels is not None for clips in sides.values()):
        missing = sorted({*sides["reference"].classes} - {row["class"] for row in rows})
        if missing:
            log.warning(f"acoustics: classes of under {least} clips on a side are not compared: {', '.join(missing)}.")
    return scores
