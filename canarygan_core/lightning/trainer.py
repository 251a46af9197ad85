"""The trainer of every plugin that trains with Lightning: one loop, its logs, and going on where it stopped.

Nothing here imports torch or Lightning before a training starts.
"""

import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canarygan_core.console import log, show_bar
from canarygan_core.errors import CanaryganError
from canarygan_core.lightning.checkpointing import Checkpointing
from canarygan_core.lightning.checkpoints import create_writer
from canarygan_core.lightning.logs import create_loggers, leave_to_main_thread
from canarygan_core.lightning.training import Training, set_float32
from canarygan_core.runs import Run, seals

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer


def fit(
    module: "LightningModule",
    training: Training,
    run: Run,
    checkpointing: Checkpointing,
    *,
    strategy: Any = "auto",
) -> int:
    """Train a module until its schedule is done, from `run.resume_from` where that is set.

    Args:
        module: trains by manual optimisation; one call of `training_step` is one update. Its `train_dataloader` gives
            what is needed for the updates that remain.
        training: options.
        run: where everything goes.
        checkpointing: saves and stops.
        strategy: Lightning's. Autocasting is left to the module.

    Returns:
        The updates that are done.

    Raises:
        Interrupted: when stopped by a signal, after saving.
    """
    import lightning.pytorch as lightning
    from lightning.fabric.utilities.exceptions import MisconfigurationException
    from lightning.pytorch.callbacks import LambdaCallback

    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):  # its advice is on habits of its own
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
    done, steps, schedule = 0, 0, checkpointing.schedule
    if run.resume_from is not None:
        done, steps = _read_progress(run.resume_from)
        log.info(f"Going on after {done} updates, epoch {schedule.epoch(done)}.")
    if done >= schedule.updates:
        log.warning(f"Nothing is left to do: ask for more than {schedule.epoch(done)} epochs with --max-epochs.")
        return done
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
            checkpoint["global_step"] += steps  # Lightning's begins anew

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
            with leave_to_main_thread(), set_float32(exact=training.precision == "32"):
                trainer.fit(module, ckpt_path=run.resume_from, weights_only=True)
        except SystemExit as left:  # what Lightning makes of a second Ctrl-C
            raise KeyboardInterrupt from left
    return checkpointing.updates()


def _read_progress(checkpoint: Path) -> tuple[int, int]:
    """The updates after which a checkpoint was saved, and the steps of all optimisers.

    Raises:
        CanaryganError: where it is damaged.
    """
    import torch

    try:
        seals.check_zip(checkpoint)
        content = torch.load(checkpoint, weights_only=True, mmap=True, map_location="cpu")
        return int(content["updates"]), int(content.get("global_step", 0))
    except Exception as error:  # noqa: BLE001 a damaged file may break the reader anywhere
        advice = f"copy the newest whole one from {checkpoint.parents[1] / 'all'} over it, or start a new version"
        raise CanaryganError(f"{checkpoint} is damaged ({type(error).__name__}): {advice}.") from None
