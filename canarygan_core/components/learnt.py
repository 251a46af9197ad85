"""What components have learnt, ready for use: no base class is needed, only these members."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canarygan_core.clips import Clips


class Generator(Protocol):
    """A trained model, ready to make sounds.

    One that also has `draw_latents(count, rng) -> (count, latent_dim)` draws latents as its training did; those of
    others are uniform from -1 to 1. One that has `latent_range` says between which two numbers each coordinate lay
    then. One that has `module()` gives its network, a `torch.nn.Module` on its device that takes latents
    (n, latent_dim) to sounds (n, samples), float32 both, and through which gradients pass. One that has `layers()`
    gives that network as a list of layers without torch, for programs in other languages; None where it is none such.
    A layer is a mapping with its `kind`, and float32 arrays of numpy:

    - `linear`: `weight` (out, in) and `bias` (out,). What comes out is read as (channels, length) by a convolution.
    - `transposed-convolution`: `weight` (in, out, kernel), `bias` (out,), `stride` and `padding`. It takes (in, length)
      to (out, length * stride): sample i adds `weight[:, :, k]` times its value to sample i * stride + k - padding.
    - `scale`: `weight` (channels,) and `bias` (channels,). It takes (channels, length), times the one plus the other.
    - `relu` and `tanh`, of each number; `bfloat16`, the nearest number of that format.
    """

    @property
    def latent_dim(self) -> int:
        """Coordinates of a latent vector."""

    @property
    def rate(self) -> int:
        """Sampling rate of the sounds, Hz."""

    @property
    def samples(self) -> int:
        """Length of a sound, samples."""

    @property
    def progress(self) -> Mapping[str, int]:
        """How far training had come: `epoch` and `step` (updates of the model), zero where unknown."""

    def generate(self, z: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Latents (n, latent_dim) to sounds (n, samples), both float32; equal latents give equal bytes."""


class FittedDecoder(Protocol):
    """A decoder that has learnt, ready to tell classes apart.

    One that also has `resemblance(clips) -> (n,)` says how likely a clip is of a kind with the clips that it learnt
    from: at least 0.5 where it lies as near to them as nearly all clips that it did not learn from. Others reject by
    their posteriors alone.
    """

    @property
    def classes(self) -> Sequence[str]:
        """The labels it tells apart, in the order of the posteriors' columns."""

    def posteriors(self, clips: "Clips") -> "NDArray[np.float32]":
        """Posteriors (n, classes) of clips (n, samples), whatever their order or number."""

    def save(self, folder: Path) -> None:
        """Write what was learnt into an empty folder, without pickle."""


class FittedMetric(Protocol):
    """A metric that knows the real clips, ready to score any number of sets against them.

    A metric may have `fit(reference)` that gives one. Then what depends on the real clips alone is computed once.
    """

    def score(self, generated: "Clips") -> dict[str, float]:
        """Named scores of generated clips, the same as those of the metric's own `score` against these real clips."""


class FittedProjector(Protocol):
    """A projector that has learnt. One with `draw(sets, folder) -> paths` brings figures of clips, by their title."""

    def project(self, clips: "Clips") -> "NDArray[np.float32]":
        """Coordinates (n, k) of clips (n, samples)."""

    def save(self, folder: Path) -> None:
        """Write what was learnt into an empty folder, without pickle."""
