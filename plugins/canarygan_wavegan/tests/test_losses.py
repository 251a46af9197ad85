"""Losses against closed forms."""

import pytest
import torch
from canarygan_wavegan.losses import (
    critic_loss,
    generator_loss,
    gradient_penalty,
    interpolate,
    wasserstein_estimate,
)


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
    torch.manual_seed(0)
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
    torch.manual_seed(0)
    points = torch.randn(2, 8, requires_grad=True)
    weight = torch.randn(8, requires_grad=True)
    gradient_penalty(lambda x: torch.tanh(x @ weight), points * 2).backward()
    assert points.grad is None
    assert weight.grad is not None


def test_critic_loss_of_a_linear_critic() -> None:
    slope = torch.tensor([3.0, 4.0])
    real, fake = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.0, 0.0], [-1.0, 0.0]])
    loss, estimate, penalty = critic_loss(lambda x: x @ slope, real, fake, torch.tensor([[0.2], [0.9]]))
    assert estimate.item() == pytest.approx((3 + 4) / 2 - (0 - 3) / 2)
    assert penalty.item() == pytest.approx((5 - 1) ** 2, rel=1e-5)
    assert loss.item() == pytest.approx(10 * 16 - 5, rel=1e-5)


def test_critic_loss_takes_the_penalty_at_the_fraction_of_each_example() -> None:
    real, fake, fraction = torch.tensor([[0.0], [2.0]]), torch.tensor([[4.0], [6.0]]), torch.tensor([[0.25], [0.5]])
    _, _, penalty = critic_loss(lambda x: x.square().sum(1) / 2, real, fake, fraction)  # gradient norms 1 and 4
    assert penalty.item() == pytest.approx((0 + 3**2) / 2, rel=1e-5)
