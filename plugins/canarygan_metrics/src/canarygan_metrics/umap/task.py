"""`umap`: where generated sounds lie among real ones, which clusters they form, and what these are."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from canarygan_core.components import Answer, Dataset, Slot
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins.options import jsonable
from canarygan_core.runs.manifest import Manifest, ending
from canarygan_core.runs.request import Request
from canarygan_metrics.umap.projector import UMAP

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canarygan_core.clips import Clips
    from canarygan_core.fitted.projectors import Fitted
    from canarygan_metrics.umap.archives import Generation, Mapped

log = logging.getLogger("canarygan")


def umap(
    *,
    gen_dir: Annotated[Path, Parameter(alias="-g")],
    dataset: Annotated[Dataset, Slot("folder")],
    reducer: UMAP = UMAP(),  # noqa: B008 frozen
    epoch: int | None = None,
    version: str | None = None,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("umap"),
    reducer_ckpt: Path | None = None,
    redo: bool = False,
    request: Request,
) -> Answer:
    """Lay generated sounds out among real ones, find the clusters that they form, and label these by the real ones.

    Each archive gets its coordinates, clusters and labels in a file ARCHIVE.umap.npz beside it.

    Args:
        gen_dir: Folder of archives that generate made, or one of them.
        epoch: Take archives of this epoch alone.
        version: Take archives of this version alone.
        save_dir: Folder for the figures, the real sounds' coordinates, the fitted map and the manifest.
        reducer_ckpt: Folder of a map fitted before. [default: the one in --save-dir where it is of the same clips]
        redo: Compute again what is up to date.
    """
    import numpy as np

    from canarygan_core.fitted import projectors
    from canarygan_core.tasks.project import refuse_refitting
    from canarygan_metrics.umap import archives as mapped

    refuse_refitting(reducer, "--reducer-ckpt", reducer_ckpt, request)
    if reducer.dimensions != 2:
        raise UsageError(f"--dimensions is {reducer.dimensions}: a map to be drawn has 2. project makes others.")
    generations = mapped.matching(gen_dir, version, epoch)
    mapped.keep_out(getattr(dataset, "data_dir", None), [save_dir, *(one.path for one in generations)])
    clips = dataset.load()
    if clips.labels is None:
        raise CanaryganError("The dataset has no labels, and generated sounds are labelled by the real ones near them.")
    with ending(Manifest.begin(save_dir / "umap.manifest.json", request, dataset=dict(clips.origin))) as manifest:
        fitted = _reducer(reducer, reducer_ckpt, save_dir / "reducer", clips, redo=redo)
        manifest.add_input("reducer", fitted.folder / projectors.RECORD)
        real = fitted.project(clips)
        sources = clips.sources if clips.sources is not None else np.full(len(clips), "", np.str_)
        path = save_dir / "real.umap.npz"
        common = {"reducer": fitted.digest, "reference": str(clips.origin.get("fingerprint", ""))}
        told = {name: np.asarray(value) for name, value in common.items()}
        mapped.write(path, {"coordinates": real, "labels": clips.labels, "sources": sources, **told})
        manifest.add_output(path)
        made = []
        for one in generations:
            made.append(_mapped(one, fitted, real, clips.labels, common, redo=redo))
            manifest.add_output(one.target)
        for path in _drawn(save_dir, fitted, clips, real, generations, made):
            manifest.add_output(path)
    rows = [_row(one, found, clips.classes) for one, found in zip(generations, made, strict=True)]
    lines = [line for row in rows for line in _told(row)]
    text = "\n".join([*lines, f"Figures, the real sounds' coordinates and the map: {save_dir}"])
    return Answer(text, {"path": str(save_dir), "reducer": str(fitted.folder), "archives": rows})


def _reducer(reducer: UMAP, given: Path | None, folder: Path, clips: "Clips", *, redo: bool) -> "Fitted":
    """The map given, or the one kept of these clips with these options, or one fitted now.

    Raises:
        CanaryganError: where the one given does not do.
    """
    from canarygan_core.fitted import projectors
    from canarygan_core.plugins import installed

    if given is not None:
        found = projectors.load_for(given, clips, installed())
        if found.name != reducer.name or found.record["projector"]["options"].get("dimensions") != 2:
            raise CanaryganError(f"{given} is no map in 2 dimensions made by {reducer.name}, but by {found.name}.")
        return found
    if (folder / projectors.RECORD).is_file() and not redo:
        record = projectors.SHELF.read(folder)
        then = (record["rate"], record["projector"].get("options"), dict(record.get("dataset", {})).get("fingerprint"))
        if then == (clips.rate, jsonable(reducer), clips.origin.get("fingerprint")):
            return projectors.load(folder, installed())
        log.info(f"The clips or the options are others than those of {folder}: the map is made anew.")
    return projectors.fit(reducer, clips, folder, installed())


def _mapped(
    generation: "Generation",
    fitted: "Fitted",
    real: "NDArray[np.float32]",
    labels: "NDArray[np.str_]",
    common: Mapping[str, str],
    *,
    redo: bool,
) -> "Mapped":
    """What is kept beside an archive, made anew where it is not up to date."""
    from canarygan_core.runs import files
    from canarygan_metrics.umap import archives as mapped

    made_from = {"archive": files.digest(generation.path), **common}
    found = None if redo else mapped.kept(generation, made_from)
    if found is not None:
        log.info(f"{generation.target} is up to date.")
        return found
    if generation.target.is_file() and not redo:
        log.warning(f"{generation.target} was of another map or other sounds, and is replaced.")
    try:
        coordinates = fitted.project(generation.clips)
    except CanaryganError as error:
        raise CanaryganError(f"{generation.path}: {error}") from None
    found = mapped.laid_out(coordinates, real, labels)
    mapped.keep(generation, found, made_from)
    return found


def _drawn(
    folder: Path,
    fitted: "Fitted",
    clips: "Clips",
    real: "NDArray[np.float32]",
    generations: "Sequence[Generation]",
    made: "Sequence[Mapped]",
) -> Iterator[Path]:
    """Draw all figures; yields the path of each."""
    import numpy as np

    from canarygan_metrics.umap import archives as mapped
    from canarygan_metrics.umap import clusters, figures
    from canarygan_metrics.umap.spectra import HOP

    assert clips.labels is not None
    several = len({one.version for one in generations}) > 1
    titles = [f"version {one.version}, {one.title}" if several and one.version else one.title for one in generations]

    def drawn(name: str, title: str, labels: "Mapping[int, NDArray[np.str_] | None]") -> Path:
        rows = list(labels)
        shown = [rows[number] for number in figures.chosen(len(rows))]
        panels = [figures.Panel(titles[row], made[row].coordinates, labels[row]) for row in shown]
        figures.maps(folder / name, title, real, clips.labels, panels)
        return folder / name

    yield drawn("stages.png", "Generated sounds over the density of real ones", dict.fromkeys(range(len(made))))
    for key in sorted({key for one in generations for key in one.decoded}):
        told = {row: one.decoded[key] for row, one in enumerate(generations) if key in one.decoded}
        yield drawn(f"decoder-{key}.png", f"Generated sounds by the label that {key} gives", told)
    numbers = [np.where(one.cluster == clusters.OUTSIDE, "outside", one.cluster.astype(np.str_)) for one in made]
    yield drawn("clusters.png", "Clusters of generated sounds", dict(enumerate(numbers)))
    nearest = "Generated sounds in clusters by the nearest real sound"
    yield drawn("labels.png", nearest, {row: one.label for row, one in enumerate(made)})
    last, labels = generations[-1], made[-1].label
    heard: Any = fitted.fitted
    counts = {str(label): int((labels == label).sum()) for label in np.unique(labels)}
    path = folder / "spectrograms.png"
    above, below = mapped.means(heard.levels(clips), clips.labels), mapped.means(heard.levels(last.clips), labels)
    title = f"Mean spectrogram of each class: real sounds, and generated ones of {titles[-1]}"
    figures.spectrograms(path, title, above, below, counts, rate=fitted.rate, hop=HOP)
    yield path


def _row(generation: "Generation", found: "Mapped", classes: Sequence[str]) -> dict[str, Any]:
    """What is told of an archive, for programs."""
    from canarygan_metrics.umap import clusters

    return {
        "archive": str(generation.path),
        "coordinates": str(generation.target),
        "version": generation.version,
        "epoch": generation.epoch,
        "step": generation.step,
        "sounds": len(generation.clips),
        "clusters": found.count,
        "min_cluster_size": found.scale.size,
        "min_samples": found.scale.density,
        "shares": clusters.shares(found.label, list(classes)),
    }


def _told(row: Mapping[str, Any]) -> list[str]:
    """The same for people."""
    found = f"{row['clusters']} clusters of at least {row['min_cluster_size']}"
    if not row["clusters"]:
        found = f"no cluster of at least {row['min_cluster_size']}, so all of them X"
    shares = ", ".join(f"{label} {100 * share:.1f} %" for label, share in row["shares"].items())
    return [f"{row['coordinates']}: {row['sounds']} sounds, {found}", f"  {shares}"]
