"""A CanaryGAN decoder.

For a scikit-learn classifier, derive from `canarygan_decoders.sklearn_decoder.SklearnDecoder`. That needs less code.
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
    """The class with the nearest mean spectrum. Replace this with your own decoder."""

    name: ClassVar[str] = "placeholder"

    sharpness: float = 20.0
    """Rate at which posteriors fall with distance, per unit of distance."""

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
    """Compute magnitude spectra (clips, bands) of the first 4096 samples, each of norm 1."""
    import numpy as np

    bands = np.abs(np.fft.rfft(clips.audio, n=4096, axis=1))[:, 1:].reshape(len(clips), 128, 16).sum(2)
    made: NDArray[np.float32] = (bands / np.maximum(np.linalg.norm(bands, axis=1, keepdims=True), 1e-12)).astype("f4")
    return made


@dataclass(frozen=True, eq=False)
class FittedPlaceholder:
    """The fitted decoder.

    Attributes:
        classes: labels, in the order of the posteriors' columns.
        means: (classes, bands) mean spectra.
        sharpness: rate at which posteriors fall with distance.
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
