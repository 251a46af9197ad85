"""Layers against torch's own convolutions."""

import pytest
import torch
import torch.nn.functional as F
from canarygan_wavegan.folding import KERNEL, padding
from canarygan_wavegan.layers import Downsample, NearestUpsample, Upsample, shifted

CASES = [(1, 6, 4), (6, 12, 4), (8, 4, 2), (5, 1, 4)]


@pytest.mark.parametrize(("inp", "out", "stride"), CASES)
def test_downsampling_is_a_strided_convolution(inp: int, out: int, stride: int) -> None:
    layer = Downsample(inp, out, stride)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(3, 64 * stride, inp)
    expected = F.conv1d(x.transpose(1, 2), layer.weight, layer.bias, stride=stride, padding=padding(stride))
    torch.testing.assert_close(layer(x), expected.transpose(1, 2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("inp", "out", "stride"), CASES)
def test_upsampling_with_zeros_is_a_transposed_convolution(inp: int, out: int, stride: int) -> None:
    layer = Upsample(inp, out, stride)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(3, 32, inp)
    expected = F.conv_transpose1d(
        x.transpose(1, 2), layer.weight, layer.bias, stride=stride, padding=padding(stride), output_padding=1
    )
    torch.testing.assert_close(layer(x), expected.transpose(1, 2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("inp", "out", "stride"), CASES)
def test_upsampling_by_copies_is_interpolation_and_a_convolution(inp: int, out: int, stride: int) -> None:
    layer = NearestUpsample(inp, out, stride)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(3, 32, inp)
    copies = F.interpolate(x.transpose(1, 2), scale_factor=stride, mode="nearest")
    expected = F.conv1d(copies, layer.weight, layer.bias, padding=KERNEL // 2)
    torch.testing.assert_close(layer(x), expected.transpose(1, 2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [Downsample(3, 5, 4), Upsample(3, 5, 4), NearestUpsample(3, 5, 4)])
def test_first_weights_keep_the_variance_of_rectified_input(layer: torch.nn.Module) -> None:
    x = F.relu(torch.randn(64, 256, 3, generator=torch.Generator().manual_seed(0)))
    assert layer(x).var().item() == pytest.approx(1, rel=0.5)


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        (0, [*range(12)]),
        (1, [1, *range(11)]),
        (2, [2, 1, *range(10)]),
        (-1, [*range(1, 12), 10]),
        (-2, [*range(2, 12), 10, 9]),
    ],
)
def test_phase_shuffle_keeps_lengths_and_reflects_at_the_ends(shift: int, expected: list[int]) -> None:
    assert shifted(torch.arange(12.0).view(1, 12, 1), shift).flatten().tolist() == expected
