"""Annotation files of every format that crowsetta reads, to `Annotation`."""

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from canarygan_core.errors import CanaryganError
from canarygan_core.runs.files import read_text
from canarygan_core.runs.tables import parse_table
from canarygan_recordings.annotations.matfiles import check_mat
from canarygan_recordings.annotations.segments import Annotation
from canarygan_recordings.formats import READ, check_format

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


def find_format(path: Path) -> str:
    """The format of a file by its name and first lines; empty where it is no annotation."""
    name = path.name.lower()
    for ending, found in ENDINGS.items():
        if name.endswith(ending):
            return found
    if path.suffix.lower() not in (".xml", ".csv", ".txt", ".tsv"):
        return ""
    try:
        if not path.is_file():  # to open a pipe would wait for ever
            return ""
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
        is_simple = all(columns & set(names) for names in COLUMNS.values()) and "recording" not in columns
        return "simple-seq" if is_simple else ""  # the table that `cut` leaves names recordings
    if not head:
        return "aud-seq"  # a label track without labels is an empty file
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

    check_mat(path)
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
    rows = _read_rows(path, ",")
    in_samples = bool(rows) and not rows[0].get("onset_s")
    unit = "sample" if in_samples else "s"
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault((row["annotation"], row["sequence"]), []).append(row)
    made = []
    for part in groups.values():
        name = "" if part[0]["notated_path"] == "None" else part[0]["notated_path"]
        onsets, offsets = (_read_times(path, part, f"{end}_{unit}") for end in ("onset", "offset"))
        made.append(_make(path, kind, name, onsets, offsets, [row["label"] for row in part], in_samples))
    return made or [_make(path, kind, "", [], [], [])]


def _read_simple(path: Path, kind: str, tier: str) -> list[Annotation]:
    rows = _read_rows(path, ",")
    columns = list(rows[0]) if rows else []
    names = {ours: next((name for name in theirs if name in columns), "") for ours, theirs in COLUMNS.items()}
    if missing := [ours for ours, name in names.items() if rows and not name]:
        raise CanaryganError(f"{path} has no column {missing[0]}; it has {', '.join(columns)}.")
    onsets, offsets = (_read_times(path, rows, names[f"{end}_s"]) for end in ("onset", "offset"))
    return [_make(path, kind, "", onsets, offsets, [row[names["label"]] for row in rows])]


def _read_raven(path: Path, kind: str, tier: str) -> list[Annotation]:
    rows = _read_rows(path, "\t")
    columns = list(rows[0]) if rows else []
    column = next((name for name in SPECIES if name in columns), "")
    if rows and not column:
        raise CanaryganError(f"{path} has no column of labels: one of {', '.join(SPECIES)}, not {', '.join(columns)}.")
    # Raven lists a selection once for each view, so that a table may hold the waveform's beside the spectrogram's
    views = {row.get("View", "") for row in rows}
    rows = [row for row in rows if len(views) == 1 or row["View"] == min(views)]
    onsets, offsets = (_read_times(path, rows, f"{end} Time (s)") for end in ("Begin", "End"))
    return [_make(path, kind, "", onsets, offsets, [row[column] for row in rows])]


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
    lines = read_text(path).splitlines()
    rows = [dict(zip(("begin", "end", "text"), line.split(" ", 2), strict=False)) for line in lines if line.strip()]
    onsets, offsets = (_read_times(path, rows, column, line=1) for column in ("begin", "end"))
    return [_make(path, kind, "", onsets, offsets, [row.get("text", "") for row in rows], True)]


def _read_yarden(path: Path, kind: str, tier: str) -> list[Annotation]:
    from crowsetta.formats.seq import SongAnnotationGUI

    check_mat(path)
    found = SongAnnotationGUI.from_file(path)
    sequences = found.to_seq(round_times=False)
    names = np.atleast_1d(found.audio_paths)
    pairs = zip(names, sequences, strict=True)
    return [_make(path, kind, name, one.onsets_s, one.offsets_s, one.labels) for name, one in pairs]


def _read_audacity(path: Path, kind: str, tier: str) -> list[Annotation]:
    lines = [line for line in read_text(path).splitlines() if line.strip()]
    rows = [dict(zip(("start", "end", "label"), line.split("\t", 2), strict=False)) for line in lines]
    onsets, offsets = (_read_times(path, rows, column, line=1) for column in ("start", "end"))
    return [_make(path, kind, "", onsets, offsets, [row.get("label", "") for row in rows])]


def _read_boxes(path: Path, kind: str, tier: str) -> list[Annotation]:
    from crowsetta.formats.bbox.audbbox import txt_to_records

    rows = txt_to_records(path)
    onsets, offsets, labels = ([row[name] for row in rows] for name in ("begin_time_s", "end_time_s", "label"))
    return [_make(path, kind, "", onsets, offsets, labels)]


def _read_rows(path: Path, separator: str) -> list[dict[str, str]]:
    """The rows of a table as they are written. crowsetta reads tables by pandas, to which 01 is 1 and NA is nothing."""
    rows = parse_table(read_text(path), path, separator)[1]
    return [{name: value.strip() for name, value in row.items()} for row in rows]


def _read_times(path: Path, rows: Sequence[Mapping[str, str]], column: str, line: int = 2) -> list[float]:
    """A column of numbers; `line` is that of the first row in its file."""
    times = []
    for number, row in enumerate(rows, line):
        try:
            times.append(float(row[column]))
        except (KeyError, ValueError):
            told = f"{row.get(column, 'nothing')!r} in place of a number"
            raise CanaryganError(f"{path}, line {number}: {told}, where the {column} of a segment goes.") from None
    return times


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
