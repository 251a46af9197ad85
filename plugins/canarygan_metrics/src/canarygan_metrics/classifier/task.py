"""`train-inception`: train the classifier whose embeddings and posteriors scores are computed from."""

import logging
import shlex
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from canarygan_core import Answer, CanaryganError, Dataset, Request, Slot, runs
from canarygan_core.runs.manifest import Manifest
from canarygan_core.runs.resuming import SHAPING, same_data, same_options
from canarygan_metrics.classifier.options import FIXED, ClassifierTraining, Learning

log = logging.getLogger("canarygan")


def train_inception(
    *,
    dataset: Annotated[Dataset, Slot("synthetic", implied={"--data-dir": "folder", "-d": "folder"})],
    learning: Learning = Learning(),  # noqa: B008 frozen
    training: ClassifierTraining = ClassifierTraining(),  # noqa: B008 frozen
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("inception"),
    save_topk: int = 5,
    version: str = runs.INFER,
    resume: bool = False,
    request: Request,
) -> Answer | None:
    """Train the classifier that scores and distances are computed with, and test it on clips held out.

    Args:
        save_dir: Folder of all versions.
        save_topk: Number of checkpoints to keep in all/, those of the least validation loss.
        version: Number or name of this version; infer takes the next free number, or the latest with --resume.
        resume: Go on with a version, with the options it was started with.
    """
    if save_topk < 1:
        raise CanaryganError(f"--save-topk must be at least 1, not {save_topk}.")
    started = Manifest.read(runs.latest(save_dir, version) / "manifest.json") if resume else None
    if started is not None:
        runs.of_task(started, request.task)
        same_options(request, started, {"dataset": None, "learning": FIXED, "training": SHAPING})
    clips = dataset.load()
    if started is not None:
        same_data(clips, started)
    from canarygan_metrics.classifier import training as steps

    rows = steps.split_rows(clips, learning, training.seed)
    if training.dry_run:
        training = replace(training, devices=1, num_nodes=1)
        with tempfile.TemporaryDirectory() as folder, runs.opened(Path(folder), request) as run:
            steps.train(clips, rows, learning, training, run, save_topk)
        return Answer("The dry run went through; nothing was kept.")
    facts = {"dataset": dict(clips.origin), "seed": training.seed}
    with runs.opened(save_dir, request, version=version, resume=resume, facts=facts) as run:
        log.info(f"Version {run.version} in {save_dir}.")
        steps.train(clips, rows, learning, training, run, save_topk)
        if runs.rank() > 0:
            return None
        text, record = steps.test(clips.select(rows.test), run)
    best = run.checkpoints / "best" / "best.ckpt"
    command = f"canarygan inception baseline -m {shlex.quote(str(best))}"
    text += f"\nClassifier: {best}\nIts score on real clips: {command}"
    return Answer(text, {"version": run.version, "checkpoint": str(best), "manifest": str(run.manifest.path)} | record)
