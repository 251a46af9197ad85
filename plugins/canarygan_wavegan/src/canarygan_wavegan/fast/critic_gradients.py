"""The gradients of the critic's loss by formulas, without automatic differentiation.

Automatic differentiation of the gradient penalty runs backward through a backward pass: it convolves transposed
batches, and sends zeros through the whole forward pass, because a leaky rectifier has no second derivative. With
formulas, all sounds (real, generated, interpolated) go forward and backward in one batch, and the penalty needs one
more forward pass:

    s = W1' M1 S1' W2' M2 S2' ... w         the gradient of a score at its sound, for convolutions W, rectifiers M,
                                            shifts S and readout w
    dP/dWl = (gradient at Wl's output) x (u carried forward to Wl's input),  u0 = dP/ds

Activations are (batch, samples, channels). The loss is `losses.critic_loss`: Gulrajani et al. (2017), equation 3.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from canarygan_wavegan.fast import kernels
from canarygan_wavegan.losses import interpolate, wasserstein_estimate
from canarygan_wavegan.model import SEED_LENGTH, SLOPE, Critic


@torch.no_grad()
def set_gradients(
    critic: Critic,
    real: Tensor,
    fake: Tensor,
    fraction: Tensor,
    shifts: Sequence[int],
    weight: float,
    dtype: torch.dtype,
) -> tuple[Tensor, Tensor]:
    """Set the gradients of the critic's weights to those of `losses.critic_loss`.

    Args:
        critic: its weights' `grad` are replaced.
        real: sounds (batch, samples).
        fake: generated sounds (batch, samples).
        fraction: (batch, 1) or (batch, samples), where between real (0) and generated (1) the penalty is taken.
        shifts: of each layer's output but the last's, samples (phase shuffle); the same for all sounds.
        weight: of the penalty (lambda).
        dtype: of the layers' arithmetic; scores, norms and gradients have the weights' dtype.

    Returns:
        Wasserstein estimate and unweighted penalty, scalars.
    """
    batch, layers = len(real), critic.layers_and_shifts(shifts)
    weights = [layer.weight.to(dtype) for layer, _ in layers]
    readout = critic.readout.weight.view(-1, SEED_LENGTH).T  # (16, channels)

    h = torch.cat([real, fake, interpolate(real, fake, fraction)]).to(dtype).unsqueeze(2)  # (3 batch, samples, 1)
    inputs, outputs = [], []
    for (layer, shift), taps in zip(layers, weights, strict=True):
        inputs.append(h)
        h = rectify(kernels.forward(h, taps, layer.stride, layer.bias.to(dtype)), shift)
        outputs.append(h)
    scores = h[: 2 * batch].to(readout.dtype).mul(readout).sum((1, 2)) + critic.readout.bias  # (2 batch,)
    estimate = wasserstein_estimate(scores[:batch], scores[batch:])

    by_score = readout.new_tensor([-1 / batch, 1 / batch, 1])  # of the loss; at interpolated sounds, of the score
    loss = by_score.repeat_interleave(batch)
    gradient = (loss[:, None, None] * readout).to(dtype)  # (3 batch, 16, channels)
    gradients: list[Tensor] = []  # at the layers' outputs, before rectifiers
    for (layer, shift), taps, out in zip(*(reversed(each) for each in (layers, weights, outputs)), strict=True):
        gradients.insert(0, rectify_backward(gradient, out, shift))
        rows = slice(None) if layer is not layers[0][0] else slice(2 * batch, None)  # at sounds, interpolated ones only
        gradient = kernels.grad_input(gradients[0][rows], taps, layer.stride)
    s = gradient.squeeze(2).to(readout.dtype)  # (batch, samples)
    norms = s.norm(dim=1, keepdim=True)  # (batch, 1)
    penalty = (norms - 1).square().mean()

    scale = 2 * weight / batch * (norms - 1) / norms.where(norms > 0, 1)
    inputs[0][2 * batch :] = (scale * s).unsqueeze(2)  # u0 replaces the points from here on
    for (layer, shift), taps, inp, out, gradient in zip(layers, weights, inputs, outputs, gradients, strict=True):
        tangent = kernels.forward(inp[2 * batch :], taps, layer.stride)
        rectify_tangent(tangent, out[2 * batch :], shift)  # in place: `out` is the next layer's input
        at_weight = kernels.grad_weight(gradient, inp, layer.stride)
        layer.weight.grad = at_weight.to(layer.weight.dtype)  # laid out like the weight, as fused optimisers need it
        layer.bias.grad = gradient[: 2 * batch].sum((0, 1), dtype=layer.bias.dtype)
    loss[2 * batch :] = 1
    at_readout = torch.einsum("b,bsc->cs", loss, h.to(loss.dtype))  # real and generated features, and the last u
    critic.readout.weight.grad = at_readout.reshape(1, -1)
    critic.readout.bias.grad = torch.zeros_like(critic.readout.bias)  # it moves all scores alike
    return estimate, penalty


def rectify(x: Tensor, shift: int) -> Tensor:
    """The leaky rectifier, then `model.shift_samples`, in one pass over memory."""
    out, length = torch.empty_like(x), x.shape[1]
    to, source = _shifted_slices(shift, length)
    torch.ops.aten.leaky_relu.out(x[:, source], SLOPE, out=out[:, to])
    for edge, mirrored in _reflections(shift, length):
        out[:, edge] = torch.ops.aten.leaky_relu(x[:, mirrored], SLOPE)
    return out


def rectify_backward(gradient: Tensor, out: Tensor, shift: int) -> Tensor:
    """From the gradient at `out = rectify(x, shift)` to that at x."""
    before, length = torch.empty_like(out), out.shape[1]
    to, source = _shifted_slices(shift, length)
    backward = torch.ops.aten.leaky_relu_backward
    backward.grad_input(gradient[:, to], out[:, to], SLOPE, True, grad_input=before[:, source])
    before[:, : source.start] = 0
    before[:, source.stop :] = 0
    for edge, mirrored in _reflections(shift, length):
        before[:, mirrored] += backward(gradient[:, edge], out[:, edge], SLOPE, True)
    return before


def rectify_tangent(tangent: Tensor, out: Tensor, shift: int) -> None:
    """Replace `out = rectify(x, shift)` by its derivative along a tangent at x."""
    to, source = _shifted_slices(shift, out.shape[1])
    backward = torch.ops.aten.leaky_relu_backward  # of one number, so forward is the same
    for edge, mirrored in _reflections(shift, out.shape[1]):
        out[:, edge] = backward(tangent[:, mirrored], out[:, edge], SLOPE, True)
    backward.grad_input(tangent[:, source], out[:, to], SLOPE, True, grad_input=out[:, to])


def _shifted_slices(shift: int, length: int) -> tuple[slice, slice]:
    """Where the samples that stay go to, and where they come from."""
    return slice(max(shift, 0), length + min(shift, 0)), slice(max(-shift, 0), length - max(shift, 0))


def _reflections(shift: int, length: int) -> list[tuple[int, int]]:
    """Samples that reflection fills, each with the sample that it copies."""
    if shift > 0:
        return [(place, shift - place) for place in range(shift)]
    return [(length + shift + place, length - 2 - place) for place in range(-shift)]
