"""Generator and critic of the WaveGAN, for sounds of 4,096 to 65,536 samples, in plain PyTorch.

References:
    Donahue, McAuley and Puckette (2019), Adversarial Audio Synthesis, arXiv:1802.04208: both networks, phase shuffle.
    Pagliarini, Trouvain, Leblois and Hinaut (2021), What does the Canary Say?, hal-03244723: few latent coordinates.
    Odena, Dumoulin and Olah (2016), Deconvolution and Checkerboard Artifacts: nearest-neighbour upsampling.
    He et al. (2015), arXiv:1502.01852: the spread of the first weights.

Signals between layers are (batch, samples, channels). This file needs nothing but PyTorch. `fast.convolutions` gives
its layers faster convolutions with equal results.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, zip_longest
from operator import mul

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KERNEL = 25
"""Length of every convolution kernel, samples (Donahue et al., 2019)."""

SEED_LENGTH = 16
"""Samples at the narrow end of both networks."""

SLOPE = 0.2
"""Slope of the critic's leaky rectifiers below 0."""

STRIDES = {
    4096: (4, 4, 4, 4),
    8192: (4, 4, 4, 4, 2),
    16384: (4, 4, 4, 4, 4),
    32768: (4, 4, 4, 4, 4, 2),
    65536: (4, 4, 4, 4, 4, 4),
}
"""Strides for each length in samples: the generator's from the narrow end, the critic's from the waveform."""

Convolution = Callable[[Tensor, Tensor, Tensor, int], Tensor]
"""A function of x (batch, samples, in), weight, bias (out,) and stride."""


@dataclass(frozen=True)
class Shape:
    """Sizes of both networks; every checkpoint records them.

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


def padding(stride: int) -> int:
    """Samples of zero padding on the left for which a stride divides the length exactly."""
    return math.ceil((KERNEL - stride) / 2)


def convolve(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """Strided convolution by weights (out, in, KERNEL): (batch, samples, in) to (batch, samples / stride, out)."""
    return F.conv1d(x.transpose(1, 2), weight, bias, stride, padding(stride)).transpose(1, 2)


def convolve_transposed(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """Transposed convolution by weights (in, out, KERNEL): (batch, samples, in) to (batch, samples * stride, out)."""
    return F.conv_transpose1d(x.transpose(1, 2), weight, bias, stride, padding(stride), 1).transpose(1, 2)


def convolve_nearest(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """Convolution by weights (out, in, KERNEL) of `stride` copies of each sample.

    Returns:
        (batch, samples * stride, out).
    """
    copies = x.repeat_interleave(stride, dim=1)  # (batch, samples * stride, in)
    return F.conv1d(copies.transpose(1, 2), weight, bias, padding=KERNEL // 2).transpose(1, 2)


class Layer(nn.Module):
    """A convolution that computes in the dtype of its input, whatever the dtype of its weights.

    The weights have the shapes of `nn.Conv1d` and `nn.ConvTranspose1d`, so anything that knows those reads our
    checkpoints. In memory the kernel's samples come before the second channels: fast convolutions read them so.

    Args:
        convolve: of this kind of layer.
        shape: of the weights, without the kernel's length.
        out: channels of the output.
        stride: samples.
        fan_in: inputs that reach one output.
    """

    def __init__(self, convolve: Convolution, shape: tuple[int, int], out: int, stride: int, fan_in: float) -> None:
        super().__init__()
        self.convolve, self.stride = convolve, stride
        self.weight = nn.Parameter(torch.empty(shape[0], KERNEL, shape[1]).transpose(1, 2))  # (*shape, KERNEL)
        self.bias = nn.Parameter(torch.zeros(out))
        nn.init.normal_(self.weight, std=math.sqrt(2 / fan_in))

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(x, self.weight.to(x.dtype), self.bias.to(x.dtype), self.stride)


class Downsample(Layer):
    """Strided convolution: (batch, samples, in) to (batch, samples / stride, out)."""

    def __init__(self, inp: int, out: int, stride: int) -> None:
        super().__init__(convolve, (out, inp), out, stride, fan_in=inp * KERNEL)


class Upsample(Layer):
    """Transposed convolution: (batch, samples, in) to (batch, samples * stride, out)."""

    def __init__(self, inp: int, out: int, stride: int) -> None:
        super().__init__(convolve_transposed, (inp, out), out, stride, fan_in=inp * KERNEL / stride)


class NearestUpsample(Layer):
    """Nearest-neighbour upsampling, then a convolution: (batch, samples, in) to (batch, samples * stride, out)."""

    def __init__(self, inp: int, out: int, stride: int) -> None:
        super().__init__(convolve_nearest, (out, inp), out, stride, fan_in=inp * KERNEL)


UPSAMPLINGS: dict[str, type[Upsample | NearestUpsample]] = {"zeros": Upsample, "nearest": NearestUpsample}
"""The generator's layer for each value of the option."""


class ChannelNorm(nn.BatchNorm1d):
    """Batch normalisation of (batch, samples, channels)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, 1)).view_as(x)


def shift_samples(x: Tensor, shift: int) -> Tensor:
    """Move a signal (batch, samples, channels) by `shift` samples, to later ones if positive (phase shuffle).

    The length stays the same: reflection fills the samples that become free at one end.
    """
    length = x.shape[1]
    if shift > 0:
        return torch.cat([x[:, 1 : shift + 1].flip(1), x[:, : length - shift]], dim=1)  # (batch, samples, channels)
    if shift < 0:
        return torch.cat([x[:, -shift:], x[:, shift - 1 : -1].flip(1)], dim=1)  # (batch, samples, channels)
    return x


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
        """Sounds of latents; hidden layers compute in `dtype`, the first and last ones in float32."""
        h = self.project(z).unflatten(1, (-1, SEED_LENGTH)).transpose(1, 2).to(dtype)  # (batch, 16, channels)
        for norm, layer in zip(self.norms[:-1], self.layers[:-1], strict=True):
            h = layer(F.relu(norm(h)))  # (batch, samples so far, channels)
        h = self.layers[-1](F.relu(self.norms[-1](h)).to(z.dtype))  # (batch, samples, 1)
        return torch.tanh(h.squeeze(2))  # (batch, samples)


class Critic(nn.Module):
    """Sounds (batch, samples) to scores (batch,): the higher, the more like a real one."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        widths = shape.channels[::-1]
        self.layers = nn.ModuleList(
            Downsample(inp, out, stride) for (inp, out), stride in zip(pairwise(widths), shape.strides, strict=True)
        )
        self.readout = nn.Linear(SEED_LENGTH * widths[-1], 1)
        nn.init.normal_(self.readout.weight, std=math.sqrt(1 / self.readout.in_features))
        nn.init.zeros_(self.readout.bias)

    def forward(self, x: Tensor, shifts: Sequence[int] = (), dtype: torch.dtype = torch.float32) -> Tensor:
        """Scores of sounds; layers compute in `dtype` and their outputs move by `shifts` samples, the last by none."""
        h = x.unsqueeze(2).to(dtype)  # (batch, samples, 1)
        for layer, shift in self.layers_and_shifts(shifts):
            h = shift_samples(F.leaky_relu(layer(h), SLOPE), shift)  # (batch, samples so far, channels)
        scores: Tensor = self.readout(h.transpose(1, 2).flatten(1).to(x.dtype)).squeeze(1)  # (batch,)
        return scores

    def layers_and_shifts(self, shifts: Sequence[int]) -> list[tuple[Downsample, int]]:
        """Each layer and the shift of its output, samples; layers without one have 0."""
        return list(zip_longest(self.layers, shifts, fillvalue=0))  # type: ignore[arg-type]


def count_parameters(module: nn.Module) -> int:
    """Trainable numbers in a module."""
    return sum(parameter.numel() for parameter in module.parameters())


def count_operations(shape: Shape) -> float:
    """Multiplications plus additions for one sound, once through the generator or the critic."""
    lengths = accumulate(shape.strides[:-1], mul, initial=SEED_LENGTH)
    layers = zip(pairwise(shape.channels), lengths, strict=True)
    return sum(2.0 * length * inp * out * KERNEL for (inp, out), length in layers)
