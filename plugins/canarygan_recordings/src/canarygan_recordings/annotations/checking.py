"""What may be wrong with an annotation, seen beside its recording."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import Problem
from canarygan_recordings.annotations.segments import Annotation

SLACK = 0.005
"""How far a segment may reach beyond the end of its recording, which is rounding; it is cut there. Seconds."""

UNLABELLED = {"notmat": ("-", "0")}
"""By format, labels that mean none, beside the empty one."""

Notes = list[tuple[int, str]]


@dataclass(frozen=True, eq=False)
class Checked:
    """An annotation in seconds, without what cannot be used.

    Attributes:
        annotation: the segments that can be used.
        problems: what is wrong with the others.
        unlabelled: segments without a label, which are left out.
        overlapping: segments that begin before the one before has ended; they are kept.
    """

    annotation: Annotation
    problems: list[Problem]
    unlabelled: int = 0
    overlapping: int = 0


def check(annotation: Annotation, name: str, rate: int, frames: int, kept: Sequence[str] = ()) -> Checked:
    """Look through the segments of a recording.

    Args:
        annotation: the segments.
        name: the recording's, for messages.
        rate: the recording's, Hz.
        frames: its length, samples.
        kept: labels that the user asked for, which count as labels even where the format has them mean none.
    """
    one, seconds = annotation.in_seconds(rate), frames / rate
    if confusion := _find_confusion(one, seconds):
        advice = "Mend the times, which must be seconds."
        return Checked(one.select(np.zeros(0, int)), [Problem(name, "too-short", confusion, advice)])
    none = {"", *(label for label in UNLABELLED.get(one.format, ()) if label not in kept)}
    labelled = ~np.isin(np.char.strip(one.labels) if len(one) else one.labels, sorted(none))
    usable = np.ones(len(one), bool)
    problems = []
    for row, (onset, offset) in enumerate(zip(one.onsets.tolist(), one.offsets.tolist(), strict=True)):
        what = _find_fault(onset, offset, seconds) if labelled[row] else ""
        if what:
            usable[row] = False
            where = f"segment {row + 1} ({one.labels[row]}, {onset:.4g} to {offset:.4g} s, of {one.path.name})"
            problems.append(Problem(name, "too-short", f"{where} {what}", "Mend the annotation."))
    good = one.select(usable & labelled)
    overlapping = int((good.onsets[1:] < np.maximum.accumulate(good.offsets)[:-1] - 1e-4).sum()) if len(good) > 1 else 0
    return Checked(good, problems, int((~labelled).sum()), overlapping)


def _find_fault(onset: float, offset: float, seconds: float) -> str:
    """What is wrong with a segment of a recording that lasts so long, read after the segment; empty if nothing."""
    if not np.isfinite([onset, offset]).all() or onset < 0:
        return "has a time that is no time"
    if offset <= onset:
        return "has no length" if offset == onset else "ends before it begins"
    if offset > seconds + SLACK:
        return f"lies beyond the end of the recording, {seconds:.3f} s"
    return ""


def _find_confusion(one: Annotation, seconds: float) -> str:
    """What tells that milliseconds were taken for seconds, or seconds for milliseconds; empty if nothing does."""
    if not len(one) or one.format in ("timit", "birdsong-recognition-dataset"):
        return ""
    last, middle = float(np.max(one.offsets)), float(np.median(one.onsets))
    if middle > seconds and last > 10 * seconds and last / 1000 <= seconds + SLACK:
        beyond = int((one.onsets > seconds).sum())
        told = f"{beyond} of {len(one)} onsets lie beyond the end of the recording, {seconds:.3f} s"
        return f"{told}, and a thousandth of each lies in it: {one.path.name} seems to hold milliseconds for seconds"
    lengths: NDArray[np.float64] = one.offsets - one.onsets
    if len(one) > 2 and 0 < np.median(lengths) < 0.001 and last < seconds / 100:
        told = f"half of the segments last less than {np.median(lengths) * 1000:.2g} ms"
        return f"{told}, all within the first hundredth: {one.path.name} seems to hold seconds for milliseconds"
    return ""


def describe(checked: Sequence[Checked]) -> Notes:
    """What the user is told of all recordings together."""
    unlabelled, overlapping = sum(one.unlabelled for one in checked), sum(one.overlapping for one in checked)
    empty = sum(not len(one.annotation) and not one.problems and not one.unlabelled for one in checked)
    notes = (
        (logging.WARNING, unlabelled, f"{unlabelled} unlabelled segments left out."),
        (logging.WARNING, overlapping, f"{overlapping} segments begin before the one before has ended; they are kept."),
        (logging.WARNING, empty, f"{empty} annotations are empty: their recordings bring nothing."),
    )
    return [(level, text) for level, count, text in notes if count]
