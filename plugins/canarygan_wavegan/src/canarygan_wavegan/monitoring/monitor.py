"""Previews at each checkpoint, warnings of lasting troubles, and a stop where values are no longer numbers."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from numpy.typing import NDArray

from canarygan_core.clips import fit_length
from canarygan_core.errors import CanaryganError
from canarygan_wavegan.module import WaveGANModule
from canarygan_wavegan.monitoring import health, previews

if TYPE_CHECKING:
    from canarygan_core.runs import Run

PREVIEWED = 16
"""Latents of which each preview has the sounds."""


class Monitor:
    """Watches a training.

    Args:
        module: the training's.
        run: takes previews and warnings.
    """

    def __init__(self, module: WaveGANModule, run: "Run") -> None:
        self.module, self.run = module, run
        self.filter = health.TroubleFilter()
        rng = torch.Generator().manual_seed(module.training_options.seed)
        self.latents = torch.rand(PREVIEWED, module.shape.latent_dim, generator=rng) * 2 - 1
        rows = np.linspace(0, len(module.clips) - 1, PREVIEWED).astype(
            int
        )  # of every class if clips are sorted by class
        self.real = fit_length(np.asarray(module.clips.audio[rows]), module.shape.samples)
        self.real_diversity = health.compute_diversity(self.real)

    def check_values(self, values: dict[str, float]) -> None:
        """Check a row of the logs.

        Raises:
            CanaryganError: if a value is not a finite number; the training cannot recover.
        """
        names = health.find_non_finite(values)
        if names:
            raise self._broken(", ".join(names))
        self._report(health.check_values(values), "values")

    def check_weights(self) -> None:
        """Raise `CanaryganError` if a weight is not a finite number, so that nothing is saved."""
        if not all(bool(weight.isfinite().all()) for weight in self.module.parameters()):
            raise self._broken("the weights")

    def _broken(self, names: str) -> CanaryganError:
        checkpoint = self.run.last if self.run.last.is_file() else "none yet"
        return CanaryganError(
            f"Training broke by update {self.module.updates}: NaN in {names}. "
            f"The last good checkpoint is {checkpoint}. A lower --lr, or --precision 32, may hold."
        )

    def write_previews(self, checkpoint: Path | None) -> None:
        """Write the sounds of the fixed latents, their picture beside real ones, and the curves."""
        sounds = self._generate()
        name = checkpoint.stem if checkpoint else "epoch_0-step_0"
        rate, updates = self.module.clips.rate, self.module.updates
        picture = previews.render(previews.draw_sheet(sounds, self.real, rate, f"{updates} generator updates"))
        previews.write_sounds(sounds, rate, self.run.previews / f"{name}.wav")
        previews.save_image(picture, self.run.previews / f"{name}.png")
        curves = previews.draw_curves(self.run.logs("csv") / "metrics.csv")
        if curves is not None:
            previews.save_image(previews.render(curves), self.run.previews / "curves.png")
        for logger in self.module.loggers:
            if isinstance(logger, TensorBoardLogger):
                row = sounds[:8].reshape(1, -1)
                logger.experiment.add_audio("previews/sounds", row, updates, sample_rate=rate)
                logger.experiment.add_image("previews/spectrograms", picture, updates, dataformats="HWC")
        if checkpoint is not None:
            self._report(health.check_sounds(sounds, self.real_diversity), "sounds")

    def _generate(self) -> NDArray[np.float32]:
        network = self.module.output_generator
        was_training = network.training
        with torch.inference_mode():
            output = network.eval()(self.latents.to(self.module.device), self.module.arithmetic)
        sounds: NDArray[np.float32] = output.cpu().numpy()
        network.train(was_training)
        return sounds

    def _report(self, troubles: list[str], source: str) -> None:
        for text in self.filter.select_lasting(troubles, source):
            self.run.warn(f"After {self.module.updates} updates: {text}.")
