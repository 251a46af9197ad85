"""The losses of a Wasserstein GAN with gradient penalty, in plain automatic differentiation.

A critic maps sounds (batch, samples) to scores (batch,). All losses are scalars in the critic's units.
`train-gan --critic-step plain` follows a change of `critic_loss`. The default step is written for this loss alone.

References:
    Arjovsky, Chintala and Bottou (2017), Wasserstein GAN, arXiv:1701.07875: the estimate, the generator's loss.
    Gulrajani et al. (2017), Improved Training of Wasserstein GANs, arXiv:1704.00028: equation 3, the critic's loss.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Score = Callable[[Tensor], Tensor]
"""A critic: sounds (batch, samples) to scores (batch,)."""


def critic_loss(
    critic: Score, real: Tensor, fake: Tensor, fraction: Tensor, weight: float = 10.0
) -> tuple[Tensor, Tensor, Tensor]:
    """What the critic minimises: `weight * penalty - estimate`.

    Args:
        critic: to be trained.
        real: sounds (batch, samples).
        fake: generated sounds (batch, samples), detached.
        fraction: (batch, 1), where between real (0) and generated (1) the penalty is taken, one number an example; or
            (batch, samples), one a sample.
        weight: of the penalty (lambda).

    Returns:
        Loss, Wasserstein estimate and unweighted penalty, scalars.
    """
    estimate = wasserstein_estimate(critic(real), critic(fake))
    penalty = gradient_penalty(critic, interpolate(real, fake, fraction))
    return weight * penalty - estimate, estimate, penalty


def generator_loss(fake: Tensor) -> Tensor:
    """What the generator minimises: minus the mean score (batch,) of its sounds."""
    return -fake.mean()


def wasserstein_estimate(real: Tensor, fake: Tensor) -> Tensor:
    """Mean score (batch,) of real sounds minus mean score (batch,) of generated ones."""
    return real.mean() - fake.mean()


def interpolate(real: Tensor, fake: Tensor, fraction: Tensor) -> Tensor:
    """Points between real and generated sounds (batch, samples), at a `fraction` (batch, 1 or samples) of the way."""
    return torch.lerp(real, fake, fraction)  # (batch, samples)


def gradient_penalty(critic: Score, between: Tensor) -> Tensor:
    """Mean squared distance from 1 of the norm of the critic's gradient at its input, unweighted.

    Args:
        critic: to be trained.
        between: interpolated sounds (batch, samples).

    Returns:
        A scalar through which gradients reach the critic's weights. The norm is taken in float32.
    """
    points = between.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)  # (batch, samples)
    norms = gradient.float().flatten(1).norm(dim=1)  # (batch,)
    penalty: Tensor = (norms - 1).square().mean()
    return penalty
