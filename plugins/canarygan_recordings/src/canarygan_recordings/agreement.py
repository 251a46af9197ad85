"""How segments that were found agree with those that somebody annotated."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Spans = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Agreement:
    """Counts and errors over some recordings; those of several add up.

    Attributes:
        given: segments annotated.
        found: segments found.
        right: segments found that begin and end within the tolerance of an annotated one.
        missed: annotated segments that no found one overlaps.
        onset_errors: of each pair that overlaps most, found less annotated, seconds.
        offset_errors: likewise.
    """

    given: int = 0
    found: int = 0
    right: int = 0
    missed: int = 0
    onset_errors: tuple[float, ...] = field(default=())
    offset_errors: tuple[float, ...] = field(default=())

    def __add__(self, other: "Agreement") -> "Agreement":
        return Agreement(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def to_json(self) -> dict[str, Any]:
        """The same for programs; errors in milliseconds."""
        errors = {
            name: None
            if not values
            else {
                "median": round(1000 * float(np.median(values)), 3),
                "95_percent_within": round(1000 * float(np.percentile(np.abs(values), 95)), 3),
            }
            for name, values in (("onset_error_ms", self.onset_errors), ("offset_error_ms", self.offset_errors))
        }
        counts = {"given": self.given, "found": self.found, "right": self.right, "missed": self.missed}
        return counts | {"extra": self.found - self.right} | errors

    def describe(self, tolerance: float) -> str:
        """A few lines for people; the tolerance is in milliseconds."""
        share = f"{self.right} of {self.given} annotated ({self.right / max(self.given, 1):.1%})"
        rest = self.given - self.right - self.missed
        extra = self.found - self.right
        lines = [
            f"Found within {tolerance:g} ms at both ends: {share}; {rest} found otherwise, {self.missed} missed.",
            f"Extra: {extra} of {self.found} found ({extra / max(self.found, 1):.1%}).",
        ]
        if self.onset_errors:
            told = []
            for name, values in (("onset", self.onset_errors), ("offset", self.offset_errors)):
                middle, wide = 1000 * np.median(values), 1000 * np.percentile(np.abs(values), 95)
                told.append(f"{name} {middle:+.1f} ms (median), 95 % within {wide:.1f} ms")
            lines.append(f"Errors: {'; '.join(told)}.")
        return "\n".join(lines)


def compare(found: Spans, given: Spans, tolerance: float) -> Agreement:
    """Compare segments found with those annotated, both in the order of onsets, seconds.

    Each annotated segment is paired with the found one that overlaps it most and is not taken. A pair is right where
    both ends agree within the tolerance.
    """
    starts = np.array([one[0] for one in found])
    ends = np.array([one[1] for one in found])
    taken = np.zeros(len(found), bool)
    right, missed, onset_errors, offset_errors = 0, 0, [], []
    for onset, offset in given:
        overlap = np.minimum(ends, offset) - np.maximum(starts, onset) if len(found) else np.empty(0)
        overlap[taken] = 0
        if not len(overlap) or overlap.max() <= 0:
            missed += 1
            continue
        best = int(overlap.argmax())
        taken[best] = True
        onset_errors.append(float(starts[best] - onset))
        offset_errors.append(float(ends[best] - offset))
        right += max(abs(onset_errors[-1]), abs(offset_errors[-1])) <= tolerance + 1e-9
    return Agreement(len(given), len(found), right, missed, tuple(onset_errors), tuple(offset_errors))
