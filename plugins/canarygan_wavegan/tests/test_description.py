"""A generator as a list of layers, computed without torch."""

import numpy as np
import pytest
import torch
from canarygan_wavegan.description import describe
from canarygan_wavegan.model import STRIDES, Generator, Shape

from canarygan_core.components import compute_layers


@pytest.mark.parametrize("samples", sorted(STRIDES)[:3])
@pytest.mark.parametrize("upsampling", ["zeros", "nearest"])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_layers_make_the_sounds_of_the_network(samples: int, upsampling: str, batch_norm: bool) -> None:
    network = Generator(Shape(3, 2, samples, upsampling, batch_norm)).eval()
    for norm in network.norms:
        if batch_norm:
            for part in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
                part.data.uniform_(0.5, 1.5)
    for layer in network.layers:
        layer.bias.data.uniform_(-0.1, 0.1)
    z = np.random.default_rng(0).uniform(-1, 1, (3, 3)).astype(np.float32)
    layers = describe(network)
    assert {layer["kind"] for layer in layers} == {"linear", "relu", "transposed-convolution", "tanh"}
    with torch.no_grad():
        wanted = network(torch.from_numpy(z)).numpy()
    assert np.abs(wanted).max() > 0.01
    np.testing.assert_allclose(compute_layers(layers, z), wanted, atol=1e-5)


def test_layers_round_as_the_network_does_in_bfloat16() -> None:
    network = Generator(Shape(3, 4, 4096)).eval()
    z = np.random.default_rng(0).uniform(-1, 1, (3, 3)).astype(np.float32)
    with torch.no_grad():
        wanted = network(torch.from_numpy(z), torch.bfloat16).numpy()
        exact = network(torch.from_numpy(z)).numpy()
    made = compute_layers(describe(network, torch.bfloat16), z)
    assert np.abs(made - wanted).max() < 0.2 * np.abs(exact - wanted).max()
    np.testing.assert_allclose(made, wanted, atol=1e-3)


def test_batch_normalisation_is_a_layer_between_roundings() -> None:
    network = Generator(Shape(3, 4, 4096, batch_norm=True))
    with torch.no_grad():
        for _ in range(20):
            network.train()(torch.rand(32, 3) * 2 - 1)
    network.eval()
    z = np.random.default_rng(0).uniform(-1, 1, (9, 3)).astype(np.float32)
    with torch.no_grad():
        wanted = network(torch.from_numpy(z), torch.bfloat16).numpy()
        exact = network(torch.from_numpy(z)).numpy()
    layers = describe(network, torch.bfloat16)
    assert [layer["kind"] for layer in layers].count("scale") == len(network.norms)
    apart, rounded = (np.abs(made - wanted).max(1) for made in (compute_layers(layers, z), exact))
    assert np.median(apart) < 1e-4
    assert np.median(rounded) > 1e-3
    assert apart.max() < rounded.max()


def test_a_layer_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="'attention'"):
        compute_layers([{"kind": "attention"}], np.zeros((1, 3), np.float32))
