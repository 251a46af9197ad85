"""A shortcut for sounds that end before the second does: the silence after them is computed once for all sounds."""

import torch
import torch.nn.functional as F
from torch import Tensor

from canarygan_metrics.classifier.network import DEPTH, REACH, Network, max_pool

WORTH = 0.9
"""Share of the frames above which all frames are computed, because putting silence after sounds costs time too."""

TOGETHER = 64
"""Sounds computed at a time."""


class SilenceShortcut:
    """A network in evaluation mode that computes each sound only up to its end, with equal results.

    After the last frame that is not silent, every layer has the same values as for silence, but for the reach of its
    convolution. So a sound of 0.1 s, padded to a second, costs about a quarter of one that lasts a second.

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
            x = max_pool(convolution(x)).relu()
        self.silence.append(network.norms[DEPTH](x))

    def __call__(self, spectrograms: Tensor) -> tuple[Tensor, Tensor]:
        """Spectrograms (n, bands, frames) to embeddings (n, 128) and logits (n, classes), float32.

        Those that end about equally early are computed together.
        """
        ends = sounding_frames(spectrograms)
        order = ends.argsort()
        groups = [order[at : at + TOGETHER] for at in range(0, len(order), TOGETHER)]
        results = [self.compute(spectrograms[rows], int(ends[rows[-1]])) for rows in groups]
        back = order.argsort()
        embeddings, logits = (torch.cat(parts).float()[back] for parts in zip(*results, strict=True))
        return embeddings, logits

    def compute(self, spectrograms: Tensor, last: int) -> tuple[Tensor, Tensor]:
        """Embeddings and logits of spectrograms that are silent after the first `last` frames."""
        if last > WORTH * self.frames:
            result: tuple[Tensor, Tensor] = self.network(spectrograms)
            return result
        x = spectrograms[:, None, :, :last]
        for (norm, convolution), silence in zip(self.network.layers(), self.silence, strict=False):
            columns, all_columns = x.shape[3], silence.shape[3] - 2 * REACH
            wanted = columns + REACH  # columns after the convolution that differ from silence
            wanted = min(wanted + wanted % 2, all_columns)  # pooling takes two
            x = pad_columns(silence[..., :REACH], norm(x), silence[..., REACH + columns : wanted + 2 * REACH])
            x = max_pool(F.conv2d(x, convolution.weight, convolution.bias, padding=(REACH, 0))).relu()
        after = self.silence[-1][..., x.shape[3] :]
        return self.network.head(pad_columns(after[..., :0], self.network.norms[DEPTH](x), after))


def sounding_frames(spectrograms: Tensor) -> Tensor:
    """Number of frames of each spectrogram (n, bands, frames) up to and with the last that is not silent: (n,)."""
    sounding = (spectrograms != 0).any(1)
    return (sounding * torch.arange(1, sounding.shape[1] + 1, device=sounding.device)).amax(1)


def pad_columns(before: Tensor, x: Tensor, after: Tensor) -> Tensor:
    """x (n, channels, rows, columns) with columns (1, channels, rows, some) put before and after those of each."""
    first, last = (part.expand(len(x), -1, -1, -1) for part in (before, after))
    return torch.cat((first, x, last), 3).contiguous(memory_format=torch.channels_last)
