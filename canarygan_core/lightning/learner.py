"""What a model that trains with Lightning must bring: a network, its loss, and how it makes sounds.

Nothing here imports torch or Lightning before a training starts.
"""

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from canarygan_core.components import Model
from canarygan_core.errors import CanaryganError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from canarygan_core.clips import Clips


@dataclass(frozen=True)
class Learner(Model):
    """A network that learns by one loss; see `canarygan_core.lightning.model.LightningModel`."""

    curves: ClassVar[Mapping[str, str]] = {"loss": "loss"}
    """By column of the log, which is a key of what `loss` gives, the title of its curve."""
    advice: ClassVar[Mapping[str, str]] = {}
    """What may help against `silence`, `clipping` and `collapse of diversity` of the sounds."""

    latent_dim: int = 3
    """Coordinates of a latent vector."""
    lr: float = 1e-3
    """Learning rate of the optimiser, per update."""

    def __post_init__(self) -> None:
        if self.latent_dim < 1:
            raise CanaryganError(f"--latent-dim must be at least 1, not {self.latent_dim}.")
        if not 0 < self.lr < 1e3:
            raise CanaryganError(f"--lr must be above 0 and below 1000, not {self.lr}.")

    @abc.abstractmethod
    def build(self, samples: int) -> "nn.Module":
        """The network for sounds of so many samples, with its first weights. torch is seeded."""

    @abc.abstractmethod
    def loss(self, network: Any, sounds: "Tensor", draw: Any) -> "Mapping[str, Tensor]":
        """Scalars of one batch: `loss` is what is made small, the others are logged beside it.

        Args:
            network: as `build` gave it.
            sounds: (batch, samples), full scale at -1 and 1.
            draw: a `torch.Generator` on the CPU, seeded by the update: draw what is random with it.
        """

    @abc.abstractmethod
    def decode(self, network: Any, latents: "Tensor") -> "Tensor":
        """Sounds (n, samples) of latents (n, latent_dim), which are as `draw_latents` draws them; passes gradients."""

    def draw_latents(self, count: int, rng: "np.random.Generator") -> "NDArray[np.float32]":
        """Latents (count, latent_dim) for sounds that are made later; uniform in -1 to 1 unless a subclass differs."""
        return rng.uniform(-1, 1, (count, self.latent_dim)).astype("float32")

    def optimizer(self, network: Any) -> "Optimizer":
        """What updates the weights; Adam (Kingma and Ba, 2015) unless a subclass says otherwise."""
        import torch

        return torch.optim.Adam(network.parameters(), self.lr)

    def choose_samples(self, clips: "Clips") -> int:
        """Length of the sounds to learn and to make, samples; clips are padded or cut to it at the end."""
        return clips.samples
