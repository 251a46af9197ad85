"""How labels agree with an annotation: of frames, of segments by class, and of the sequence."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.components import Answer, Segment
from canarygan_core.errors import CanaryganError
from canarygan_core.evaluation import accuracy
from canarygan_core.evaluation.accuracy import ClassificationReport
from canarygan_core.fitted.decoders import X
from canarygan_core.runs import files
from canarygan_recordings.inputs import assign_truth
from canarygan_recordings.selection import read_renaming, split_words
from canarygan_recordings.sounds import read_header

FRAME = 0.001
"""Length of a frame, seconds."""

NONE = "(none)"
"""The class of what is no segment, in the confusion."""

DRAWS = 1000
"""Sets of recordings drawn for the interval of the error rate."""


@dataclass(frozen=True, eq=False)
class SongScore:
    """One recording's labels beside its annotation.

    Attributes:
        recording: the file.
        given: the annotated label of each pair, `NONE` for a segment that is annotated nowhere.
        decoded: the label that it got, `NONE` for an annotated segment that was not found.
        edits: insertions, deletions and replacements that make the annotated sequence of what was decoded.
        syllables: annotated segments.
        frames_right: frames whose label, or its absence, is that of the annotation.
        frames: all frames.
        sung_right: of the frames in annotated segments, those right.
        sung: the frames in annotated segments.
    """

    recording: Path
    given: tuple[str, ...]
    decoded: tuple[str, ...]
    edits: int
    syllables: int
    frames_right: int
    frames: int
    sung_right: int
    sung: int

    @property
    def error_rate(self) -> float:
        """Edit distance over the length of the annotated sequence."""
        return self.edits / max(self.syllables, 1)


def compute_edits(first: Sequence[str], second: Sequence[str]) -> int:
    """The edit distance of two sequences (Levenshtein, 1966): insertions, deletions and replacements."""
    row = np.arange(len(second) + 1)
    other = np.asarray(second, dtype=object)
    for number, label in enumerate(first, 1):
        step = np.minimum(row[:-1] + (other != label), row[1:] + 1)
        step = np.concatenate([[number], step])
        # an insertion costs one more than what stands to its left: a running minimum of the row less its index
        row = np.minimum.accumulate(step - np.arange(len(step))) + np.arange(len(step))
    return int(row[-1])


def score_song(recording: Path, decoded: Sequence[Segment], given: Sequence[Segment], seconds: float) -> SongScore:
    """Compare the labels of a recording, of so many seconds, with its annotation.

    Segments labelled X are none: a decoder that rejects a noise has not heard a syllable. Each annotated segment is
    paired with the decoded one that overlaps it most and is not taken.
    """
    heard = sorted(one for one in decoded if one[2] != X)
    known = sorted(given)
    starts, ends = np.array([one[0] for one in heard]), np.array([one[1] for one in heard])
    taken = np.zeros(len(heard), bool)
    pairs: list[tuple[str, str]] = []
    for onset, offset, label in known:
        overlap = np.minimum(ends, offset) - np.maximum(starts, onset) if len(heard) else np.empty(0)
        overlap[taken] = 0
        if len(overlap) and overlap.max() > 0:
            best = int(overlap.argmax())
            taken[best] = True
            pairs.append((label, heard[best][2]))
        else:
            pairs.append((label, NONE))
    pairs += [(NONE, heard[row][2]) for row in np.flatnonzero(~taken)]
    names = {label: number for number, label in enumerate(sorted({one[2] for one in (*heard, *known)}), 1)}
    count = int(np.ceil(seconds / FRAME))
    frames = [_paint(segments, names, count) for segments in (heard, known)]
    same, sung = frames[0] == frames[1], frames[1] > 0
    edits = compute_edits([one[2] for one in heard], [one[2] for one in known])
    labels, answers = (tuple(pair[at] for pair in pairs) for at in (0, 1))
    right, sung_right = int(same.sum()), int((same & sung).sum())
    return SongScore(recording, labels, answers, edits, len(known), right, count, sung_right, int(sung.sum()))


def _paint(segments: Sequence[Segment], names: Mapping[str, int], count: int) -> NDArray[np.int32]:
    """The number of the label at each frame, 0 where there is none."""
    frames = np.zeros(count, np.int32)
    for onset, offset, label in segments:
        frames[round(onset / FRAME) : round(offset / FRAME)] = names[label]
    return frames


def compare(
    truth: Path, segments: Mapping[Path, Sequence[Segment]], folder: Path, origin: Mapping[str, Any]
) -> tuple[Answer, Sequence[Path]]:
    """Compare labels of recordings with an annotation, and write `truth.json`, `metrics-truth.npz` and a figure.

    Args:
        truth: a file or folder of annotations.
        segments: what was decoded, by recording.
        folder: where the files go.
        origin: what the labels were learnt from: labels are renamed and left out as they were there.

    Raises:
        CanaryganError: where no recording is annotated.
    """
    from canarygan_recordings.annotations.checking import UNLABELLED

    options = origin.get("options", {}) if origin.get("dataset") == "recordings" else {}
    renaming = read_renaming(options.get("rename", ()))
    skipped = {*split_words(options.get("skip_labels", ()))}
    scores = []
    for recording, known in assign_truth(truth, list(segments)).items():
        header = read_header(recording)
        known = known.in_seconds(header.rate)
        none = {"", *(label for label in UNLABELLED.get(known.format, ()) if label not in options.get("labels", ()))}
        given = [
            (float(onset), float(offset), renaming.get(label, label))
            for onset, offset, label in zip(known.onsets, known.offsets, known.labels.tolist(), strict=True)
            if label not in none and renaming.get(label, label) not in skipped
        ]
        scores.append(score_song(recording, segments[recording], given, header.seconds))
    if not sum(one.syllables for one in scores):
        raise CanaryganError(f"{truth} holds no labelled segment of these recordings.")
    return _report(scores, folder)


def _report(scores: Sequence[SongScore], folder: Path) -> tuple[Answer, Sequence[Path]]:
    """The answer, and the files that hold it."""
    given = [label for one in scores for label in one.given]
    decoded = [label for one in scores for label in one.decoded]
    classes = sorted({*given, *decoded} - {NONE}) + ([NONE] if NONE in (*given, *decoded) else [])
    report = accuracy.compute_report(given, decoded, classes)
    rate, interval = _estimate_rate(scores)
    totals = {
        name: sum(getattr(one, name) for one in scores) for name in ("frames_right", "frames", "sung_right", "sung")
    }
    missed = sum(label == NONE for label in decoded)
    extra = sum(label == NONE for label in given)
    syllables, edits = sum(one.syllables for one in scores), sum(one.edits for one in scores)
    data: dict[str, Any] = {
        "recordings": len(scores),
        "syllables": syllables,
        "syllable_error_rate": rate,
        "syllable_error_rate_interval_95": interval,
        "edits": edits,
        "frame_accuracy": totals["frames_right"] / totals["frames"],
        "frame_accuracy_in_syllables": totals["sung_right"] / max(totals["sung"], 1),
        "missed": missed,
        "extra": extra,
        "classes": _list_classes(report),
        "songs": [
            {"recording": str(one.recording), "syllables": one.syllables, "edits": one.edits, "rate": one.error_rate}
            for one in scores
        ],
    }
    path = folder / "truth.json"
    files.write_text(path, json.dumps(data, indent=2) + "\n")
    figures = accuracy.save_report(folder, "truth", report)
    wide = "" if interval is None else f", 95 % from {interval[0]:.2%} to {interval[1]:.2%}"
    lines = [
        f"Against the annotation, {len(scores)} recordings with {syllables} syllables:",
        f"  syllable error rate {rate:.2%}{wide} ({edits} edits)",
        f"  frames right {data['frame_accuracy']:.2%}, in syllables {data['frame_accuracy_in_syllables']:.2%}",
        f"  {missed} missed, {extra} extra",
    ]
    lines += [
        f"  {one['label']}: {one['right']} of {one['clips']} right, 95 % from {one['interval_95'][0]:.3f} to "
        f"{one['interval_95'][1]:.3f}"
        for one in data["classes"]
    ]
    return Answer("\n".join(lines), data), [path, *figures]


def _list_classes(report: ClassificationReport) -> list[dict[str, Any]]:
    """The accuracy of each annotated class with its interval."""
    rows = []
    for number, label in enumerate(report.classes):
        total, right = int(report.confusion[number].sum()), int(report.confusion[number, number])
        if label != NONE and total:
            interval = list(accuracy.compute_interval(right, total))
            rows.append({"label": label, "clips": total, "right": right, "interval_95": interval})
    return rows


def _estimate_rate(scores: Sequence[SongScore]) -> tuple[float, list[float] | None]:
    """The error rate of all recordings, and its 95 % interval by drawing recordings anew; None of fewer than three."""
    edits, lengths = (np.array([getattr(one, name) for one in scores]) for name in ("edits", "syllables"))
    rate = float(edits.sum() / lengths.sum())
    if len(scores) < 3:
        return rate, None
    drawn = np.random.default_rng(0).integers(0, len(scores), (DRAWS, len(scores)))
    rates = edits[drawn].sum(1) / np.maximum(lengths[drawn].sum(1), 1)
    return rate, [float(one) for one in np.percentile(rates, [2.5, 97.5])]
