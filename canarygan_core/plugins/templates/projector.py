"""A CanaryGAN projector."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from canarygan_core import CanaryganError, Projector, hookimpl

if TYPE_CHECKING:
    import numpy as np
    from canarygan_core.clips import Clips
    from numpy.typing import NDArray


@dataclass(frozen=True)
class PlaceholderProjector(Projector):
    """Principal components of the spectra. Replace them with your own map."""

    name: ClassVar[str] = "placeholder"

    components: int = 2
    """Number of coordinates of a clip, components."""

    def __post_init__(self) -> None:
        if self.components < 1:
            raise CanaryganError(f"--components must be at least 1, not {self.components}.")

    def fit(self, clips: "Clips") -> "FittedPlaceholder":
        import numpy as np

        heard = spectra(clips)
        if len(heard) <= self.components:
            raise CanaryganError(f"{self.components} components need more than {len(heard)} clips.")
        centre = heard.mean(0)
        axes = np.linalg.svd(heard - centre, full_matrices=False)[2][: self.components]
        axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]  # the sign is arbitrary: fix it
        return FittedPlaceholder(centre, axes)

    @classmethod
    def load(cls, folder: Path) -> "FittedPlaceholder":
        from canarygan_core.audio import archives

        held = archives.read(folder / "placeholder.npz")
        try:
            return FittedPlaceholder(held["centre"], held["axes"])
        except KeyError as error:
            raise CanaryganError(f"{folder} holds no placeholder: there is no {error}.") from None


def spectra(clips: "Clips") -> "NDArray[np.float32]":
    """Compute magnitude spectra (clips, bands) of the first 4096 samples, each of norm 1.

    Raises:
        CanaryganError: if a clip is not finite.
    """
    import numpy as np

    bands = np.abs(np.fft.rfft(clips.audio, n=4096, axis=1))[:, 1:].reshape(len(clips), 128, 16).sum(2)
    if not np.isfinite(bands).all():
        raise CanaryganError("Some clips hold values that are NaN or infinite: leave them out.")
    made: NDArray[np.float32] = (bands / np.maximum(np.linalg.norm(bands, axis=1, keepdims=True), 1e-12)).astype("f4")
    return made


@dataclass(frozen=True, eq=False)
class FittedPlaceholder:
    """The fitted projector.

    Attributes:
        centre: mean spectrum (bands,).
        axes: orthonormal axes (k, bands).
    """

    centre: Any
    axes: Any

    def project(self, clips: "Clips") -> "NDArray[np.float32]":
        laid: NDArray[np.float32] = (spectra(clips) - self.centre) @ self.axes.T
        return laid

    def save(self, folder: Path) -> None:
        from canarygan_core.audio import archives

        with archives.writing(folder / "placeholder.npz", self.axes.nbytes) as archive:
            archive.add("centre", self.centre)
            archive.add("axes", self.axes)


@hookimpl
def register_projectors() -> list[type[Projector]]:
    return [PlaceholderProjector]
