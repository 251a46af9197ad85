"""The convolutions of `model`, by fast kernels, and what gives them to the layers of a network.

Where torch takes a network's graph, as for ONNX, the generator's convolutions are the plain ones, of any batch.
"""

from typing import Any, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, autograd, nn

from canarygan_wavegan import model
from canarygan_wavegan.fast import kernels
from canarygan_wavegan.fast.folding import fold_nearest

Network = TypeVar("Network", bound=nn.Module)


class _Convolution(autograd.Function):
    """A strided convolution, or its adjoint, which is its own derivative at x; both have the same one at the weight."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, adjoint: bool) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.adjoint = stride, adjoint
        return (kernels.grad_input if adjoint else kernels.forward)(x, weight, stride, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        at_x, at_weight, at_bias = ctx.needs_input_grad[:3]
        long, short = (gradient, x) if ctx.adjoint else (x, gradient)
        return (
            _Convolution.apply(gradient, weight, None, ctx.stride, not ctx.adjoint) if at_x else None,
            kernels.grad_weight(short, long, ctx.stride) if at_weight else None,
            gradient.sum((0, 1)) if at_bias else None,
            *(None, None),
        )


def convolve(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """`model.convolve`, differentiable any number of times; all tensors have one dtype."""
    return cast(Tensor, _Convolution.apply(x, weight, bias, stride, False))


def convolve_transposed(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """`model.convolve_transposed`, differentiable any number of times; all tensors have one dtype."""
    if torch.compiler.is_compiling():
        return model.convolve_transposed(x, weight, bias, stride)
    return cast(Tensor, _Convolution.apply(x, weight, bias, stride, True))


def convolve_nearest(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """`model.convolve_nearest`, without the copies."""
    if torch.compiler.is_compiling():
        return model.convolve_nearest(x, weight, bias, stride)
    kernel = fold_nearest(weight, stride)
    image = x.unsqueeze(1).permute(0, 3, 1, 2)  # (batch, in, 1, samples), channels last in memory
    blocks = F.conv2d(image, kernel, bias.repeat(stride), padding=(0, kernel.shape[3] // 2))
    return blocks.permute(0, 2, 3, 1).reshape(len(x), x.shape[1] * stride, -1)  # (batch, samples * stride, out)


FAST: dict[model.Convolution, model.Convolution] = {
    model.convolve: convolve,
    model.convolve_transposed: convolve_transposed,
    model.convolve_nearest: convolve_nearest,
}
"""The fast convolution for each plain one."""


def accelerate(network: Network) -> Network:
    """Let the layers of a network convolve by fast kernels; weights stay as they are. Returns the same network."""
    for layer in network.modules():
        if isinstance(layer, model.Layer):
            layer.convolve = FAST.get(layer.convolve, layer.convolve)
    return network
