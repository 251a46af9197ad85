"""Strided convolution and its adjoint as functions that automatic differentiation knows, as often as wanted."""

from typing import Any

from torch import Tensor, autograd

from canarygan_wavegan import passes


class _Convolution(autograd.Function):
    """A strided convolution, or its adjoint, which is its own derivative at x; both have the same one at the weight."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, adjoint: bool) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.adjoint = stride, adjoint
        return (passes.to_input if adjoint else passes.forward)(x, weight, stride, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        at_x, at_weight, at_bias = ctx.needs_input_grad[:3]
        long, short = (gradient, x) if ctx.adjoint else (x, gradient)
        return (
            _Convolution.apply(gradient, weight, None, ctx.stride, not ctx.adjoint) if at_x else None,
            passes.to_weight(short, long, ctx.stride) if at_weight else None,
            gradient.sum((0, 1)) if at_bias else None,
            *(None, None),
        )


def convolve(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """Strided convolution, padded by zeros so that `stride` divides the length exactly.

    Args:
        x: (batch, samples, in).
        weight: (out, in, KERNEL), of the same dtype.
        bias: (out,).
        stride: samples.

    Returns:
        (batch, samples / stride, out).
    """
    out: Tensor = _Convolution.apply(x, weight, bias, stride, False)
    return out


def convolve_transposed(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """Transposed convolution, the adjoint of `convolve`.

    Args:
        x: (batch, samples, in).
        weight: (in, out, KERNEL), of the same dtype.
        bias: (out,).
        stride: samples.

    Returns:
        (batch, samples * stride, out).
    """
    out: Tensor = _Convolution.apply(x, weight, bias, stride, True)
    return out
