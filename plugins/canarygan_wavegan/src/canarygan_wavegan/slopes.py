"""The gradients of the critic's loss, written out.

Automatic differentiation of the gradient penalty runs backward through a backward pass: it convolves transposed
batches, and sends zeros through the whole forward pass, because a leaky rectifier has no second derivative. Written
out, real, generated and interpolated sounds go forward and backward in one batch, and the penalty is one more forward
pass:

    s = W1' M1 S1' W2' M2 S2' ... w         the slope of a score, for convolutions W, rectifiers M, shifts S, readout w
    dP/dWl = (gradient at Wl's output) x (u carried forward to Wl's input),  u0 = dP/ds

Activations are (batch, samples, channels). The loss is Gulrajani et al. (2017), equation 3.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from canarygan_wavegan import passes
from canarygan_wavegan.losses import interpolate, wasserstein_estimate
from canarygan_wavegan.networks import SEED_LENGTH, SLOPE, Critic


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
    """Give the critic's weights the gradients of `weight * penalty - estimate`.

    Args:
        critic: whose weights' `grad` are replaced.
        real: sounds (batch, samples).
        fake: generated sounds (batch, samples).
        fraction: (batch, 1), where between real (0) and generated (1) the penalty is taken.
        shifts: of each layer's output but the last's, samples (phase shuffle); the same for all sounds.
        weight: of the penalty.
        dtype: that the layers compute in; scores, norms and gradients are of the weights' dtype.

    Returns:
        Wasserstein estimate and unweighted penalty, scalars.
    """
    batch, layers = len(real), critic.shuffled(shifts)
    weights = [layer.weight.to(dtype) for layer, _ in layers]
    readout = critic.readout.weight.view(-1, SEED_LENGTH).T  # (16, channels)

    h = torch.cat([real, fake, interpolate(real, fake, fraction)]).to(dtype).unsqueeze(2)  # (3 batch, samples, 1)
    inputs, outputs = [], []
    for (layer, shift), taps in zip(layers, weights, strict=True):
        inputs.append(h)
        h = rectified(passes.forward(h, taps, layer.stride, layer.bias.to(dtype)), shift)
        outputs.append(h)
    scores = h[: 2 * batch].to(readout.dtype).mul(readout).sum((1, 2)) + critic.readout.bias  # (2 batch,)
    estimate = wasserstein_estimate(scores[:batch], scores[batch:])

    by_score = readout.new_tensor([-1 / batch, 1 / batch, 1])  # the loss; between, the score itself
    loss = by_score.repeat_interleave(batch)
    slope = (loss[:, None, None] * readout).to(dtype)  # (3 batch, 16, channels)
    slopes: list[Tensor] = []
    for (layer, shift), taps, out in zip(*(reversed(each) for each in (layers, weights, outputs)), strict=True):
        slopes.insert(0, unrectified(slope, out, shift))
        wanted = slopes[0] if layer is not layers[0][0] else slopes[0][2 * batch :]  # at sounds, those between only
        slope = passes.to_input(wanted, taps, layer.stride)
    s = slope.squeeze(2).to(readout.dtype)  # (batch, samples)
    norms = s.norm(dim=1, keepdim=True)  # (batch, 1)
    penalty = (norms - 1).square().mean()

    scale = 2 * weight / batch * (norms - 1) / norms.where(norms > 0, 1)
    inputs[0][2 * batch :] = (scale * s).unsqueeze(2)  # u0, from here on in place of the points
    for (layer, shift), taps, inp, out, gradient in zip(layers, weights, inputs, outputs, slopes, strict=True):
        carried = passes.forward(inp[2 * batch :], taps, layer.stride)
        carry(carried, out[2 * batch :], shift)  # which is the next layer's input
        found = passes.to_weight(gradient, inp, layer.stride)
        layer.weight.grad = found.to(layer.weight.dtype)  # in memory like the weight: fused optimisers go by that
        layer.bias.grad = gradient[: 2 * batch].sum((0, 1), dtype=layer.bias.dtype)
    loss[2 * batch :] = 1
    summed = torch.einsum("b,bsc->cs", loss, h.to(loss.dtype))  # real and generated features, and the last u
    critic.readout.weight.grad = summed.reshape(1, -1)
    critic.readout.bias.grad = torch.zeros_like(critic.readout.bias)  # moves all scores alike
    return estimate, penalty


def rectified(x: Tensor, shift: int) -> Tensor:
    """The leaky rectifier, then the shift (see `layers.shifted`), in one pass over memory."""
    out, length = torch.empty_like(x), x.shape[1]
    to, source = _moved(shift, length)
    torch.ops.aten.leaky_relu.out(x[:, source], SLOPE, out=out[:, to])
    for edge, mirrored in _mirrored(shift, length):
        out[:, edge] = torch.ops.aten.leaky_relu(x[:, mirrored], SLOPE)
    return out


def unrectified(gradient: Tensor, out: Tensor, shift: int) -> Tensor:
    """From the gradient at `out = rectified(x, shift)` to that at x."""
    before, length = torch.empty_like(out), out.shape[1]
    to, source = _moved(shift, length)
    backward = torch.ops.aten.leaky_relu_backward
    backward.grad_input(gradient[:, to], out[:, to], SLOPE, True, grad_input=before[:, source])
    before[:, : source.start] = 0
    before[:, source.stop :] = 0
    for edge, mirrored in _mirrored(shift, length):
        before[:, mirrored] += backward(gradient[:, edge], out[:, edge], SLOPE, True)
    return before


def carry(tangent: Tensor, out: Tensor, shift: int) -> None:
    """Replace `out = rectified(x, shift)` by its derivative along a tangent at x."""
    to, source = _moved(shift, out.shape[1])
    backward = torch.ops.aten.leaky_relu_backward  # of one number, so forward is the same
    for edge, mirrored in _mirrored(shift, out.shape[1]):
        out[:, edge] = backward(tangent[:, mirrored], out[:, edge], SLOPE, True)
    backward.grad_input(tangent[:, source], out[:, to], SLOPE, True, grad_input=out[:, to])


def _moved(shift: int, length: int) -> tuple[slice, slice]:
    """Where samples that stay go to, and where they come from."""
    return slice(max(shift, 0), length + min(shift, 0)), slice(max(-shift, 0), length - max(shift, 0))


def _mirrored(shift: int, length: int) -> list[tuple[int, int]]:
    """Samples that reflection fills, and those it fills them with."""
    if shift > 0:
        return [(place, shift - place) for place in range(shift)]
    return [(length + shift + place, length - 2 - place) for place in range(-shift)]
