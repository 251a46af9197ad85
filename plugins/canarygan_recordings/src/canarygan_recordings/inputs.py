"""What tasks take: recordings by their paths, and annotations for them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from canarygan_core.audio import Problem, UnusableAudio
from canarygan_core.components import Segment
from canarygan_core.console import log
from canarygan_core.errors import CanaryganError
from canarygan_core.runs.files import suggest_near
from canarygan_recordings.annotations.checking import UNLABELLED, check
from canarygan_recordings.annotations.pairing import SUFFIXES, find_recordings, index_recordings, list_files
from canarygan_recordings.annotations.reading import find_format, read
from canarygan_recordings.annotations.segments import Annotation
from canarygan_recordings.sounds import read_header

NOTHING = "-"
"""Stands for a label that is missing where the segment counts all the same."""


def list_recordings(paths: Sequence[Path]) -> list[Path]:
    """The recordings among files and folders, these searched to the bottom.

    Raises:
        CanaryganError: where there is none.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += list_files(path)[0]
        elif path.is_file():
            found.append(path)
        else:
            raise CanaryganError(f"There is no file and no folder at {path}.{suggest_near(path)}")
    if not found:
        raise CanaryganError(f"{', '.join(map(str, paths))} holds no recording: no {', '.join(SUFFIXES[:6])}, ...")
    return list(dict.fromkeys(found))


def assign_truth(truth: Path, recordings: Sequence[Path], format: str = "", tier: str = "") -> dict[Path, Annotation]:
    """The annotation of each recording that has one, from a file or a folder.

    A file of one annotation that names no recording is of the one recording, whatever its name.

    Raises:
        CanaryganError: where there is none for any recording, or two for one.
    """
    if truth.is_dir():
        paths = [path for path in list_files(truth)[1] if find_format(path)]
    elif truth.is_file():
        paths = [truth]
    else:
        raise CanaryganError(f"There is no annotation at {truth}.{suggest_near(truth)}")
    found = [one for path in paths for one in read(path, format, tier)]
    if truth.is_file() and len(found) == len(recordings) == 1 and not found[0].recording:
        return {recordings[0]: found[0]}
    index = index_recordings(recordings)
    assigned: dict[Path, Annotation] = {}
    for one in found:
        matches = find_recordings(one, index)
        for match in matches[:1]:
            if match in assigned:
                both = f"{assigned[match].path.name} and {one.path.name}"
                raise CanaryganError(f"{match.name} has two annotations in {truth}, {both}: give one of them.")
            assigned[match] = one
    if not assigned:
        raise CanaryganError(f"{truth} holds no annotation of {recordings[0].name} or any other of the recordings.")
    if missing := [path.name for path in recordings if path not in assigned]:
        log.warning(
            f"{truth} has no annotation of {', '.join(missing[:3])}{' and others' if len(missing) > 3 else ''}."
        )
    return assigned


def read_segments(path: Path, recordings: Sequence[Path]) -> dict[Path, list[Segment]]:
    """The segments, in seconds, of those recordings that an annotation speaks of; segments without label are kept.

    Raises:
        UnusableAudio: where a segment cannot be.
    """
    segments: dict[Path, list[Segment]] = {}
    problems: list[Problem] = []
    for recording, found in assign_truth(path, recordings).items():
        header = read_header(recording)
        named = replace(found, labels=np.where(found.labels == "", NOTHING, found.labels).astype(np.str_))
        checked = check(named, recording.name, header.rate, header.frames, UNLABELLED.get(found.format, ()))
        problems += checked.problems
        one = checked.annotation
        ends = np.minimum(one.offsets, header.seconds).tolist()
        segments[recording] = list(zip(one.onsets.tolist(), ends, one.labels.tolist(), strict=True))
    if problems:
        raise UnusableAudio(problems, f"{len(problems)} segments in {path} cannot be used:", "Mend the annotation.")
    return segments
