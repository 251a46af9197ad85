"""The classifier's network: four convolutions over a mel spectrogram (Donahue et al., 2019)."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = 128
"""Channels of every convolution of the classifier, and so the size of its embedding."""

DEPTH = 4
"""Convolutions; each is followed by pooling that halves both axes."""

REACH = 2
"""Rows and columns on each side of a cell that a convolution takes in."""

MOMENTUM = 0.3
"""Share of the newest batch in the running statistics: an epoch of a small set has a dozen batches."""


class Network(nn.Module):
    """Four times [batch norm, 5 x 5 convolution, ReLU, 2 x 2 max-pooling], batch norm, linear.

    Args:
        bands: mel bands of a spectrogram.
        frames: frames of it.
        classes: to tell apart.
        channels: of each convolution, and so the size of an embedding.
    """

    def __init__(self, bands: int, frames: int, classes: int, channels: int = CHANNELS) -> None:
        super().__init__()
        sizes = [1, *[channels] * DEPTH]
        self.norms = nn.ModuleList(nn.BatchNorm2d(size, momentum=MOMENTUM) for size in sizes)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(size, channels, 2 * REACH + 1, padding=REACH) for size in sizes[:-1]
        )
        self.linear = nn.Linear(channels * (bands >> DEPTH) * (frames >> DEPTH), classes)
        self.to(memory_format=torch.channels_last)

    def forward(self, spectrograms: Tensor) -> tuple[Tensor, Tensor]:
        """Spectrograms (n, bands, frames) to embeddings (n, channels) and logits (n, classes)."""
        x = spectrograms[:, None].contiguous(memory_format=torch.channels_last)  # (n, 1, bands, frames)
        for norm, convolution in self.layers():
            x = max_pool(convolution(norm(x))).relu()  # the same as pooling after the ReLU, on a quarter of the values
        return self.head(self.norms[DEPTH](x))

    def layers(self) -> Iterator[tuple[nn.Module, nn.Conv2d]]:
        """Each convolution and the norm before it."""
        yield from zip(self.norms, self.convolutions, strict=False)

    def head(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings and logits of the last norm's features (n, channels, bands / 16, frames / 16)."""
        return x.mean((2, 3)), self.linear(x.contiguous().flatten(1))


def max_pool(x: Tensor) -> Tensor:
    """2 x 2 max-pooling of (n, channels, rows, columns); an odd last row or column is left out.

    Where no gradient is wanted, maxima of shifted views are faster than torch's pooling, which keeps indices.
    """
    if x.requires_grad:
        return F.max_pool2d(x, 2)
    rows, columns = (size // 2 * 2 for size in x.shape[2:])
    taller = torch.maximum(x[:, :, 0:rows:2], x[:, :, 1:rows:2])
    return torch.maximum(taller[..., 0:columns:2], taller[..., 1:columns:2])
