"""The dataset that is a folder of long recordings and their annotations."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from cyclopts import Parameter

from canarygan_core.audio import Filter
from canarygan_core.components import Dataset
from canarygan_core.errors import CanaryganError
from canarygan_recordings.formats import check_format

if TYPE_CHECKING:
    from canarygan_core.clips import Clips


@dataclass(frozen=True)
class _Place(Dataset):
    """The option that comes first."""

    data_dir: Annotated[Path | None, Parameter(alias="-d")] = None
    """Folder that holds recordings, and annotations unless these lie elsewhere, path."""


@dataclass(frozen=True)
class Recordings(Filter, _Place):
    """Syllables cut from long recordings by their annotations.

    Recordings in every format that libsndfile reads, and .cbin of evTAF with its .rec. Annotations in every format that
    crowsetta reads, beside the recordings by name, or elsewhere. Taken by itself where -d holds both.
    """

    name: ClassVar[str] = "recordings"

    annotations: Path | None = None
    """File of annotations, or folder of such files. [default: those in the data folder], path."""
    format: str = ""
    """Format of the annotations, by crowsetta's name, where it cannot be told, word."""
    tier: str = ""
    """Tier of a TextGrid that holds the labels, where it has several, name."""
    recordings: tuple[str, ...] = ()
    """Recordings to take, patterns of their names such as *_0809.*, joined by commas or given again, names."""
    skip_recordings: tuple[str, ...] = ()
    """Recordings to leave out, likewise, as those that decoders are tested on afterwards, names."""
    labels: tuple[str, ...] = ()
    """Labels to take, joined by commas or given again, after renaming; all where none is given, names."""
    skip_labels: tuple[str, ...] = ()
    """Labels to leave out, joined by commas or given again, after renaming, names."""
    rename: tuple[str, ...] = ()
    """New labels, old=new joined by commas or given again, or a TOML file of old = "new"; equal ones merge, names."""
    min_per_class: int = 1
    """Classes of fewer segments are left out, segments."""
    limit: int = 0
    """Segments of each class that are taken at most, drawn where there are more; 0 for all, segments."""
    data_seed: int = 0
    """Seed of that draw, an integer from 0."""
    shortest: float = 0.0
    """Shorter segments are left out, milliseconds."""
    longest: float = 0.0
    """Longer segments are left out; 0 for none, milliseconds."""
    before: float = 10.0
    """Sound of the recording that a clip has before the onset, milliseconds."""
    after: float = 10.0
    """Sound of the recording that a clip has after the offset, milliseconds."""
    channel: int | None = None
    """Channel to take, counted from 1; by default the mean of all, but the first of a .cbin, number."""
    sampling_rate: int = 16000
    """Sampling rate to bring all clips to, Hz."""
    max_length: float = 1.0
    """Length of a clip: shorter ones are padded with zeros at the end, longer ones cut at the end, seconds."""
    gain: Literal["none", "set", "clip"] = "clip"
    """Level: as recorded (none), or to a peak of 0.95 of full scale, the whole set (set) or each clip (clip), word."""
    skip_unusable: bool = False
    """Leave out recordings and segments that cannot be used, naming them, instead of refusing the set, yes or no."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1000 <= self.sampling_rate <= 768_000:
            raise CanaryganError(f"--sampling-rate is {self.sampling_rate} Hz: it may be 1000 to 768000 Hz.")
        if math.isnan(self.max_length) or not 0.01 <= self.max_length <= 600:
            raise CanaryganError(f"--max-length is {self.max_length:g} s: it may be 0.01 to 600 s.")
        if self.gain not in ("none", "set", "clip"):
            raise CanaryganError(f"--gain is {self.gain!r}: it may be none, set or clip.")
        for name in ("before", "after"):
            if not 0 <= getattr(self, name) <= 10_000:
                raise CanaryganError(f"--{name} is {getattr(self, name):g} ms: it may be 0 to 10000 ms.")
        for name, least in {"min_per_class": 1, "limit": 0, "data_seed": 0, "shortest": 0, "longest": 0}.items():
            if not getattr(self, name) >= least:
                raise CanaryganError(f"--{name.replace('_', '-')} must be at least {least}, not {getattr(self, name)}.")
        if self.longest and self.longest < self.shortest:
            raise CanaryganError(f"--longest {self.longest:g} ms must be at least --shortest, {self.shortest:g} ms.")
        if self.channel is not None and self.channel < 1:
            raise CanaryganError(f"--channel is {self.channel}: channels are counted from 1.")
        check_format(self.format)
        self.check_rate(self.sampling_rate)

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
