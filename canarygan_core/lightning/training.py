"""What every plugin that trains with Lightning shares: options, trainer, loggers.

Nothing here imports torch or Lightning before a training starts.
"""

import csv
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from canarygan_core import console
from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files, rank

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.loggers import Logger

    from canarygan_core.lightning.checkpointing import Keeper
    from canarygan_core.runs import Run

log = logging.getLogger("canarygan")


@dataclass(frozen=True)
class Training:
    """How a model is trained, whichever it is."""

    max_epochs: int = 1000
    """Passes over the data."""
    batch_size: int = 64
    """Clips a batch, over all devices together."""
    devices: Annotated[int, Parameter(alias="-G")] = 1
    """Devices a node."""
    num_nodes: Annotated[int, Parameter(alias="-N")] = 1
    """Nodes."""
    num_workers: Annotated[int, Parameter(alias="-c")] = 1
    """Threads that read batches ahead of the training; 0 reads them in between."""
    log_every_n_steps: int = 100
    """Updates of the model between two rows of the logs."""
    save_every_n_epochs: int = 15
    """Epochs between two checkpoints kept in all/."""
    seed: int = 0
    """Seed of everything random in the training."""
    precision: Literal["auto", "32", "bf16"] = "auto"
    """Arithmetic of the networks: bfloat16 where the hardware is fast at it; weights stay float32."""
    accelerator: Literal["auto", "cpu", "gpu", "mps"] = "auto"
    """Hardware."""
    dry_run: bool = False
    """Do a few updates on one device, tell how long the whole would take, and leave nothing."""

    def __post_init__(self) -> None:
        least = {"log_every_n_steps": 1, "save_every_n_epochs": 1, "batch_size": 1, "devices": 1, "num_nodes": 1}
        for name, lowest in {**least, "max_epochs": 1, "num_workers": 0, "seed": 0}.items():
            if getattr(self, name) < lowest:
                flag = name.replace("_", "-")
                raise CanaryganError(f"--{flag} must be at least {lowest}, not {getattr(self, name)}.")
        if self.seed >= 2**63:
            raise CanaryganError(f"--seed must be below 2^63, not {self.seed}.")


def fit(
    module: "LightningModule",
    training: Training,
    run: "Run",
    keeper: "Keeper",
    *,
    strategy: Any = "auto",
    precision: Any = "32-true",
) -> None:
    """Train a module until its pace is done, from `run.resume_from` where that is set.

    Args:
        module: trains by manual optimisation; one call of `training_step` is one update. Its `train_dataloader` gives
            what is needed for the updates that remain.
        training: options.
        run: where everything goes.
        keeper: saves and stops.
        strategy: Lightning's.
        precision: Lightning's; the default leaves autocasting to the module.

    Raises:
        Interrupted: when stopped by a signal, after saving.
    """
    import lightning.pytorch as lightning
    from lightning.fabric.utilities.exceptions import MisconfigurationException
    from lightning.pytorch.callbacks import LambdaCallback

    _hush()
    done = 0 if run.resume_from is None else _step(run.resume_from)
    if run.resume_from is not None:
        log.info(f"Going on after {done} updates, epoch {keeper.pace.epoch(done)}.")
    if done >= keeper.pace.updates:
        log.warning(f"Nothing is left to do: ask for more than {keeper.pace.epoch(done)} epochs with --max-epochs.")
        return
    with console.bar("training", keeper.pace.updates) as advance, keeper.listening():

        def started(trainer: "Trainer", module: "LightningModule") -> None:
            keeper.listen()
            advance(keeper.updates())
            if trainer.is_global_zero and keeper.updates() == 0:
                keeper.saved(None)

        def updated(trainer: "Trainer", *_: Any) -> None:
            update = keeper.updates()
            advance(1, note=f"epoch {keeper.pace.epoch(update)} of {keeper.pace.epochs}")
            keeper.after_update(trainer)

        hooks = LambdaCallback(on_train_start=started, on_train_batch_end=updated, on_save_checkpoint=_own_counting)
        try:
            trainer = lightning.Trainer(
                accelerator=training.accelerator,
                devices=training.devices,
                num_nodes=training.num_nodes,
                strategy=strategy,
                precision=precision,
                max_epochs=1,
                logger=loggers(run, done),
                callbacks=[hooks],
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                use_distributed_sampler=False,
            )
        except MisconfigurationException as error:
            asked = f"--accelerator {training.accelerator} -G {training.devices} -N {training.num_nodes}"
            raise CanaryganError(f"{asked} cannot be had here: {str(error).strip().splitlines()[0]}") from None
        try:
            trainer.fit(module, ckpt_path=run.resume_from, weights_only=True)
        except SystemExit as left:  # what Lightning makes of a second Ctrl-C
            raise KeyboardInterrupt from left


def bfloat16(training: Training) -> bool:
    """Whether networks compute in bfloat16: asked for, or fast on this hardware."""
    import torch

    if training.precision != "auto":
        return training.precision == "bf16"
    on_gpu = training.accelerator in ("auto", "gpu") and torch.cuda.is_available()
    return fast_bfloat16("cuda" if on_gpu else "mps" if training.accelerator == "mps" else "cpu")


def fast_bfloat16(device: str) -> bool:
    """Whether a device, as torch spells it, computes faster in bfloat16 than in float32."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device != "cpu":
        return False
    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in asked)


def loggers(run: "Run", done: int) -> "list[Logger]":
    """TensorBoard and CSV logs of a run; what was logged after the updates that are done is taken back."""
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    rows = _rows(run.logs("csv") / "metrics.csv", done)
    table = CSVLogger(str(run.save_dir / "logs" / "csv"), name="", version=run.folder)
    if rank() == 0:
        (run.logs("csv") / "metrics.csv").unlink(missing_ok=True)
        table.experiment.metrics.extend(rows)
        table.save()
    board = TensorBoardLogger(
        str(run.save_dir / "logs" / "tensorboard"),
        name="",
        version=run.folder,
        purge_step=done + 1 if done else None,
    )
    return [board, table]


def _rows(path: Path, step: int) -> list[Any]:
    """The rows of a CSV log up to a step, but for one that was cut short when the machine went down."""
    if not path.is_file():
        return []
    with open(path, encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if (row["step"] or "").isdigit() and int(row["step"]) <= step]


def _step(checkpoint: Path) -> int:
    """The updates after which a checkpoint was saved.

    Raises:
        CanaryganError: where it is damaged.
    """
    import torch

    try:
        files.check_zip(checkpoint)
        return int(torch.load(checkpoint, weights_only=True, mmap=True, map_location="cpu")["updates"])
    except Exception as error:  # noqa: BLE001 a damaged file may break the reader anywhere
        kept = checkpoint.parents[1] / "all"
        raise CanaryganError(
            f"{checkpoint} is damaged ({type(error).__name__}): copy the newest whole one from {kept} over it, "
            "or start a new version."
        ) from None


def _own_counting(trainer: "Trainer", module: "LightningModule", checkpoint: dict[str, Any]) -> None:
    """Leave Lightning's loops out of a checkpoint: the module's own count says where to go on, in whatever process."""
    checkpoint.pop("loops")


def _hush() -> None:
    """Keep Lightning's advice on its own habits from our users; errors still come through."""
    import warnings

    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
