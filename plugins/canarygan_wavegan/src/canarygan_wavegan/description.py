"""The generator as a list of layers, which programs without torch can compute; see `canarygan_core.Generator`."""

from typing import Any, cast

import torch
from torch import Tensor

from canarygan_wavegan.model import KERNEL, Generator, Layer, NearestUpsample, padding


def describe(network: Generator, arithmetic: torch.dtype = torch.float32) -> list[dict[str, Any]]:
    """The layers of a generator in evaluation, with its batch normalisation in the weights before it.

    Args:
        network: the generator.
        arithmetic: dtype of its hidden layers; one that normalises differs by the roundings of bfloat16.
    """
    rounding = [{"kind": "bfloat16"}] if arithmetic is torch.bfloat16 else []
    described: list[dict[str, Any]] = []
    with torch.no_grad():
        weight, bias = network.project.weight.cpu(), network.project.bias.cpu()
        length = len(bias) // network.shape.channels[0]
        gain, shift = _find_affine(network.norms[0], network.shape.channels[0])
        repeated = gain.repeat_interleave(length), shift.repeat_interleave(length)
        described.append(_describe("linear", weight * repeated[0][:, None], bias * repeated[0] + repeated[1]))
        layers = cast(list[Layer], list(network.layers))
        for layer, after in zip(layers, [*network.norms[1:], torch.nn.Identity()], strict=True):
            dtype = torch.float32 if layer is layers[-1] else arithmetic
            kernel, bias = (part.cpu().to(dtype).float() for part in (layer.weight, layer.bias))
            left = padding(layer.stride)
            if isinstance(layer, NearestUpsample):
                kernel, left = _unfold_nearest(kernel, layer.stride), KERNEL - 1 - KERNEL // 2
            gain, shift = _find_affine(after, len(bias))
            sizes = {"stride": layer.stride, "padding": left}
            convolution = _describe("transposed-convolution", kernel * gain[:, None], bias * gain + shift) | sizes
            described += [*rounding, {"kind": "relu"}, convolution]
    return [*described, {"kind": "tanh"}]


def _describe(kind: str, weight: Tensor, bias: Tensor) -> dict[str, Any]:
    arrays = (part.float().contiguous().numpy() for part in (weight, bias))
    return {"kind": kind, **dict(zip(("weight", "bias"), arrays, strict=True))}


def _find_affine(norm: torch.nn.Module, channels: int) -> tuple[Tensor, Tensor]:
    """Gain and shift of each channel by a batch normalisation in evaluation; 1 and 0 by anything else."""
    if not isinstance(norm, torch.nn.BatchNorm1d) or norm.running_mean is None or norm.running_var is None:
        return torch.ones(channels), torch.zeros(channels)
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return gain.cpu(), (norm.bias - norm.running_mean * gain).cpu()


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
