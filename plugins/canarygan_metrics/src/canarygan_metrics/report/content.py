"""The content of a page: what was asked for, what was found, and what of it is shown or missing, as JSON values."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError
from canarygan_core.runs.manifest import Manifest
from canarygan_metrics.mapped import COORDINATES
from canarygan_metrics.report import gather, material, points
from canarygan_metrics.report.gather import Json, Notes
from canarygan_metrics.report.material import Generated, Layout

NEAREST = "cluster on the map"
"""What the labels are called that `umap` gave: that of the nearest real clip, X outside all clusters."""


@dataclass(frozen=True)
class Asked:
    """The paths that the user gave."""

    run: Path | None
    data: Path | None
    generated: Path | None
    umap: Path | None
    scores: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class Found:
    """What there is to show.

    Attributes:
        asked: what the user gave.
        run: the run's manifest.
        made: the generated sounds.
        real: the real clips.
        made_map: where the generated sounds lie.
        real_map: where the real clips lie.
        tables: files of scores and confusions, by kind.
    """

    asked: Asked
    run: Manifest | None
    made: Generated | None
    real: Clips | None
    made_map: Layout | None
    real_map: Layout | None
    tables: Mapping[str, list[Path]]

    @classmethod
    def search(cls, asked: Asked, notes: Notes) -> "Found":
        """Find and read what was given and what lies where the tasks put it.

        Raises:
            CanaryganError: where something that was given cannot be used.
        """
        run = None if asked.run is None else gather.run_of(asked.run)
        version = None if run is None else gather.version_of(run)
        if run is not None:
            notes.inputs["run"] = run.path
        made = None if asked.generated is None else material.generated(asked.generated, version)
        if made is not None:
            notes.inputs["generated"] = made.path
            if version is not None and made.facts.get("version", version) != version:
                notes.told.append(f"{made.path.name} is of version {made.facts['version']}, not of {version}.")
            elif run is not None and not gather.made_by(run, made.facts):
                notes.told.append(f"{made.path.name} was made by none of this run's checkpoints, as its digest says.")
            if unusable := material.unusable(made.audio):
                notes.told.append(
                    f"{unusable} of {len(made.audio)} sounds in {made.path.name} are silent or not finite."
                )
        folders = [] if run is None else [gather.save_dir_of(run)]
        real_map = _real_map(asked, made, folders, notes)
        real = _real(asked, run, made, notes)
        if real_map is not None and real is not None and not material.same_clips(real_map, real):
            notes.told.append("The map is of other real clips than the page: run canarygan umap again.")
        return cls(
            asked=asked,
            run=run,
            made=made,
            real=real,
            made_map=_of_one_map(_made_map(asked, made, notes), real_map, notes),
            real_map=real_map,
            tables=_tables(asked, folders, version),
        )

    @property
    def version(self) -> str | None:
        """The version that the page is of."""
        if self.run is not None:
            return gather.version_of(self.run)
        return None if self.made is None else self.made.facts.get("version")

    @property
    def labels(self) -> dict[str, NDArray[np.str_]]:
        """By what gave them, the labels of the generated sounds."""
        made: dict[str, NDArray[np.str_]] = {}
        if self.made_map is not None and self.made_map.labels is not None:
            made[NEAREST] = self.made_map.labels
        return made | (dict(self.made.labels) if self.made is not None else {})


def _real(asked: Asked, run: Manifest | None, made: Generated | None, notes: Notes) -> Clips | None:
    if asked.data is None and run is None:
        return None
    try:
        clips = material.real(asked.data, run, None if made is None else made.rate)
    except CanaryganError as error:
        if asked.data is not None:
            raise
        notes.told.append(f"The clips that the run learnt from cannot be read: {error}")
        return None
    learnt = None if run is None else run.record.get("dataset", {}).get("fingerprint")
    if learnt is not None and clips.origin.get("fingerprint") != learnt:
        notes.told.append("The real clips are not those that the run learnt from: their fingerprints differ.")
    return clips


def _made_map(asked: Asked, made: Generated | None, notes: Notes) -> Layout | None:
    if made is None:
        return None
    name = made.path.name.removesuffix(".npz") + COORDINATES
    places = ([asked.umap / name] if asked.umap is not None else []) + [made.path.with_name(name)]
    path = next((place for place in places if place.is_file()), None)
    if path is None and asked.umap is not None:
        notes.told.append(f"There is no map of {made.path.name} in --umap {asked.umap}: canarygan umap makes it.")
    return None if path is None else notes.read(lambda file: material.generated_map(file, made), path)


def _of_one_map(made: Layout | None, real: Layout | None, notes: Notes) -> Layout | None:
    """The generated sounds' map, unless it is another than the real clips', whose places mean nothing on it."""
    if made is None or real is None:
        return made
    reducers = {side.facts.get("reducer") for side in (made, real)} - {None}
    if len(reducers) < 2:
        return made
    notes.told.append("Generated sounds were laid out on another map than the real clips: run canarygan umap again.")
    return None


def _real_map(asked: Asked, made: Generated | None, folders: list[Path], notes: Notes) -> Layout | None:
    if asked.umap is not None:
        path = material.real_map(asked.umap)
        if path is None:
            raise CanaryganError(
                f"There is no map at --umap {asked.umap}: canarygan umap leaves real{COORDINATES} there."
            )
        return notes.read(material.layout, path, asked=True)
    if made is None:
        return None
    beside = made.path.absolute().parent
    places = [Path("umap"), beside, beside / "umap", beside.parent / "umap", *(folder / "umap" for folder in folders)]
    path = next((there for place in places if place.is_dir() and (there := material.real_map(place))), None)
    return None if path is None else notes.read(material.layout, path)


def _tables(asked: Asked, folders: list[Path], version: str | None) -> dict[str, list[Path]]:
    return gather.tables(asked.scores, folders, version)


def content(found: Found, notes: Notes, record: Mapping[str, Any], *, count: int, seed: int) -> Json:
    """All that the page shows.

    Args:
        found: what there is.
        notes: takes what could not be read.
        record: the report's own manifest.
        count: points on the map.
        seed: seed of the draw.
    """
    logs = None
    if found.run is not None:
        path = gather.save_dir_of(found.run) / "logs" / "csv" / f"version_{found.version}" / "metrics.csv"
        logs = notes.read(gather.curves, path) if path.is_file() else None
    kinds = {"inception": gather.inception, "scores": gather.scores, "confusion": gather.confusion}
    given = {path.resolve() for path in found.asked.scores if path.is_file()}
    read = {
        kind: [one for path in found.tables[kind] if (one := notes.read(reader, path, asked=path in given)) is not None]
        for kind, reader in kinds.items()
    }
    real_labels = None if found.real is None else found.real.labels
    if real_labels is None and found.real_map is not None:
        real_labels = found.real_map.labels
    labellings = ({} if real_labels is None else {"real clips": real_labels}) | found.labels
    content = {
        "title": f"CanaryGAN {'report' if found.version is None else f'version {found.version}'}",
        "made": record["started"],
        "system": record["versions"].get("canarygan-metrics", ""),
        "command": shlex.join(["canarygan", *record["argv"]]),
        "run": _run(found),
        "material": _material(found),
        "curves": logs,
        **read,
        "shares": material.shares(labellings) if found.labels else None,
        "map": _map(found, count, seed),
        "spectra": _spectra(found, real_labels, seed),
    }
    return content | {"missing": _missing(found, content), "notes": list(notes.told)}


def _run(found: Found) -> Json | None:
    """The run's record, and the command that makes it again."""
    if found.run is None:
        return None
    record = gather.plain(found.run.record)
    command = shlex.join(["canarygan", *map(str, record.get("argv", []))])
    return {"version": found.version, "command": command, "manifest": record}


def _material(found: Found) -> Json:
    """What is known of the sounds on either side."""
    made: Json = {}
    if found.real is not None:
        told = found.real.origin
        made["real"] = {
            "clips": len(found.real),
            "classes": len(found.real.classes),
            "rate": found.real.rate,
            "path": str(told.get("path", told.get("dataset", ""))),
            "fingerprint": str(told.get("fingerprint", "")),
        }
    if found.made is not None:
        size = {"clips": len(found.made.audio), "samples": found.made.audio.shape[1], "rate": found.made.rate}
        made["generated"] = {**size, "path": str(found.made.path), **found.made.facts}
    return made


def _map(found: Found, count: int, seed: int) -> Json | None:
    """Points and sounds: on the map of `umap`, or else the generated sounds by their first two latent coordinates."""
    labels = next(iter(found.labels.items()), (None, None))
    made, sides, kind = found.made, [], "umap"
    if found.real_map is not None:
        sides.append(points.real_side(found.real_map, found.real))
    if made is not None and found.made_map is not None:
        sides.append(points.generated_side(found.made_map, made, labels[1]))
    elif made is not None and not sides and made.latents is not None and made.latents.shape[1] > 1:
        kind = "latents"
        sides.append(points.generated_side(Layout(np.asarray(made.latents[:, :2])), made, labels[1]))
    if not sides:
        return None
    return {"kind": kind, "labelled": labels[0], **points.points(sides, count=count, seed=seed)}


def _spectra(found: Found, real_labels: NDArray[np.str_] | None, seed: int) -> Json | None:
    sets = {}
    if found.real is not None and found.real.labels is not None:
        sets["real"] = (found.real.audio, found.real.labels, found.real.rate)
    labels = next(iter(found.labels.values()), None)
    if found.made is not None and labels is not None:
        sets["generated"] = (found.made.audio, labels, found.made.rate)
    return points.spectra(sets, seed) if sets else None


def _missing(found: Found, content: Json) -> dict[str, dict[str, str]]:
    """By section, what is not there and the command that makes it."""
    data = _path(found.asked.data or (found.real.origin.get("path") if found.real is not None else None), "DATA")
    run = _path(None if found.run is None else found.run.path.parent, "VERSION_DIR")
    made = _path(found.asked.generated, "GENERATED")
    lacking = {
        "run": ("No run yet.", f"canarygan train-gan -d {data}"),
        "curves": ("No training curves: no logs of a run.", f"canarygan train-gan -d {data}"),
        "inception": ("No inception scores by epoch yet.", f"canarygan inception gan -m CLASSIFIER -x {run}"),
        "scores": ("No scores of metrics yet.", f"canarygan score -m CLASSIFIER -d {data} {made}"),
        "confusion": ("No confusion of a decoder yet.", f"canarygan train-decoders -d {data} -s decoders"),
        "shares": ("No labels of generated sounds yet.", f"canarygan generate -x {run} -y decoders"),
        "map": ("No map yet.", f"canarygan umap -d {data} -g {made}"),
        "spectra": ("No sounds with labels yet.", f"canarygan generate -x {run} -y decoders"),
    }
    absent = {name for name in lacking if not content[name]}
    if content["map"] and (content["map"]["kind"] != "umap" or len(content["map"]["totals"]) < 2):
        absent.add("map")
        if content["map"]["kind"] == "umap":
            lacking["map"] = ("The map has one side only, real or generated.", lacking["map"][1])
    if found.made is None:
        absent.add("shares")
    if found.run is not None and not content["curves"]:
        lacking["curves"] = (f"No training curves: version {found.version} has left no logs.", "")
    return {name: {"what": what, "command": command} for name, (what, command) in lacking.items() if name in absent}


def _path(path: Path | str | None, word: str) -> str:
    return word if path is None else shlex.quote(str(path))
