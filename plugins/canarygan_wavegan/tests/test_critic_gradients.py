"""The formulas of the critic's gradients against automatic differentiation of the plain loss."""

import pytest
import torch
from canarygan_wavegan.fast.critic_gradients import set_gradients
from canarygan_wavegan.losses import critic_loss
from canarygan_wavegan.model import Critic, Shape
from torch import Tensor


def draw(samples: int, dim: int = 2, batch: int = 3) -> tuple[Critic, Tensor, Tensor, Tensor]:
    """A critic with biases, real and generated sounds, and where between them the penalty is taken; in float64."""
    torch.manual_seed(samples + dim)
    critic = Critic(Shape(dim=dim, samples=samples)).double()
    with torch.no_grad():
        for layer in critic.layers:
            layer.bias.normal_(std=0.1)
    real, fake = (torch.rand(2, batch, samples, dtype=torch.float64) * 2 - 1).unbind()
    return critic, real, fake, torch.rand(batch, 1, dtype=torch.float64)


def differentiate(
    critic: Critic, real: Tensor, fake: Tensor, fraction: Tensor, shifts: list[int], weight: float
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Estimate, penalty and gradients by automatic differentiation."""
    loss, estimate, penalty = critic_loss(lambda x: critic(x, shifts), real, fake, fraction, weight)
    critic.zero_grad()
    loss.backward()
    return estimate, penalty, {name: part.grad.clone() for name, part in critic.named_parameters()}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("samples", "shifts"),
    [(4096, []), (4096, [2, -2, 1]), (8192, [-1, 0, 8, -8]), (16384, [1, 2, -2, -1])],
)
@pytest.mark.parametrize("weight", [10.0, 0.0])
def test_gradients_are_those_of_automatic_differentiation(samples: int, shifts: list[int], weight: float) -> None:
    critic, real, fake, fraction = draw(samples)
    estimate, penalty, expected = differentiate(critic, real, fake, fraction, shifts, weight)
    critic.zero_grad()
    values = set_gradients(critic, real, fake, fraction, shifts, weight, torch.float64)
    plain_values = torch.stack([estimate, penalty]).double()  # from scores and norms in float32
    torch.testing.assert_close(torch.stack(values), plain_values, rtol=1e-5, atol=1e-6)
    for name, part in critic.named_parameters():
        assert part.grad is not None
        assert part.grad.stride() == part.stride()  # fused optimisers go by the order in memory
        scale = expected[name].abs().max()
        torch.testing.assert_close(part.grad, expected[name], rtol=1e-4, atol=1e-6 * float(scale) + 1e-12, msg=name)


def test_a_flat_critic_has_finite_gradients() -> None:
    critic, real, fake, fraction = draw(4096)
    with torch.no_grad():
        critic.readout.weight.zero_()
    _, penalty = set_gradients(critic, real, fake, fraction, [], 10.0, torch.float64)
    assert penalty == 1
    assert all(part.grad is not None and part.grad.isfinite().all() for part in critic.parameters())


def test_bfloat16_points_the_same_way() -> None:
    critic, real, fake, fraction = (part.float() for part in draw(4096, dim=8, batch=8))
    _, _, expected = differentiate(critic, real, fake, fraction, [1, -1, 2], 10.0)
    set_gradients(critic, real, fake, fraction, [1, -1, 2], 10.0, torch.bfloat16)
    for name, part in critic.named_parameters():
        if name != "readout.bias":
            cosine = torch.cosine_similarity(part.grad.flatten(), expected[name].flatten(), dim=0)  # type: ignore[union-attr]
            assert cosine > 0.99, name


def test_gradients_are_the_same_where_each_sample_is_mixed_by_a_share_of_its_own() -> None:
    critic, real, fake, _ = draw(4096)
    fraction = torch.rand(real.shape, dtype=torch.float64)
    _, penalty, expected = differentiate(critic, real, fake, fraction, [1], 10.0)
    critic.zero_grad()
    _, fast = set_gradients(critic, real, fake, fraction, [1], 10.0, torch.float64)
    torch.testing.assert_close(fast.double(), penalty.double(), rtol=1e-5, atol=1e-6)
    for name, part in critic.named_parameters():
        scale = float(expected[name].abs().max())
        torch.testing.assert_close(part.grad, expected[name], rtol=1e-4, atol=1e-6 * scale + 1e-12, msg=name)
