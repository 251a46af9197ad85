"""The training step: updates of the critic, one of the generator, every random number a function of the update."""

import copy
import dataclasses
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import lightning.pytorch as lightning
import numpy as np
import torch
from torch import Tensor, nn

from canarygan_core.clips import Clips
from canarygan_core.lightning import training as shared
from canarygan_core.lightning.checkpointing import Pace
from canarygan_core.lightning.checkpoints import average_gradients
from canarygan_core.lightning.training import Training
from canarygan_wavegan.batches import ClipStream
from canarygan_wavegan.checkpoints import SCHEMA
from canarygan_wavegan.losses import generator_loss
from canarygan_wavegan.networks import Critic, Generator, Shape
from canarygan_wavegan.slopes import set_gradients

if TYPE_CHECKING:
    from canarygan_wavegan.component import WaveGAN


class Draws:
    """The random numbers of one update, the same on every device and in every process.

    Args:
        seed: of the training.
        update: updates done before this one.
    """

    def __init__(self, seed: int, update: int) -> None:
        state = np.random.SeedSequence([seed, update]).generate_state(1, np.uint64)
        self.rng = torch.Generator().manual_seed(int(state[0] >> np.uint64(1)))

    def latents(self, batch: int, latent_dim: int) -> Tensor:
        """Uniform in -1 to 1, (batch, latent_dim)."""
        return torch.rand(batch, latent_dim, generator=self.rng) * 2 - 1

    def fractions(self, batch: int) -> Tensor:
        """Uniform in 0 to 1, (batch, 1)."""
        return torch.rand(batch, 1, generator=self.rng)

    def shifts(self, count: int, radius: int) -> list[int]:
        """Whole numbers uniform in -radius to radius."""
        drawn: list[int] = torch.randint(-radius, radius + 1, (count,), generator=self.rng).tolist()
        return drawn


class WaveGANModule(lightning.LightningModule):
    """Generator, critic and their optimisers.

    Args:
        options: the component's.
        shape: of both networks.
        clips: to learn from.
        pace: how updates make epochs.
        training: options of the training; its seed governs the first weights and all later draws.

    Attributes:
        updates: updates of the generator done so far.
        average: exponential average of the generator, or None.
        logged: called with the values of each row of the logs.
    """

    def __init__(self, options: "WaveGAN", shape: Shape, clips: Clips, pace: Pace, training: Training) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.options, self.shape, self.clips, self.pace, self.training_options = options, shape, clips, pace, training
        self.arithmetic = torch.bfloat16 if shared.bfloat16(training) else torch.float32
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.seed)
            self.generator = Generator(shape)
            self.critic = Critic(shape)
        self.average: Generator | None = copy.deepcopy(self.generator).requires_grad_(False) if options.ema else None
        self.updates = 0
        self.logged: Callable[[dict[str, float]], None] = lambda values: None
        self._stream: ClipStream | None = None
        self._timed = (0, 0.0, 0.0)

    @property
    def sounding(self) -> Generator:
        """The generator that makes sounds: the average where there is one."""
        return self.average if self.average is not None else self.generator

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        lr, betas = self.options.lr, (self.options.beta1, self.options.beta2)
        return [torch.optim.Adam(part.parameters(), lr, betas, fused=True) for part in (self.critic, self.generator)]

    def train_dataloader(self) -> ClipStream:
        """The clips of the updates that remain, and of them the rows of this process."""
        share = self.training_options.batch_size // self.trainer.world_size
        self._stream = ClipStream(
            self.clips.audio,
            samples=self.shape.samples,
            shape=(self.options.critic_updates, self.training_options.batch_size),
            rows=slice(self.global_rank * share, (self.global_rank + 1) * share),
            seed=self.training_options.seed,
            start=self.updates,
            total=self.pace.updates,
            ahead=self.training_options.num_workers > 0,
            pinned=self.device.type == "cuda",
        )
        return self._stream

    def on_train_start(self) -> None:
        self._timed = (self.updates, time.perf_counter(), 0.0)

    def training_step(self, real: Tensor, index: int) -> None:
        """One update of the generator, after one of the critic for each of `real` (critic updates, batch, samples)."""
        critic_optimiser, generator_optimiser = self.optimizers()  # type: ignore[attr-defined]
        draws = Draws(self.training_options.seed, self.updates)
        seen = [self.update_critic(batch, draws, critic_optimiser) for batch in real]
        loss = self.update_generator(draws, generator_optimiser)
        self.updates += 1
        if self.average is not None:
            track_average(self.average, self.generator, self.options.ema, self.updates)
        if self.updates == 1 or self.updates % self.training_options.log_every_n_steps == 0:
            mean = torch.stack([*torch.stack([torch.stack(pair) for pair in seen]).mean(0), loss])
            self.log_values(*self.trainer.strategy.reduce(mean, reduce_op="mean").tolist())

    def update_critic(self, real: Tensor, draws: Draws, optimiser: Any) -> tuple[Tensor, Tensor]:
        """Wasserstein estimate and unweighted penalty, detached, of a step on real sounds (batch, samples)."""
        z, fraction = self.latents(draws), self.own(draws.fractions(self.training_options.batch_size))
        with torch.no_grad():
            fake = self.generator(z, self.arithmetic)  # (batch, samples)
        shifts, weight = self.shifts(draws), self.options.penalty
        seen = set_gradients(self.critic, real, fake, fraction, shifts, weight, self.arithmetic)
        self.step(optimiser, self.critic)
        return seen

    def update_generator(self, draws: Draws, optimiser: Any) -> Tensor:
        """Loss, detached, of a step on fresh latents."""
        z = self.latents(draws)
        sounds = self.generator(z, self.arithmetic)
        loss = generator_loss(self.critic(sounds, self.shifts(draws), self.arithmetic))
        optimiser.zero_grad()
        self.manual_backward(loss, inputs=list(self.generator.parameters()))
        self.step(optimiser, self.generator)
        return loss.detach()

    def step(self, optimiser: Any, network: nn.Module) -> None:
        """A step along the gradients of one network, averaged over the processes."""
        if self.trainer.world_size > 1:
            average_gradients(list(network.parameters()))
        optimiser.step()

    def shifts(self, draws: Draws) -> list[int]:
        """Fresh shifts of the critic's hidden layers, samples; none for the last."""
        return draws.shifts(len(self.critic.layers) - 1, self.options.phase_shuffle)

    def latents(self, draws: Draws) -> Tensor:
        """Fresh latents for this process, (batch, latent_dim)."""
        return self.own(draws.latents(self.training_options.batch_size, self.shape.latent_dim))

    def own(self, drawn: Tensor) -> Tensor:
        """This process's rows of what was drawn for all of them, on its device."""
        share = len(drawn) // self.trainer.world_size
        start = self.global_rank * share
        return drawn[start : start + share].to(self.device, non_blocking=True)

    def log_values(self, wasserstein: float, penalty: float, generator: float) -> None:
        """A row of the logs, and a look at whether training is still sound."""
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
            "epoch": self.updates / self.pace.per_epoch,
        }
        self._timed = (self.updates, now, waiting)
        for logger in self.loggers:
            logger.log_metrics(values, step=self.updates)
            logger.save()
        self.logged(values)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["updates"] = self.updates
        checkpoint["wavegan"] = {
            "schema": SCHEMA,
            "shape": dataclasses.asdict(self.shape),
            "rate": self.clips.rate,
            "average": self.average is not None,
            "arithmetic": str(self.arithmetic).removeprefix("torch."),
            "per_epoch": self.pace.per_epoch,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.updates = checkpoint["updates"]
        for network, saved in zip((self.critic, self.generator), checkpoint["optimizer_states"], strict=True):
            for index, moments in saved["state"].items():  # in memory like the weights: fused optimisers go by that
                like = list(network.parameters())[index]
                for name in ("exp_avg", "exp_avg_sq"):
                    moments[name] = torch.empty_like(like, device=moments[name].device).copy_(moments[name])


@torch.no_grad()
def track_average(average: nn.Module, network: nn.Module, decay: float, updates: int) -> None:
    """Move an exponential average of weights one update on; it forgets faster at first, so that it is never stale."""
    decay = min(decay, updates / (updates + 9))
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
    for kept, buffer in zip(average.buffers(), network.buffers(), strict=True):
        kept.copy_(buffer)


def gradient_norm(network: nn.Module) -> float:
    """Euclidean norm of a network's gradients as they stand."""
    norms = [parameter.grad.norm() for parameter in network.parameters() if parameter.grad is not None]
    return float(torch.stack(norms).norm()) if norms else 0.0
