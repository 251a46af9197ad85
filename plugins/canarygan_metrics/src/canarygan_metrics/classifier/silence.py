"""What a network makes of sounds that end before the second does: the silence after them is computed once for all."""

import torch
import torch.nn.functional as F
from torch import Tensor

from canarygan_metrics.classifier.network import DEPTH, REACH, Network, halved

WORTH = 0.9
"""Share of the frames from which on nothing is left out: putting silence after sounds costs time, too."""

TOGETHER = 64
"""Sounds computed at a time."""


class Hearing:
    """A network in evaluation mode that computes sounds up to where only silence is left, with equal results.

    After the last frame that is not silent every layer holds what it holds of silence, but for the reach of its
    convolution. So a sound of 0.1 s in a second of padding costs about a quarter of one that lasts it.

    Args:
        network: in evaluation mode, on its device; its weights must stay as they are.
        bands: mel bands of a spectrogram.
        frames: of it.
    """

    def __init__(self, network: Network, bands: int, frames: int) -> None:
        self.network, self.frames = network, frames
        self.silence: list[Tensor] = []  # each convolution's input, with its padding; then what the last norm makes
        x = next(network.parameters()).new_zeros(1, 1, bands, frames)
        for norm, convolution in network.layers():
            x = norm(x)
            self.silence.append(F.pad(x, (REACH, REACH)))
            x = halved(convolution(x)).relu()
        self.silence.append(network.norms[DEPTH](x))

    def __call__(self, spectrograms: Tensor) -> tuple[Tensor, Tensor]:
        """Spectrograms (n, bands, frames) to embeddings (n, 128) and logits (n, classes), float32.

        Those that end about equally early are computed together.
        """
        lasts = ends(spectrograms)
        order = lasts.argsort()
        groups = [order[at : at + TOGETHER] for at in range(0, len(order), TOGETHER)]
        heard = [self.heard(spectrograms[rows], int(lasts[rows[-1]])) for rows in groups]
        back = order.argsort()
        embeddings, logits = (torch.cat(parts).float()[back] for parts in zip(*heard, strict=True))
        return embeddings, logits

    def heard(self, spectrograms: Tensor, last: int) -> tuple[Tensor, Tensor]:
        """Embeddings and logits of spectrograms of which nothing sounds after so many frames."""
        if last > WORTH * self.frames:
            embeddings, logits = self.network(spectrograms)
            return embeddings, logits
        x = spectrograms[:, None, :, :last]
        for (norm, convolution), silence in zip(self.network.layers(), self.silence, strict=False):
            columns, all_columns = x.shape[3], silence.shape[3] - 2 * REACH
            wanted = columns + REACH  # columns after the convolution that differ from silence's
            wanted = min(wanted + wanted % 2, all_columns)  # pooling takes two
            x = between(silence[..., :REACH], norm(x), silence[..., REACH + columns : wanted + 2 * REACH])
            x = halved(F.conv2d(x, convolution.weight, convolution.bias, padding=(REACH, 0))).relu()
        after = self.silence[-1][..., x.shape[3] :]
        return self.network.judged(between(after[..., :0], self.network.norms[DEPTH](x), after))


def ends(spectrograms: Tensor) -> Tensor:
    """Frames of each spectrogram, of (n, bands, frames), up to and with the last that is not silent: (n,)."""
    sounding = (spectrograms != 0).any(1)
    return (sounding * torch.arange(1, sounding.shape[1] + 1, device=sounding.device)).amax(1)


def between(before: Tensor, x: Tensor, after: Tensor) -> Tensor:
    """Columns (1, channels, rows, some) put before and after those of each x, of (n, channels, rows, columns)."""
    first, last = (part.expand(len(x), -1, -1, -1) for part in (before, after))
    return torch.cat((first, x, last), 3).contiguous(memory_format=torch.channels_last)
