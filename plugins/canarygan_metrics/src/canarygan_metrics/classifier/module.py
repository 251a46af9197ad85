"""The classifier as a Lightning module. Every random draw is a function of the seed and the update."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import lightning.pytorch as lightning
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from canarygan_core.audio import Filter
from canarygan_core.audio.noise import alter
from canarygan_core.clips import Clips
from canarygan_core.lightning.checkpointing import Schedule
from canarygan_core.lightning.checkpoints import average_gradients
from canarygan_core.lightning.training import Training, uses_bfloat16
from canarygan_metrics.classifier.classifier import CHUNK, describe
from canarygan_metrics.classifier.network import Network
from canarygan_metrics.classifier.options import Learning
from canarygan_metrics.classifier.spectrogram import Spectrogram

log = logging.getLogger("canarygan")

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of the clips to train on, to stop by, and to test on."""

    train: Rows
    validation: Rows
    test: Rows


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """What a classifier is trained on.

    Attributes:
        sizes: of the spectrograms.
        clips: all of them, with labels.
        rows: which of them to train on, to stop by, and to test on.
    """

    sizes: Spectrogram
    clips: Clips
    rows: Split

    @cached_property
    def targets(self) -> Rows:
        """Number of the class of each clip (clips,)."""
        assert self.clips.labels is not None
        return np.searchsorted(self.clips.classes, self.clips.labels)

    @property
    def held_out(self) -> list[str]:
        """Sources of the clips to test on."""
        sources = self.clips.sources
        return [f"clip {row}" if sources is None else str(sources[row]) for row in self.rows.test]


class BatchRows:
    """The rows of the batch of each update: shuffled passes over the training rows, one after the other.

    Args:
        rows: to train on.
        batch: clips a batch; the last of a pass may be smaller.
        seed: of the shuffling.
        start: update to begin at.
        total: updates of the whole training.
    """

    def __init__(self, rows: Rows, batch: int, seed: int, start: int, total: int) -> None:
        self.rows, self.batch, self.seed, self.start, self.total = rows, batch, seed, start, total

    def __len__(self) -> int:
        return max(0, self.total - self.start)

    def __iter__(self) -> Iterator[Rows]:
        for update in range(self.start, self.total):
            epoch, number = divmod(update, updates_per_epoch(len(self.rows), self.batch))
            order = np.random.default_rng([self.seed, epoch]).permutation(self.rows)
            yield order[number * self.batch : (number + 1) * self.batch]


def alter_some(clips: Clips, share: float, rng: np.random.Generator) -> Clips:
    """Clips, a share of them altered, with noise filtered like them; see `canarygan_core.audio.noise.alter`."""
    audio = np.array(clips.audio)
    rows = np.flatnonzero(rng.random(len(audio)) < share)
    if len(rows):
        audio[rows] = alter(audio[rows], clips.rate, rng, Filter.of(clips.origin))
    return replace(clips, audio=audio)


def updates_per_epoch(clips: int, batch: int) -> int:
    """Updates of a pass over the clips. A last batch of one clip is left out: it has no variance to normalise by."""
    return max(1, clips // batch + (clips % batch > 1))


def rows_of_process(rows: Rows, processes: int, rank: int) -> Rows:
    """A process's part of a batch; all of it where there are fewer than two clips for each, the least to normalise."""
    return rows if len(rows) < 2 * processes else np.array_split(rows, processes)[rank]


class ClassifierModule(lightning.LightningModule):
    """The network, its optimiser, and its loss on the validation clips.

    Args:
        data: what to train on.
        options: what to learn and when to stop.
        training: of the training; its seed determines the first weights and the order of clips.

    Attributes:
        updates: done so far.
        best: least mean cross-entropy on the validation clips after any epoch, nats.
        since_best: epochs since then.
        validated: the same after the last epoch, and the accuracy there.
    """

    def __init__(self, data: TrainingSet, options: Learning, training: Training) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.data, self.options, self.training_options = data, options, training
        self.schedule = Schedule(updates_per_epoch(len(data.rows.train), training.batch_size), training.max_epochs)
        self.in_bfloat16 = uses_bfloat16(training)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.seed)
            self.network = Network(data.sizes.n_mels, data.sizes.frames, len(data.clips.classes))
        self.updates, self.best, self.since_best = 0, float("inf"), 0
        self.validated = (float("inf"), 0.0)

    @property
    def is_exhausted(self) -> bool:
        """Whether the loss has not improved for as many epochs as the patience lasts."""
        return self.options.early_stopping and self.since_best >= self.options.patience

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.network.parameters(), self.options.lr, weight_decay=0.01, fused=True)

    def train_dataloader(self) -> BatchRows:
        size, seed = self.training_options.batch_size, self.training_options.seed
        return BatchRows(self.data.rows.train, size, seed, self.updates, self.schedule.updates)

    def on_train_start(self) -> None:
        self.trainer.should_stop = self.is_exhausted

    def training_step(self, rows: Rows, index: int) -> None:
        """One update from the clips of these rows; after the last of an epoch, validation."""
        own = rows_of_process(rows, self.trainer.world_size, self.global_rank)
        self.network.train()
        logits, targets = self.forward_rows(own, np.random.default_rng([self.training_options.seed, 1, self.updates]))
        loss = F.cross_entropy(logits, targets)
        optimiser: Any = self.optimizers()
        optimiser.zero_grad()
        self.manual_backward(loss)
        if self.trainer.world_size > 1:
            average_gradients(list(self.network.parameters()))
        optimiser.step()
        self.updates += 1
        values = {}
        if self.updates == 1 or self.updates % self.training_options.log_every_n_steps == 0:
            right = (logits.argmax(1) == targets).float().mean()
            values = {"train/loss": float(loss.detach()), "train/accuracy": float(right)}
        if self.updates % self.schedule.per_epoch == 0:
            values |= self.validate()
        for logger in self.loggers if values else ():
            logger.log_metrics({**values, "epoch": self.updates / self.schedule.per_epoch}, step=self.updates)
            logger.save()

    def forward_rows(self, rows: Rows, rng: np.random.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Logits (n, classes) and the numbers of the true classes (n,) of the clips of these rows.

        Where `rng` is given, some of the clips are altered.
        """
        clips = self.data.clips.select(rows)
        if rng is not None and self.options.noise:
            clips = alter_some(clips, self.options.noise, rng)
        spectrograms = self.data.sizes.of(clips).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.in_bfloat16):
            _, logits = self.network(spectrograms)
        return logits.float(), torch.from_numpy(self.data.targets[rows]).to(self.device)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Cross-entropy and accuracy on the validation clips; counts the epochs without progress."""
        self.network.eval()
        loss, right, rows = 0.0, 0.0, self.data.rows.validation
        for start in range(0, len(rows), CHUNK):
            logits, targets = self.forward_rows(rows[start : start + CHUNK])
            loss += float(F.cross_entropy(logits, targets, reduction="sum")) / len(rows)
            right += float((logits.argmax(1) == targets).sum()) / len(rows)
        self.validated = loss, right
        self.since_best = 0 if loss < self.best else self.since_best + 1
        self.best = min(self.best, loss)
        log.debug(f"Epoch {self.schedule.epoch(self.updates)}: validation loss {loss:.4f}, accuracy {right:.3f}.")
        return {"validation/loss": loss, "validation/accuracy": right}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        progress = {"best": self.best, "since_best": self.since_best, "validated": list(self.validated)}
        checkpoint |= {"updates": self.updates, "progress": progress}
        checkpoint["inception"] = describe(self.data.sizes, self.data.clips, self.data.held_out)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.updates, progress = checkpoint["updates"], checkpoint["progress"]
        self.best, self.since_best = progress["best"], progress["since_best"]
        self.validated = tuple(progress["validated"])
