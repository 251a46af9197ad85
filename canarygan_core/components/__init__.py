"""What a plugin may offer: the five kinds of component, and tasks.

A component is a frozen dataclass: its fields are its options, at once command-line flags, keys of a config file and the
record in a manifest. The string under a field is its help text and ends with its unit. What is learnt lives in files.
"""

import abc
import importlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, cast

from canarygan_core.components.layers import compute_layers as compute_layers
from canarygan_core.components.learnt import FittedDecoder as FittedDecoder
from canarygan_core.components.learnt import FittedMetric as FittedMetric
from canarygan_core.components.learnt import FittedProjector as FittedProjector
from canarygan_core.components.learnt import Generator as Generator

if TYPE_CHECKING:
    import numpy as np

    from canarygan_core.clips import Clips
    from canarygan_core.lightning.training import Training
    from canarygan_core.runs import Run

    Resampled = Iterator[tuple[Clips, Clips]]

Listener = Callable[["Clips"], "Clips"]
"""What a metric keeps of clips, of a few of them at a time."""


@dataclass(frozen=True)
class Component(abc.ABC):
    """What all kinds share."""

    kind: ClassVar[str]
    """The kind's noun, such as `model`: the flag by which a component is chosen."""
    name: ClassVar[str]
    """What a user types to choose it."""
    formerly: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Options that records of before lack, with the value that was meant, where it is not the default of today."""


@dataclass(frozen=True)
class Model(Component):
    """Learns to generate clips."""

    kind: ClassVar[str] = "model"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Named sets of options, of the model or of the command that trains it."""
    preset_data: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """By preset, options of a dataset that it sets besides, where the chosen dataset has them."""
    preset_purposes: ClassVar[Mapping[str, str]] = {}
    """By name, what a preset is for, in a few words."""

    @abc.abstractmethod
    def train(self, clips: "Clips", run: "Run", *, training: "Training") -> None:
        """Learn from clips (n, samples); leave checkpoints and logs in the run, and go on from its `resume_from`."""

    @classmethod
    @abc.abstractmethod
    def load(cls, checkpoint: Path, *, device: str = "cpu") -> Generator:
        """The generator kept in a checkpoint; `CanaryganError` where the file holds none. Runs no code from it."""


@dataclass(frozen=True)
class Dataset(Component):
    """Brings clips."""

    kind: ClassVar[str] = "dataset"

    @abc.abstractmethod
    def load(self) -> "Clips":
        """All clips, labelled where labels are known, in an order that depends on nothing but the options."""

    @classmethod
    def claims(cls, data_dir: Path) -> bool:
        """Whether a folder can only be meant for this dataset, which `-d` alone then chooses. Imports little."""
        return False


@dataclass(frozen=True)
class Decoder(Component):
    """Tells which class a clip belongs to."""

    kind: ClassVar[str] = "decoder"
    learns_from: ClassVar[str] = "clips"
    """What `train-decoders` hands it: `clips`, or `features`, by `fit_examples`; what fits them has `predict`, too."""
    search_ranges: ClassVar[Mapping[str, tuple[float, float]]] = {}
    """Options that `train-decoders --search` draws, and their ranges on a logarithmic scale."""

    @abc.abstractmethod
    def fit(self, clips: "Clips") -> FittedDecoder:
        """Learn from labelled clips."""

    @classmethod
    @abc.abstractmethod
    def load(cls, folder: Path) -> FittedDecoder:
        """A fitted decoder from its folder, to a `device` where it also takes one. Runs no code from it."""


@dataclass(frozen=True)
class Metric(Component):
    """Puts numbers on how good generated clips are.

    One that also has `fit(reference) -> FittedMetric` is fitted once to real clips, for all sets scored against them.
    One that has `draw(generated, reference, folder) -> paths` brings figures: PNG files that it writes into an empty
    folder. All get clips as the listener left them.
    """

    kind: ClassVar[str] = "metric"
    units: ClassVar[Mapping[str, str]] = {}
    """By score, its unit, such as `Hz`. That of `CLASS/score` is the unit of `score`. `share`, `probability`, `0 to 1`
    and `-1 to 1` keep the intervals of a score in this range."""
    better: ClassVar[Mapping[str, str]] = {}
    """By score, which values are better: `smaller` or `larger`; a score that is not named has no better side."""
    tested: ClassVar[Collection[str] | None] = None
    """The scores that are compared with those of resampled real clips: None for all of them, an empty set for none."""
    needs_unseen: ClassVar[bool] = False
    """Whether it is left out where it is not known which real clips the generator was not trained on."""

    @abc.abstractmethod
    def score(self, generated: "Clips", reference: "Clips") -> dict[str, float]:
        """Named scores of generated clips against real ones, as the listener left them; warnings of few are logged."""

    def listener(self) -> Listener:
        """What clips go through, some at a time as they come, before they are scored; by default they are kept whole.

        Give features as `facts` and an audio of no samples, which saves memory. Metrics of equal listeners share one.
        """
        return keep_whole

    def resample(self, generated: "Clips", reference: "Clips", rng: "np.random.Generator") -> "Resampled | None":
        """Pairs without end to score as chance alone might have made both sides; None for real clips on either."""
        return None


def keep_whole(clips: "Clips") -> "Clips":
    """The clips as they are: the listener of a metric that wants them whole."""
    return clips


@dataclass(frozen=True)
class Projector(Component):
    """Lays clips out in few dimensions."""

    kind: ClassVar[str] = "projector"

    @abc.abstractmethod
    def fit(self, clips: "Clips") -> FittedProjector:
        """Learn a projection from clips."""

    @classmethod
    @abc.abstractmethod
    def load(cls, folder: Path) -> FittedProjector:
        """A fitted projector from its folder. Runs no code from it."""


Segment = tuple[float, float, str]
"""A stretch of a recording: onset and offset in seconds, and its label."""


@dataclass(frozen=True)
class Annotator(Component):
    """Knows annotations of recordings: `decode` asks it for what no table of the kernel's own says."""

    kind: ClassVar[str] = "annotator"
    formats: ClassVar[tuple[str, ...]] = ()
    """Formats that it writes, by name."""

    @abc.abstractmethod
    def read(self, path: Path, recordings: Sequence[Path]) -> Mapping[Path, Sequence[Segment]]:
        """The segments of those recordings that a file or folder of annotations speaks of, in the order of onsets."""

    @abc.abstractmethod
    def find(self, recording: Path, channel: int | None = None) -> Sequence[Segment]:
        """The segments of a recording that nobody has annotated, by how a channel sounds; their labels are empty."""

    @abc.abstractmethod
    def name_files(self, folder: Path, recordings: Sequence[Path], format: str) -> Sequence[Path]:
        """The files that `write` would write."""

    @abc.abstractmethod
    def write(self, folder: Path, segments: Mapping[Path, Sequence[Segment]], format: str) -> None:
        """Write the segments of recordings in one of the formats."""

    @abc.abstractmethod
    def compare(
        self, truth: Path, segments: Mapping[Path, Sequence[Segment]], folder: Path, origin: Mapping[str, Any]
    ) -> "tuple[Answer, Sequence[Path]]":
        """How segments agree with annotations, and the files that tell it; `origin` is of the clips learnt from."""


KINDS: tuple[type[Component], ...] = (Model, Dataset, Decoder, Metric, Projector)
"""Every kind that a task has a slot for; each has one hook, named `register_` and its plural."""


@dataclass(frozen=True)
class Task:
    """A verb of the command line, named without importing what does the work.

    Attributes:
        name: what a user types; two words where tasks form a group, such as `inception gan`.
        target: `module:function`, imported when the task is asked for.
        summary: one line for the list of tasks.
        reads: `module:function` that gives back what the task left, from its path and a device; empty for nothing.
    """

    name: str
    target: str
    summary: str
    reads: str = ""

    def load(self) -> Callable[..., "Answer | None"]:
        """The function that does the work."""
        module, _, function = self.target.partition(":")
        return cast("Callable[..., Answer | None]", getattr(importlib.import_module(module), function))


@dataclass(frozen=True)
class Slot:
    """Marks a task's parameter, `Annotated[Model, Slot("wavegan")]`, as a component that the user chooses by name.

    The parameter's name is the flag. `Annotated[list[Metric], Slot()]` takes the flag more than once;
    `Annotated[Dataset | None, Slot()]` may be left out.

    Attributes:
        default: the name taken where the user gives none, or the names where the flag may be given more than once.
        implied: names taken instead where one of these flags is given, such as `{"--data-dir": "folder"}`.
        alias: short flag.
        every: whether all that are installed are taken where the user names none.
        supplied: options that are no flags, because the task sets them by `plugins.options.share_values`.
    """

    default: str | tuple[str, ...] | None = None
    implied: Mapping[str, str] = field(default_factory=dict)
    alias: str | None = None
    every: bool = False
    supplied: tuple[str, ...] = ()

    @property
    def defaults(self) -> list[str]:
        """The default as a list of names, empty where there is none."""
        return [self.default] if isinstance(self.default, str) else list(self.default or ())


@dataclass(frozen=True)
class Answer:
    """What a task tells its user in the end.

    Attributes:
        text: for people.
        data: the same for programs, JSON values only; shown instead with `--json`.
        exit_code: 0, or 1 where the answer is bad news.
    """

    text: str
    data: Any = None
    exit_code: int = 0
