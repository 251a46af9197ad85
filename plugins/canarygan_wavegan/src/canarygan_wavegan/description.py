"""The generator as a list of layers, which programs without torch can compute; see `canarygan_core.Generator`."""

from typing import Any, cast

import torch
from torch import Tensor

from canarygan_wavegan.model import KERNEL, Generator, Layer, NearestUpsample, padding


def describe(network: Generator, arithmetic: torch.dtype = torch.float32) -> list[dict[str, Any]]:
    """The layers of a generator in evaluation.

    Its batch normalisation is in the weights before it, but between roundings to bfloat16, where it is a layer.

    Args:
        network: the generator.
        arithmetic: dtype of its hidden layers.
    """
    rounding = [{"kind": "bfloat16"}] if arithmetic is torch.bfloat16 else []
    with torch.no_grad():
        first = _describe("linear", network.project.weight.cpu(), network.project.bias.cpu())
        described = _normalise(first, network.norms[0], rounding)
        layers = cast(list[Layer], list(network.layers))
        for layer, after in zip(layers, [*network.norms[1:], None], strict=True):
            dtype = arithmetic if after else torch.float32
            kernel, bias = (part.cpu().to(dtype).float() for part in (layer.weight, layer.bias))
            left = padding(layer.stride)
            if isinstance(layer, NearestUpsample):
                kernel, left = _unfold_nearest(kernel, layer.stride), KERNEL - 1 - KERNEL // 2
            sizes = {"stride": layer.stride, "padding": left}
            convolution = _describe("transposed-convolution", kernel, bias) | sizes
            described += [{"kind": "relu"}, *(_normalise(convolution, after, rounding) if after else [convolution])]
    return [*described, {"kind": "tanh"}]


def _describe(kind: str, weight: Tensor, bias: Tensor) -> dict[str, Any]:
    arrays = (part.float().contiguous().numpy() for part in (weight, bias))
    return {"kind": kind, **dict(zip(("weight", "bias"), arrays, strict=True))}


def _normalise(layer: dict[str, Any], norm: torch.nn.Module, rounding: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A layer, what rounds its output, and its batch normalisation in evaluation, if `norm` is one."""
    if not isinstance(norm, torch.nn.BatchNorm1d) or norm.running_mean is None or norm.running_var is None:
        return [layer, *rounding]
    factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    scale = _describe("scale", factor.cpu(), (norm.bias - norm.running_mean * factor).cpu())
    if rounding:
        return [layer, *rounding, scale, *rounding]
    length = len(layer["bias"]) // norm.num_features  # of each channel in what a linear layer gives
    gain, shift = (scale[part].repeat(length) for part in ("weight", "bias"))
    return [layer | {"weight": layer["weight"] * gain[:, None], "bias": layer["bias"] * gain + shift}]


def _unfold_nearest(weight: Tensor, stride: int) -> Tensor:
    """Nearest-neighbour upsampling and a convolution (out, in, kernel) as one transposed convolution.

    Returns:
        (in, out, kernel + stride - 1): the kernel, reversed, at each of the places of a sample's copies, summed.
    """
    reversed_kernel = weight.permute(1, 0, 2).flip(2)  # (in, out, kernel)
    total = reversed_kernel.new_zeros(*reversed_kernel.shape[:2], reversed_kernel.shape[2] + stride - 1)
    for copy in range(stride):
        total[:, :, copy : copy + reversed_kernel.shape[2]] += reversed_kernel
    return total
