"""The trainer of every plugin that trains with Lightning: one loop, its logs, and going on where it stopped.

Nothing here imports torch or Lightning before a training starts.
"""

import csv
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canarygan_core.console import log, show_bar
from canarygan_core.errors import CanaryganError
from canarygan_core.lightning.checkpointing import Checkpointing
from canarygan_core.lightning.checkpoints import create_writer
from canarygan_core.lightning.training import Training, set_float32
from canarygan_core.runs import Run, get_rank, seals

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.loggers import Logger


def fit(
    module: "LightningModule",
    training: Training,
    run: Run,
    checkpointing: Checkpointing,
    *,
    strategy: Any = "auto",
) -> None:
    """Train a module until its schedule is done, from `run.resume_from` where that is set.

    Args:
        module: trains by manual optimisation; one call of `training_step` is one update. Its `train_dataloader` gives
            what is needed for the updates that remain.
        training: options.
        run: where everything goes.
        checkpointing: saves and stops.
        strategy: Lightning's. Autocasting is left to the module.

    Raises:
        Interrupted: when stopped by a signal, after saving.
    """
    import lightning.pytorch as lightning
    from lightning.fabric.utilities.exceptions import MisconfigurationException
    from lightning.pytorch.callbacks import LambdaCallback

    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):  # its advice is on habits of its own
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
    done, schedule = 0, checkpointing.schedule
    if run.resume_from is not None:
        done = _read_step(run.resume_from)
        log.info(f"Going on after {done} updates, epoch {schedule.epoch(done)}.")
    if done >= schedule.updates:
        log.warning(f"Nothing is left to do: ask for more than {schedule.epoch(done)} epochs with --max-epochs.")
        return
    with show_bar("training", schedule.updates) as advance, checkpointing.handle_signals():

        def started(trainer: "Trainer", _: Any) -> None:
            checkpointing.take_signals()
            advance(checkpointing.updates())
            if trainer.is_global_zero and checkpointing.updates() == 0:
                checkpointing.saved(None)

        def updated(trainer: "Trainer", *_: Any) -> None:
            advance(1, note=f"epoch {schedule.epoch(checkpointing.updates())} of {schedule.epochs}")
            checkpointing.after_update(trainer)

        def drop_loops(trainer: Any, module: Any, checkpoint: dict[str, Any]) -> None:
            checkpoint.pop("loops")  # the module's own count says where to go on, in whatever process

        hooks = LambdaCallback(on_train_start=started, on_train_batch_end=updated, on_save_checkpoint=drop_loops)
        try:
            trainer = lightning.Trainer(
                accelerator=training.accelerator,
                devices=training.devices,
                num_nodes=training.num_nodes,
                strategy=strategy,
                max_epochs=1,
                logger=create_loggers(run, done),
                callbacks=[hooks],
                plugins=[create_writer()],
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                use_distributed_sampler=False,
            )
        except MisconfigurationException as error:
            asked = f"--accelerator {training.accelerator} -G {training.devices} -N {training.num_nodes}"
            raise CanaryganError(f"{asked} cannot be had here: {str(error).strip().splitlines()[0]}") from None
        try:
            with set_float32(exact=training.precision == "32"):
                trainer.fit(module, ckpt_path=run.resume_from, weights_only=True)
        except SystemExit as left:  # what Lightning makes of a second Ctrl-C
            raise KeyboardInterrupt from left


def create_loggers(run: Run, done: int) -> "list[Logger]":
    """TensorBoard and CSV logs of a run; what was logged after the updates that are done is taken back."""
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    path, folder = run.logs("csv") / "metrics.csv", run.save_dir / "logs"
    table = CSVLogger(folder / "csv", name="", version=run.folder)
    if get_rank() == 0:
        rows: list[Any] = []
        if path.is_file():
            with open(path, encoding="utf-8", newline="") as stream:
                rows = list(csv.DictReader(stream))
            path.unlink()
        # The last row may have been cut short.
        kept = [row for row in rows if (row["step"] or "").isdigit() and int(row["step"]) <= done]
        table.experiment.metrics.extend(kept)
        table.save()
    purge = done + 1 if done else None
    return [TensorBoardLogger(folder / "tensorboard", name="", version=run.folder, purge_step=purge), table]


def _read_step(checkpoint: Path) -> int:
    """The updates after which a checkpoint was saved.

    Raises:
        CanaryganError: where it is damaged.
    """
    import torch

    try:
        seals.check_zip(checkpoint)
        return int(torch.load(checkpoint, weights_only=True, mmap=True, map_location="cpu")["updates"])
    except Exception as error:  # noqa: BLE001 a damaged file may break the reader anywhere
        advice = f"copy the newest whole one from {checkpoint.parents[1] / 'all'} over it, or start a new version"
        raise CanaryganError(f"{checkpoint} is damaged ({type(error).__name__}): {advice}.") from None
