"""Losses against closed forms."""

import pytest
import torch
from canarygan_wavegan.losses import generator_loss, gradient_penalty, interpolate, wasserstein_estimate


def test_wasserstein_losses() -> None:
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([-1.0, 0.0])
    assert wasserstein_estimate(real, fake).item() == pytest.approx(2.5)
    assert generator_loss(fake).item() == pytest.approx(0.5)


def test_interpolation_takes_one_coefficient_an_example() -> None:
    real, fake = torch.zeros(2, 5), torch.ones(2, 5)
    between = interpolate(real, fake, torch.tensor([[0.25], [1.0]]))
    assert between.tolist() == [[0.25] * 5, [1.0] * 5]


@pytest.mark.parametrize("scale", [0.0, 0.3, 1.0, 4.0])
def test_penalty_of_a_linear_critic(scale: float) -> None:
    slope = torch.randn(40)
    slope = (scale * slope / slope.norm()).requires_grad_()
    penalty = gradient_penalty(lambda x: x @ slope + 7, torch.randn(6, 40))
    assert penalty.item() == pytest.approx((scale - 1) ** 2, abs=1e-5)
    if scale:
        penalty.backward()
        expected = 2 * (scale - 1) * slope.detach() / scale
        torch.testing.assert_close(slope.grad, expected, rtol=1e-4, atol=1e-5)


def test_penalty_of_a_quadratic_critic() -> None:
    points = torch.tensor([[3.0, 4.0], [0.6, 0.8]])
    penalty = gradient_penalty(lambda x: x.square().sum(1) / 2, points)  # slope x, norms 5 and 1
    assert penalty.item() == pytest.approx(8, rel=1e-5)


def test_penalty_reaches_no_weights_of_what_made_the_points() -> None:
    points = torch.randn(2, 8, requires_grad=True)
    weight = torch.randn(8, requires_grad=True)
    gradient_penalty(lambda x: torch.tanh(x @ weight), points * 2).backward()
    assert points.grad is None
    assert weight.grad is not None
