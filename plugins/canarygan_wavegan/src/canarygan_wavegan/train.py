"""From clips to a trained WaveGAN: sizes chosen, batches streamed, previews made, health watched."""

import dataclasses
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from numpy.typing import NDArray

from canarygan_core.clips import Clips, fit_length
from canarygan_core.errors import CanaryganError
from canarygan_core.lightning import checkpoints
from canarygan_core.lightning import training as shared
from canarygan_core.lightning.checkpointing import Keeper, Pace
from canarygan_core.lightning.training import Training
from canarygan_wavegan import health, lengths, previews
from canarygan_wavegan.module import WaveGANModule
from canarygan_wavegan.networks import Shape, operations, parameter_count

if TYPE_CHECKING:
    from canarygan_core.runs import Run
    from canarygan_wavegan.component import WaveGAN

log = logging.getLogger("canarygan")

WORTHWHILE = 1.2
"""Gain in speed from which on a shorter length is worth a hint."""

PREVIEWED = 16
"""Latents whose sounds are followed through the training."""


def train(options: "WaveGAN", clips: Clips, run: "Run", training: Training) -> None:
    """Train a WaveGAN on clips; see `canarygan_core.Model.train`.

    Raises:
        CanaryganError: on sizes that cannot work, and where training breaks beyond saving.
    """
    module = prepare(options, clips, training)
    tell(module)
    watch = Watch(module, run)
    module.logged = watch.values
    keeper = Keeper(
        run,
        module.pace,
        training,
        updates=lambda: module.updates,
        check=watch.check,
        saved=watch.preview,
    )
    if torch.cuda.is_available():
        torch.set_float32_matmul_precision("high")
    shared.fit(module, training, run, keeper, strategy=checkpoints.strategy(training))
    reached = {"updates": module.updates, "epochs": module.pace.epoch(module.updates), "samples": module.shape.samples}
    run.manifest.add(result=reached)


def prepare(options: "WaveGAN", clips: Clips, training: Training) -> WaveGANModule:
    """The module, its sizes settled, before anything is written.

    Raises:
        CanaryganError: where there are no clips, or a batch cannot be shared among the devices.
    """
    if len(clips) == 0:
        raise CanaryganError("The dataset holds no clips to train on.")
    world = training.devices * training.num_nodes
    if training.batch_size % world:
        raise CanaryganError(
            f"--batch-size {training.batch_size} cannot be shared by {world} devices: take a multiple."
        )
    samples = lengths.shortest(lengths.held(clips)) if options.slice_len == "auto" else options.slice_len
    shape = Shape(options.latent_dim, options.dim, samples, options.upsampling, options.batch_norm)
    consumed = options.critic_updates * training.batch_size
    pace = Pace(max(1, round(len(clips) / consumed)), training.max_epochs)
    return WaveGANModule(options, shape, clips, pace, training)


def tell(module: WaveGANModule) -> None:
    """Say what is about to be trained, and what a better length would save."""
    shape, clips, pace = module.shape, module.clips, module.pace
    log.info(
        f"{len(clips)} clips of {clips.samples / clips.rate:g} s at {clips.rate} Hz; "
        f"networks for {shape.samples} samples, d = {shape.dim}, "
        f"{parameter_count(module.generator):,} + {parameter_count(module.critic):,} weights, "
        f"{str(module.arithmetic).removeprefix('torch.')}."
    )
    log.info(
        f"An epoch is {pace.per_epoch} generator updates of {module.options.critic_updates} critic updates each; "
        f"{pace.updates:,} generator updates in all."
    )
    shares = lengths.held(clips)
    enough = lengths.shortest(shares)
    gain = operations(shape) / operations(dataclasses.replace(shape, samples=enough))
    if gain > WORTHWHILE:
        log.info(
            f"Hint: {enough} samples hold {shares[enough]:.1%} of the sound in these clips; "
            f"--slice-len {enough} (or auto) needs {gain:.1f} times fewer operations an update."
        )
    elif shares[shape.samples] < lengths.HELD:
        log.warning(f"{shape.samples} samples hold only {shares[shape.samples]:.1%} of the sound; the rest is cut off.")


class Watch:
    """Listens to a training: previews at each checkpoint, and a word where something goes wrong.

    Args:
        module: what is trained.
        run: where previews and warnings go.
    """

    def __init__(self, module: WaveGANModule, run: "Run") -> None:
        self.module, self.run = module, run
        self.monitor = health.Monitor()
        rng = torch.Generator().manual_seed(module.training_options.seed)
        self.latents = torch.rand(PREVIEWED, module.shape.latent_dim, generator=rng) * 2 - 1
        spread = np.linspace(0, len(module.clips) - 1, PREVIEWED).astype(int)  # every class, where they are sorted
        self.real = fit_length(np.asarray(module.clips.audio[spread]), module.shape.samples)
        self.real_diversity = health.diversity(self.real)

    def values(self, values: dict[str, float]) -> None:
        """Look at a row of the logs.

        Raises:
            CanaryganError: where a value is not a number, for nothing can be learnt from there on.
        """
        broken = health.broken(values)
        if broken:
            kept = self.run.last if self.run.last.is_file() else "none yet"
            raise CanaryganError(
                f"Training broke by update {self.module.updates}: NaN in {', '.join(broken)}. "
                f"The last good checkpoint is {kept}. A lower --lr, or --precision 32, may hold."
            )
        self._report(health.in_values(values), "values")

    def check(self) -> None:
        """Refuse to save weights that are not numbers."""
        if not all(bool(weight.isfinite().all()) for weight in self.module.parameters()):
            raise CanaryganError(
                f"Training broke by update {self.module.updates}: NaN in the weights; nothing was saved over the last "
                "good checkpoint. A lower --lr, or --precision 32, may hold."
            )

    def preview(self, checkpoint: Path | None) -> None:
        """Write the sounds of the fixed latents, their picture beside real ones, and the curves."""
        sounds = self._sounds()
        name = checkpoint.stem if checkpoint else "epoch_0-step_0"
        rate = self.module.clips.rate
        sheet = previews.sheet(sounds, self.real, rate, f"{self.module.updates} generator updates")
        picture = previews.pixels(sheet)
        previews.write_row(sounds, rate, self.run.previews / f"{name}.wav")
        previews.save(picture, self.run.previews / f"{name}.png")
        curves = previews.curves(self.run.logs("csv") / "metrics.csv")
        if curves is not None:
            previews.save(previews.pixels(curves), self.run.previews / "curves.png")
        for logger in self.module.loggers:
            if isinstance(logger, TensorBoardLogger):
                row = sounds[:8].reshape(1, -1)
                logger.experiment.add_audio("previews/sounds", row, self.module.updates, sample_rate=rate)
                logger.experiment.add_image("previews/spectrograms", picture, self.module.updates, dataformats="HWC")
        if checkpoint is not None:
            self._report(health.in_sounds(sounds, self.real_diversity), "sounds")

    def _sounds(self) -> NDArray[np.float32]:
        network = self.module.sounding
        trains = network.training
        with torch.inference_mode():
            made = network.eval()(self.latents.to(self.module.device), self.module.arithmetic)
        sounds: NDArray[np.float32] = made.cpu().numpy()
        network.train(trains)
        return sounds

    def _report(self, found: list[str], source: str) -> None:
        for text in self.monitor.lasting(found, source):
            self.run.warn(f"After {self.module.updates} updates: {text}.")
