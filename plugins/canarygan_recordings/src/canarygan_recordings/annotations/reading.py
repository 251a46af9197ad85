"""Annotation files of every format that crowsetta reads, to `Annotation`."""

import csv
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from canarygan_core.errors import CanaryganError, UsageError, did_you_mean
from canarygan_recordings.annotations.segments import Annotation
from canarygan_recordings.formats import READ

ENDINGS = {
    ".not.mat": "notmat",
    ".textgrid": "textgrid",
    ".phn": "timit",
    ".wrd": "timit",
    ".mat": "yarden",
}
"""Endings of names that tell the format, in lower case."""

GENERIC = frozenset({"label", "notated_path", "annot_path", "sequence", "annotation"})
"""Columns of generic-seq beside the times."""

COLUMNS = {
    "onset_s": ("onset_s", "onset", "start", "start_s", "start_seconds", "begin"),
    "offset_s": ("offset_s", "offset", "stop", "stop_s", "stop_seconds", "end", "end_s"),
    "label": ("label", "labels", "name", "annotation", "syllable"),
}
"""How the columns of simple-seq may be called."""

SPECIES = ("Annotation", "Species", "Label", "Labels", "Type")
"""How the column of labels in a table of Raven may be called."""

_HEAD = 4096  # bytes that tell what a file is


def check_format(name: str) -> None:
    """Raise `UsageError` where a format has no such name."""
    if name and name not in READ:
        raise UsageError(f"No format named {name!r}; there are {', '.join(READ)}.{did_you_mean(name, READ)}")


def find_format(path: Path) -> str:
    """The format of a file by its name and first lines; empty where it is no annotation."""
    name = path.name.lower()
    for ending, found in ENDINGS.items():
        if name.endswith(ending):
            return found
    if path.suffix.lower() not in (".xml", ".csv", ".txt", ".tsv"):
        return ""
    try:
        with open(path, "rb") as stream:
            head = stream.read(_HEAD).decode("utf-8-sig", "replace")
    except OSError:
        return ""
    lines = head.splitlines()
    first = lines[0] if lines else ""
    if path.suffix.lower() == ".xml":
        return "birdsong-recognition-dataset" if "<Sequences" in head else ""
    if path.suffix.lower() == ".csv":
        columns = {cell.strip() for cell in first.split(",")}
        if columns >= GENERIC:
            return "generic-seq"
        return "simple-seq" if all(columns & set(names) for names in COLUMNS.values()) else ""
    if "Begin Time (s)" in first:
        return "raven"
    if re.match(r"\s*[\d.]+(e[+-]?\d+)?\t[\d.]+(e[+-]?\d+)?(\t|$)", first):
        return "aud-bbox" if len(lines) > 1 and lines[1].startswith("\\") else "aud-seq"
    return ""


def read(path: Path, format: str = "", tier: str = "") -> list[Annotation]:
    """The annotations in a file, one a recording.

    Args:
        path: the file.
        format: one of `formats.READ`; empty finds it.
        tier: of a TextGrid, the tier of intervals that holds the labels; empty takes the only one.

    Raises:
        CanaryganError: where the file is none, or cannot be read as one, naming the file.
    """
    check_format(format)
    kind = format or find_format(path)
    if not path.is_file():
        raise CanaryganError(f"There is no annotation at {path}.")
    if not kind:
        formats = ", ".join(READ)
        raise CanaryganError(f"{path} is no annotation whose format can be told: give --format, one of {formats}.")
    if not path.stat().st_size:
        return [_make(path, kind, "", [], [], [])]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # crowsetta warns of recordings that are elsewhere; times are samples then
            found = READERS[kind](path, kind, tier)
    except CanaryganError:
        raise
    except Exception as error:  # noqa: BLE001 whatever a damaged file makes of crowsetta, pandas or scipy
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise CanaryganError(f"{path} cannot be read as {kind}: {reason}. Is --format right?") from None
    return found


def _make(
    path: Path, kind: str, recording: object, onsets: Any, offsets: Any, labels: Any, in_samples: bool = False
) -> Annotation:
    """An annotation of arrays or lists, sorted by onset."""
    starts, ends = np.asarray(onsets, np.float64).reshape(-1), np.asarray(offsets, np.float64).reshape(-1)
    named = np.array([str(label) for label in np.asarray(labels).reshape(-1).tolist()], dtype=np.str_)
    if not len(starts) == len(ends) == len(named):
        raise CanaryganError(f"{path} has {len(starts)} onsets, {len(ends)} offsets and {len(named)} labels.")
    order = np.argsort(starts, kind="stable")
    return Annotation(path, kind, str(recording or ""), starts[order], ends[order], named[order], in_samples)


def _read_notmat(path: Path, kind: str, tier: str) -> list[Annotation]:
    from crowsetta.formats.seq.notmat import load_notmat

    held = load_notmat(path)  # NotMat.from_file takes no file without segments
    labels = str(held["labels"]) if np.size(held["labels"]) else ""
    recording = path.name[: -len(".not.mat")]
    onsets, offsets = (np.asarray(held[name], np.float64) / 1000 for name in ("onsets", "offsets"))
    return [_make(path, kind, recording, onsets, offsets, list(labels))]


def _read_birdsong(path: Path, kind: str, tier: str) -> list[Annotation]:
    from crowsetta.formats.seq import BirdsongRec

    by_recording: dict[str, list[tuple[int, int, str]]] = {}
    for one in BirdsongRec.from_file(path, concat_seqs_into_songs=False).sequences:
        notes = by_recording.setdefault(one.wav_file, [])
        starts = [one.position + note.position for note in one.syls]
        notes += [(start, start + note.length, note.label) for start, note in zip(starts, one.syls, strict=True)]
    made = []
    for name, notes in by_recording.items():
        onsets, offsets, labels = ([note[column] for note in notes] for column in range(3))
        made.append(_make(path, kind, name, onsets, offsets, labels, True))
    return made


def _read_generic(path: Path, kind: str, tier: str) -> list[Annotation]:
    from crowsetta.formats.seq import GenericSeq

    labels = _read_column(path, ",", "label")
    made, start = [], 0
    for one in GenericSeq.from_file(path).annots:  # rows of an annotation lie together, in order
        count = len(one.seq)
        in_samples = one.seq.onsets_s[0] is None
        onsets = one.seq.onset_samples if in_samples else one.seq.onsets_s
        offsets = one.seq.offset_samples if in_samples else one.seq.offsets_s
        name = "" if str(one.notated_path) == "None" else one.notated_path
        made.append(_make(path, kind, name, onsets, offsets, labels[start : start + count], in_samples))
        start += count
    return made


def _read_simple(path: Path, kind: str, tier: str) -> list[Annotation]:
    from crowsetta.formats.seq import SimpleSeq

    header = path.read_text(encoding="utf-8-sig").partition("\n")[0]
    columns = [cell.strip() for cell in header.split(",")]
    names = {ours: next((name for name in theirs if name in columns), "") for ours, theirs in COLUMNS.items()}
    if missing := [ours for ours, name in names.items() if not name]:
        raise CanaryganError(f"{path} has no column {missing[0]}; it has {', '.join(columns)}.")
    chosen = {name: ours for ours, name in names.items()}
    labels = _read_column(path, ",", names["label"])
    if not labels:
        return [_make(path, kind, "", [], [], [])]
    found = SimpleSeq.from_file(path, columns_map=chosen, read_csv_kwargs={"usecols": list(chosen)})
    return [_make(path, kind, "", found.onsets_s, found.offsets_s, labels)]


def _read_raven(path: Path, kind: str, tier: str) -> list[Annotation]:
    from crowsetta.formats.bbox import Raven

    columns = path.read_text(encoding="utf-8-sig").partition("\n")[0].rstrip("\r").split("\t")
    column = next((name for name in SPECIES if name in columns), None)
    if column is None:
        raise CanaryganError(f"{path} has no column of labels: one of {', '.join(SPECIES)}, not {', '.join(columns)}.")
    labels = _read_column(path, "\t", column)
    if not labels:
        return [_make(path, kind, "", [], [], [])]
    table = Raven.from_file(path, annot_col=column).df
    return [_make(path, kind, "", table.begin_time_s, table.end_time_s, labels)]


def _read_textgrid(path: Path, kind: str, tier: str) -> list[Annotation]:
    from crowsetta.formats.seq import TextGrid
    from crowsetta.formats.seq.textgrid.classes import IntervalTier

    tiers = {one.name: one for one in TextGrid.from_file(path).tiers if isinstance(one, IntervalTier)}
    filled = {name: one for name, one in tiers.items() if len(one.intervals)} or tiers
    if tier and tier not in tiers:
        raise CanaryganError(f"{path} has no tier of intervals named {tier!r}; it has {', '.join(tiers) or 'none'}.")
    if not tier and len(filled) > 1:
        raise CanaryganError(f"{path} has the tiers {', '.join(filled)}: choose one by --tier.")
    if not tiers:
        raise CanaryganError(f"{path} has no tier of intervals.")
    chosen = tiers[tier or next(iter(filled))].intervals
    onsets, offsets, labels = ([getattr(one, name) for one in chosen] for name in ("xmin", "xmax", "text"))
    return [_make(path, kind, "", onsets, offsets, labels)]


def _read_timit(path: Path, kind: str, tier: str) -> list[Annotation]:
    from crowsetta.formats.seq import Timit

    found = Timit.from_file(path)
    labels = [line.split(" ", 2)[2].rstrip("\r") for line in path.read_text(encoding="utf-8-sig").splitlines() if line]
    return [_make(path, kind, "", found.begin_samples, found.end_samples, labels, True)]


def _read_yarden(path: Path, kind: str, tier: str) -> list[Annotation]:
    from crowsetta.formats.seq import SongAnnotationGUI

    found = SongAnnotationGUI.from_file(path)
    sequences = found.to_seq(round_times=False)
    names = np.atleast_1d(found.audio_paths)
    pairs = zip(names, sequences, strict=True)
    return [_make(path, kind, name, one.onsets_s, one.offsets_s, one.labels) for name, one in pairs]


def _read_audacity(path: Path, kind: str, tier: str) -> list[Annotation]:
    """A label track. crowsetta makes the number 1 of a label 01 and nothing of NA, so labels are read as text."""
    rows = [line.split("\t", 2) for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    labels = [row[2] if len(row) > 2 else "" for row in rows]
    for number, row in enumerate(rows, 1):
        if len(row) < 2 or not (_is_number(row[0]) and _is_number(row[1])):
            raise CanaryganError(f"{path}, line {number}: a label needs its start and end in seconds before it.")
    onsets, offsets = ([float(row[column]) for row in rows] for column in (0, 1))
    return [_make(path, kind, "", onsets, offsets, labels)]


def _read_boxes(path: Path, kind: str, tier: str) -> list[Annotation]:
    from crowsetta.formats.bbox import AudBBox

    table = AudBBox.from_file(path).df
    return [_make(path, kind, "", table.begin_time_s, table.end_time_s, table.label.tolist())]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_column(path: Path, separator: str, column: str) -> list[str]:
    """A column of a table as it is written; pandas makes numbers of labels that look like some, and nothing of NA."""
    text = path.read_text(encoding="utf-8-sig")
    rows = csv.DictReader(text.splitlines(), delimiter=separator, skipinitialspace=separator == ",")
    rows.fieldnames = [name.strip() for name in rows.fieldnames or []]
    return [(row[column] or "").strip() for row in rows]


Reader = Callable[[Path, str, str], list[Annotation]]

READERS: dict[str, Reader] = {
    "aud-bbox": _read_boxes,
    "aud-seq": _read_audacity,
    "birdsong-recognition-dataset": _read_birdsong,
    "generic-seq": _read_generic,
    "notmat": _read_notmat,
    "raven": _read_raven,
    "simple-seq": _read_simple,
    "textgrid": _read_textgrid,
    "timit": _read_timit,
    "yarden": _read_yarden,
}
