"""`train-inception`: train the classifier that inception scores and distances listen with."""

import logging
import math
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from canarygan_core import runs
from canarygan_core.components import Answer, Dataset, Slot
from canarygan_core.errors import CanaryganError
from canarygan_core.lightning.training import Training
from canarygan_core.runs import Run
from canarygan_core.runs.manifest import Manifest
from canarygan_core.runs.request import Request
from canarygan_core.runs.resuming import SHAPING, same_data, same_options
from canarygan_metrics.classifier.options import FIXED, ClassifierTraining, Learning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canarygan_core.clips import Clips

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
    """Train the classifier that inception scores and distances listen with, and test it on clips held out.

    Args:
        save_dir: Folder of all versions.
        save_topk: Checkpoints kept in all/, those of the least validation loss.
        version: Number or name of this version; infer takes the next free number, or the latest with --resume.
        resume: Go on with a version, with the options it was started with.
    """
    import tempfile

    if save_topk < 1:
        raise CanaryganError(f"--save-topk must be at least 1, not {save_topk}.")
    started = Manifest.read(runs.latest(save_dir, version) / "manifest.json") if resume else None
    if started is not None:
        runs.of_task(started, request.task)
        same_options(request, started, {"dataset": None, "learning": FIXED, "training": SHAPING})
    clips = dataset.load()
    if started is not None:
        same_data(clips, started)
    rows = split(clips, learning, training.seed)
    if training.dry_run:
        training = replace(training, devices=1, num_nodes=1)
        with tempfile.TemporaryDirectory() as folder, runs.opened(Path(folder), request) as run:
            _learn(clips, rows, learning, training, run, save_topk)
        return Answer("The dry run went through; nothing was kept.")
    facts = {"dataset": dict(clips.origin), "seed": training.seed}
    with runs.opened(save_dir, request, version=version, resume=resume, facts=facts) as run:
        log.info(f"Version {run.version} in {save_dir}.")
        _learn(clips, rows, learning, training, run, save_topk)
        if runs.rank() > 0:
            return None
        text, record = _tested(clips, rows[2], run)
    best = run.checkpoints / "best" / "best.ckpt"
    again = f"canarygan inception baseline -m {shlex.quote(str(best))}"
    told = f"{text}\nClassifier: {best}\nWhat its score is on real clips: {again}"
    return Answer(told, {"version": run.version, "checkpoint": str(best), "manifest": str(run.manifest.path)} | record)


def split(
    clips: "Clips", learning: Learning, seed: int
) -> "tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]":
    """Rows to learn from, to stop by and to test on: of each class the same shares.

    Raises:
        CanaryganError: where there are too few classes or clips.
    """
    from canarygan_core.evaluation import accuracy

    if clips.labels is None or len(clips.classes) < 2:
        there = f"only {clips.classes[0]}" if clips.classes else "none"
        raise CanaryganError(f"A classifier tells classes apart and needs at least two; these clips have {there}.")
    rest, test = accuracy.split(clips.labels, learning.split, seed)
    train, validation = accuracy.split(clips.labels[rest], learning.validation, seed)
    for side, purpose in ((test, "to test on"), (validation, "to stop by")):
        if not len(side):
            raise CanaryganError(f"No clip is left {purpose}: every class has one or two. Record more of each.")
    few = [label for label in clips.classes if (clips.labels[rest[train]] == label).sum() < 2]
    if few:
        log.warning(f"One clip only to learn from, so do not trust what is told of {', '.join(few)}.")
    return rest[train], rest[validation], test


def _learn(
    clips: "Clips",
    rows: "tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]",
    learning: Learning,
    training: Training,
    run: Run,
    save_topk: int,
) -> None:
    """Train, keeping the best checkpoints."""
    import numpy as np

    from canarygan_core.lightning import checkpoints
    from canarygan_core.lightning import training as shared
    from canarygan_core.lightning.checkpointing import Keeper
    from canarygan_metrics.classifier.checkpoints import Best
    from canarygan_metrics.classifier.module import ClassifierModule, Lesson
    from canarygan_metrics.classifier.spectrogram import Spectrogram

    assert clips.labels is not None
    train, validation, test = rows
    sizes = Spectrogram(scale=learning.scale, samples=round(learning.seconds * Spectrogram.rate))
    sources = clips.sources if clips.sources is not None else np.array([f"clip {row}" for row in range(len(clips))])
    targets = np.searchsorted(clips.classes, clips.labels)
    world = training.devices * training.num_nodes
    if training.batch_size % world or training.batch_size < 2 * world:
        raise CanaryganError(
            f"--batch-size {training.batch_size} cannot be shared by {world} devices, two clips each at least: "
            f"take a multiple of {world}."
        )
    lesson = Lesson(sizes, clips, targets, clips.classes, train, validation, sources[test].tolist())
    module = ClassifierModule(lesson, learning, training)
    log.info(
        f"{len(train)} clips of {len(clips.classes)} classes to learn from, {len(validation)} to stop by, "
        f"{len(test)} to test on; an epoch is {module.pace.per_epoch} updates, "
        f"{'bfloat16' if module.in_bfloat16 else 'float32'}."
    )
    best = Best(run, save_topk, lambda: module.validated[0])
    keeper = Keeper(
        run,
        module.pace,
        training,
        updates=lambda: module.updates,
        check=lambda: _check(module.validated[0], module.updates),
        saved=best.saved,
        done=lambda: module.exhausted,
    )
    shared.fit(module, training, run, keeper, strategy=checkpoints.strategy(training))
    if module.exhausted:
        log.info(f"Stopped after epoch {module.pace.epoch(module.updates)}: no progress for {learning.patience}.")
    run.manifest.add(result={"updates": module.updates, "epochs": module.pace.epoch(module.updates)})


def _check(loss: float, updates: int) -> None:
    """Refuse to save a network that has broken."""
    if math.isnan(loss):
        raise CanaryganError(f"Training broke by update {updates}: the validation loss is NaN. Take a lower --lr.")


def _tested(clips: "Clips", test: "NDArray[np.intp]", run: Run) -> "tuple[str, dict[str, object]]":
    """Accuracy and F1 of the best checkpoint on the held-out clips, for people and for programs; figure and file."""
    import numpy as np

    from canarygan_core.evaluation import accuracy
    from canarygan_core.fitted import decoders
    from canarygan_core.runs import files
    from canarygan_metrics.classifier import classifier

    best = classifier.load(run.checkpoints)
    held = clips.select(test)
    _, posteriors = best.hear(held)
    assert held.labels is not None
    score = accuracy.score(held.labels, decoders.labels_of(posteriors, best.classes), best.classes)
    path = run.checkpoints / "metrics-inception.npz"
    with files.replacing(path) as partial, open(partial, "wb") as stream:
        np.savez(stream, **score.arrays())  # type: ignore[arg-type]
    figure = run.checkpoints / "confusion-inception.png"
    accuracy.draw(figure, score, f"Classifier: accuracy {score.accuracy:.3f}")
    for made in (path, figure):
        run.manifest.add_output(made)
    run.manifest.add(test=score.record())
    if score.interval[0] <= 1 / len(best.classes):
        run.warn("The classifier is hardly better than chance: no score that it gives means anything. Train it longer.")
    return f"Held-out accuracy {score.told()}, macro F1 {score.macro_f1:.3f}", {"test": score.record()}
