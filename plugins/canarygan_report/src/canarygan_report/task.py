"""`report`: gather a run into one HTML file."""

import logging
import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from canarygan_core import Answer, Dataset, Request, Slot
from canarygan_core.errors import UsageError
from canarygan_core.runs import Manifest

log = logging.getLogger("canarygan")

INPUTS = ("a run -x", "real clips -d", "generated sounds -g", "a map --umap", "scores --scores")

MOST = 20_000
"""Most points of a page."""


def report(
    *,
    generator_ckpt: Annotated[Path | None, Parameter(alias="-x")] = None,
    dataset: Annotated[Dataset | None, Slot(implied={"--data-dir": "folder", "-d": "folder"})] = None,
    gen_dir: Annotated[Path | None, Parameter(alias="-g")] = None,
    umap: Path | None = None,
    scores: list[Path] | None = None,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("reports"),
    points: int = 2000,
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Gather a run into one HTML file that needs no network: scores, curves, a map of sounds to hear, the record.

    The real clips are those of --dataset or -d, or else those that the run was trained on.

    Args:
        generator_ckpt: Folder of a version, folder of runs, whose newest version is taken, or a checkpoint.
        gen_dir: Archive of generated sounds, or a folder of archives, of which the latest epoch is taken.
        umap: Folder that umap wrote, with real.umap.npz. [default: umap here or beside the sounds]
        scores: Scores and confusions to show: files, or folders to search. Repeat the option to give several.
        save_dir: Folder for the page and its manifest.
        points: Number of sounds on the map, half of them real, at most 20000.
        seed: Seed of the random choice of sounds.
        overwrite: Replace a page of the same name.
    """
    if not any((generator_ckpt, dataset, gen_dir, umap, scores)):
        raise UsageError(f"Nothing to report on: give {', '.join(INPUTS)}; best all of them.")
    if not 1 <= points <= MOST:
        raise UsageError(f"--points is {points}: it may be 1 to {MOST}.")
    from canarygan_core.runs import files
    from canarygan_report import page
    from canarygan_report.content import make_content
    from canarygan_report.inputs import Given, Inputs, Notes

    files.check_outside(getattr(dataset, "data_dir", None), save_dir)
    notes = Notes()
    given = Given(generator_ckpt, dataset, request.given, gen_dir, umap, tuple(scores or ()))
    inputs = Inputs.find(given, notes)
    name = "report" if inputs.version is None else "version_" + re.sub(r"[^\w.-]", "_", inputs.version)
    path = save_dir / f"{name}.html"
    absent = files.check_absent(path, overwrite=overwrite)
    with Manifest.begin(path.with_suffix(".manifest.json"), request, absent=absent, seed=seed) as manifest:
        content = make_content(inputs, notes, manifest.record, count=points, seed=seed)
        for name, file in notes.inputs.items():
            manifest.add_input(name, file)
        for message in notes.messages:
            log.warning(message)
            manifest.warn(message)
        files.write_text(path, page.compose(content))
        manifest.add_output(path)
    absent = content["missing"].values()
    missing = [f"Not in it: {one['what']}" for one in absent]
    missing += dict.fromkeys(one["looked"] for one in absent if one["looked"])
    if commands := dict.fromkeys(command for one in absent for command in one["commands"]):
        missing += ["These make it, one after the other:", *(f"  {command}" for command in commands)]
    size = path.stat().st_size
    text = "\n".join([f"{path} ({size / 1e6:.1f} MB): open it in a browser.", *missing])
    return Answer(text, {"path": str(path), "bytes": size, "missing": content["missing"], "notes": notes.messages})
