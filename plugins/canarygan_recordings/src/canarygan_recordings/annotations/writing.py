"""Annotations written in the formats that crowsetta writes, and as TextGrids."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files
from canarygan_recordings.formats import WRITTEN

ENDINGS = {
    "aud-seq": ".labels.txt",
    "aud-bbox": ".boxes.txt",
    "notmat": ".not.mat",
    "raven": ".selections.txt",
    "simple-seq": ".csv",
    "textgrid": ".TextGrid",
    "timit": ".phn",
}
"""How the file of a recording ends, by format; `generic-seq` is one file for all recordings."""

TABLE = "annotations.csv"
"""The file of `generic-seq`."""


@dataclass(frozen=True)
class Labelled:
    """The segments of one recording, to be written.

    Attributes:
        recording: the file.
        rate: its rate, Hz.
        seconds: its length.
        segments: onset and offset in seconds, and label, in the order of onsets.
    """

    recording: Path
    rate: int
    seconds: float
    segments: tuple[tuple[float, float, str], ...]


def write(folder: Path, recordings: Sequence[Labelled], format: str) -> list[Path]:
    """Write the annotations of recordings into a folder; gives the paths.

    Raises:
        CanaryganError: where the format cannot hold them, or two recordings have one name.
    """
    if format not in WRITTEN:
        raise CanaryganError(f"No format named {format!r} can be written; there are {', '.join(WRITTEN)}.")
    paths = name_files(folder, [one.recording for one in recordings], format)
    if format == "generic-seq":
        _place(paths[0], lambda draft: _write_generic(draft, recordings))
    else:
        for one, path in zip(recordings, paths, strict=True):
            _place(path, lambda draft, one=one: WRITERS[format](draft, one))  # type: ignore[misc]
    return paths


def name_files(folder: Path, recordings: Sequence[Path], format: str) -> list[Path]:
    """Where the annotation of each recording goes, so that it is found beside it by its name.

    Raises:
        CanaryganError: where two recordings have one name.
    """
    if format == "generic-seq":
        return [folder / TABLE]
    keeps_ending = format == "notmat"
    paths = [folder / f"{one.name if keeps_ending else one.stem}{ENDINGS[format]}" for one in recordings]
    if len(set(paths)) < len(paths):
        twice = max(paths, key=paths.count).name
        raise CanaryganError(f"Two recordings have one name, and {twice} would be of both: take them one at a time.")
    return paths


def _place(path: Path, write: Callable[[Path], None]) -> None:
    """Let a writer write a file of that name elsewhere, then put it in place whole."""
    with files.make_temporary_folder() as folder:
        draft = folder / path.name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pandas, on how crowsetta calls it
            try:
                write(draft)
            except OSError as error:
                raise CanaryganError(f"Cannot write {path}: {error.strerror or error}.") from error
        files.copy(draft, path)


def _columns(one: Labelled) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Onsets, offsets and labels; a label is one line without tabs."""
    onsets, offsets = (np.array([segment[at] for segment in one.segments], np.float64) for at in (0, 1))
    plain = str.maketrans("\t\n\r", "   ")
    return onsets, offsets, np.array([segment[2].translate(plain) for segment in one.segments], dtype=np.str_)


def _write_audacity(path: Path, one: Labelled) -> None:
    from crowsetta.formats.seq import AudSeq

    onsets, offsets, labels = _columns(one)
    if not len(onsets):
        path.write_text("", encoding="utf-8")
        return
    AudSeq(onsets, offsets, labels, path).to_file(path)


def _write_boxes(path: Path, one: Labelled) -> None:
    import pandas as pd
    from crowsetta.formats.bbox import AudBBox

    onsets, offsets, labels = _columns(one)
    columns = {"begin_time_s": onsets, "end_time_s": offsets, "label": labels}
    frame = pd.DataFrame(columns | {"low_freq_hz": 0.0, "high_freq_hz": one.rate / 2})
    AudBBox(frame, path).to_file(path)


def _write_notmat(path: Path, one: Labelled) -> None:
    from crowsetta.formats.seq import NotMat

    onsets, offsets, labels = _columns(one)
    if long := sorted({label for label in labels.tolist() if len(label) != 1}):
        raise CanaryganError(f"notmat holds labels of one character, and {long[0]!r} is none: choose another format.")
    name = one.recording.name
    made = NotMat(onsets, offsets, labels.astype("<U1"), path, path.with_name(name))
    made.to_file(one.rate, 0, 0.02, 0.005, fname=path.with_name(name), dst=path.parent)


def _write_raven(path: Path, one: Labelled) -> None:
    import pandas as pd
    from crowsetta.formats.bbox import Raven

    onsets, offsets, labels = _columns(one)
    count = len(onsets)
    columns = {"Selection": np.arange(1, count + 1), "View": ["Spectrogram 1"] * count, "Channel": [1] * count}
    columns |= {"begin_time_s": onsets, "end_time_s": offsets}
    frame = pd.DataFrame(columns | {"low_freq_hz": 0.0, "high_freq_hz": one.rate / 2, "annotation": labels})
    Raven(frame, path, "Annotation").to_file(path)


def _write_simple(path: Path, one: Labelled) -> None:
    from crowsetta.formats.seq import SimpleSeq

    onsets, offsets, labels = _columns(one)
    if not len(onsets):
        path.write_text("onset_s,offset_s,label\n", encoding="utf-8")
        return
    SimpleSeq(onsets, offsets, labels, path).to_file(path)


def _write_timit(path: Path, one: Labelled) -> None:
    from crowsetta.formats.seq import Timit

    onsets, offsets, labels = _columns(one)
    samples = [np.round(times * one.rate).astype(int) for times in (onsets, offsets)]
    Timit(*samples, labels, path).to_file(path)


def _write_textgrid(path: Path, one: Labelled) -> None:
    """A TextGrid in Praat's long form: one tier of intervals, those between segments empty."""
    intervals, at = [], 0.0
    for onset, offset, label in one.segments:
        if onset < at - 1e-9:
            raise CanaryganError(
                f"A TextGrid holds no overlapping segments, and {one.recording.name} has some at {onset:g} s."
            )
        if onset > at:
            intervals.append((at, onset, ""))
        intervals.append((max(onset, at), offset, label))
        at = offset
    end = max(one.seconds, at)
    if end > at:
        intervals.append((at, end, ""))
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end!r}"]
    lines += ["tiers? <exists>", "size = 1", "item []:", "    item [1]:", '        class = "IntervalTier"']
    lines += ['        name = "syllables"', "        xmin = 0", f"        xmax = {end!r}"]
    lines.append(f"        intervals: size = {len(intervals)}")
    for number, (start, stop, label) in enumerate(intervals, 1):
        text = label.replace('"', '""').replace("\n", " ")
        lines += [f"        intervals [{number}]:", f"            xmin = {start!r}", f"            xmax = {stop!r}"]
        lines.append(f'            text = "{text}"')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_generic(path: Path, recordings: Sequence[Labelled]) -> None:
    import crowsetta
    from crowsetta.formats.seq import GenericSeq

    annotations = []
    for one in recordings:
        onsets, offsets, labels = _columns(one)
        if len(onsets):
            sequence = crowsetta.Sequence.from_keyword(labels=labels, onsets_s=onsets, offsets_s=offsets)
            annotations.append(crowsetta.Annotation(annot_path=path.name, notated_path=one.recording, seq=sequence))
    if not annotations:
        path.write_text("label,onset_s,offset_s,notated_path,annot_path,sequence,annotation\n", encoding="utf-8")
        return
    GenericSeq(annotations).to_file(path)


WRITERS: dict[str, Callable[[Path, Labelled], None]] = {
    "aud-bbox": _write_boxes,
    "aud-seq": _write_audacity,
    "notmat": _write_notmat,
    "raven": _write_raven,
    "simple-seq": _write_simple,
    "textgrid": _write_textgrid,
    "timit": _write_timit,
}
