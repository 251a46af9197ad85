"""The layers of both networks: convolutions that shorten or lengthen a signal (batch, samples, channels).

The weights keep the shapes of `torch.nn.Conv1d` and `torch.nn.ConvTranspose1d`: checkpoints stay readable by anything
that knows those. A layer computes in the dtype of its input, whatever that of its weights.
"""

import math

import torch
from torch import Tensor, nn

from canarygan_wavegan.convolutions import KERNEL, convolve, fold_nearest, fold_strided, fold_transposed


class Downsample(nn.Module):
    """Strided convolution: (batch, samples, in) to (batch, samples / stride, out)."""

    def __init__(self, inp: int, out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.weight = nn.Parameter(torch.empty(out, KERNEL, inp).transpose(1, 2))  # (out, in, KERNEL)
        self.bias = nn.Parameter(torch.zeros(out))
        nn.init.normal_(self.weight, std=math.sqrt(2 / (inp * KERNEL)))

    def blocks(self, x: Tensor) -> Tensor:
        """(batch, samples, in) as (batch, samples / stride, stride * in)."""
        batch, samples, channels = x.shape
        return x.reshape(batch, samples // self.stride, self.stride * channels)

    def forward(self, x: Tensor) -> Tensor:
        return convolve(self.blocks(x), self.kernel(x.dtype), self.bias.to(x.dtype))

    def kernel(self, dtype: torch.dtype) -> Tensor:
        """The weights as a kernel over blocks."""
        return fold_strided(self.weight.to(dtype), self.stride)


class Upsample(nn.Module):
    """Learnt upsampling: (batch, samples, in) to (batch, samples * stride, out).

    Args:
        mode: `zeros`, a transposed convolution, or `nearest`, a convolution after nearest-neighbour upsampling.
    """

    def __init__(self, inp: int, out: int, stride: int, mode: str = "zeros") -> None:
        super().__init__()
        self.stride, self.mode = stride, mode
        weight = torch.empty(out, KERNEL, inp)  # so in memory, as kernels over blocks need it
        order, taps = ((2, 0, 1), KERNEL / stride) if mode == "zeros" else ((0, 2, 1), KERNEL)
        self.weight = nn.Parameter(weight.permute(order))  # (in, out, KERNEL) or (out, in, KERNEL)
        self.bias = nn.Parameter(torch.zeros(out))
        nn.init.normal_(self.weight, std=math.sqrt(2 / (inp * taps)))

    def forward(self, x: Tensor) -> Tensor:
        fold = fold_transposed if self.mode == "zeros" else fold_nearest
        bias = self.bias.repeat(self.stride)
        blocks = convolve(x, fold(self.weight.to(x.dtype), self.stride), bias.to(x.dtype))
        return blocks.reshape(x.shape[0], x.shape[1] * self.stride, -1)


def shifted(x: Tensor, shift: int) -> Tensor:
    """A signal (batch, samples, channels) moved by `shift` samples, later ones for positive; lengths are kept.

    What leaves one end is lost, and the other end is filled by reflection (phase shuffle; Donahue et al., 2019).
    """
    length = x.shape[1]
    if shift > 0:
        return torch.cat([x[:, 1 : shift + 1].flip(1), x[:, : length - shift]], dim=1)
    if shift < 0:
        return torch.cat([x[:, -shift:], x[:, shift - 1 : -1].flip(1)], dim=1)
    return x
