"""`train-gan`: train a generative model on clips."""

import logging
import shlex
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from canarygan_core import runs
from canarygan_core.components import Answer, Dataset, Model, Slot
from canarygan_core.lightning.training import Training
from canarygan_core.runs.manifest import Manifest
from canarygan_core.runs.request import Request
from canarygan_core.runs.resuming import SHAPING, same_data, same_options

log = logging.getLogger("canarygan")


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
        version: Number or name of this version; infer takes the next free number, or the latest with --resume.
        resume: Go on with a version, with the options it was started with.
    """
    started = Manifest.read(runs.latest(save_dir, version) / "manifest.json") if resume else None
    if started is not None:
        same_options(request, started, {"model": None, "dataset": None, "training": SHAPING})
    clips = dataset.load()
    if started is not None:
        same_data(clips, started)
    if training.dry_run:
        training = replace(training, devices=1, num_nodes=1)
        with tempfile.TemporaryDirectory() as folder, runs.opened(Path(folder), request) as run:
            model.train(clips, run, training=training)
        return Answer("The dry run went through; nothing was kept.")
    facts = {"dataset": dict(clips.origin), "seed": training.seed}
    with runs.opened(save_dir, request, version=version, resume=resume, facts=facts) as run:
        log.info(f"Version {run.version} in {save_dir}.")
        model.train(clips, run, training=training)
    if runs.rank() > 0:
        return None
    where = f"-x {shlex.quote(str(run.last))} -s {shlex.quote(str(save_dir / 'generated'))}"
    generate = f"canarygan run generate {where} -n 100 --wav"
    text = f"Trained. Checkpoints: {run.checkpoints}\nListen and look: {run.previews}\nMake sounds: {generate}"
    data = {"version": run.version, "checkpoint": str(run.last), "previews": str(run.previews)}
    return Answer(text, data | {"manifest": str(run.manifest.path)})
