"""Strided and transposed convolutions as stride-1 convolutions over sample blocks.

Activations are kept as (batch, samples, channels). In that layout a run of `stride` neighbouring samples
is already one block of `stride * channels` channels, so a strided convolution is a plain convolution over blocks,
and its output or input is a free view. The weights keep the shapes of `torch.nn.Conv1d` and
`torch.nn.ConvTranspose1d`: checkpoints stay readable by anything that knows those.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KERNEL = 25
"""Kernel length of every convolution, samples (Donahue et al., 2019)."""


def padding(stride: int) -> int:
    """Samples of zero padding on the left for which a stride divides the length exactly."""
    return math.ceil((KERNEL - stride) / 2)


def reach(stride: int) -> int:
    """Blocks that a kernel touches on either side of the block it is centred on."""
    return math.ceil(padding(stride) / stride)


def fold_strided(weight: Tensor, stride: int) -> Tensor:
    """Strided convolution kernel to a kernel over blocks.

    Args:
        weight: (out, in, KERNEL), as of `Conv1d(stride=stride, padding=padding(stride))`.
        stride: samples a block.

    Returns:
        (out, stride * in, 1, 2 * reach + 1), for a stride-1 convolution padded by `reach` blocks.
    """
    out, inp, kernel = weight.shape
    blocks = 2 * reach(stride) + 1
    left = reach(stride) * stride - padding(stride)
    taps = F.pad(weight, (left, blocks * stride - left - kernel))  # (out, in, blocks * stride)
    return taps.view(out, inp, blocks, stride).permute(0, 3, 1, 2).reshape(out, stride * inp, 1, blocks)


def fold_transposed(weight: Tensor, stride: int) -> Tensor:
    """Transposed convolution kernel to a kernel over blocks.

    Args:
        weight: (in, out, KERNEL), as of `ConvTranspose1d(stride=stride, padding=padding(stride), output_padding=1)`.
        stride: samples a block.

    Returns:
        (stride * out, in, 1, 2 * reach + 1), whose output channels are `stride` samples of `out` channels.
    """
    inp, out, kernel = weight.shape
    blocks = 2 * reach(stride) + 1
    left = reach(stride) * stride - padding(stride)
    taps = F.pad(weight, (left, blocks * stride - left - kernel))  # (in, out, blocks * stride)
    taps = taps.view(inp, out, blocks, stride).flip(2)
    return taps.permute(3, 1, 0, 2).reshape(stride * out, inp, 1, blocks)


def fold_nearest(weight: Tensor, stride: int) -> Tensor:
    """Kernel of a convolution that follows nearest-neighbour upsampling, to a kernel over the samples before it.

    The taps that fall on copies of one sample are summed.

    Args:
        weight: (out, in, KERNEL), as of `Conv1d(padding=KERNEL // 2)` after `Upsample(scale_factor=stride)`.
        stride: copies of each sample.

    Returns:
        (stride * out, in, 1, blocks), whose output channels are `stride` samples of `out` channels.
    """
    out, inp, kernel = weight.shape
    half = kernel // 2
    side = math.ceil(half / stride)
    phases = []
    for phase in range(stride):
        left = side * stride + phase - half
        taps = F.pad(weight, (left, (2 * side + 1) * stride - left - kernel))
        phases.append(taps.view(out, inp, 2 * side + 1, stride).sum(-1))
    return torch.stack(phases).reshape(stride * out, inp, 1, 2 * side + 1)


def _convolve(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Stride-1 convolution over (batch, blocks, channels), as a channels-last 2-D one (the fast path everywhere)."""
    image = x.unsqueeze(1).permute(0, 3, 1, 2)  # (batch, channels, 1, blocks), channels last in memory
    out = F.conv2d(image, kernel, bias, padding=(0, kernel.shape[-1] // 2))
    return out.permute(0, 2, 3, 1).squeeze(1)  # (batch, blocks, out channels)


class Downsample(nn.Module):
    """Strided convolution: (batch, samples, in) to (batch, samples / stride, out)."""

    def __init__(self, inp: int, out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.weight = nn.Parameter(torch.empty(out, inp, KERNEL))
        self.bias = nn.Parameter(torch.zeros(out))
        nn.init.normal_(self.weight, std=math.sqrt(2 / (inp * KERNEL)))

    def forward(self, x: Tensor) -> Tensor:
        batch, samples, channels = x.shape
        blocks = x.reshape(batch, samples // self.stride, self.stride * channels)
        return _convolve(blocks, fold_strided(self.weight, self.stride), self.bias)


class Upsample(nn.Module):
    """Learnt upsampling: (batch, samples, in) to (batch, samples * stride, out).

    Args:
        mode: `zeros`, a transposed convolution, or `nearest`, a convolution after nearest-neighbour upsampling.
    """

    def __init__(self, inp: int, out: int, stride: int, mode: str = "zeros") -> None:
        super().__init__()
        self.stride, self.mode = stride, mode
        shape, taps = ((inp, out, KERNEL), KERNEL / stride) if mode == "zeros" else ((out, inp, KERNEL), KERNEL)
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.zeros(out))
        nn.init.normal_(self.weight, std=math.sqrt(2 / (inp * taps)))

    def forward(self, x: Tensor) -> Tensor:
        fold = fold_transposed if self.mode == "zeros" else fold_nearest
        blocks = _convolve(x, fold(self.weight, self.stride), self.bias.repeat(self.stride))
        return blocks.reshape(x.shape[0], x.shape[1] * self.stride, -1)


class PhaseShuffle(nn.Module):
    """Shift a signal by up to `radius` samples, reflecting at the ends; lengths are kept (Donahue et al., 2019).

    One shift serves the whole batch, as in the WaveGAN authors' implementation. At radius 0 it is the identity.
    """

    def __init__(self, radius: int) -> None:
        super().__init__()
        self.radius = radius

    def forward(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor:
        if self.radius == 0:
            return x
        shift = int(torch.randint(-self.radius, self.radius + 1, (), generator=rng))
        if shift == 0:
            return x
        length = x.shape[1]
        if shift > 0:  # samples move right; the first ones are mirrored in
            return torch.cat([x[:, 1 : shift + 1].flip(1), x[:, : length - shift]], dim=1)
        return torch.cat([x[:, -shift:], x[:, shift - 1 : -1].flip(1)], dim=1)
