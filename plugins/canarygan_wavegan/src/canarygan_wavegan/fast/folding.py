"""Kernels over blocks of samples, which turn a convolution with a stride into one without.

In signals (batch, samples, channels), `stride` neighbouring samples form one block of `stride * channels` channels. So
a strided convolution is a stride-1 convolution over blocks, and blocks are a view that costs nothing.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from canarygan_wavegan.model import KERNEL, padding


def reach(stride: int) -> int:
    """Blocks that a kernel covers on each side of its central block."""
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
    taps = F.pad(weight.transpose(1, 2), (0, 0, left, blocks * stride - left - kernel))  # (out, blocks * stride, in)
    return taps.view(out, blocks, stride * inp).transpose(1, 2).unsqueeze(2)


def unfold_strided(kernel: Tensor, stride: int) -> Tensor:
    """The inverse of `fold_strided`: the taps (out, in, KERNEL) of a kernel over blocks, without the unused ones."""
    out, channels, _, blocks = kernel.shape
    left = reach(stride) * stride - padding(stride)
    taps = kernel.squeeze(2).transpose(1, 2).reshape(out, blocks * stride, channels // stride)
    return taps[:, left : left + KERNEL].contiguous().transpose(1, 2)


def fold_nearest(weight: Tensor, stride: int) -> Tensor:
    """Kernel of a convolution after nearest-neighbour upsampling, to a kernel over the samples before upsampling.

    Taps that fall on copies of one sample are summed.

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
