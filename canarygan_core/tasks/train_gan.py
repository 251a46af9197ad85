"""`train-gan`: train a generative model on clips."""

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from canarygan_core import runs
from canarygan_core.components import Answer, Dataset, Model, Slot
from canarygan_core.lightning.session import open_training
from canarygan_core.lightning.training import SHAPING, Training
from canarygan_core.runs import Request


def train_gan(
    *,
    model: Annotated[Model, Slot("wavegan")],
    dataset: Annotated[Dataset, Slot("synthetic", implied={"--data-dir": "folder", "-d": "folder"})],
    training: Training = Training(),  # noqa: B008 frozen
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("runs"),
    version: str = runs.INFER,
    resume: bool = False,
    request: Request,
) -> Answer | None:
    """Train a generative model on clips: a folder of them with -d, or else built-in synthetic syllables.

    Args:
        save_dir: Folder of all versions.
        version: Number or name of this version; infer takes the next free number, or the newest with --resume.
        resume: Go on with a version, with the options it was started with.
    """
    fixed = {"model": None, "dataset": None, "training": SHAPING}
    opened = open_training(
        dataset.load, training, request, save_dir=save_dir, version=version, resume=resume, fixed=fixed
    )
    with opened as (clips, run, options):
        model.train(clips, run, training=options)
    if training.dry_run:
        return Answer("The dry run went through; nothing was kept.")
    if runs.get_rank() > 0:
        return None
    where = f"-x {shlex.quote(str(run.last))} -s {shlex.quote(str(run.save_dir / 'generated'))}"
    generate = f"canarygan run generate {where} -n 100 --wav"
    text = f"Trained. Checkpoints: {run.checkpoints}\nListen and look: {run.previews}\nMake sounds: {generate}"
    data = {"version": run.version, "checkpoint": str(run.last), "previews": str(run.previews)}
    return Answer(text, data | {"manifest": str(run.manifest.path)})
