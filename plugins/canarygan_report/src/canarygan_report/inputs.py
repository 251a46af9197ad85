"""What there is to show: the paths that the user gave, and the files that tasks have left beside them."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from canarygan_core import CanaryganError, Dataset, runs
from canarygan_core.clips import Clips
from canarygan_core.runs import Run, files
from canarygan_report import material, records
from canarygan_report.lineage import Lineage
from canarygan_report.material import Generated, Layout

log = logging.getLogger("canarygan")

COORDINATES = ".umap.npz"
"""How the names of the archives end in which `umap` leaves the coordinates of sounds."""

NEAREST = "cluster on the map"
"""Name of the labels that `umap` gave: that of the nearest real clip, X outside all clusters."""

Content = TypeVar("Content")


@dataclass
class Notes:
    """The files that were read, and messages about those that could not be."""

    inputs: dict[str, Path] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def read(self, reader: Callable[[Path], Content], path: Path, *, required: bool = False) -> Content | None:
        """What a reader returns for a file; None, with a message, where it fails on a file that is not required."""
        try:
            content = reader(path)
        except CanaryganError as error:
            if required:
                raise
            self.messages.append(str(error))
            return None
        self.inputs[str(path)] = path
        return content


@dataclass(frozen=True)
class Given:
    """What the user gave: paths, and the dataset of the real clips with the flags of the line."""

    run: Path | None
    dataset: Dataset | None
    flags: Collection[str]
    generated: Path | None
    umap: Path | None
    scores: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class Inputs:
    """What there is to show.

    Attributes:
        given: what the user gave.
        run: the run.
        generated: the generated sounds.
        dataset: that of the real clips.
        real: the real clips.
        generated_map: coordinates of the generated sounds.
        real_map: coordinates of the real clips.
        tables: files of scores and confusions, by kind.
        lineage: what other tasks have made of the run, wherever it lies near by.
    """

    given: Given
    run: Run | None
    generated: Generated | None
    dataset: Dataset | None
    real: Clips | None
    generated_map: Layout | None
    real_map: Layout | None
    tables: Mapping[str, list[Path]]
    lineage: Lineage = field(default_factory=Lineage)

    @classmethod
    def find(cls, given: Given, notes: Notes) -> "Inputs":
        """Find and read what the user gave and what lies where the tasks put it.

        Raises:
            CanaryganError: where something that the user gave cannot be used.
        """
        run = None if given.run is None else runs.find(given.run)
        version = None if run is None else run.version
        folders = [] if run is None else [run.save_dir]
        if run is not None:
            notes.inputs["run"] = run.manifest.path
        generated = None if given.generated is None else material.read_generated(given.generated, version)
        lineage = Lineage.find(run, None if generated is None else generated.path, [Path()])
        if generated is None and (archives := lineage.list_made("generate", ".npz")):
            generated = material.read_generated(archives[-1])
            log.info(f"Generated sounds: {generated.path}, the last that were made of this run; -g gives others.")
        if generated is not None:
            notes.inputs["generated"] = generated.path
            notes.messages += _doubts(generated, run)
        real_map = _real_map(given, generated, lineage, notes)
        dataset, real = _find_real(given, run, generated, notes)
        if real_map is not None and real is not None and not material.is_map_of(real_map, real):
            notes.messages.append("The map is of other real clips than the page: run canarygan umap again.")
        generated_map = None if generated is None else _generated_map(given, generated, real_map, notes)
        tables = records.find_tables(given.scores, folders, version, lineage)
        return cls(given, run, generated, dataset, real, generated_map, real_map, tables, lineage)

    @property
    def version(self) -> str | None:
        """The version that the page is of."""
        if self.run is not None:
            return self.run.version
        return None if self.generated is None else self.generated.facts.get("version")

    @property
    def labels(self) -> dict[str, NDArray[np.str_]]:
        """The labels of the generated sounds, by what gave them."""
        mapped = None if self.generated_map is None else self.generated_map.labels
        decoded = {} if self.generated is None else dict(self.generated.labels)
        return ({} if mapped is None else {NEAREST: mapped}) | decoded


def _doubts(generated: Generated, run: Run | None) -> list[str]:
    """Messages on what is wrong with generated sounds, or does not fit to the run."""
    messages, name = [], generated.path.name
    if run is not None and generated.facts.get("version", run.version) != run.version:
        messages.append(f"{name} is of version {generated.facts['version']}, not of {run.version}.")
    elif run is not None and not _is_made_by(run, generated.facts):
        messages.append(f"{name} was made by none of this run's checkpoints, as its digest says.")
    if unusable := material.count_unusable(generated.audio):
        messages.append(f"{unusable} of {len(generated.audio)} sounds in {name} are silent or not finite.")
    return messages


def _is_made_by(run: Run, facts: Mapping[str, str]) -> bool:
    """Whether sounds came from a checkpoint of a run, by its digest; True where they do not say which.

    Only checkpoints of the `step` in `facts` are read, where there is one.
    """
    paths = [run.last, *run.checkpoints.glob(f"all/*step_{facts.get('step', '*')}.ckpt")]
    digests = (files.compute_digest(path) for path in paths if path.is_file())
    return "checkpoint" not in facts or facts["checkpoint"] in digests


def _find_real(
    given: Given, run: Run | None, generated: Generated | None, notes: Notes
) -> tuple[Dataset | None, Clips | None]:
    """The dataset of the real clips, and the clips."""
    if given.dataset is None and run is None:
        return None, None
    try:
        rate = None if generated is None else generated.rate
        dataset = material.find_dataset(given.dataset, given.flags, run, rate)
        clips = dataset.load()
    except CanaryganError as error:
        if given.dataset is not None:
            raise
        notes.messages.append(f"The clips that the run was trained on cannot be read: {error}")
        return None, None
    before = None if run is None else run.manifest.record.get("dataset", {}).get("fingerprint")
    if before is not None and clips.origin.get("fingerprint") != before:
        notes.messages.append("The run was trained on other real clips than these: their fingerprints differ.")
    return dataset, clips


def _real_map(given: Given, generated: Generated | None, lineage: Lineage, notes: Notes) -> Layout | None:
    places = [] if given.umap is None else [given.umap]
    if generated is not None and not places:
        beside = generated.path.absolute().parent
        made = [path.parent for path in reversed(lineage.list_made(ending=f"real{COORDINATES}"))]
        places = [*made, Path("umap"), beside, beside / "umap", beside.parent / "umap"]
    names = [*(place / f"real{COORDINATES}" for place in places), *([] if given.umap is None else [given.umap])]
    path = next((name for name in names if name.is_file()), None)
    if path is None and given.umap is not None:
        raise CanaryganError(f"There is no map at --umap {given.umap}: canarygan umap leaves real{COORDINATES} there.")
    return None if path is None else notes.read(material.read_layout, path, required=given.umap is not None)


def _generated_map(given: Given, generated: Generated, real_map: Layout | None, notes: Notes) -> Layout | None:
    """The map of the generated sounds, unless it is another than that of the real clips."""
    name = generated.path.name.removesuffix(".npz") + COORDINATES
    places = ([given.umap / name] if given.umap is not None else []) + [generated.path.with_name(name)]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        if given.umap is not None:
            message = f"There is no map of {generated.path.name} in --umap {given.umap}: canarygan umap makes it."
            notes.messages.append(message)
        return None
    layout = notes.read(lambda file: material.read_generated_map(file, generated), path)
    sides = [side.facts.get("reducer") for side in (layout, real_map) if side is not None]
    if len(set(sides) - {None}) < 2:
        return layout
    notes.messages.append("The generated sounds are on another map than the real clips: run canarygan umap again.")
    return None
