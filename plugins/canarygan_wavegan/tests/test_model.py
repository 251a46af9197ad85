"""Shapes, sizes and the original's weights."""

import ast
import inspect
import sys
from itertools import pairwise
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from canarygan_wavegan import losses, model
from canarygan_wavegan.model import STRIDES, Critic, Generator, Shape, count_operations, count_parameters, padding


@pytest.mark.parametrize("module", [model, losses])
def test_the_plain_definition_needs_nothing_but_torch(module: ModuleType) -> None:
    tree = ast.parse(inspect.getsource(module))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {str(name).partition(".")[0] for name in names} - sys.stdlib_module_names == {"torch"}


@pytest.mark.parametrize("samples", sorted(STRIDES))
@pytest.mark.parametrize(("upsampling", "batch_norm"), [("zeros", False), ("nearest", True)])
def test_shapes_for_every_length(samples: int, upsampling: str, batch_norm: bool) -> None:
    shape = Shape(latent_dim=2, dim=1, samples=samples, upsampling=upsampling, batch_norm=batch_norm)
    torch.manual_seed(0)
    sounds = Generator(shape)(torch.randn(3, 2))
    assert sounds.shape == (3, samples)
    assert sounds.abs().max() <= 1
    assert Critic(shape)(sounds).shape == (3,)


@pytest.mark.parametrize("latent_dim", [1, 3, 6])
def test_latent_dimensions_of_the_paper(latent_dim: int) -> None:
    shape = Shape(latent_dim=latent_dim, dim=1, samples=4096)
    assert Generator(shape)(torch.zeros(1, latent_dim)).shape == (1, 4096)


def test_the_paper_size() -> None:
    generator, critic = Generator(Shape()), Critic(Shape())
    channels = [1024, 512, 256, 128, 64, 1]
    weights = 25 * sum(a * b for a, b in pairwise(channels)) + sum(channels[1:])
    assert count_parameters(generator) == weights + (3 + 1) * 16384
    assert generator.project.weight.shape == (16384, 3)
    assert [layer.weight.shape for layer in generator.layers][0] == (1024, 512, 25)  # noqa: RUF015
    assert critic.readout.in_features == 16384


def test_generator_is_a_stack_of_transposed_convolutions() -> None:
    torch.manual_seed(0)
    shape = Shape(dim=4)
    generator = Generator(shape).eval()
    z = torch.rand(2, 3) * 2 - 1
    h = F.relu(F.linear(z, generator.project.weight, generator.project.bias)).view(2, -1, 16)
    for level, (layer, stride) in enumerate(zip(generator.layers, shape.strides, strict=True)):
        h = F.conv_transpose1d(h, layer.weight, layer.bias, stride=stride, padding=padding(stride), output_padding=1)
        h = torch.tanh(h) if level == len(shape.strides) - 1 else F.relu(h)
    torch.testing.assert_close(generator(z), h.squeeze(1), rtol=0, atol=1e-5)


def test_critic_is_a_stack_of_strided_convolutions() -> None:
    torch.manual_seed(0)
    shape = Shape(dim=4, samples=8192)
    critic = Critic(shape)
    x = torch.rand(2, 8192) * 2 - 1
    h = x.unsqueeze(1)
    for layer, stride in zip(critic.layers, shape.strides, strict=True):
        h = F.leaky_relu(F.conv1d(h, layer.weight, layer.bias, stride=stride, padding=padding(stride)), 0.2)
    expected = F.linear(h.flatten(1), critic.readout.weight, critic.readout.bias).squeeze(1)
    torch.testing.assert_close(critic(x), expected, rtol=1e-4, atol=1e-4)


def test_operations_of_the_paper_size() -> None:
    per_layer = 2 * 25 * 16 * 1024 * 512  # alike in four layers: samples grow by 4, channels shrink by 2 twice
    assert count_operations(Shape()) == pytest.approx(4 * per_layer + 2 * 25 * 4096 * 64, rel=1e-9)
