"""What an annotation says of one recording, whatever the format of its file."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Annotation:
    """The segments of one recording, in the order of their onsets.

    Attributes:
        path: the file that holds the annotation.
        format: the file's format, by crowsetta's name.
        recording: the recording as the file names it, empty where it names none.
        onsets: (segments,) float64, in samples of the recording where `in_samples` is set, else in seconds.
        offsets: (segments,) float64, likewise.
        labels: (segments,) empty where a segment has none.
        in_samples: whether times are samples.
    """

    path: Path
    format: str
    recording: str
    onsets: NDArray[np.float64]
    offsets: NDArray[np.float64]
    labels: NDArray[np.str_]
    in_samples: bool = False

    def __len__(self) -> int:
        return len(self.onsets)

    def select(self, rows: NDArray[Any]) -> "Annotation":
        """Some of the segments."""
        return replace(self, onsets=self.onsets[rows], offsets=self.offsets[rows], labels=self.labels[rows])

    def in_seconds(self, rate: int) -> "Annotation":
        """The same with times in seconds, of a recording of this rate in Hz."""
        if not self.in_samples:
            return self
        return replace(self, onsets=self.onsets / rate, offsets=self.offsets / rate, in_samples=False)
