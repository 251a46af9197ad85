"""What every plugin that trains with Lightning shares: options, trainer, loggers, checkpoints, interruption.

Nothing here imports torch or Lightning before a training starts.
"""

import csv
import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from canarygan_core import files, progress
from canarygan_core.errors import CanaryganError, Interrupted

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.loggers import Logger

    from canarygan_core.runs import Run

log = logging.getLogger("canarygan")

TRIED, WARMED = 5, 2
"""Updates of a dry run, and those among them that its estimate of time leaves out."""

SAVE_EVERY_S = 600.0
"""Seconds after which `last.ckpt` is renewed even within an epoch, so that a crash never costs more."""


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
    """Do a few updates, tell how long the whole would take, and leave nothing."""

    def __post_init__(self) -> None:
        least = {"log_every_n_steps": 1, "save_every_n_epochs": 1, "batch_size": 1, "devices": 1, "num_nodes": 1}
        for name, lowest in {**least, "max_epochs": 1, "num_workers": 0, "seed": 0}.items():
            if getattr(self, name) < lowest:
                flag = name.replace("_", "-")
                raise CanaryganError(f"--{flag} must be at least {lowest}, not {getattr(self, name)}.")


@dataclass(frozen=True)
class Pace:
    """How a training is counted: in updates of the model, and in epochs made of them.

    Attributes:
        per_epoch: updates an epoch.
        epochs: epochs of the whole training.
    """

    per_epoch: int
    epochs: int

    @property
    def updates(self) -> int:
        """Updates of the whole training."""
        return self.per_epoch * self.epochs

    def epoch(self, update: int) -> int:
        """Epochs completed after so many updates."""
        return update // self.per_epoch


class Keeper:
    """Saves checkpoints, stops when asked to, and shows how long it still takes.

    Args:
        run: where checkpoints go.
        pace: how updates make epochs.
        training: options; they say how often to save, and whether this is a dry run.
        updates: gives the updates done so far.
        check: called before anything is saved; raises `CanaryganError` where the model is not worth saving.
        saved: called with the path of each checkpoint that stays, and with None before the first update.
    """

    def __init__(
        self,
        run: "Run",
        pace: Pace,
        training: Training,
        *,
        updates: Callable[[], int],
        check: Callable[[], None],
        saved: Callable[[Path | None], None],
    ) -> None:
        self.run, self.pace, self.training = run, pace, training
        self.updates, self.check, self.saved = updates, check, saved
        self.stop: signal.Signals | None = None
        self._renewed = self._warmed = time.monotonic()

    def after_update(self, trainer: "Trainer") -> None:
        """Save where an epoch that is to be kept ends, where the last save is long ago, or where we must stop."""
        update, (epoch, rest) = self.updates(), divmod(self.updates(), self.pace.per_epoch)
        if self.training.dry_run:
            self._estimate(trainer, update)
        stopping = _anywhere(trainer, self.stop is not None)
        if rest == 0 and (epoch % self.training.save_every_n_epochs == 0 or update == self.pace.updates):
            self.keep(trainer)
        elif stopping or _anywhere(trainer, time.monotonic() - self._renewed > SAVE_EVERY_S):
            self._save(trainer, self.run.last)
        if stopping and update < self.pace.updates:
            again = f"--resume --save-dir {self.run.save_dir} --version {self.run.version}"
            raise Interrupted(f"Stopped after {update} updates (epoch {epoch}), all saved. Go on with {again}")

    def _estimate(self, trainer: "Trainer", update: int) -> None:
        """Tell, and stop, once a dry run has done enough to know how long the whole training takes."""
        if update == WARMED:
            self._warmed = time.monotonic()
        if update == min(TRIED, self.pace.updates):
            each = (time.monotonic() - self._warmed) / max(update - WARMED, 1)
            log.info(f"{each:.3g} s an update: about {duration(each * self.pace.updates)} for {self.pace.updates:,} updates.")
            trainer.should_stop = True

    def keep(self, trainer: "Trainer") -> None:
        """Save a checkpoint into `all/`, and as the last one."""
        update = self.updates()
        path = self.run.checkpoints / "all" / f"epoch_{self.pace.epoch(update)}-step_{update}.ckpt"
        self._save(trainer, path)
        if trainer.is_global_zero:
            files.link(path, self.run.last)
            self.run.manifest.add_output(path)
            self.saved(path)

    def _save(self, trainer: "Trainer", path: Path) -> None:
        self.check()
        partial = path.with_name(f".{path.name}.part")
        trainer.save_checkpoint(partial)
        if trainer.is_global_zero:
            partial.replace(path)
            for logger in trainer.loggers:
                logger.save()
        self._renewed = time.monotonic()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the first SIGINT or SIGTERM as a request to stop after the current update; a second one stops at once."""

        def ask(number: int, frame: FrameType | None) -> None:
            self.stop = signal.Signals(number)
            for name, handler in before.items():
                signal.signal(name, handler)
            log.warning(f"{self.stop.name}: stopping after this update; once more stops at once, unsaved.")

        before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
        for name in before:
            signal.signal(name, ask)
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)


def fit(
    module: "LightningModule",
    training: Training,
    run: "Run",
    keeper: Keeper,
    *,
    strategy: Any = "auto",
    precision: Any = "32-true",
) -> None:
    """Train a module until its pace is done, from `run.resume_from` where that is set.

    Args:
        module: trains by manual optimisation; one call of `training_step` is one update. Its `train_dataloader` gives what
            is needed for the updates that remain, and has the length of the whole training.
        training: options.
        run: where everything goes.
        keeper: saves and stops.
        strategy: Lightning's.
        precision: Lightning's; the default leaves autocasting to the module.

    Raises:
        Interrupted: when stopped by a signal, after saving.
    """
    import lightning.pytorch as lightning
    from lightning.pytorch.callbacks import LambdaCallback

    _hush()
    with progress.bar("training", keeper.pace.updates) as advance, keeper.listening():

        def started(trainer: "Trainer", module: "LightningModule") -> None:
            advance(keeper.updates())
            if trainer.is_global_zero and keeper.updates() == 0:
                keeper.saved(None)

        def updated(trainer: "Trainer", *_: Any) -> None:
            update = keeper.updates()
            advance(1, note=f"epoch {keeper.pace.epoch(update)} of {keeper.pace.epochs}")
            keeper.after_update(trainer)

        trainer = lightning.Trainer(
            accelerator=training.accelerator,
            devices=training.devices,
            num_nodes=training.num_nodes,
            strategy=strategy,
            precision=precision,
            max_epochs=1,
            logger=loggers(run),
            callbacks=[LambdaCallback(on_train_start=started, on_train_batch_end=updated)],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
        trainer.fit(module, ckpt_path=run.resume_from, weights_only=True)


def duration(seconds: float) -> str:
    """Seconds in the unit that reads best."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def bfloat16(training: Training) -> bool:
    """Whether networks compute in bfloat16: asked for, or fast on this hardware."""
    import torch

    if training.precision != "auto":
        return training.precision == "bf16"
    if training.accelerator in ("auto", "gpu") and torch.cuda.is_available():
        return torch.cuda.get_device_capability() >= (8, 0)
    if training.accelerator == "mps":
        return False
    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in asked)


def loggers(run: "Run") -> "list[Logger]":
    """TensorBoard and CSV logs of a run; when resuming, what was logged after the checkpoint is taken back."""
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    step = None if run.resume_from is None else _step(run.resume_from)
    rows = [] if step is None else _rows(run.logs("csv") / "metrics.csv", step)
    (run.logs("csv") / "metrics.csv").unlink(missing_ok=True)
    table = CSVLogger(str(run.save_dir / "logs" / "csv"), name="", version=run.folder)
    table.experiment.metrics.extend(rows)
    table.save()
    board = TensorBoardLogger(
        str(run.save_dir / "logs" / "tensorboard"),
        name="",
        version=run.folder,
        purge_step=None if step is None else step + 1,
    )
    return [board, table]


def _rows(path: Path, step: int) -> list[Any]:
    """The rows of a CSV log up to a step."""
    if not path.is_file():
        return []
    with open(path, encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if int(row["step"]) <= step]


def _step(checkpoint: Path) -> int:
    """The updates after which a checkpoint was saved."""
    import torch

    return int(torch.load(checkpoint, weights_only=True, mmap=True, map_location="cpu")["updates"])


def _anywhere(trainer: "Trainer", here: bool) -> bool:
    """Whether a condition holds in any process, so that all of them do the same."""
    if trainer.world_size == 1:
        return here
    return not trainer.strategy.reduce_boolean_decision(not here, all=True)


def _hush() -> None:
    """Keep Lightning's advice on its own habits from our users; errors still come through."""
    import warnings

    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
