"""What watches a training of the WaveGAN, and what is special about it."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from canarygan_core.lightning.monitor import PREVIEWED, Monitor
from canarygan_wavegan import health
from canarygan_wavegan.module import WaveGANModule

if TYPE_CHECKING:
    from canarygan_core.runs import Run

CURVES = {
    "critic/wasserstein": "Wasserstein estimate (units of the score)",
    "critic/loss": "critic loss (units of the score)",
    "generator/loss": "generator loss (units of the score)",
    "critic/gradient_penalty": "gradient penalty (mean square of norm - 1)",
}


def create_monitor(module: WaveGANModule, run: "Run") -> Monitor:
    """The monitor of a training; its latents depend on the seed alone."""
    rng = torch.Generator().manual_seed(module.training_options.seed)
    latents = torch.rand(PREVIEWED, module.shape.latent_dim, generator=rng) * 2 - 1

    def generate(z: NDArray[np.float32]) -> NDArray[np.float32]:
        network = module.output_generator
        was_training = network.training
        with torch.inference_mode():
            output = network.eval()(torch.from_numpy(z).to(module.device), module.arithmetic)
        sounds: NDArray[np.float32] = output.cpu().numpy()
        network.train(was_training)
        return sounds

    return Monitor(
        run,
        module.clips,
        latents.numpy(),
        module.shape.samples,
        generate,
        updates=lambda: module.updates,
        weights=module.parameters,
        loggers=lambda: module.loggers,
        curves=CURVES,
        unit="generator updates",
        check=health.check_values,
        advice=health.ADVICE,
        rescue="A lower --lr, or --precision 32, may hold.",
    )
