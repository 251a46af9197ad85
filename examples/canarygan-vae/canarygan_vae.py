"""A CanaryGAN model that trains with Lightning: a variational autoencoder of waveforms (Kingma and Welling, 2014)."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from canarygan_core import CanaryganError, Model, hookimpl
from canarygan_core.lightning.model import LightningModel

if TYPE_CHECKING:
    from canarygan_core.clips import Clips
    from torch import Tensor, nn

STRIDE, LAYERS = 4, 4


@dataclass(frozen=True)
class VAE(LightningModel):
    """Variational autoencoder of waveforms with few latent coordinates (Kingma and Welling, 2014)."""

    name: ClassVar[str] = "vae"
    curves: ClassVar[Mapping[str, str]] = {"loss": "loss", "spectrum": "spectral distance", "kl": "divergence, nats"}
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"tiny": {"width": 4, "max-epochs": 2}}
    preset_purposes: ClassVar[Mapping[str, str]] = {"tiny": "a first look"}

    width: int = 16
    """Channels next to the waveform; they double with every layer inwards, channels."""
    slice_len: int = 4096
    """Length of a sound, a multiple of 256 samples."""
    beta: float = 0.01
    """Weight of the divergence of latents from the normal distribution, per nat."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width < 1 or self.slice_len < 256 or self.slice_len % STRIDE**LAYERS or not 0 <= self.beta < 1e3:
            raise CanaryganError("--width is 1 or more, --slice-len a multiple of 256, and --beta from 0 to 1000.")

    def choose_samples(self, clips: "Clips") -> int:
        return self.slice_len

    def build(self, samples: int) -> "nn.Module":
        from torch import nn

        channels = [1, *(self.width * 2**level for level in range(LAYERS))]
        down, up = nn.Sequential(), nn.Sequential()
        for outer, inner in pairwise(channels):
            down.extend([nn.Conv1d(outer, inner, 25, STRIDE, 12), nn.LeakyReLU(0.2)])
        for inner, outer in zip(channels[:0:-1], channels[-2::-1], strict=True):
            up.extend([nn.ReLU(), nn.ConvTranspose1d(inner, outer, 25, STRIDE, 12, STRIDE - 1)])
        length = samples // STRIDE**LAYERS
        down.extend([nn.Flatten(), nn.Linear(channels[-1] * length, 2 * self.latent_dim)])
        start = nn.Sequential(
            nn.Linear(self.latent_dim, channels[-1] * length), nn.Unflatten(1, (channels[-1], length))
        )
        return nn.ModuleDict({"encoder": down, "decoder": nn.Sequential(start, up, nn.Tanh(), nn.Flatten())})

    def loss(self, network: Any, sounds: "Tensor", draw: Any) -> "Mapping[str, Tensor]":
        import torch

        mean, log_variance = network["encoder"](sounds[:, None]).float().chunk(2, dim=1)  # (batch, latent_dim) each
        noise = torch.randn(mean.shape, generator=draw).to(mean.device)
        made = network["decoder"](mean + noise * (0.5 * log_variance).exp())  # (batch, samples)
        window = torch.hann_window(256, device=sounds.device)
        real, fake = (
            (
                torch.stft(one.float(), 256, 64, window=window, return_complex=True).abs() + 1e-3
            ).log()  # (batch, 129, frames)
            for one in (sounds, made)
        )
        spectrum = (real - fake).square().mean()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        return {"loss": spectrum + self.beta * divergence, "spectrum": spectrum, "kl": divergence}

    def decode(self, network: Any, latents: "Tensor") -> "Tensor":
        """Sounds of latents: uniform ones in -1 to 1 are mapped to the normal distribution that the network learnt."""
        sounds: Tensor = network["decoder"](2**0.5 * (0.999 * latents.clamp(-1, 1)).erfinv())
        return sounds


@hookimpl
def register_models() -> list[type[Model]]:
    return [VAE]
