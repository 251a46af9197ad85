"""Latents refined by the gradient of a spectrogram loss through the model's network. Imports torch."""

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from canarygan_latents.inversion.measuring import DEPTH, Floats, Measure

RESOLUTIONS = (1024, 256, 64)
"""Samples of the Hann windows that sounds are compared in; the next window begins a quarter of one later."""

RATE, LAST_RATE = 0.03, 0.0003
"""Step size of Adam at the start and at the end, as a share of half the box's width."""


@dataclass(frozen=True)
class Loss:
    """How unlike sounds are, over windows of several sizes, so that neither moments nor pitches are smeared.

    For each size, the spectral convergence plus the mean absolute difference of the log magnitudes (Yamamoto et al.,
    2020), cells more than 60 dB below the loudest one of the wanted sound raised to there.

    Attributes:
        wanted: by size of the windows, magnitudes (n, bins, frames) of the sounds that are wanted.
        is_level_free: whether the sounds that are compared with them are brought to their level first.
    """

    wanted: Mapping[int, Tensor]
    is_level_free: bool

    @classmethod
    def of(cls, sounds: Tensor, is_level_free: bool) -> "Loss":
        """That of being unlike sounds (n, samples)."""
        sizes = [size for size in RESOLUTIONS if size <= sounds.shape[1]]
        level = _set_level(sounds) if is_level_free else sounds
        return cls({size: _compute_magnitudes(level, size) for size in sizes}, is_level_free)

    def __call__(self, made: Tensor) -> Tensor:
        """The loss (n,) of sounds (n, samples), each against the wanted one of its row."""
        level = _set_level(made) if self.is_level_free else made
        total = made.new_zeros(len(made))
        for size, wanted in self.wanted.items():
            magnitudes = _compute_magnitudes(level, size)
            floor = wanted.amax((1, 2), keepdim=True).clamp_min(1e-6) * 10 ** (-DEPTH / 20)
            convergence = (magnitudes - wanted).square().sum((1, 2)).add(1e-12).sqrt()
            total = total + convergence / wanted.square().sum((1, 2)).clamp_min(1e-12).sqrt()
            apart = torch.maximum(magnitudes, floor).log() - torch.maximum(wanted, floor).log()
            total = total + apart.abs().mean((1, 2))
        return total


def _set_level(sounds: Tensor) -> Tensor:
    """Sounds (n, samples) at a root mean square of 1."""
    return sounds / sounds.square().mean(1, keepdim=True).add(1e-12).sqrt()


def _compute_magnitudes(sounds: Tensor, size: int) -> Tensor:
    """Magnitudes (n, bins, frames) of sounds (n, samples) in windows of `size` samples."""
    window = torch.hann_window(size, device=sounds.device)
    spectra = torch.stft(sounds, size, size // 4, window=window, center=True, pad_mode="constant", return_complex=True)
    return torch.view_as_real(spectra).square().sum(-1).add(1e-10).sqrt()


@dataclass(frozen=True)
class Descent:
    """Adam (Kingma and Ba, 2015) from several starts for each sound, of which the better ones go on.

    Attributes:
        network: from latents (n, d) to sounds (n, samples).
        measure: says whether the level counts.
        low: least value of each coordinate (d,).
        high: greatest value (d,).
        steps: of Adam, of which a quarter is spent on all starts and the rest on the best.
    """

    network: torch.nn.Module
    measure: Measure
    low: Floats
    high: Floats
    steps: int

    def refine(self, sounds: Floats, starts: Floats, advance: Callable[[float], None]) -> Floats:
        """The best latents (n, d) that are found for sounds (n, samples) from starts (n, k, d).

        Rows are computed side by side, and none has a part in another. `advance` is told of each step's share.
        """
        tensors = itertools.chain(self.network.parameters(), self.network.buffers(), [torch.empty(0)])
        device = next(tensors).device
        wanted = torch.from_numpy(np.ascontiguousarray(sounds)).to(device)
        z = torch.from_numpy(np.ascontiguousarray(starts)).to(device)
        count, kept, dim = z.shape
        first = self.steps // 4 if kept > 1 else 0
        if first:
            rows = wanted.repeat_interleave(kept, 0)
            z, losses = self._descend(rows, z.flatten(0, 1), first, advance)
            best = losses.view(count, kept).argmin(1)
            z = z.view(count, kept, dim)[torch.arange(count, device=device), best]
        else:
            z = z[:, 0]
        z, _ = self._descend(wanted, z, self.steps - first, advance)
        return np.asarray(z.cpu().numpy(), np.float32)

    def _descend(
        self, wanted: Tensor, z: Tensor, steps: int, advance: Callable[[float], None]
    ) -> tuple[Tensor, Tensor]:
        """The best latents on the way down from z (n, d), and their losses (n,)."""
        loss = Loss.of(wanted, self.measure.is_level_free)
        low, high = (torch.from_numpy(edge).to(z) for edge in (self.low, self.high))
        half = ((high - low) / 2).clamp_min(1e-9)
        middle = (high + low) / 2
        place = ((z - middle) / half).clamp(-1, 1).requires_grad_()  # in the box that is -1 to 1
        optimizer = torch.optim.Adam([place], RATE)
        best, least = place.detach().clone(), torch.full((len(z),), math.inf, device=z.device)
        for step in range(steps + 1):
            optimizer.param_groups[0]["lr"] = RATE * (LAST_RATE / RATE) ** (step / max(steps, 1))
            now = loss(self.network(middle + half * place))  # (n,)
            is_better = now.detach() < least
            best = torch.where(is_better[:, None], place.detach(), best)
            least = torch.where(is_better, now.detach(), least)
            if step < steps:
                (place.grad,) = torch.autograd.grad(now.sum(), place)
                optimizer.step()
                with torch.no_grad():
                    place.clamp_(-1, 1)
                advance(1 / self.steps)
        return middle + half * best, least
