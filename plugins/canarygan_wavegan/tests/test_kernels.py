"""Implementations of the convolution kernels against torch's own, and their derivatives."""

import pytest
import torch
import torch.nn.functional as F
from canarygan_wavegan.fast import kernels
from canarygan_wavegan.fast.convolutions import convolve, convolve_transposed
from canarygan_wavegan.fast.folding import fold_strided, unfold_strided
from canarygan_wavegan.model import KERNEL, padding
from torch import Tensor

IMPLEMENTATIONS = [kernels.Strided, kernels.Blocks, kernels.Windows]
SIZES = [(1, 6, 4), (6, 12, 4), (8, 4, 2), (5, 1, 4)]


def draw(inp: int, out: int, stride: int) -> tuple[Tensor, Tensor, Tensor]:
    """x, weight as it lies in memory, and a gradient at the output."""
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(3, 12 * stride, inp, generator=rng, dtype=torch.float64)
    weight = torch.randn(out, KERNEL, inp, generator=rng, dtype=torch.float64).transpose(1, 2)
    return x, weight, torch.randn(3, 12, out, generator=rng, dtype=torch.float64)


def reference(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    return F.conv1d(x.transpose(1, 2), weight, stride=stride, padding=padding(stride)).transpose(1, 2)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize(("inp", "out", "stride"), SIZES)
def test_every_implementation_goes_forward_and_back_alike(
    implementation: type, inp: int, out: int, stride: int
) -> None:
    x, weight, output = draw(inp, out, stride)
    bias, at_x = torch.arange(out, dtype=torch.float64), torch.arange(inp, dtype=torch.float64)
    torch.testing.assert_close(implementation.forward(x, weight, stride), reference(x, weight, stride))
    torch.testing.assert_close(implementation.forward(x, weight, stride, bias), reference(x, weight, stride) + bias)
    x.requires_grad_()
    (expected,) = torch.autograd.grad(reference(x, weight, stride), x, output)
    torch.testing.assert_close(implementation.grad_input(output, weight, stride), expected)
    torch.testing.assert_close(implementation.grad_input(output, weight, stride, at_x), expected + at_x)


@pytest.mark.parametrize("implementation", [kernels.Blocks, kernels.Windows])
@pytest.mark.parametrize(("inp", "out", "stride"), SIZES)
def test_every_implementation_computes_the_gradient_at_the_weight(
    implementation: type, inp: int, out: int, stride: int
) -> None:
    x, weight, output = draw(inp, out, stride)
    weight.requires_grad_()
    (expected,) = torch.autograd.grad(reference(x, weight, stride), weight, output)
    gradient = implementation.grad_weight(output, x, stride)
    torch.testing.assert_close(gradient, expected)
    assert gradient.transpose(1, 2).is_contiguous()  # as fused optimisers need it


@pytest.mark.parametrize("heavy", [1, 2**40], ids=["windows", "strided"])
@pytest.mark.parametrize("stride", [2, 4])
def test_derivatives_and_theirs_are_right(heavy: int, stride: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "HEAVY", dict.fromkeys(kernels.HEAVY, heavy))
    x, weight, output = draw(2, 3, stride)
    x, output = x[:1].requires_grad_(), output[:1].requires_grad_()
    at_output, at_x = torch.ones(3, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    weight.requires_grad_()
    for function, inputs in (
        (convolve, (x, weight, at_output.requires_grad_())),
        (convolve_transposed, (output, weight, at_x.requires_grad_())),
    ):
        arguments = [lambda *tensors, function=function: function(*tensors, stride), inputs]
        assert torch.autograd.gradcheck(*arguments, fast_mode=True)
        assert torch.autograd.gradgradcheck(*arguments, fast_mode=True)


@pytest.mark.parametrize("stride", [2, 4])
def test_kernels_over_blocks_unfold_to_what_was_folded(stride: int) -> None:
    weight = torch.randn(5, 3, KERNEL, generator=torch.Generator().manual_seed(0))
    assert torch.equal(unfold_strided(fold_strided(weight, stride), stride), weight)
