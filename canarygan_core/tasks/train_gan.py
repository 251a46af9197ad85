"""`train-gan`: train a generative model on clips."""

import logging
import shlex
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from canarygan_core import runs
from canarygan_core.components import Dataset, Model
from canarygan_core.errors import CanaryganError
from canarygan_core.manifest import Manifest
from canarygan_core.task import Answer, Request, Slot
from canarygan_core.training import Training

if TYPE_CHECKING:
    from canarygan_core.clips import Clips

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
) -> Answer:
    """Train a generative model on clips: a folder of them with -d, or else built-in synthetic syllables.

    Args:
        save_dir: Folder of all versions.
        version: Number or name of this version; infer takes the next free number, or the latest with --resume.
        resume: Go on with a version, with the options it was started with.
    """
    started = Manifest.read(runs.latest(save_dir, version) / "manifest.json") if resume else None
    if started is not None:
        _same_options(request, started)
    clips = dataset.load()
    if started is not None:
        _same_data(clips, started)
    if training.dry_run:
        training = replace(training, devices=1, num_nodes=1)
        with tempfile.TemporaryDirectory() as folder, runs.opened(Path(folder), request) as run:
            model.train(clips, run, training=training)
        return Answer("The dry run went through; nothing was kept.")
    facts = {"dataset": dict(clips.origin), "seed": training.seed}
    with runs.opened(save_dir, request, version=version, resume=resume, facts=facts) as run:
        log.info(f"Version {run.version} in {save_dir}.")
        model.train(clips, run, training=training)
    where = f"-x {shlex.quote(str(run.last))} -s {shlex.quote(str(save_dir / 'generated'))}"
    generate = f"canarygan run generate {where} -n 100 --wav"
    text = f"Trained. Checkpoints: {run.checkpoints}\nListen and look: {run.previews}\nMake sounds: {generate}"
    data = {"version": run.version, "checkpoint": str(run.last), "previews": str(run.previews)}
    return Answer(text, data | {"manifest": str(run.manifest.path)})


def _same_data(clips: "Clips", started: Manifest) -> None:
    """Refuse to go on with other clips than those that the training began with."""
    before = started.record.get("dataset", {}).get("fingerprint")
    if before is not None and before != clips.origin.get("fingerprint"):
        raise CanaryganError(
            f"The clips have changed since {started.path.parent} was started (fingerprint {before[:19]} then, "
            f"{str(clips.origin.get('fingerprint'))[:19]} now). Bring them back, or start anew without --resume."
        )


def _same_options(request: Request, started: Manifest) -> None:
    """Refuse to go on with other options than those that shape what is learnt."""
    before, now = started.record["options"], request.options
    for part in ("model", "dataset", "training"):
        old, new = before[part].get("options", before[part]), now[part].get("options", now[part])
        if before[part].get("name") != now[part].get("name"):
            named = f"--{part} {before[part]['name']}"
            raise CanaryganError(f"{started.path.parent} was started with {named}: leave --{part} out, or start anew.")
        fixed = old.keys() - {"data_dir"} if part != "training" else {"batch_size", "seed"}
        for name in sorted(fixed):
            if old[name] != new.get(name):
                flag = "--" + name.replace("_", "-")
                raise CanaryganError(
                    f"{started.path.parent} was started with {flag} {old[name]}, not {new.get(name)}: "
                    f"leave {flag} out, or start a new version without --resume."
                )
