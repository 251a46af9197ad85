"""Which segments are taken, and under which labels."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import count_labels
from canarygan_core.errors import CanaryganError, UsageError, did_you_mean
from canarygan_core.runs.documents import read_toml

Notes = list[tuple[int, str]]


@dataclass(frozen=True)
class Selection:
    """What is asked for of the segments of a set.

    Attributes:
        labels: those taken, after renaming; none for all.
        skip_labels: those left out, after renaming.
        rename: a new label by the old one.
        shortest: seconds.
        longest: seconds, infinite for any length.
        min_per_class: smaller classes are left out.
        limit: segments of each class that are taken at most; 0 for all.
        seed: of the choice where there are more.
    """

    labels: tuple[str, ...]
    skip_labels: tuple[str, ...]
    rename: dict[str, str]
    shortest: float
    longest: float
    min_per_class: int
    limit: int
    seed: int

    def choose(self, labels: NDArray[np.str_], lengths: NDArray[np.floating[Any]]) -> tuple[Any, Any, Notes]:
        """Rows taken, in order; their labels; and what is told of those left out.

        Args:
            labels: of all segments of the set.
            lengths: of the segments, seconds.

        Raises:
            CanaryganError: where none is left.
        """
        named = np.array([self.rename.get(label, label) for label in labels.tolist()], dtype=np.str_)
        present = count_labels(named)
        for label in (*self.labels, *self.skip_labels):
            if label not in present:
                flag = "--labels" if label in self.labels else "--skip-labels"
                known = ", ".join(present)
                raise CanaryganError(
                    f"{flag} {label}: no segment has it; there are {known}.{did_you_mean(label, present)}"
                )
        wanted = ~np.isin(named, self.skip_labels)
        if self.labels:
            wanted &= np.isin(named, self.labels)
        fits = (lengths >= self.shortest) & (lengths <= self.longest)
        notes: Notes = []
        if odd := int((wanted & ~fits).sum()):
            notes.append((logging.WARNING, f"{odd} segments left out by --shortest and --longest."))
        wanted &= fits
        counts = count_labels(named[wanted])
        small = [label for label, count in counts.items() if count < self.min_per_class]
        if small:
            told = ", ".join(f"{label} {counts[label]}" for label in small)
            notes.append((logging.WARNING, f"Classes of fewer than {self.min_per_class} segments left out: {told}."))
            wanted &= ~np.isin(named, small)
        for number, label in enumerate(sorted(counts)) if self.limit else ():
            rows = np.flatnonzero(wanted & (named == label))
            surplus = np.random.default_rng([self.seed, number]).permutation(len(rows))[self.limit :]
            wanted[rows[surplus]] = False
        rows = np.flatnonzero(wanted)
        if not len(rows):
            raise CanaryganError(
                "No segment is left of those annotated: ask for other labels, lengths or fewer a class."
            )
        return rows, named[rows], notes


def split_words(values: Sequence[str]) -> tuple[str, ...]:
    """Labels given one a flag, or several joined by commas."""
    return tuple(word.strip() for value in values for word in (value.split(",") if value.strip(",") else [value]))


def read_renaming(values: Sequence[str]) -> dict[str, str]:
    """New labels by old ones, from `a=b`, or from a TOML file of `a = "b"`.

    Raises:
        UsageError: where a word is neither.
    """
    renaming: dict[str, str] = {}
    for value in split_words(values):
        if value.lower().endswith(".toml"):
            try:
                table = read_toml(Path(value))
            except CanaryganError as error:
                raise UsageError(f"--rename {value}: {error}") from None
            wrong = [key for key, new in table.items() if not isinstance(new, str) or not new]
            if wrong:
                raise UsageError(f'--rename {value}: {wrong[0]} needs a label, such as {wrong[0]} = "b".')
            renaming |= table
        else:
            old, equals, new = value.partition("=")
            if not (old and equals and new):
                raise UsageError(f"--rename {value!r}: give the old and the new label, such as a=b, or a .toml file.")
            renaming[old] = new
    return renaming
