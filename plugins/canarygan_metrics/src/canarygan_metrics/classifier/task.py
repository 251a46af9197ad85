"""`train-inception`: train the classifier whose embeddings and posteriors scores are computed from."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from canarygan_core import Answer, CanaryganError, Dataset, Request, Slot, runs
from canarygan_core.lightning.session import open_training
from canarygan_core.lightning.training import SHAPING
from canarygan_core.plugins import options as options_of
from canarygan_metrics.classifier.options import FIXED, ClassifierTraining, Learning

if TYPE_CHECKING:
    from canarygan_core.clips import Clips


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
    from canarygan_metrics.classifier import training as steps

    def load() -> "Clips":
        clips = dataset.load()
        steps.split_rows(clips, learning, training.seed)  # refuses a set before a version is claimed
        return clips

    places: dict[str, Any] = {"save_dir": save_dir, "version": version, "resume": resume}
    fixed = {"dataset": None, "learning": FIXED, "training": SHAPING}
    with open_training(load, training, request, **places, fixed=fixed) as (clips, run, options):
        rows = steps.split_rows(clips, learning, training.seed)
        steps.train(clips, rows, learning, options, run, save_topk)
        if training.dry_run:
            return Answer("The dry run went through; nothing was kept.")
        if runs.get_rank() > 0:
            return None
        text, record = steps.test(clips.select(rows.test), run)
    chosen = options_of.spell(dataset, "" if dataset.name == "folder" else "--dataset")
    command = f"canarygan inception baseline -m {shlex.quote(str(run.best))} {chosen}".rstrip()
    text += f"\nClassifier: {run.best}\nIts score on real clips: {command}"
    return Answer(
        text, {"version": run.version, "checkpoint": str(run.best), "manifest": str(run.manifest.path)} | record
    )
