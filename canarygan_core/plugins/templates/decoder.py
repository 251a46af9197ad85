"""A CanaryGAN decoder.

A scikit-learn classifier needs less: derive from `canarygan_decoders.sklearn_decoder.SklearnDecoder` and name it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from canarygan_core import CanaryganError, Decoder, hookimpl

if TYPE_CHECKING:
    import numpy as np
    from canarygan_core.clips import Clips
    from numpy.typing import NDArray


@dataclass(frozen=True)
class PlaceholderDecoder(Decoder):
    """The nearest mean spectrum of a class: put what you learn in its place."""

    name: ClassVar[str] = "placeholder"

    sharpness: float = 20.0
    """How fast posteriors fall with distance, per unit of it."""

    def __post_init__(self) -> None:
        if not 0 < self.sharpness <= 1000:
            raise CanaryganError(f"sharpness must be above 0 and at most 1000, not {self.sharpness:g}.")

    def fit(self, clips: "Clips") -> "FittedPlaceholder":
        import numpy as np

        if clips.labels is None or len(clips.classes) < 2:
            raise CanaryganError("placeholder needs labelled clips of at least two classes.")
        heard = spectra(clips)
        means = np.stack([heard[clips.labels == label].mean(0) for label in clips.classes])
        return FittedPlaceholder(clips.classes, means, self.sharpness)

    @classmethod
    def load(cls, folder: Path) -> "FittedPlaceholder":
        from canarygan_core.audio import archives

        held = archives.read(folder / "placeholder.npz")
        try:
            return FittedPlaceholder(held["classes"].tolist(), held["means"], float(held["sharpness"]))
        except KeyError as error:
            raise CanaryganError(f"{folder} holds no placeholder: there is no {error}.") from None


def spectra(clips: "Clips") -> "NDArray[np.float32]":
    """Magnitude spectra (clips, bands) of the first 4096 samples, each of length 1."""
    import numpy as np

    bands = np.abs(np.fft.rfft(clips.audio, n=4096, axis=1))[:, 1:].reshape(len(clips), 128, 16).sum(2)
    made: NDArray[np.float32] = (bands / np.maximum(np.linalg.norm(bands, axis=1, keepdims=True), 1e-12)).astype("f4")
    return made


@dataclass(frozen=True, eq=False)
class FittedPlaceholder:
    """What was learnt.

    Attributes:
        classes: labels, in the order of the posteriors' columns.
        means: (classes, bands) mean spectra.
        sharpness: how fast posteriors fall with distance.
    """

    classes: list[str]
    means: Any
    sharpness: float

    def posteriors(self, clips: "Clips") -> "NDArray[np.float32]":
        import numpy as np

        away = np.linalg.norm(spectra(clips)[:, None] - self.means, axis=2)  # (clips, classes)
        odds = np.exp(-self.sharpness * (away - away.min(1, keepdims=True)))
        made: NDArray[np.float32] = (odds / odds.sum(1, keepdims=True)).astype(np.float32)
        return made

    def save(self, folder: Path) -> None:
        import numpy as np
        from canarygan_core.audio import archives

        with archives.writing(folder / "placeholder.npz", self.means.nbytes) as archive:
            archive.add("classes", np.asarray(self.classes))
            archive.add("means", self.means)
            archive.add("sharpness", np.asarray(self.sharpness))


@hookimpl
def register_decoders() -> list[type[Decoder]]:
    return [PlaceholderDecoder]
