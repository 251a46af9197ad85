"""Generator and critic (Donahue, McAuley and Puckette, 2019), for 4,096 to 65,536 samples."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from canarygan_wavegan.folding import KERNEL
from canarygan_wavegan.layers import UPSAMPLINGS, Downsample, shifted

SEED_LENGTH = 16
"""Samples at the narrow end of both networks."""

SLOPE = 0.2
"""Of the critic's leaky rectifiers, below 0."""

STRIDES = {
    4096: (4, 4, 4, 4),
    8192: (4, 4, 4, 4, 2),
    16384: (4, 4, 4, 4, 4),
    32768: (4, 4, 4, 4, 4, 2),
    65536: (4, 4, 4, 4, 4, 4),
}
"""Strides for each length in samples: the generator's from the narrow end, the critic's from the waveform."""


@dataclass(frozen=True)
class Shape:
    """What fixes the shapes of both networks; kept in every checkpoint.

    Attributes:
        latent_dim: coordinates of a latent vector.
        dim: channels next to the waveform; they double with every layer inwards.
        samples: length of a sound, one of `STRIDES`.
        upsampling: `zeros` or `nearest`.
        batch_norm: normalise the generator's hidden layers (the critic's never: WGAN-GP's penalty is per example).
    """

    latent_dim: int = 3
    dim: int = 64
    samples: int = 16384
    upsampling: str = "zeros"
    batch_norm: bool = False

    @property
    def strides(self) -> tuple[int, ...]:
        return STRIDES[self.samples]

    @property
    def channels(self) -> list[int]:
        """Channels between the layers, from the narrow end to the waveform."""
        depth = len(self.strides)
        return [self.dim * 2 ** (depth - 1 - level) for level in range(depth)] + [1]


class ChannelNorm(nn.BatchNorm1d):
    """Batch normalisation of (batch, samples, channels)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, 1)).view_as(x)


class Generator(nn.Module):
    """Latents (batch, latent_dim) to sounds (batch, samples) within -1 to 1."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        widths = shape.channels
        self.project = nn.Linear(shape.latent_dim, SEED_LENGTH * widths[0])
        self.layers = nn.ModuleList(
            UPSAMPLINGS[shape.upsampling](inp, out, stride)
            for (inp, out), stride in zip(pairwise(widths), shape.strides, strict=True)
        )
        self.norms = nn.ModuleList(ChannelNorm(width) if shape.batch_norm else nn.Identity() for width in widths[:-1])
        nn.init.normal_(self.project.weight, std=math.sqrt(2 / shape.latent_dim))
        nn.init.zeros_(self.project.bias)

    def forward(self, z: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Sounds of latents; hidden layers compute in `dtype`, first and last ones in float32."""
        h = self.project(z).view(len(z), -1, SEED_LENGTH).transpose(1, 2).to(dtype)  # (batch, 16, channels)
        for norm, layer in zip(self.norms[:-1], self.layers[:-1], strict=True):
            h = layer(F.relu(norm(h)))  # (batch, samples so far, channels)
        h = self.layers[-1](F.relu(self.norms[-1](h)).to(z.dtype))
        return torch.tanh(h.squeeze(2))  # (batch, samples)


class Critic(nn.Module):
    """Sounds (batch, samples) to scores (batch,): higher for what it takes for real."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        widths = shape.channels[::-1]
        self.layers = nn.ModuleList(
            Downsample(inp, out, stride) for (inp, out), stride in zip(pairwise(widths), shape.strides, strict=True)
        )
        self.readout = nn.Linear(SEED_LENGTH * widths[-1], 1)
        nn.init.normal_(self.readout.weight, std=math.sqrt(1 / self.readout.in_features))
        nn.init.zeros_(self.readout.bias)

    def forward(self, x: Tensor, shifts: Sequence[int] = (), dtype: torch.dtype = torch.float32) -> Tensor:
        """Scores of sounds; layers compute in `dtype` and are moved by `shifts` samples, the last ones by none."""
        h = x.unsqueeze(2).to(dtype)  # (batch, samples, 1)
        for layer, shift in self.shuffled(shifts):
            h = shifted(F.leaky_relu(layer(h), SLOPE), shift)  # (batch, samples so far, channels)
        scores: Tensor = self.readout(h.transpose(1, 2).flatten(1).to(x.dtype)).squeeze(1)  # (batch,)
        return scores

    def shuffled(self, shifts: Sequence[int]) -> list[tuple[Downsample, int]]:
        """Each layer and by how many samples its output is moved (phase shuffle)."""
        layers: list[Downsample] = list(self.layers)  # type: ignore[arg-type]
        return list(zip_longest(layers, shifts, fillvalue=0))  # type: ignore[arg-type]


def parameter_count(module: nn.Module) -> int:
    """Trainable numbers in a module."""
    return sum(parameter.numel() for parameter in module.parameters())


def operations(shape: Shape) -> float:
    """Multiplications and additions of one pass of one sound through generator or critic, each counted one."""
    length, count = SEED_LENGTH, 0.0
    for (inp, out), stride in zip(pairwise(shape.channels), shape.strides, strict=True):
        count += 2 * length * inp * out * KERNEL
        length *= stride
    return count
