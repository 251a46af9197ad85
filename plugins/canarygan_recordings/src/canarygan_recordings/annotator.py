"""The annotator: what `decode` is told of annotations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from canarygan_core.components import Annotator, Answer, Segment
from canarygan_recordings.formats import WRITTEN


@dataclass(frozen=True)
class Crowsetta(Annotator):
    """Annotations in the formats of crowsetta."""

    name: ClassVar[str] = "crowsetta"
    formats: ClassVar[tuple[str, ...]] = WRITTEN

    def read(self, path: Path, recordings: Sequence[Path]) -> Mapping[Path, Sequence[Segment]]:
        """The segments of those recordings that an annotation speaks of; what cannot be used is an error."""
        from canarygan_recordings.inputs import read_segments

        return read_segments(path, recordings)

    def find(self, recording: Path, channel: int | None = None) -> Sequence[Segment]:
        """What rises above the noise; `segment` does the same with options."""
        from canarygan_recordings.segmentation import Segmentation, find_syllables

        spans, _, _ = find_syllables(recording, Segmentation(channel=channel))
        return [(onset, offset, "") for onset, offset in spans]

    def name_files(self, folder: Path, recordings: Sequence[Path], format: str) -> Sequence[Path]:
        """The files that `write` would write."""
        from canarygan_recordings.annotations.writing import name_files

        return name_files(folder, recordings, format)

    def write(self, folder: Path, segments: Mapping[Path, Sequence[Segment]], format: str) -> None:
        """Write the segments of recordings in one of the formats."""
        from canarygan_recordings.annotations import writing
        from canarygan_recordings.sounds import read_header

        labelled = []
        for path, found in segments.items():
            header = read_header(path)
            labelled.append(writing.Labelled(path, header.rate, header.seconds, tuple(found)))
        writing.write(folder, labelled, format)

    def compare(
        self, truth: Path, segments: Mapping[Path, Sequence[Segment]], folder: Path, origin: Mapping[str, Any]
    ) -> tuple[Answer, Sequence[Path]]:
        """Accuracy by class, confusion and syllable error rate against an annotation."""
        from canarygan_recordings.truth import compare

        return compare(truth, segments, folder, origin)
