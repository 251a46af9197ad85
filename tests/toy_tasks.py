"""Components with every type of option, and tasks that take them and give them back."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from cyclopts import Parameter

from canarygan_core import Answer, CanaryganError, Dataset, Metric, Model, Request, Slot, Task


class Level(enum.Enum):
    SOFT = 1
    VERY_LOUD = 2


@dataclass(frozen=True)
class Window:
    hop_length: int = 128
    """Hop, samples."""
    shape: Literal["hann", "box"] = "hann"
    """Shape."""


@dataclass(frozen=True)
class Every(Dataset):
    name: ClassVar[str] = "every"

    count: int = 3
    """How many <clips>, clips."""
    cut_off: float = 0.5
    """Cut-off, Hz."""
    loud: bool = False
    """Whether loud."""
    calm: bool = True
    """Whether calm."""
    title: str = "a"
    """Title."""
    place: Path = Path("here")
    """Folder."""
    level: Level = Level.SOFT
    """Level."""
    size: Literal["auto", 4096] = "auto"
    """Size, samples."""
    bands: tuple[int, ...] = (1, 2)
    """Bands, Hz."""
    pair: tuple[int, float] = (1, 2.0)
    """A pair."""
    limit: int | None = None
    """Limit, clips."""
    window: Window = Window()
    """Window."""

    def load(self) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Listing(Dataset):
    name: ClassVar[str] = "listing"

    path: Path
    """Where it is."""
    names: list[str] | None = None
    """Names."""

    def __post_init__(self) -> None:
        if self.names == ["nobody"]:
            raise CanaryganError("--names cannot be nobody.")

    def load(self) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Net(Model):
    """A net."""

    name: ClassVar[str] = "net"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"tiny": {"layers": 1, "rounds": 2}, "huge": {"layers": 99}}
    preset_data: ClassVar[Mapping[str, Mapping[str, Any]]] = {"huge": {"cut-off": 9.0, "no-such": 1}}
    preset_purposes: ClassVar[Mapping[str, str]] = {"tiny": "the smallest"}

    layers: int = 5
    """Layers."""

    def train(self, clips: Any, run: Any, *, training: Any) -> None:
        raise NotImplementedError

    @classmethod
    def load(cls, checkpoint: Path, *, device: str = "cpu") -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Other(Net):
    name: ClassVar[str] = "other"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    depth: int = 7
    """Depth."""


@dataclass(frozen=True)
class First(Metric):
    name: ClassVar[str] = "first"

    n_fft: int = 512
    """Window, samples."""
    top: int | None = None
    """Top."""

    def score(self, generated: Any, reference: Any) -> dict[str, float]:
        raise NotImplementedError


@dataclass(frozen=True)
class Second(Metric):
    name: ClassVar[str] = "second"

    def score(self, generated: Any, reference: Any) -> dict[str, float]:
        raise NotImplementedError


@dataclass(frozen=True)
class Clashing(Dataset):
    name: ClassVar[str] = "clashing"

    rounds: int = 1
    """Also the group's."""

    def load(self) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Broad(Dataset):
    name: ClassVar[str] = "broad"

    width: int = 1
    """Also the model's."""
    place: Path = Path("here")
    """Also the model's."""

    def load(self) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Wide(Net):
    name: ClassVar[str] = "wide"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"broad": {"width": 9, "layers": 2, "rounds": 3}}

    width: int = 1
    """Also the dataset's."""
    place: Path = Path("there")
    """Also the dataset's."""


@dataclass(frozen=True)
class Seed(Metric):
    name: ClassVar[str] = "seed"

    draws: int = 1
    """Draws."""
    seed: int = 0
    """Seed."""

    def score(self, generated: Any, reference: Any) -> dict[str, float]:
        raise NotImplementedError


@dataclass(frozen=True)
class Group:
    """Options of a group."""

    rounds: int = 10
    """Rounds."""
    gpus: Annotated[int, Parameter(alias="-G")] = 1
    """Devices."""


def work(
    *,
    dataset: Annotated[Dataset, Slot("every", implied={"--path": "listing", "-d": "folder", "--data-dir": "folder"})],
    model: Annotated[Model, Slot("net")],
    metric: Annotated[list[Metric], Slot("first", alias="-m")],
    group: Group = Group(),
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("runs"),
    version: str = "infer",
    resume: bool = False,
    request: Request,
) -> Answer:
    """Work on <label> things.

    Args:
        save_dir: Folder, such as <label>.
        version: Version.
        resume: Go on.
    """
    return Answer("", (dataset, model, metric, group, save_dir, request))


def score(*files: Path, metric: Annotated[list[Metric], Slot(alias="-m")], seed: int = 0) -> Answer:
    """Score files.

    Args:
        files: Files.
        seed: Seed.
    """
    return Answer("", (files, metric, seed))


WORK = Task("work", "toy_tasks:work", "Work.")
SCORE = Task("score", "toy_tasks:score", "Score.")
OFFERS = (Every, Listing, Clashing, Broad, Net, Wide, Seed, Other, First, Second, WORK, SCORE)
