"""How the classifier learns: what it sees, its steps, and when to stop. Every draw is a function of seed and update."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import lightning.pytorch as lightning
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from canarygan_core.audio.noise import add_noise
from canarygan_core.clips import Clips
from canarygan_core.lightning import training as shared
from canarygan_core.lightning.checkpointing import Pace
from canarygan_core.lightning.checkpoints import average_gradients
from canarygan_core.lightning.training import Training
from canarygan_metrics.classifier.classifier import CHUNK, described
from canarygan_metrics.classifier.network import Network
from canarygan_metrics.classifier.options import Learning
from canarygan_metrics.classifier.spectrogram import Spectrogram

log = logging.getLogger("canarygan")

SNR = (10.0, 40.0)
"""Signal to noise of a clip under noise, from and to, dB."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a classifier learns from.

    Attributes:
        sizes: of the spectrograms.
        clips: all of them.
        targets: (clips,) number of each one's class.
        classes: labels by their number.
        train: rows to learn from.
        validation: rows to stop by.
        held_out: sources of the clips in neither.
    """

    sizes: Spectrogram
    clips: Clips
    targets: NDArray[np.intp]
    classes: list[str]
    train: NDArray[np.intp]
    validation: NDArray[np.intp]
    held_out: list[str]


class Rows:
    """The rows of each update's batch, one shuffled pass over the training rows after the other.

    Args:
        rows: to learn from.
        batch: clips a batch; the last of a pass may be smaller.
        seed: of the shuffling.
        start: update to begin at.
        total: updates of the whole training.
    """

    def __init__(self, rows: NDArray[np.intp], batch: int, seed: int, start: int, total: int) -> None:
        self.rows, self.batch, self.seed, self.start, self.total = rows, batch, seed, start, total

    def __len__(self) -> int:
        return max(0, self.total - self.start)

    def __iter__(self) -> Iterator[NDArray[np.intp]]:
        for update in range(self.start, self.total):
            epoch, number = divmod(update, per_epoch(len(self.rows), self.batch))
            order = np.random.default_rng([self.seed, epoch]).permutation(self.rows)
            yield order[number * self.batch : (number + 1) * self.batch]


def noisy(clips: Clips, share: float, rng: np.random.Generator) -> Clips:
    """Clips, a share of them under white noise, `SNR` below their sound."""
    audio = np.array(clips.audio)
    for row in np.flatnonzero(rng.random(len(audio)) < share):
        audio[row] = add_noise(audio[row], clips.rate, rng.uniform(*SNR), rng)
    return replace(clips, audio=audio)


def per_epoch(clips: int, batch: int) -> int:
    """Updates a pass over the clips. A last batch of one clip joins no pass: it has no spread to normalise by."""
    return max(1, clips // batch + (clips % batch > 1))


def portion(rows: NDArray[np.intp], processes: int, rank: int) -> NDArray[np.intp]:
    """A process's part of a batch; all of it where there are not two clips for each, the least to normalise by."""
    return rows if len(rows) < 2 * processes else np.array_split(rows, processes)[rank]


class ClassifierModule(lightning.LightningModule):
    """The network, its optimiser, and how well it does on the clips to stop by.

    Args:
        lesson: what to learn from.
        options: of the learning.
        training: of the training; its seed governs the first weights and the order of clips.

    Attributes:
        updates: done so far.
        best: least mean cross-entropy on the validation clips after any epoch, nats.
        since_best: epochs since then.
        validated: the same after the last epoch, and the accuracy there.
    """

    def __init__(self, lesson: Lesson, options: Learning, training: Training) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.lesson, self.options, self.training_options = lesson, options, training
        self.pace = Pace(per_epoch(len(lesson.train), training.batch_size), training.max_epochs)
        self.in_bfloat16 = shared.bfloat16(training)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.seed)
            self.network = Network(lesson.sizes.n_mels, lesson.sizes.frames, len(lesson.classes))
        self.updates, self.best, self.since_best = 0, float("inf"), 0
        self.validated = (float("inf"), 0.0)

    @property
    def exhausted(self) -> bool:
        """Whether it has not got better for as many epochs as its patience lasts."""
        return self.options.early_stopping and self.since_best >= self.options.patience

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.network.parameters(), self.options.lr, weight_decay=0.01, fused=True)

    def train_dataloader(self) -> Rows:
        size, seed = self.training_options.batch_size, self.training_options.seed
        return Rows(self.lesson.train, size, seed, self.updates, self.pace.updates)

    def on_train_start(self) -> None:
        self.trainer.should_stop = self.exhausted

    def training_step(self, rows: NDArray[np.intp], index: int) -> None:
        """One update from the clips of these rows; after an epoch's last, a look at the validation clips."""
        own = portion(rows, self.trainer.world_size, self.global_rank)
        self.network.train()
        logits, targets = self.judged(own, np.random.default_rng([self.training_options.seed, 1, self.updates]))
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
        if self.updates % self.pace.per_epoch == 0:
            values |= self.validate()
        if values:
            self.log_values(values)

    def judged(self, rows: NDArray[np.intp], rng: np.random.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Logits (n, classes) and the numbers of the true classes (n,) of the clips of these rows.

        Where `rng` is given, some of the clips are under noise.
        """
        clips = self.lesson.clips.select(rows)
        if rng is not None and self.options.noise:
            clips = noisy(clips, self.options.noise, rng)
        spectrograms = self.lesson.sizes.of(clips).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.in_bfloat16):
            _, logits = self.network(spectrograms)
        return logits.float(), torch.from_numpy(self.lesson.targets[rows]).to(self.device)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Cross-entropy and accuracy on the validation clips; the count of epochs without progress goes on."""
        self.network.eval()
        loss, right, rows = 0.0, 0.0, self.lesson.validation
        for start in range(0, len(rows), CHUNK):
            logits, targets = self.judged(rows[start : start + CHUNK])
            loss += float(F.cross_entropy(logits, targets, reduction="sum")) / len(rows)
            right += float((logits.argmax(1) == targets).sum()) / len(rows)
        self.validated = loss, right
        self.since_best = 0 if loss < self.best else self.since_best + 1
        self.best = min(self.best, loss)
        log.debug(f"Epoch {self.pace.epoch(self.updates)}: validation loss {loss:.4f}, accuracy {right:.3f}.")
        return {"validation/loss": loss, "validation/accuracy": right}

    def log_values(self, values: dict[str, float]) -> None:
        """A row of the logs."""
        for logger in self.loggers:
            logger.log_metrics({**values, "epoch": self.updates / self.pace.per_epoch}, step=self.updates)
            logger.save()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["updates"] = self.updates
        checkpoint["progress"] = {
            "best": self.best,
            "since_best": self.since_best,
            "validated": list(self.validated),
        }
        checkpoint["inception"] = described(self.lesson.sizes, self.lesson.classes, self.lesson.held_out)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.updates, progress = checkpoint["updates"], checkpoint["progress"]
        self.best, self.since_best = progress["best"], progress["since_best"]
        self.validated = tuple(progress["validated"])
