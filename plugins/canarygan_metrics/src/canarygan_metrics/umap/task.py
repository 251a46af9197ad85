"""`umap`: place generated sounds on a map of real ones, cluster both together, and label the generated ones."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from canarygan_core import Answer, CanaryganError, Dataset, Projector, Request, Slot
from canarygan_core.errors import UsageError
from canarygan_core.runs import Manifest
from canarygan_metrics.umap.projector import UMAP


def umap(
    *,
    gen_dir: Annotated[Path, Parameter(alias="-g")],
    dataset: Annotated[Dataset, Slot("folder")],
    projector: Annotated[Projector, Slot("umap")],
    epoch: int | None = None,
    version: str | None = None,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("umap"),
    reducer_ckpt: Path | None = None,
    redo: bool = False,
    request: Request,
) -> Answer:
    """Place generated sounds on a map of real ones, cluster both together, and label by the real sounds near.

    The map is that of any projector of two coordinates. Each archive gets its coordinates, clusters and
    labels in a file ARCHIVE.umap.npz beside it.

    Args:
        gen_dir: Folder of archives of generated sounds, or one archive.
        epoch: Take only archives of this epoch.
        version: Take only archives of this version.
        save_dir: Folder for the figures, those of the projector's own too, the real sounds' coordinates, the fitted map
            and the manifest.
        reducer_ckpt: Folder of a map fitted before. [default: the one in --save-dir where it is of the same clips]
        redo: Compute again what is up to date, and replace a map of another projector in --save-dir.
    """
    from canarygan_core.fitted import projectors
    from canarygan_core.runs import files
    from canarygan_metrics.umap import placements, steps

    projectors.check_not_refitting(projector, "--reducer-ckpt", reducer_ckpt, request)
    if isinstance(projector, UMAP) and projector.dimensions != 2:
        raise UsageError(f"--dimensions is {projector.dimensions}: a map to be drawn has 2. project makes others.")
    generations = placements.find_generations(gen_dir, version, epoch)
    files.check_outside(getattr(dataset, "data_dir", None), save_dir, *(one.path for one in generations))
    clips = dataset.load()
    if clips.labels is None:
        raise CanaryganError("The dataset has no labels, and generated sounds are labelled by the real ones near them.")
    chosen = projector if reducer_ckpt is None or "projector" in request.given else None
    steps.check_place(save_dir / "reducer", projector.name, reducer_ckpt, redo=redo)
    with Manifest.begin(save_dir / "umap.manifest.json", request, dataset=dict(clips.origin)) as manifest:
        fitted = steps.find_map(chosen, reducer_ckpt, save_dir / "reducer", clips, redo=redo)
        manifest.add_input("reducer", fitted.folder / projectors.RECORD)
        real = steps.project_flat(fitted, clips)
        made_from = {"reducer": fitted.digest, "reference": str(clips.origin.get("fingerprint", ""))}
        manifest.add_output(steps.write_real(save_dir, clips, real, {"projector": fitted.name, **made_from}))
        placed = []
        for generation in generations:
            manifest.add_input(str(generation.path), generation.path)
            placed.append(steps.place(generation, fitted, real, clips.labels, made_from, redo=redo))
            manifest.add_output(generation.target)
        for path in steps.draw_figures(save_dir, fitted, clips, real, generations, placed):
            manifest.add_output(path)
    rows = [steps.summarise(*pair, clips.classes) for pair in zip(generations, placed, strict=True)]
    last = f"Figures, the real sounds' coordinates and the map: {save_dir}"
    text = "\n".join([*(line for row in rows for line in steps.summary_lines(row)), last])
    return Answer(text, {"path": str(save_dir), "reducer": str(fitted.folder), "archives": rows})
