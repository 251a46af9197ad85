"""The three passes of a strided convolution, each done in the way that is fastest for its sizes.

    forward     x, weight         to output     a strided convolution
    to_input    output, weight    to x          its adjoint: a transposed convolution, or the gradient at x
    to_weight   output, x         to weight     the gradient at the weight

Signals are (batch, samples, channels): x of `samples` and `in`, output of `samples / stride` and `out`. Weights are
(out, in, KERNEL), lying in memory as (out, KERNEL, in), and of the signals' dtype. Each way below does the same sum.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from canarygan_wavegan.folding import KERNEL, fold_strided, padding, reach, unfold_strided

HEAVY = {"forward": 2**23, "to_input": 2**24}
"""Bytes of a weight from which on, on a processor, one matrix product is faster than the library's convolution."""


def forward(x: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
    """Output (batch, samples / stride, out) of x."""
    return _way(weight, HEAVY["forward"]).forward(x, weight, stride, bias)


def to_input(output: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
    """What comes back at x, (batch, samples, in), of what is at the output."""
    return _way(weight, HEAVY["to_input"]).to_input(output, weight, stride, bias)


def to_weight(output: Tensor, x: Tensor, stride: int) -> Tensor:
    """Products of what is at the output with what is at x, summed into the shape of the weight."""
    wide_and_short = output.shape[1] < output.shape[2]
    return (Windows if output.device.type == "cpu" and wide_and_short else Blocks).to_weight(output, x, stride)


def _way(weight: Tensor, heavy: int) -> "type[Strided | Windows | Blocks]":
    if weight.device.type != "cpu" or weight.shape[1] == 1:
        return Blocks
    return Windows if weight.nbytes >= heavy else Strided


class Strided:
    """By the library's strided convolution. On processors it does no more than is asked for."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
        return _signal(F.conv2d(_image(x), weight.unsqueeze(2), bias, (1, stride), (0, padding(stride))))

    @staticmethod
    def to_input(output: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
        over = stride - (KERNEL - 2 * padding(stride))  # samples that the division by the stride left out
        pads = (0, padding(stride)), (0, over)
        return _signal(F.conv_transpose2d(_image(output), weight.unsqueeze(2), bias, (1, stride), *pads))


class Blocks:
    """By the library's plain convolution over blocks of samples, a few taps of whose kernel are zero (see `folding`).

    The way of graphics processors, of few channels, and of gradients at weights.
    """

    @staticmethod
    def forward(x: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
        kernel, pads = fold_strided(weight, stride), (0, reach(stride))
        return _signal(F.conv2d(_image(_blocks(x, stride)), kernel, bias, padding=pads))

    @staticmethod
    def to_input(output: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
        kernel, pads = fold_strided(weight, stride), (0, reach(stride))
        repeated = None if bias is None else bias.repeat(stride)
        blocks = _signal(F.conv_transpose2d(_image(output), kernel, repeated, padding=pads))
        return blocks.reshape(len(blocks), -1, weight.shape[1])

    @staticmethod
    def to_weight(output: Tensor, x: Tensor, stride: int) -> Tensor:
        blocks, taps = _blocks(x, stride), 2 * reach(stride) + 1
        like = output.new_empty(1).expand(output.shape[2], blocks.shape[2], 1, taps)
        gradient: Tensor = torch.ops.aten.convolution_backward(
            *(_image(output), _image(blocks), like, None),
            *([1, 1], [0, reach(stride)], [1, 1], False, [0, 0], 1, (False, True, False)),
        )[1]
        return unfold_strided(gradient, stride)


class Windows:
    """By one product with a matrix of all windows of x: the way of the wide and short layers on processors."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
        product = _windows(x, stride) @ _matrix(weight).T
        return (product if bias is None else product.add_(bias)).view(len(x), -1, len(weight))

    @staticmethod
    def to_input(output: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
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
    def to_weight(output: Tensor, x: Tensor, stride: int) -> Tensor:
        matrix = output.flatten(0, 1).T @ _windows(x, stride)  # (out, KERNEL * in)
        return matrix.view(len(matrix), KERNEL, -1).transpose(1, 2)


def _matrix(weight: Tensor) -> Tensor:
    """(out, in, KERNEL) as (out, KERNEL * in), which is how it lies in memory."""
    return weight.transpose(1, 2).flatten(1)


def _windows(x: Tensor, stride: int) -> Tensor:
    """What the kernel sees at each step, (batch * samples / stride, KERNEL * channels)."""
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
    return image.permute(0, 2, 3, 1).squeeze(1)
