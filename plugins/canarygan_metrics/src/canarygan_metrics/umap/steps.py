"""The steps of the task `umap`: get the map, place the sounds, draw the figures, summarise."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from canarygan_core import CanaryganError, Projector
from canarygan_core.audio import Filter
from canarygan_core.clips import Clips
from canarygan_core.errors import UsageError
from canarygan_core.fitted import projectors
from canarygan_core.fitted.decoders import X
from canarygan_core.fitted.projectors import SavedProjector
from canarygan_core.plugins import get_registry
from canarygan_core.plugins.options import to_json
from canarygan_core.runs import files
from canarygan_metrics.umap import clusters, figures
from canarygan_metrics.umap.clusters import Labels
from canarygan_metrics.umap.fitted import FittedUMAP
from canarygan_metrics.umap.options import MapOptions
from canarygan_metrics.umap.placements import Generation, Placement, mean_spectrograms, write_arrays
from canarygan_metrics.umap.vectors import HOP, Floats, Spectrograms

log = logging.getLogger("canarygan")


def check_place(folder: Path, name: str, given: Path | None, *, redo: bool) -> None:
    """Raise `CanaryganError` where a folder holds a map of another projector, which would be replaced unasked.

    Args:
        folder: where the map is kept.
        name: of the projector whose map is to be there.
        given: folder of a map that is taken instead, or None.
        redo: whether it may be replaced.
    """
    if redo or not (folder / projectors.RECORD).is_file():
        return
    there, wanted = (projectors.FORMAT.read(one)["projector"]["name"] if one else name for one in (folder, given))
    if there != wanted:
        raise CanaryganError(
            f"{folder} is a map of projector {there}, not {wanted}: give another --save-dir, or replace it by --redo."
        )


def find_map(
    projector: Projector | None, given: Path | None, folder: Path, clips: Clips, *, redo: bool
) -> SavedProjector:
    """The map given, or the one in a folder where it is of these clips with these options, or one fitted now.

    Args:
        projector: what fits a map; None where that given may be of any projector.
        given: folder of a map, or None.
        folder: where the map is kept.
        clips: the real ones.
        redo: whether the map is fitted anew.

    Raises:
        CanaryganError: where the map given cannot be used.
    """
    if given is not None:
        fitted = projectors.load_for(given, clips, get_registry())
        if projector is not None and fitted.name != projector.name:
            raise UsageError(f"{given} is of projector {fitted.name}: leave out --projector.")
        return fitted
    assert projector is not None
    if (folder / projectors.RECORD).is_file() and not redo:
        record = projectors.FORMAT.read(folder)
        dataset = dict(record.get("dataset", {}))
        then = (record["rate"], record["projector"], dataset.get("fingerprint"), Filter.of(dataset))
        origin = clips.origin
        now = {"name": projector.name, "options": to_json(projector)}
        if then == (clips.rate, now, origin.get("fingerprint"), Filter.of(origin)):
            return projectors.load(folder, get_registry())
        log.info(f"The clips or the options are others than those of {folder}: the map is fitted anew.")
    return projectors.fit(projector, clips, folder, get_registry())


def project_flat(fitted: SavedProjector, clips: Clips) -> Floats:
    """Coordinates (n, 2) of clips; `UsageError` where the projector gives another number of them."""
    points = fitted.project(clips)
    if points.shape[1] != 2:
        raise UsageError(f"Projector {fitted.name} gives {points.shape[1]} coordinates: a map to be drawn has 2.")
    return points


def write_real(folder: Path, clips: Clips, real: Floats, made_from: Mapping[str, str]) -> Path:
    """Write the coordinates (n, 2) of the real clips, with their labels and sources; returns the file."""
    path = folder / "real.umap.npz"
    sources = clips.sources if clips.sources is not None else np.full(len(clips), "", np.str_)
    write_arrays(path, {"coordinates": real, "labels": clips.labels, "sources": sources, **made_from})
    return path


def place(
    generation: Generation,
    fitted: SavedProjector,
    real: Floats,
    labels: Labels,
    made_from: Mapping[str, str],
    *,
    redo: bool,
) -> Placement:
    """The placement of an archive, computed and written where the one beside it is not up to date."""
    made_from = {"archive": files.compute_digest(generation.path), **made_from}
    placement = None if redo else Placement.read(generation, made_from)
    if placement is not None:
        log.info(f"{generation.target} is up to date.")
        return placement
    if generation.target.is_file() and not redo:
        log.warning(f"{generation.target} was of another map, other sounds or older clusters, and is replaced.")
    try:
        coordinates = fitted.project(generation.clips)
    except CanaryganError as error:
        raise CanaryganError(f"{generation.path}: {error}") from None
    placement = Placement.compute(coordinates, real, labels)
    placement.write(generation, made_from)
    return placement


def draw_figures(
    folder: Path,
    fitted: SavedProjector,
    clips: Clips,
    real: Floats,
    generations: list[Generation],
    placed: list[Placement],
) -> Iterator[Path]:
    """Draw all figures; yields the path of each."""
    assert clips.labels is not None
    labels = clips.labels
    several = len({one.version for one in generations}) > 1
    titles = [f"version {one.version}, {one.title}" if several and one.version else one.title for one in generations]
    names = [np.where(one.cluster == clusters.OUTSIDE, "outside", one.cluster.astype(np.str_)) for one in placed]
    nearest = {row: one.label for row, one in enumerate(placed)}
    maps: list[tuple[str, str, Mapping[int, Labels | None]]] = [
        ("stages", "Generated sounds over the density of real ones", dict.fromkeys(nearest)),
        ("clusters", "Generated sounds by their cluster among real and generated ones", dict(enumerate(names))),
        ("labels", "Generated sounds in clusters by the nearest real sound", nearest),
    ]
    for key in sorted({key for one in generations for key in one.decoded}):
        decoded = {row: one.decoded[key] for row, one in enumerate(generations) if key in one.decoded}
        maps.append((f"decoder-{key}", f"Generated sounds by the label that {key} gives", decoded))
    for name, title, by_row in maps:
        rows = [list(by_row)[number] for number in figures.choose_panels(len(by_row))]
        panels = [figures.Panel(titles[row], placed[row].coordinates, by_row[row]) for row in rows]
        path = folder / f"{name}.png"
        figures.draw_maps(path, title, real, labels, panels)
        yield path
    own = fitted.fitted
    default = Spectrograms(MapOptions.seconds, MapOptions.floor, fitted.rate)
    spectrograms = own.spectrograms if isinstance(own, FittedUMAP) else default
    above = mean_spectrograms(spectrograms.of(clips), labels)
    below = mean_spectrograms(spectrograms.of(generations[-1].clips), placed[-1].label)
    counts = dict(zip(*np.unique(placed[-1].label, return_counts=True), strict=True))
    title = f"Mean spectrogram of each class: real sounds, and generated ones of {titles[-1]}"
    path = folder / "spectrograms.png"
    figures.draw_spectrograms(path, title, above, below, counts, rate=fitted.rate, hop=HOP)
    yield path
    made = {
        title: replace(one.clips, labels=place.label)
        for title, one, place in zip(titles, generations, placed, strict=True)
    }
    yield from fitted.draw({"real": clips, **made}, folder)


def summarise(generation: Generation, placement: Placement, classes: list[str]) -> dict[str, Any]:
    """What the task found in an archive, as JSON values."""
    paths = {"archive": str(generation.path), "coordinates": str(generation.target)}
    known = {name: getattr(generation, name) for name in ("version", "epoch", "step")}
    inside = placement.cluster != clusters.OUTSIDE
    far = inside & (placement.label == X)
    groups = {
        "clusters": len(np.unique(placement.cluster[inside])),
        "outside": int((~inside).sum()),
        "far": int(far.sum()),
        **placement.scale.record(),
    }
    shares = clusters.shares(placement.label, classes)
    return {**paths, **known, "sounds": len(generation.clips), **groups, "shares": shares}


def summary_lines(row: Mapping[str, Any]) -> list[str]:
    """The same as text."""
    size = f"of at least {row['min_cluster_size']} real and generated ones"
    count = f"in {row['clusters']} clusters {size}" if row["clusters"] else f"in no cluster {size}, so all of them X"
    if row["clusters"] and row["outside"] + row["far"]:
        count += f"; X are {row['outside']} in none of them and {row['far']} far from all real ones"
    shares = ", ".join(f"{label} {100 * share:.1f} %" for label, share in row["shares"].items())
    return [f"{row['coordinates']}: {row['sounds']} sounds, {count}", f"  {shares}"]
