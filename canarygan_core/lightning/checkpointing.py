"""Checkpointing: checkpoints on time, a stop when asked for, and the time that is left."""

import os
import shlex
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from canarygan_core.console import format_duration, log
from canarygan_core.errors import FULL, CanaryganError, Interrupted
from canarygan_core.runs import files

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from canarygan_core.lightning.training import Training
    from canarygan_core.runs import Run

DRY_UPDATES, WARM_UP = 5, 2
"""Updates of a dry run, and those among them that its estimate of time leaves out."""

STOPS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that ask a training to stop; SIGHUP, of a terminal that is closed, is the last."""

SAVE_EVERY_S = 600.0
"""Seconds after which `last.ckpt` is renewed even within an epoch, so that a crash never costs more."""


@dataclass(frozen=True)
class Schedule:
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


@dataclass(eq=False)
class Checkpointing:
    """Saves checkpoints, stops when asked to, and shows how long it still takes.

    Args:
        run: where checkpoints go.
        schedule: how updates make epochs.
        training: options; they say how often to save, and whether this is a dry run.
        updates: gives the updates done so far.
        check: called before anything is saved; raises `CanaryganError` where the model is not worth saving.
        saved: called with the path of each checkpoint that stays, and with None before the first update.
        done: asked at the end of each epoch whether the training has learnt all it can and should end.
    """

    run: "Run"
    schedule: Schedule
    training: "Training"
    _: KW_ONLY
    updates: Callable[[], int]
    check: Callable[[], None]
    saved: Callable[[Path | None], None]
    done: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        self.stop: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._renewed = self._warmed = time.monotonic()
        self._began: tuple[int, float] | None = None

    def after_update(self, trainer: "Trainer") -> None:
        """Save where an epoch that is to be kept ends, where the last save is long ago, or where we must stop."""
        update, (epoch, rest) = self.updates(), divmod(self.updates(), self.schedule.per_epoch)
        self._began = self._began or (update, time.monotonic())
        if self.training.dry_run:
            self._estimate(trainer, update)
            if self.stop is not None:
                raise Interrupted("The dry run was stopped; nothing was kept.")
        stopping = _is_true_anywhere(trainer, self.stop is not None)
        ended = update == self.schedule.updates or (rest == 0 and self.done())
        trainer.should_stop |= ended
        if rest == 0 and (ended or epoch % self.training.save_every_n_epochs == 0):
            self.save_epoch(trainer)
        elif stopping or _is_true_anywhere(trainer, time.monotonic() - self._renewed > SAVE_EVERY_S):
            self._save(trainer, self.run.last)
        if stopping and not ended:
            folder, task = shlex.quote(str(self.run.save_dir)), self.run.manifest.record["task"]
            again = f"canarygan run {task} --resume --save-dir {folder} --version {self.run.version}"
            raise Interrupted(f"Stopped after {update} updates (epoch {epoch}), all saved. Go on with {again}")

    def _estimate(self, trainer: "Trainer", update: int) -> None:
        """Tell, and stop, once a dry run has done enough to know how long the whole training takes."""
        if update == WARM_UP:
            self._warmed = time.monotonic()
        if update == min(DRY_UPDATES, self.schedule.updates):
            each = (time.monotonic() - self._warmed) / max(update - WARM_UP, 1)
            whole = format_duration(each * self.schedule.updates)
            log.info(f"{each:.3g} s an update: about {whole} for {self.schedule.updates:,} updates.")
            trainer.should_stop = True

    def save_epoch(self, trainer: "Trainer") -> None:
        """Save a checkpoint into `all/`, and as the last one when all else is done that goes with it.

        So a process that is killed in between goes on before it, and does everything again. The copy is made before
        `saved`, which may drop the checkpoint.
        """
        update = self.updates()
        path = self.run.checkpoints / "all" / f"epoch_{self.schedule.epoch(update)}-step_{update}.ckpt"
        self._save(trainer, path)
        if trainer.is_global_zero:
            with files.replace_file(self.run.last, sync=True) as draft:
                shutil.copyfile(path, draft)
                self.run.manifest.add_output(path)
                self.saved(path)
            epochs = f"{self.schedule.epoch(update)} of {self.schedule.epochs}"
            log.info(f"Epoch {epochs}, {update} updates{self._format_rest(update)}.")

    def _format_rest(self, update: int) -> str:
        """How long the rest takes at the pace so far, for a message."""
        since, began = self._began or (update, 0.0)
        if update == since or update == self.schedule.updates:
            return ""
        each = (time.monotonic() - began) / (update - since)
        return f"; about {format_duration(each * (self.schedule.updates - update))} left"

    def _save(self, trainer: "Trainer", path: Path) -> None:
        self.check()
        with files.replace_file(path, sync=True) if trainer.is_global_zero else nullcontext(path) as draft:
            try:
                trainer.save_checkpoint(draft)
            except (OSError, RuntimeError) as error:
                raise CanaryganError(f"Cannot write {path}: {_explain(error, path.parent)}") from error
        for logger in trainer.loggers if trainer.is_global_zero else ():
            logger.save()
        self._renewed = time.monotonic()

    @contextmanager
    def handle_signals(self) -> Iterator[None]:
        """Take a first SIGINT, SIGTERM or SIGHUP as a request to stop after this update; a second stops at once.

        A SIGHUP that was ignored before, as by nohup, stays so. A second one stops nothing: a terminal that is closed
        sends more than one.
        """
        before = {number: signal.getsignal(number) for number in STOPS}
        self._before = {
            number: handler for number, handler in before.items() if number in STOPS[:2] or handler != signal.SIG_IGN
        }
        self.take_signals()
        try:
            yield
        finally:
            for name, handler in self._before.items():
                signal.signal(name, handler)

    def take_signals(self) -> None:
        """Take the signals, from Lightning too: its own handling of SIGTERM would end an update before it is saved."""
        for name in self._before if self.stop is None else ():
            signal.signal(name, self._request_stop)

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        self.stop = signal.Signals(number)
        for name, handler in self._before.items():
            signal.signal(name, handler if name in STOPS[:2] else signal.SIG_IGN)
        log.warning(f"{self.stop.name}: stopping after this update; once more stops at once, unsaved.")


def _explain(error: Exception, folder: Path) -> str:
    """Why a checkpoint could not be written, and what to do, to be read after its path."""
    number = getattr(error, "errno", None)
    if number in FULL:
        return f"{os.strerror(number)}. Make room, and go on with --resume."
    if number is not None:
        return f"{os.strerror(number)}. Mend that, and go on with --resume."
    free = (
        shutil.disk_usage(folder).free if folder.is_dir() else 0
    )  # torch's own writer says nothing but that it failed
    return f"{str(error).splitlines()[0]} ({free / 1e9:.1f} GB are free). Mend that, and go on with --resume."


def _is_true_anywhere(trainer: "Trainer", here: bool) -> bool:
    """Whether a condition holds in any process, so that all of them do the same."""
    if trainer.world_size == 1:
        return here
    return not trainer.strategy.reduce_boolean_decision(not here, all=True)
