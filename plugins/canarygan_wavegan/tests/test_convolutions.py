"""Layers, plain and fast, against torch's own convolutions."""

import math

import pytest
import torch
import torch.nn.functional as F
from canarygan_wavegan import model
from canarygan_wavegan.fast.convolutions import FAST, accelerate
from canarygan_wavegan.model import KERNEL, Downsample, Layer, NearestUpsample, Upsample, padding, shift_samples
from torch import Tensor

CASES = [(1, 6, 4), (6, 12, 4), (8, 4, 2), (5, 1, 4)]


def draw(kind: type[Layer], fast: bool, sizes: tuple[int, int, int], samples: int) -> tuple[Layer, Tensor]:
    """A layer with biases, and its input (3, samples, in)."""
    torch.manual_seed(0)
    layer = kind(*sizes)  # type: ignore[arg-type]
    torch.nn.init.normal_(layer.bias)
    return accelerate(layer) if fast else layer, torch.randn(3, samples, sizes[0])


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(("inp", "out", "stride"), CASES)
def test_downsampling_is_a_strided_convolution(inp: int, out: int, stride: int, fast: bool) -> None:
    layer, x = draw(Downsample, fast, (inp, out, stride), 64 * stride)
    expected = F.conv1d(x.transpose(1, 2), layer.weight, layer.bias, stride=stride, padding=padding(stride))
    torch.testing.assert_close(layer(x), expected.transpose(1, 2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(("inp", "out", "stride"), CASES)
def test_upsampling_with_zeros_is_a_transposed_convolution(inp: int, out: int, stride: int, fast: bool) -> None:
    layer, x = draw(Upsample, fast, (inp, out, stride), 32)
    expected = F.conv_transpose1d(
        x.transpose(1, 2), layer.weight, layer.bias, stride=stride, padding=padding(stride), output_padding=1
    )
    torch.testing.assert_close(layer(x), expected.transpose(1, 2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(("inp", "out", "stride"), CASES)
def test_upsampling_by_copies_is_interpolation_and_a_convolution(inp: int, out: int, stride: int, fast: bool) -> None:
    layer, x = draw(NearestUpsample, fast, (inp, out, stride), 32)
    copies = F.interpolate(x.transpose(1, 2), scale_factor=stride, mode="nearest")
    expected = F.conv1d(copies, layer.weight, layer.bias, padding=KERNEL // 2)
    torch.testing.assert_close(layer(x), expected.transpose(1, 2), rtol=1e-4, atol=1e-5)


def test_acceleration_exchanges_every_convolution_and_no_weight() -> None:
    for upsampling in model.UPSAMPLINGS:
        network = model.Generator(model.Shape(dim=1, samples=4096, upsampling=upsampling))
        weights = list(network.parameters())
        plain = [layer.convolve for layer in network.modules() if isinstance(layer, Layer)]
        assert accelerate(accelerate(network)) is network
        fast = [layer.convolve for layer in network.modules() if isinstance(layer, Layer)]
        assert fast == [FAST[convolve] for convolve in plain]
        assert len(fast) == 4
        assert all(a is b for a, b in zip(weights, network.parameters(), strict=True))


@pytest.mark.parametrize("kind", [Downsample, Upsample, NearestUpsample])
def test_first_weights_keep_the_variance_of_rectified_input(kind: type[Layer]) -> None:
    """The mean square over 300 layers and inputs is 1, within four standard errors by the spread over them."""
    torch.manual_seed(0)
    squares = []
    for _ in range(300):
        with torch.no_grad():
            out = kind(3, 5, 4)(F.relu(torch.randn(8, 64, 3)))  # type: ignore[call-arg,arg-type]
        squares.append(out[:, out.shape[1] // 4 : -out.shape[1] // 4].square().mean())  # away from the zero padding
    error = float(torch.stack(squares).std()) / math.sqrt(len(squares))
    assert error < 0.025
    assert float(torch.stack(squares).mean()) == pytest.approx(1, abs=4 * error)


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
    assert shift_samples(torch.arange(12.0).view(1, 12, 1), shift).flatten().tolist() == expected
