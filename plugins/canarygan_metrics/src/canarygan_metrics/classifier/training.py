"""The steps of `train-inception`: split the clips, train while keeping the best checkpoints, test on held-out clips."""

import json
import logging
import math
import re
from pathlib import Path

from canarygan_core import CanaryganError
from canarygan_core.clips import Clips
from canarygan_core.evaluation import accuracy, holding
from canarygan_core.fitted import decoders
from canarygan_core.lightning import checkpoints, trainer
from canarygan_core.lightning.checkpointing import Checkpointing
from canarygan_core.lightning.training import Training
from canarygan_core.runs import Run, files
from canarygan_core.runs.documents import read_json
from canarygan_metrics.classifier import classifier
from canarygan_metrics.classifier.module import ClassifierModule, Split, TrainingSet
from canarygan_metrics.classifier.options import Learning
from canarygan_metrics.classifier.spectrogram import Spectrogram

log = logging.getLogger("canarygan")


def split_rows(clips: Clips, learning: Learning, seed: int) -> Split:
    """Rows to train, validate and test on: the same share of each class.

    Raises:
        CanaryganError: where there are too few classes or clips.
    """
    if clips.labels is None or len(clips.classes) < 2:
        known = f"only {clips.classes[0]}" if clips.classes else "none"
        raise CanaryganError(f"A classifier tells classes apart and needs at least two; these clips have {known}.")
    groups = holding.find_groups(clips, learning.group_by)
    rest, test = accuracy.split(clips.labels, learning.split, seed, groups)
    left = None if groups is None else groups[rest]
    train, validation = (rest[rows] for rows in accuracy.split(clips.labels[rest], learning.validation, seed, left))
    for rows, purpose in ((test, "to test on"), (validation, "to stop by")):
        if not len(rows):
            raise CanaryganError(f"No clip is left {purpose}: every class has one or two. Record more of each.")
    few = [label for label in clips.classes if (clips.labels[train] == label).sum() < 2]
    if few:
        log.warning(f"Only one clip to train on, so do not trust the results for {', '.join(few)}.")
    return Split(train, validation, test)


def train(clips: Clips, rows: Split, learning: Learning, training: Training, run: Run, save_topk: int) -> None:
    """Train, and keep the checkpoints of least validation loss.

    Raises:
        CanaryganError: where the batch size does not fit the devices, or the loss becomes NaN.
    """
    world = training.devices * training.num_nodes
    if training.batch_size % world or training.batch_size < 2 * world:
        shared_by = f"shared by {world} devices, two clips each at least"
        raise CanaryganError(f"--batch-size {training.batch_size} cannot be {shared_by}: take a multiple of {world}.")
    sizes = Spectrogram(scale=learning.scale, samples=round(learning.seconds * Spectrogram.rate))
    module = ClassifierModule(TrainingSet(sizes, clips, rows), learning, training)
    counts = f"{len(rows.train)} clips to train on, {len(rows.validation)} to stop by, {len(rows.test)} to test on"
    arithmetic = "bfloat16" if module.in_bfloat16 else "float32"
    log.info(f"{len(clips.classes)} classes, {counts}; {module.schedule.per_epoch} updates an epoch, in {arithmetic}.")

    def check() -> None:
        if math.isnan(module.validated[0]):
            raise CanaryganError(f"The validation loss is NaN after update {module.updates}: take a lower --lr.")

    checkpointing = Checkpointing(
        run,
        module.schedule,
        training,
        updates=lambda: module.updates,
        check=check,
        saved=lambda path: None if path is None else keep_best(run, path, module.validated[0], save_topk),
        done=lambda: module.is_exhausted,
    )
    updates = trainer.fit(module, training, run, checkpointing, strategy=checkpoints.create_strategy(training))
    epochs = module.schedule.epoch(updates)
    if module.is_exhausted:
        log.info(f"Stopped after epoch {epochs}: no progress for {learning.patience}.")
    run.manifest.add(result={"updates": updates, "epochs": epochs})


def keep_best(run: Run, checkpoint: Path, loss: float, count: int) -> None:
    """Record a checkpoint's validation loss in nats, keep the `count` of least loss, and copy the best to `best/`.

    `all/losses.json` holds the loss of each, so that a resumed training goes on from them. It is written before
    anything is deleted or copied; what a kill leaves undone is done after the next checkpoint.
    """
    record = checkpoint.with_name("losses.json")
    losses = {**_read_losses(record), checkpoint.name: loss}
    kept = [path for path in run.list_checkpoints() if re.fullmatch(r"epoch_\d+-step_\d+\.ckpt", path.name)]
    for path in kept:
        if path.name not in losses:  # saved by a process that was killed before it could record it
            losses[path.name] = float(checkpoints.read(path)["progress"]["validated"][0])
    ranked = sorted(kept, key=lambda path: losses[path.name])
    files.write_text(record, json.dumps({path.name: losses[path.name] for path in ranked[:count]}, indent=2) + "\n")
    for path in ranked[count:]:
        run.manifest.remove_output(path)  # first: of a file that is gone nothing would tell the next keep_best
        files.remove(path)
    if not run.best.is_file() or files.compute_digest(run.best) != files.compute_digest(ranked[0]):
        files.copy(ranked[0], run.best)
    run.manifest.add_output(run.best)


def _read_losses(path: Path) -> dict[str, float]:
    """The losses in a record, by the name of the checkpoint."""
    try:
        losses = read_json(path) if path.is_file() else {}
        return {name: float(loss) for name, loss in losses.items() if math.isfinite(loss)}
    except (CanaryganError, TypeError, AttributeError) as error:
        raise CanaryganError(f"{path} does not hold losses of checkpoints ({error}): delete it.") from None


def test(clips: Clips, run: Run) -> tuple[str, dict[str, object]]:
    """Test the best checkpoint on held-out clips: accuracy and F1 as text and as a record, a figure and a file."""
    best = classifier.load(run.checkpoints)
    _, posteriors = best.classify(clips)
    assert clips.labels is not None
    score = accuracy.compute_report(clips.labels, decoders.pick_labels(posteriors, best.classes), best.classes)
    for path in accuracy.save_report(run.checkpoints, "inception", score):
        run.manifest.add_output(path)
    run.manifest.add(test=score.to_json())
    if score.interval[0] <= 1 / len(best.classes):
        run.warn("The classifier is hardly better than chance: no score that it gives means anything. Train it longer.")
    return f"Held-out accuracy {score.describe()}, macro F1 {score.macro_f1:.3f}", {"test": score.to_json()}
