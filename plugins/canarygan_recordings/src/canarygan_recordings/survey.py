"""Which segments a set of recordings brings: found, checked and chosen, before any sound is read."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import Problem, UnusableAudio
from canarygan_core.clips import count_labels
from canarygan_core.console import log
from canarygan_core.errors import CanaryganError
from canarygan_recordings.annotations.checking import Checked, check, describe
from canarygan_recordings.annotations.pairing import Collection, Pair, pair_folder
from canarygan_recordings.selection import Selection, read_renaming, split_words
from canarygan_recordings.sounds import Header, check_channel, read_header

if TYPE_CHECKING:
    from canarygan_recordings.dataset import Recordings

Notes = list[tuple[int, str]]


@dataclass(frozen=True, eq=False)
class Segments:
    """The segments of a set that are taken, in the order of recordings and onsets.

    Attributes:
        folder: the data's absolute path.
        recordings: the files.
        names: what they are called in tables.
        headers: what is known of them.
        which: (segments,) index of each segment's recording.
        onsets: (segments,) seconds.
        offsets: (segments,) seconds.
        labels: (segments,).
        problems: what cannot be used.
        notes: what the user is told.
        files: all files that the set is made from.
    """

    folder: Path
    recordings: tuple[Path, ...]
    names: tuple[str, ...]
    headers: tuple[Header, ...]
    which: NDArray[np.int64]
    onsets: NDArray[np.float64]
    offsets: NDArray[np.float64]
    labels: NDArray[np.str_]
    problems: tuple[Problem, ...]
    notes: tuple[tuple[int, str], ...]
    files: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.which)

    def select(self, rows: NDArray[np.intp]) -> "Segments":
        """Some of the segments, in order."""
        columns = {name: getattr(self, name)[rows] for name in ("which", "onsets", "offsets", "labels")}
        return replace(self, **columns)


def survey(dataset: "Recordings") -> Segments:
    """Find, check and choose the segments of a set; no sound is read, only headers.

    Raises:
        CanaryganError: where nothing is there or nothing is left.
        UnusableAudio: where something cannot be used and is not to be left out.
    """
    if dataset.data_dir is None:
        raise CanaryganError(
            "The recordings dataset needs --data-dir (-d): a folder of recordings and their annotations."
        )
    labels = split_words(dataset.labels)
    found = pair_folder(dataset.data_dir, dataset.annotations, dataset.format, dataset.tier)
    found = replace(found, pairs=_choose_pairs(found.pairs, dataset))
    headers, checked, problems = _check_pairs(found, labels, dataset.channel)
    notes = [*found.notes, *describe([one for one in checked if one is not None])]
    kept = [
        (pair, head, one.annotation)
        for pair, head, one in zip(found.pairs, headers, checked, strict=True)
        if one and head
    ]
    parts = [annotation for _, _, annotation in kept]
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts]) if parts else np.empty(0)
        for name in ("onsets", "offsets", "labels")
    }
    which = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    problems = [*found.problems, *problems]
    refuse(problems, dataset, len(which))
    ends = np.array([head.seconds for _, head, _ in kept])
    offsets = np.minimum(joined["offsets"], ends[which])
    selection = Selection(
        labels,
        split_words(dataset.skip_labels),
        read_renaming(dataset.rename),
        dataset.shortest / 1000,
        dataset.longest / 1000 or math.inf,
        dataset.min_per_class,
        dataset.limit,
        dataset.data_seed,
    )
    rows, named, more = selection.choose(joined["labels"].astype(np.str_), offsets - joined["onsets"])
    notes += [*more, *_note_labels(named), *_note_rates([head for _, head, _ in kept], dataset)]
    return Segments(
        found.folder,
        tuple(pair.recording for pair, _, _ in kept),
        tuple(pair.name for pair, _, _ in kept),
        tuple(head for _, head, _ in kept),
        which[rows],
        joined["onsets"][rows],
        offsets[rows],
        named,
        tuple(problems),
        tuple(notes),
        tuple(dict.fromkeys(file for pair, _, _ in kept for file in (pair.recording, pair.annotation.path))),
    )


def _choose_pairs(pairs: Sequence[Pair], dataset: "Recordings") -> tuple[Pair, ...]:
    """The recordings asked for by their names.

    Raises:
        CanaryganError: where a pattern is of no recording.
    """
    chosen = list(pairs)
    for flag, patterns in (("recordings", dataset.recordings), ("skip-recordings", dataset.skip_recordings)):
        named: set[str] = set()
        for pattern in split_words(patterns):
            matches = {pair.name for pair in pairs if _is_named(pair.name, pattern)}
            if not matches:
                known = ", ".join(pair.name for pair in pairs[:3])
                raise CanaryganError(f"--{flag} {pattern}: no recording is named so; there are {known}, ...")
            named |= matches
        if patterns:
            chosen = [pair for pair in chosen if (pair.name in named) == (flag == "recordings")]
    if pairs and not chosen:
        raise CanaryganError("No recording is left: --recordings and --skip-recordings name all of them.")
    return tuple(chosen)


def _is_named(name: str, pattern: str) -> bool:
    """Whether a pattern is of a recording's path below the folder, or of its name alone."""
    return fnmatchcase(name, pattern) or fnmatchcase(name.rpartition("/")[2], pattern)


def _check_pairs(
    found: Collection, labels: Sequence[str], channel: int | None
) -> tuple[list[Header | None], list[Checked | None], list[Problem]]:
    """The header and the checked annotation of each pair, None where the recording cannot be read."""
    headers: list[Header | None] = []
    checked: list[Checked | None] = []
    problems: list[Problem] = []
    for pair in found.pairs:
        try:
            header = read_header(pair.recording)
            check_channel(pair.recording, channel, header.channels)
        except UnusableAudio as error:
            problems += [Problem(pair.name, one.kind, one.what, one.advice) for one in error.problems]
            headers.append(None)
            checked.append(None)
            continue
        one = check(pair.annotation, pair.name, header.rate, header.frames, labels)
        headers.append(header)
        checked.append(one)
        problems += one.problems
    return headers, checked, problems


def refuse(problems: Sequence[Problem], dataset: "Recordings", left: int) -> None:
    """Raise for what cannot be used, where it is not to be left out or nothing else is there."""
    if not problems or (dataset.skip_unusable and left):
        if problems:
            log.warning("%s", UnusableAudio(problems, f"{dataset.data_dir}: {len(problems)} left out as unusable:"))
        return
    advice = "Mend these, or leave them out with --skip-unusable." if left else "Nothing is left to load."
    heading = f"{len(problems)} recordings or segments in {dataset.data_dir} cannot be used:"
    raise UnusableAudio(problems, heading, advice)


def _note_labels(labels: NDArray[np.str_]) -> Notes:
    """A warning on labels that some file systems take for one."""
    folded: dict[str, list[str]] = {}
    for label in np.unique(labels).tolist():
        folded.setdefault(label.lower(), []).append(label)
    alike = [" and ".join(group) for group in folded.values() if len(group) > 1]
    text = f"Labels differ only in case: {', '.join(alike)}. They are classes of their own."
    return [(logging.WARNING, text)] if alike else []


def _note_rates(headers: Sequence[Header], dataset: "Recordings") -> Notes:
    """What is told of mixed rates and of several channels."""
    rates = count_labels(str(one.rate) for one in headers)
    notes: Notes = []
    if len(rates) > 1:
        told = ", ".join(f"{count} of {rate} Hz" for rate, count in rates.items())
        notes.append(
            (logging.WARNING, f"Recordings have several rates ({told}); all are brought to {dataset.sampling_rate} Hz.")
        )
    low = sum(one.rate < dataset.sampling_rate for one in headers)
    if low:
        notes.append((logging.WARNING, f"{low} recordings have a lower rate than {dataset.sampling_rate} Hz."))
    return notes
