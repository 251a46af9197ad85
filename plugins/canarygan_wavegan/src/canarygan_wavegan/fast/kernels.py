"""The three convolution kernels of a layer: forward, gradient at the input, gradient at the weight.

    forward       x, weight         to output     a strided convolution
    grad_input    output, weight    to x          its adjoint: a transposed convolution, or the gradient at x
    grad_weight   output, x         to weight     the gradient at the weight

Each has up to three implementations that compute the same sum; the functions pick the fastest one for the sizes.
Signals are (batch, samples, channels): x of `samples` and `in`, output of `samples / stride` and `out`. Weights are
(out, in, KERNEL), lie in memory as (out, KERNEL, in), and have the dtype of the signals.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.grad import conv2d_weight

from canarygan_wavegan.fast.folding import fold_strided, reach, unfold_strided
from canarygan_wavegan.model import KERNEL, padding

HEAVY = {"forward": 2**23, "grad_input": 2**24}
"""Bytes of a weight at which, on a processor, one matrix product becomes faster than PyTorch's convolution."""


def forward(x: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
    """Output (batch, samples / stride, out) of x."""
    return _choose(weight, HEAVY["forward"]).forward(x, weight, stride, bias)


def grad_input(output: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
    """Gradient (batch, samples, in) at x of a gradient at the output; also the transposed convolution of `output`."""
    return _choose(weight, HEAVY["grad_input"]).grad_input(output, weight, stride, bias)


def grad_weight(output: Tensor, x: Tensor, stride: int) -> Tensor:
    """Gradient at the weight, of its shape, of a gradient at the output and the x that went in."""
    wide_and_short = output.shape[1] < output.shape[2]
    return (Windows if output.device.type == "cpu" and wide_and_short else Blocks).grad_weight(output, x, stride)


def _choose(weight: Tensor, heavy: int) -> "type[Strided | Windows | Blocks]":
    if weight.device.type != "cpu" or weight.shape[1] == 1:
        return Blocks
    return Windows if weight.nbytes >= heavy else Strided


class Strided:
    """By PyTorch's strided convolution, which on processors does no needless work."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
        return _signal(F.conv2d(_image(x), weight.unsqueeze(2), bias, (1, stride), (0, padding(stride))))

    @staticmethod
    def grad_input(output: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
        over = stride - (KERNEL - 2 * padding(stride))  # samples that the division by the stride left out
        pads = (0, padding(stride)), (0, over)
        return _signal(F.conv_transpose2d(_image(output), weight.unsqueeze(2), bias, (1, stride), *pads))


class Blocks:
    """By PyTorch's stride-1 convolution over blocks of samples (see `folding`); a few taps of its kernel are zero.

    The fastest on graphics processors, for few channels, and for gradients at weights.
    """

    @staticmethod
    def forward(x: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
        kernel, pads = fold_strided(weight, stride), (0, reach(stride))
        return _signal(F.conv2d(_image(_blocks(x, stride)), kernel, bias, padding=pads))

    @staticmethod
    def grad_input(output: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
        kernel, pads = fold_strided(weight, stride), (0, reach(stride))
        repeated = None if bias is None else bias.repeat(stride)
        blocks = _signal(F.conv_transpose2d(_image(output), kernel, repeated, padding=pads))
        return blocks.reshape(len(blocks), -1, weight.shape[1])

    @staticmethod
    def grad_weight(output: Tensor, x: Tensor, stride: int) -> Tensor:
        blocks = _blocks(x, stride)
        size = (output.shape[2], blocks.shape[2], 1, 2 * reach(stride) + 1)
        pads = (0, reach(stride))
        gradient = conv2d_weight(_image(blocks), size, _image(output), padding=pads)  # type: ignore[no-untyped-call]
        return unfold_strided(gradient, stride)


class Windows:
    """By one product with a matrix of all windows of x, the fastest on processors for wide and short layers."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
        product = _windows(x, stride) @ _matrix(weight).T
        return (product if bias is None else product.add_(bias)).view(len(x), -1, len(weight))

    @staticmethod
    def grad_input(output: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
        batch, blocks, _ = output.shape
        block = stride * weight.shape[1]
        windows = (output.flatten(0, 1) @ _matrix(weight)).view(batch, blocks, -1)  # (batch, blocks, KERNEL * in)
        exact = torch.promote_types(output.dtype, torch.float32)
        summed = output.new_zeros(batch, blocks + KERNEL // stride, block, dtype=exact)
        for offset, part in enumerate(torch.split(windows, block, dim=2)):
            summed[:, offset : offset + blocks, : part.shape[2]] += part
        x = summed.view(batch, -1, weight.shape[1])[:, padding(stride) : padding(stride) + blocks * stride]
        return (x if bias is None else x + bias).to(output.dtype).contiguous()

    @staticmethod
    def grad_weight(output: Tensor, x: Tensor, stride: int) -> Tensor:
        matrix = output.flatten(0, 1).T @ _windows(x, stride)  # (out, KERNEL * in)
        return matrix.view(len(matrix), KERNEL, -1).transpose(1, 2)


def _matrix(weight: Tensor) -> Tensor:
    """(out, in, KERNEL) as (out, KERNEL * in), a view."""
    return weight.transpose(1, 2).flatten(1)


def _windows(x: Tensor, stride: int) -> Tensor:
    """The samples under the kernel at each step, (batch * samples / stride, KERNEL * channels)."""
    channels = x.shape[2]
    padded = F.pad(x, (0, 0, padding(stride), KERNEL - stride - padding(stride)))
    return padded.flatten(1).unfold(1, KERNEL * channels, stride * channels).flatten(0, 1)


def _blocks(x: Tensor, stride: int) -> Tensor:
    """(batch, samples, channels) as (batch, samples / stride, stride * channels)."""
    batch, samples, channels = x.shape
    return x.reshape(batch, samples // stride, stride * channels)


def _image(x: Tensor) -> Tensor:
    """(batch, samples, channels) as (batch, channels, 1, samples), channels last in memory: fast everywhere."""
    return x.unsqueeze(1).permute(0, 3, 1, 2)


def _signal(image: Tensor) -> Tensor:
    """The inverse of `_image`."""
    return image.permute(0, 2, 3, 1).squeeze(1)
