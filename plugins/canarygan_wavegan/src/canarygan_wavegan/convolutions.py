"""Stride-1 convolutions over blocks of samples, and how kernels with a stride are folded into such.

Signals are (batch, samples, channels). In that layout a run of `stride` neighbouring samples is already one block of
`stride * channels` channels, so a strided convolution is a plain one over blocks, and its output or input is a free
view.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

KERNEL = 25
"""Kernel length of every convolution, samples (Donahue et al., 2019)."""

FEW_BLOCKS = 32
"""Blocks up to which, on a processor, one matrix product is faster than the library's convolution."""


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
    taps = F.pad(weight.transpose(1, 2), (0, 0, left, blocks * stride - left - kernel))  # (out, blocks * stride, in)
    return taps.view(out, blocks, stride * inp).transpose(1, 2).unsqueeze(2)


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
    taps = F.pad(weight.permute(1, 2, 0), (0, 0, left, blocks * stride - left - kernel))  # (out, blocks * stride, in)
    taps = taps.view(out, blocks, stride, inp).flip(1).permute(2, 0, 1, 3)  # (stride, out, blocks, in)
    return taps.reshape(stride * out, blocks, inp).transpose(1, 2).unsqueeze(2)


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


def unfold_strided(kernel: Tensor, stride: int) -> Tensor:
    """What `fold_strided` folded: the taps (out, in, KERNEL) of a kernel over blocks, the unused ones left out."""
    out, channels, _, blocks = kernel.shape
    left = reach(stride) * stride - padding(stride)
    taps = kernel.squeeze(2).transpose(1, 2).reshape(out, blocks * stride, channels // stride)
    return taps[:, left : left + KERNEL].contiguous().transpose(1, 2)


class _Convolution(torch.autograd.Function):
    """The product of all windows of the input with a kernel; its derivatives are of the three functions below."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor) -> Tensor:
        ctx.save_for_backward(x, kernel)
        return _product(x, kernel)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, kernel = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        return (
            to_input(gradient, x, kernel) if wanted[0] else None,
            to_kernel(gradient, x, kernel) if wanted[1] else None,
        )


def convolve(x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    """Stride-1 convolution, padded by zeros so that lengths are kept.

    Args:
        x: (batch, blocks, channels).
        kernel: (out channels, channels, 1, taps), of the same dtype.
        bias: (out channels,).

    Returns:
        (batch, blocks, out channels).
    """
    if _few(x):
        out: Tensor = _Convolution.apply(x, kernel)
        return out if bias is None else out + bias
    return _from_image(F.conv2d(_as_image(x), kernel, bias, padding=(0, kernel.shape[-1] // 2)))


def to_input(gradient: Tensor, x: Tensor, kernel: Tensor) -> Tensor:
    """From the gradient at `convolve(x, kernel)` to that at x, (batch, blocks, channels)."""
    if _few(x):
        return _overlapped((gradient @ _matrix(kernel)).view(*x.shape[:2], kernel.shape[3], -1))
    return _from_image(_backward(gradient, x, kernel, (True, False, False))[0])


def to_kernel(gradient: Tensor, x: Tensor, kernel: Tensor) -> Tensor:
    """From the gradient at `convolve(x, kernel)` to that at the kernel."""
    if _few(x):
        product = gradient.flatten(0, 1).T @ _windows(x, kernel.shape[3])  # (out channels, taps * channels)
        return product.view(len(product), kernel.shape[3], -1).transpose(1, 2).unsqueeze(2)
    return _backward(gradient, x, kernel, (False, True, False))[1]


def _few(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.shape[1] <= FEW_BLOCKS


def _product(x: Tensor, kernel: Tensor) -> Tensor:
    return (_windows(x, kernel.shape[3]) @ _matrix(kernel).T).view(*x.shape[:2], -1)


def _matrix(kernel: Tensor) -> Tensor:
    """(out channels, channels, 1, taps) as (out channels, taps * channels), which is how it lies in memory."""
    return kernel.squeeze(2).transpose(1, 2).flatten(1)


def _windows(x: Tensor, taps: int) -> Tensor:
    """What a kernel of so many taps sees at each block, (batch * blocks, taps * channels)."""
    padded = F.pad(x, (0, 0, taps // 2, taps // 2))
    return padded.unfold(1, taps, 1).transpose(2, 3).reshape(-1, taps * x.shape[2])


def _overlapped(windows: Tensor) -> Tensor:
    """Sum (batch, blocks, channels) of windows (batch, blocks, taps, channels), each about its block."""
    batch, blocks, taps, channels = windows.shape
    summed = windows.new_zeros(
        batch, blocks + taps - 1, channels, dtype=torch.promote_types(windows.dtype, torch.float32)
    )
    for tap in range(taps):
        summed[:, tap : tap + blocks] += windows[:, :, tap]
    return summed[:, taps // 2 : taps // 2 + blocks].to(windows.dtype)


def _as_image(x: Tensor) -> Tensor:
    """(batch, blocks, channels) as (batch, channels, 1, blocks), channels last in memory: the fast path everywhere."""
    return x.unsqueeze(1).permute(0, 3, 1, 2)


def _from_image(image: Tensor) -> Tensor:
    return image.permute(0, 2, 3, 1).squeeze(1)


def _backward(gradient: Tensor, x: Tensor, kernel: Tensor, wanted: tuple[bool, bool, bool]) -> tuple[Tensor, ...]:
    found: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
        *(_as_image(gradient), _as_image(x), kernel, None),
        *([1, 1], [0, kernel.shape[-1] // 2], [1, 1], False, [0, 0], 1, wanted),
    )
    return found
