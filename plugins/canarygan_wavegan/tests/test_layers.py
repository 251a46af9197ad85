"""Layers against torch's own convolutions."""

import pytest
import torch
import torch.nn.functional as F
from canarygan_wavegan.layers import KERNEL, Downsample, PhaseShuffle, Upsample, padding

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
    layer = Upsample(inp, out, stride, "zeros")
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(3, 32, inp)
    expected = F.conv_transpose1d(
        x.transpose(1, 2), layer.weight, layer.bias, stride=stride, padding=padding(stride), output_padding=1
    )
    torch.testing.assert_close(layer(x), expected.transpose(1, 2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("inp", "out", "stride"), CASES)
def test_upsampling_by_copies_is_interpolation_and_a_convolution(inp: int, out: int, stride: int) -> None:
    layer = Upsample(inp, out, stride, "nearest")
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(3, 32, inp)
    copies = F.interpolate(x.transpose(1, 2), scale_factor=stride, mode="nearest")
    expected = F.conv1d(copies, layer.weight, layer.bias, padding=KERNEL // 2)
    torch.testing.assert_close(layer(x), expected.transpose(1, 2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [Downsample(3, 5, 4), Upsample(3, 5, 4, "zeros"), Upsample(3, 5, 4, "nearest")])
def test_first_weights_keep_the_variance_of_rectified_input(layer: torch.nn.Module) -> None:
    x = F.relu(torch.randn(64, 256, 3, generator=torch.Generator().manual_seed(0)))
    assert layer(x).var().item() == pytest.approx(1, rel=0.5)


def test_phase_shuffle_of_radius_0_is_the_identity() -> None:
    x = torch.randn(2, 16, 3)
    assert PhaseShuffle(0)(x) is x


def test_phase_shuffle_keeps_lengths_and_reflects_at_the_ends() -> None:
    x = torch.arange(12.0).view(1, 12, 1)
    shuffle, rng, seen = PhaseShuffle(2), torch.Generator().manual_seed(0), set()
    for _ in range(64):
        y = shuffle(x, rng)
        assert y.shape == x.shape
        seen.add(tuple(y.flatten().int().tolist()))
    line = list(range(12))
    assert seen == {
        tuple(line),
        (1, *line[:-1]),
        (2, 1, *line[:-2]),
        (*line[1:], 10),
        (*line[2:], 10, 9),
    }


def test_phase_shuffle_follows_its_generator() -> None:
    x = torch.randn(1, 32, 1)
    shifted = [PhaseShuffle(4)(x, torch.Generator().manual_seed(7)) for _ in range(2)]
    assert torch.equal(*shifted)
