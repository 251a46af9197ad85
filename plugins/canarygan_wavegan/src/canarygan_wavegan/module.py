"""One step of a training: updates of the critic, then one of the generator. Its random numbers depend on the update."""

import copy
import dataclasses
import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import lightning.pytorch as lightning
import numpy as np
import torch
from torch import Tensor, nn

from canarygan_core.clips import Clips
from canarygan_core.lightning.checkpointing import Schedule
from canarygan_core.lightning.checkpoints import average_gradients
from canarygan_core.lightning.training import Training, uses_bfloat16
from canarygan_wavegan.checkpoints import SCHEMA
from canarygan_wavegan.data.stream import ClipStream
from canarygan_wavegan.fast.convolutions import accelerate
from canarygan_wavegan.fast.critic_gradients import set_gradients
from canarygan_wavegan.losses import critic_loss, generator_loss
from canarygan_wavegan.model import Critic, Generator, Shape
from canarygan_wavegan.options import Options


class Draws:
    """The random numbers of one update, drawn for all processes alike; each takes its own rows of them.

    Args:
        seed: of the training.
        update: updates done before this one.
        batch: rows of all processes together.
        rows: of this process.
        device: of this process.
    """

    def __init__(self, seed: int, update: int, batch: int, rows: slice, device: torch.device) -> None:
        state = np.random.SeedSequence([seed, update]).generate_state(1, np.uint64)
        self.rng = torch.Generator().manual_seed(int(state[0] >> np.uint64(1)))
        self.batch, self.rows, self.device = batch, rows, device

    def latents(self, latent_dim: int) -> Tensor:
        """Uniform in -1 to 1, (rows, latent_dim)."""
        return self._own(torch.rand(self.batch, latent_dim, generator=self.rng) * 2 - 1)

    def fractions(self, samples: int = 1) -> Tensor:
        """Uniform in 0 to 1, (rows, samples)."""
        return self._own(torch.rand(self.batch, samples, generator=self.rng))

    def shifts(self, count: int, radius: int) -> list[int]:
        """Whole numbers uniform in -radius to radius."""
        return cast(list[int], torch.randint(-radius, radius + 1, (count,), generator=self.rng).tolist())

    def _own(self, numbers: Tensor) -> Tensor:
        return numbers[self.rows].to(self.device, non_blocking=True)


class WaveGANModule(lightning.LightningModule):
    """Generator, critic and their optimisers.

    Args:
        options: of the model.
        shape: of both networks.
        clips: to learn from.
        schedule: updates an epoch, and epochs.
        training: options of the training; the first weights and all random numbers depend on its seed.

    Attributes:
        updates: updates of the generator done so far.
        average: exponential average of the generator, or None.
        on_log: called with the values of each row of the logs.
    """

    def __init__(self, options: Options, shape: Shape, clips: Clips, schedule: Schedule, training: Training) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.options, self.shape, self.clips = options, shape, clips
        self.schedule, self.training_options = schedule, training
        self.arithmetic = torch.bfloat16 if uses_bfloat16(training) else torch.float32
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.seed)
            self.generator = accelerate(Generator(shape))
            self.critic = accelerate(Critic(shape))
        self.average: Generator | None = copy.deepcopy(self.generator).requires_grad_(False) if options.ema else None
        self.updates = 0
        self.on_log: Callable[[dict[str, float]], None] = lambda values: None
        self._stream: ClipStream | None = None
        self._timed = (0, 0.0, 0.0)

    @property
    def output_generator(self) -> Generator:
        """The generator whose sounds are previewed and generated: the average if there is one."""
        return self.average if self.average is not None else self.generator

    @property
    def rows(self) -> slice:
        """The rows of a batch that belong to this process."""
        share = self.training_options.batch_size // self.trainer.world_size
        return slice(self.global_rank * share, (self.global_rank + 1) * share)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        lr, betas = self.options.lr, (self.options.beta1, self.options.beta2)
        return [torch.optim.Adam(part.parameters(), lr, betas, fused=True) for part in (self.critic, self.generator)]

    def train_dataloader(self) -> ClipStream:
        """The clips of the remaining updates; of each batch, the rows of this process."""
        self._stream = ClipStream(
            self.clips.audio,
            samples=self.shape.samples,
            shape=(self.options.critic_updates if self.options.fresh_batches else 1, self.training_options.batch_size),
            rows=self.rows,
            seed=self.training_options.seed,
            start=self.updates,
            total=self.schedule.updates,
            labels=self.clips.labels if self.options.balance else None,
            ahead=self.training_options.num_workers > 0,
            pinned=self.device.type == "cuda",
        )
        return self._stream

    def on_train_start(self) -> None:
        self._timed = (self.updates, time.perf_counter(), 0.0)

    def training_step(self, real: Tensor, index: int) -> None:
        """One update of the generator, after some of the critic.

        Args:
            real: (critic updates, batch, samples), or (1, batch, samples) where one batch is for all of them.
            index: Lightning's.
        """
        critic_optimiser, generator_optimiser = self.optimizers()  # type: ignore[attr-defined]
        training = self.training_options
        draws = Draws(training.seed, self.updates, training.batch_size, self.rows, self.device)
        real = real.expand(self.options.critic_updates, *real.shape[1:])
        values = [self.update_critic(clips, draws, critic_optimiser) for clips in real]
        loss = self.update_generator(draws, generator_optimiser)
        self.updates += 1
        if self.average is not None:
            track_average(self.average, self.generator, self.options.ema, self.updates)
        if self.updates == 1 or self.updates % training.log_every_n_steps == 0:
            mean = torch.stack([*torch.stack([torch.stack(pair) for pair in values]).mean(0), loss])
            self.log_values(*self.trainer.strategy.reduce(mean, reduce_op="mean").tolist())

    def update_critic(self, real: Tensor, draws: Draws, optimiser: Any) -> tuple[Tensor, Tensor]:
        """One step on real sounds (batch, samples).

        Returns:
            Wasserstein estimate and unweighted penalty, detached scalars.
        """
        z = draws.latents(self.shape.latent_dim)  # (batch, latent_dim)
        fraction = draws.fractions(1 if self.options.interpolate == "clips" else self.shape.samples)
        with torch.no_grad():
            fake = self.generator(z, self.arithmetic)  # (batch, samples)
        shifts, weight = self.draw_shifts(draws), self.options.penalty
        if self.options.critic_step == "fast":
            estimate, penalty = set_gradients(self.critic, real, fake, fraction, shifts, weight, self.arithmetic)
        else:
            critic = partial(self.critic, shifts=shifts, dtype=self.arithmetic)
            loss, estimate, penalty = critic_loss(critic, real, fake, fraction, weight)
            optimiser.zero_grad()
            self.manual_backward(loss)
        self.step(optimiser, self.critic)
        return estimate.detach(), penalty.detach()

    def update_generator(self, draws: Draws, optimiser: Any) -> Tensor:
        """One step on fresh latents.

        Returns:
            The generator's loss, a detached scalar.
        """
        z = draws.latents(self.shape.latent_dim)  # (batch, latent_dim)
        with self.toggled_optimizer(optimiser):  # the critic's weights need no gradients here
            sounds = self.generator(z, self.arithmetic)  # (batch, samples)
            loss = generator_loss(self.critic(sounds, self.draw_shifts(draws), self.arithmetic))
            optimiser.zero_grad()
            self.manual_backward(loss)
        self.step(optimiser, self.generator)
        return loss.detach()

    def step(self, optimiser: Any, network: nn.Module) -> None:
        """Step along the gradients of one network, averaged over the processes."""
        if self.trainer.world_size > 1:
            average_gradients(list(network.parameters()))
        optimiser.step()

    def draw_shifts(self, draws: Draws) -> list[int]:
        """Draw the shift of each of the critic's layers but the last, samples."""
        return draws.shifts(len(self.critic.layers) - 1, self.options.phase_shuffle)

    def log_values(self, wasserstein: float, penalty: float, generator: float) -> None:
        """Write a row of the logs."""
        since, began, waited = self._timed
        now, waiting = time.perf_counter(), self._stream.waited if self._stream else 0.0
        elapsed = max(now - began, 1e-9)
        values = {
            "critic/loss": self.options.penalty * penalty - wasserstein,
            "critic/wasserstein": wasserstein,
            "critic/gradient_penalty": penalty,
            "critic/gradient_norm": gradient_norm(self.critic),
            "generator/loss": generator,
            "generator/gradient_norm": gradient_norm(self.generator),
            "speed/updates_per_second": (self.updates - since) / elapsed,
            "speed/data_wait_share": (waiting - waited) / elapsed,
            "epoch": self.updates / self.schedule.per_epoch,
        }
        self._timed = (self.updates, now, waiting)
        for logger in self.loggers:
            logger.log_metrics(values, step=self.updates)
            logger.save()
        self.on_log(values)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["updates"] = self.updates
        checkpoint["wavegan"] = {
            "schema": SCHEMA,
            "shape": dataclasses.asdict(self.shape),
            "rate": self.clips.rate,
            "average": self.average is not None,
            "arithmetic": str(self.arithmetic).removeprefix("torch."),
            "per_epoch": self.schedule.per_epoch,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.updates = checkpoint["updates"]
        for network, saved in zip((self.critic, self.generator), checkpoint["optimizer_states"], strict=True):
            for index, moments in saved["state"].items():  # laid out like the weights, as fused optimisers need it
                like = list(network.parameters())[index]
                for name in ("exp_avg", "exp_avg_sq"):
                    moments[name] = torch.empty_like(like, device=moments[name].device).copy_(moments[name])


@torch.no_grad()
def track_average(average: nn.Module, network: nn.Module, decay: float, updates: int) -> None:
    """Move an exponential average of weights one update on; its decay is less in the first updates."""
    decay = min(decay, updates / (updates + 9))
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
    for target, buffer in zip(average.buffers(), network.buffers(), strict=True):
        target.copy_(buffer)


def gradient_norm(network: nn.Module) -> float:
    """Euclidean norm of a network's present gradients."""
    norms = [parameter.grad.norm() for parameter in network.parameters() if parameter.grad is not None]
    return float(torch.stack(norms).norm()) if norms else 0.0
