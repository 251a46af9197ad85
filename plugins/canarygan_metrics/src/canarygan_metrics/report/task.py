"""`report`: gather a run into one HTML file."""

import logging
import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from canarygan_core.components import Answer
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.runs.manifest import Manifest, ending
from canarygan_core.runs.request import Request

log = logging.getLogger("canarygan")

MOST = 20_000
"""Most points of a page."""


def report(
    *,
    generator_ckpt: Annotated[Path | None, Parameter(alias="-x")] = None,
    data_dir: Annotated[Path | None, Parameter(alias="-d")] = None,
    gen_dir: Annotated[Path | None, Parameter(alias="-g")] = None,
    umap: Path | None = None,
    scores: list[Path] | None = None,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("reports"),
    points: int = 2000,
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Gather a run into one HTML file that needs no network: scores, curves, maps to click and hear, the record.

    Args:
        generator_ckpt: Folder of a version, folder of runs, whose newest version is taken, or a checkpoint.
        data_dir: Folder of the real clips, one folder a class. [default: those that the run learnt from]
        gen_dir: Archive that generate made, or a folder of some, of which the latest epoch is taken.
        umap: Folder that umap wrote, with real.umap.npz. [default: umap here or beside the sounds]
        scores: Scores and confusions to show: files, or folders to search; may be given again.
        save_dir: Folder for the page and its manifest.
        points: Sounds on the map, half of them real, at most 20000.
        seed: Seed of which sounds are taken.
        overwrite: Replace a page of the same name.
    """
    if not any((generator_ckpt, data_dir, gen_dir, umap, scores)):
        raise UsageError(
            "Nothing to report on: give a run with -x, real clips with -d, generated sounds with -g, a map with --umap "
            "or scores with --scores; best all of them."
        )
    if not 1 <= points <= MOST:
        raise UsageError(f"--points is {points}: it may be 1 to {MOST}.")
    from canarygan_core.runs import files
    from canarygan_metrics import mapped
    from canarygan_metrics.report import gather, page
    from canarygan_metrics.report.content import Asked, Found, content

    mapped.keep_out(data_dir, [save_dir])
    notes = gather.Notes()
    asked = Asked(generator_ckpt, data_dir, gen_dir, umap, tuple(scores or ()))
    found = Found.search(asked, notes)
    path = save_dir / f"{_stem(found.version)}.html"
    if path.exists() and not overwrite:
        raise CanaryganError(f"{path} is there already: give another --save-dir, or --overwrite.")
    with ending(Manifest.begin(path.with_suffix(".manifest.json"), request, seed=seed)) as manifest:
        shown = content(found, notes, manifest.record, count=points, seed=seed)
        for name, file in notes.inputs.items():
            manifest.add_input(name, file)
        for note in notes.told:
            log.warning(note)
            manifest.warn(note)
        files.write_text(path, page.composed(shown))
        manifest.add_output(path)
    missing = [f"Not in it: {one['what']} {one['command']}".rstrip() for one in shown["missing"].values()]
    size = path.stat().st_size
    text = "\n".join([f"{path} ({size / 1e6:.1f} MB): open it in a browser.", *missing])
    return Answer(text, {"path": str(path), "bytes": size, "missing": shown["missing"], "notes": notes.told})


def _stem(version: str | None) -> str:
    """The page's file name without its ending."""
    return "report" if version is None else "version_" + re.sub(r"[^\w.-]", "_", version)
