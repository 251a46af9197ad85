"""`project`: lay clips out in few dimensions."""

import shlex
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from canarygan_core.audio import archives
from canarygan_core.audio.problems import list_items
from canarygan_core.audio.sounds import collect_sounds, read_clips
from canarygan_core.clips import count_labels
from canarygan_core.components import Answer, Dataset, Projector, Slot
from canarygan_core.errors import UsageError
from canarygan_core.fitted import projectors
from canarygan_core.plugins import get_registry
from canarygan_core.runs import Manifest, Request, files

REAL = "real"
"""The set that the dataset's own clips are of."""


def project(
    *paths: Path,
    projector: Annotated[Projector, Slot("umap")],
    dataset: Annotated[Dataset, Slot("folder")],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("projected"),
    projector_ckpt: Path | None = None,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Fit a projector on a dataset's clips, and lay them and other sounds out in few dimensions.

    Args:
        paths: Further sounds: files, folders that are searched for some, and .npz archives that generate made.
        save_dir: Folder for the coordinates, the fitted projector, figures of its own and their manifest.
        projector_ckpt: Folder of a projector fitted before, to use instead of fitting one.
        overwrite: Replace coordinates and a projector that are there.
    """
    projectors.check_not_refitting(projector, "--projector-ckpt", projector_ckpt, request)
    target, folder = save_dir / "coordinates.npz", save_dir / "projector"
    absent = files.check_absent(target, *([] if projector_ckpt else [folder]), overwrite=overwrite)
    sounds = collect_sounds(paths) if paths else []
    clips = dataset.load()
    record = save_dir / "manifest.json"
    with Manifest.begin(record, request, absent=absent, dataset=dict(clips.origin)) as manifest:
        if projector_ckpt is not None:
            fitted = projectors.load_for(projector_ckpt, clips, get_registry())
            if "projector" in request.given and fitted.name != projector.name:
                raise UsageError(f"{projector_ckpt} is of projector {fitted.name}: leave out --projector.")
            manifest.add_input("projector", projector_ckpt / projectors.RECORD)
        else:
            fitted = projectors.fit(projector, clips, folder, get_registry())
            manifest.add_output(folder / projectors.RECORD)
        empty = np.full(len(clips), "", np.str_)
        known = (empty if column is None else column for column in (clips.labels, clips.sources))
        parts: list[tuple[Any, ...]] = [(fitted.project(clips), *known, np.full(len(clips), REAL))]
        for batch, heard, _ in read_clips(sounds, fitted.hearing, "laying out", strict=True) if sounds else ():
            names = np.array([sound.file for sound in batch])
            parts.append((fitted.project_batch(heard), np.full(len(batch), ""), heard.sources, names))
        columns = zip(("coordinates", "labels", "sources", "set"), zip(*parts, strict=True), strict=True)
        arrays = {name: np.concatenate(column) for name, column in columns}
        with archives.writing(target, sum(array.nbytes for array in arrays.values())) as archive:
            for name, array in arrays.items():
                archive.add(name, array)
        manifest.add_output(target)
        for path in fitted.draw({REAL: clips}, save_dir):
            manifest.add_output(path)
    sizes = count_labels(arrays["set"])
    size = arrays["coordinates"].shape[1]
    lines = [f"{sum(sizes.values())} sounds in {size} dimensions: {target}"]
    lines += list_items([f"{name}: {count}" for name, count in sizes.items()], 10, noun="files")
    lines.append(f"Lay others out on the same map: --projector-ckpt {shlex.quote(str(fitted.folder))}")
    data = {"path": str(target), "projector": str(fitted.folder), "dimensions": size, "sounds": sizes}
    return Answer("\n".join(lines), data)
