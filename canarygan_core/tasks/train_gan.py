"""`train-gan`: train a generative model on clips."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from canarygan_core import runs
from canarygan_core.components import Answer, Dataset, Model, Slot
from canarygan_core.console import log
from canarygan_core.errors import CanaryganError
from canarygan_core.lightning.session import open_training
from canarygan_core.lightning.training import SHAPING, Training
from canarygan_core.runs import Request, Run

if TYPE_CHECKING:
    from canarygan_core.clips import Clips

FIXED = frozenset({"hold_out", "group_by"})
"""Options of the task that may not change when a training goes on."""


def train_gan(
    *,
    model: Annotated[Model, Slot("wavegan")],
    dataset: Annotated[Dataset, Slot("synthetic", implied={"--data-dir": "folder", "-d": "folder"})],
    training: Training = Training(),  # noqa: B008 frozen
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("runs"),
    version: str = runs.INFER,
    resume: bool = False,
    hold_out: float = 0.0,
    group_by: str = "auto",
    request: Request,
) -> Answer | None:
    """Train a generative model on clips: a folder of them with -d, or else built-in synthetic syllables.

    Args:
        save_dir: Folder of all versions.
        version: Number or name of this version; infer takes the next free number, or the newest with --resume.
        resume: Go on with a version, with the options it was started with.
        hold_out: Share of each class that the model is not trained on, so that its sounds can be compared with clips
            that it has not seen, such as 0.1. --seed chooses the clips, and the manifest names them.
        group_by: What is held out as a whole: auto takes the groups that the dataset knows; none takes each clip
            alone; recording takes the name of a file without its last number; folder takes the folder below that of
            the class; or a regular expression that finds the group in a file's path, such as rec[0-9]+.
    """

    def load() -> "Clips":
        clips = dataset.load()
        if hold_out:
            from canarygan_core.evaluation import holding

            holding.hold_out(clips, hold_out, training.seed, group_by)  # refuses a set before a version is claimed
        return clips

    fixed = {"model": None, "dataset": None, "training": SHAPING, "task": FIXED}
    opened = open_training(load, training, request, save_dir=save_dir, version=version, resume=resume, fixed=fixed)
    with opened as (clips, run, options):
        seen = _hold_out(clips, run, hold_out, training.seed, group_by) if hold_out else clips
        model.train(seen, run, training=options)
    if training.dry_run:
        return Answer("The dry run went through; nothing was kept.")
    if runs.get_rank() > 0:
        return None
    where = f"-x {shlex.quote(str(run.last))} -s {shlex.quote(str(save_dir / 'generated'))}"
    generate = f"canarygan run generate {where} -n 100 --wav"
    text = f"Trained. Checkpoints: {run.checkpoints}\nListen and look: {run.previews}\nMake sounds: {generate}"
    data = {"version": run.version, "checkpoint": str(run.last), "previews": str(run.previews)}
    return Answer(text, data | {"manifest": str(run.manifest.path)})


def _hold_out(clips: "Clips", run: Run, share: float, seed: int, group_by: str) -> "Clips":
    """The clips that are left to train on; those that are held out are named in the run's manifest."""
    from canarygan_core.datasets import cache
    from canarygan_core.evaluation import holding

    held = holding.hold_out(clips, share, seed, group_by)
    before = run.manifest.record.get("held_out")
    if before is not None and before["fingerprint"] != held.record["fingerprint"]:
        raise CanaryganError(f"{run.checkpoints} held out other clips when it was started: start a new version.")
    run.manifest.add(held_out=dict(held.record))
    log.info(f"{len(held.test)} of {len(clips)} clips are held out from training; the manifest names them.")
    rest = replace(clips, audio=clips.audio[:, :0]).select(held.train)
    return replace(rest, audio=cache.keep_rows(clips.audio, held.train))
