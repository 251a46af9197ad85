"""The dataset that is a folder of sound files."""

import math
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from cyclopts import Parameter

from canarygan_core.audio.options import Filter, check_channel
from canarygan_core.components import Dataset
from canarygan_core.errors import CanaryganError

if TYPE_CHECKING:
    from canarygan_core.clips import Clips


@dataclass(frozen=True)
class _Place(Dataset):
    """The option that comes first."""

    data_dir: Annotated[Path | None, Parameter(alias="-d")] = None
    """Folder that holds one folder of sound files a class, named by its label, path."""


@dataclass(frozen=True)
class Folder(Filter, _Place):
    """A folder of labelled clips, DATA_DIR/label/*.wav.

    WAV, FLAC, OGG and MP3 files of any rate and any number of channels. They are decoded once and kept, memory-mapped,
    in the folder named by CANARYGAN_CACHE, by default one for the user's caches; nothing is written among the data.
    """

    name: ClassVar[str] = "folder"
    formerly: ClassVar[Mapping[str, Any]] = MappingProxyType({"remove_mean": False})

    sampling_rate: int = 16000
    """Sampling rate to bring all clips to, Hz."""
    max_length: float = 1.0
    """Length of a clip: shorter ones are padded with zeros at the end, longer ones cut at the end, seconds."""
    gain: Literal["none", "set", "clip"] = "clip"
    """Level: as recorded (none), or to a peak of 0.95 of full scale, the whole set (set) or each clip (clip), word."""
    channel: int | None = None
    """Channel of each file to take, counted from 1; the mean of all by default, number."""
    min_per_class: int = 1
    """Leave out classes of fewer files, naming them, files."""
    skip_unusable: bool = False
    """Leave out files and classes that cannot be used, naming them, instead of refusing the set, yes or no."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1000 <= self.sampling_rate <= 768_000:
            raise CanaryganError(f"--sampling-rate is {self.sampling_rate} Hz: it may be 1000 to 768000 Hz.")
        if math.isnan(self.max_length) or not 0.01 <= self.max_length <= 600:
            raise CanaryganError(f"--max-length is {self.max_length:g} s: it may be 0.01 to 600 s.")
        if self.gain not in ("none", "set", "clip"):
            raise CanaryganError(f"--gain is {self.gain!r}: it may be none, set or clip.")
        if self.min_per_class < 1:
            raise CanaryganError(f"--min-per-class must be at least 1, not {self.min_per_class}.")
        check_channel(self.channel)
        self.check_rate(self.sampling_rate)

    def spell(self) -> str:
        """The words by which `check-data` reads a folder as this does; `plugins.options` spells any component."""
        words = [] if self.data_dir is None else ["-d", str(self.data_dir)]
        for option in fields(self):
            value, flag = getattr(self, option.name), option.name.replace("_", "-")
            if value == option.default or option.name in ("data_dir", "gain", "skip_unusable"):
                continue
            words += [f"--no-{flag}"] if value is False else [f"--{flag}", f"{value:.15g}"]
        return shlex.join(words)

    def load(self) -> "Clips":
        """All clips by label and name, with the facts `gain`, `length` (samples of sound) and `peak` (before gain)."""
        from canarygan_core.datasets import decoding

        options = asdict(self)
        data_dir = options.pop("data_dir")
        if data_dir is None:
            raise CanaryganError(
                "The folder dataset needs --data-dir (-d): a folder with one folder of sound files a class, "
                "DATA_DIR/label/*.wav. --dataset synthetic needs no recordings."
            )
        return decoding.load(data_dir, options, f"canarygan check-data {self.spell()}")
