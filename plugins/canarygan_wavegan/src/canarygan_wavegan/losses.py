"""The Wasserstein losses with gradient penalty, as pure functions of tensors.

Sources: Arjovsky, Chintala and Bottou (2017) for the losses, Gulrajani et al. (2017) for the penalty.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Score = Callable[[Tensor], Tensor]
"""A critic: sounds (batch, samples) to scores (batch,)."""


def wasserstein_estimate(real: Tensor, fake: Tensor) -> Tensor:
    """Mean score of real sounds less that of generated ones: what the critic maximises.

    Args:
        real: scores (batch,).
        fake: scores (batch,).
    """
    return real.mean() - fake.mean()


def generator_loss(fake: Tensor) -> Tensor:
    """What the generator minimises: minus the mean score (batch,) of its sounds."""
    return -fake.mean()


def interpolate(real: Tensor, fake: Tensor, fraction: Tensor) -> Tensor:
    """Points between pairs of sounds.

    Args:
        real: (batch, samples).
        fake: (batch, samples).
        fraction: (batch, 1), one coefficient an example, in 0 (real) to 1 (fake).
    """
    return torch.lerp(real, fake, fraction)


def gradient_penalty(critic: Score, between: Tensor) -> Tensor:
    """Mean squared distance from 1 of the norm of the critic's slope, unweighted (Gulrajani et al., 2017).

    Args:
        critic: maps (batch, samples) to scores (batch,).
        between: (batch, samples), interpolated sounds, detached.

    Returns:
        A scalar through which the critic's weights have gradients; the norm is taken in float32.
    """
    points = between.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    norms = slope.float().flatten(1).norm(dim=1)  # (batch,)
    penalty: Tensor = (norms - 1).square().mean()
    return penalty
