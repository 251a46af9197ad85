"""The dataset that is a folder of long recordings and their annotations."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from canarygan_recordings.options import Options

if TYPE_CHECKING:
    from canarygan_core.clips import Clips


@dataclass(frozen=True)
class Recordings(Options):
    """Syllables cut from long recordings by their annotations.

    Recordings in every format that libsndfile reads, and .cbin of evTAF with its .rec. Annotations in every format that
    crowsetta reads, beside the recordings by name, or elsewhere. Taken by itself where -d holds both.
    """

    name: ClassVar[str] = "recordings"

    @classmethod
    def claims(cls, data_dir: Path) -> bool:
        """Whether a folder holds recordings and annotations, and so is meant by -d alone."""
        from canarygan_recordings.annotations.pairing import holds_annotations

        return holds_annotations(data_dir)

    def load(self) -> "Clips":
        """All clips by recording and onset.

        Facts: `recording`, its path below the folder; `onset` and `offset` in it, seconds; `start`, where the clip
        begins in it, seconds; `gain`, `length` (samples of sound) and `peak` (before gain).
        """
        from canarygan_recordings import loading

        return loading.load(self)
