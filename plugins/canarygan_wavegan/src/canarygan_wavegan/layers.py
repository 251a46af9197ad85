"""The layers of both networks: convolutions that shorten or lengthen a signal (batch, samples, channels).

The weights keep the shapes of `torch.nn.Conv1d` and `torch.nn.ConvTranspose1d`: checkpoints stay readable by anything
that knows those. A layer computes in the dtype of its input, whatever that of its weights.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from canarygan_wavegan.convolutions import convolve, convolve_transposed
from canarygan_wavegan.folding import KERNEL, fold_nearest


class Downsample(nn.Module):
    """Strided convolution: (batch, samples, in) to (batch, samples / stride, out)."""

    def __init__(self, inp: int, out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.weight = nn.Parameter(torch.empty(out, KERNEL, inp).transpose(1, 2))  # (out, in, KERNEL)
        self.bias = nn.Parameter(torch.zeros(out))
        nn.init.normal_(self.weight, std=math.sqrt(2 / (inp * KERNEL)))

    def forward(self, x: Tensor) -> Tensor:
        return convolve(x, self.weight.to(x.dtype), self.bias.to(x.dtype), self.stride)


class Upsample(nn.Module):
    """Learnt upsampling: (batch, samples, in) to (batch, samples * stride, out), by a transposed convolution."""

    def __init__(self, inp: int, out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.weight = nn.Parameter(torch.empty(inp, KERNEL, out).transpose(1, 2))  # (in, out, KERNEL)
        self.bias = nn.Parameter(torch.zeros(out))
        nn.init.normal_(self.weight, std=math.sqrt(2 / (inp * KERNEL / stride)))

    def forward(self, x: Tensor) -> Tensor:
        return convolve_transposed(x, self.weight.to(x.dtype), self.bias.to(x.dtype), self.stride)


class NearestUpsample(nn.Module):
    """Nearest-neighbour upsampling, then a convolution: (batch, samples, in) to (batch, samples * stride, out)."""

    def __init__(self, inp: int, out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.weight = nn.Parameter(torch.empty(out, KERNEL, inp).transpose(1, 2))  # (out, in, KERNEL)
        self.bias = nn.Parameter(torch.zeros(out))
        nn.init.normal_(self.weight, std=math.sqrt(2 / (inp * KERNEL)))

    def forward(self, x: Tensor) -> Tensor:
        kernel, bias = fold_nearest(self.weight.to(x.dtype), self.stride), self.bias.repeat(self.stride).to(x.dtype)
        image = x.unsqueeze(1).permute(0, 3, 1, 2)  # (batch, in, 1, samples), channels last in memory
        blocks = F.conv2d(image, kernel, bias, padding=(0, kernel.shape[3] // 2))
        return blocks.permute(0, 2, 3, 1).reshape(len(x), x.shape[1] * self.stride, -1)


UPSAMPLINGS = {"zeros": Upsample, "nearest": NearestUpsample}
"""By the name of the option."""


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
