"""The projector `umap`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from canarygan_core import FittedProjector, Projector
from canarygan_metrics.umap.options import MapOptions

if TYPE_CHECKING:
    from canarygan_core.clips import Clips


@dataclass(frozen=True)
class UMAP(MapOptions, Projector):
    """A map in which sounds with similar spectrograms are near (McInnes, Healy & Melville, 2018).

    Spectrograms in dB below each clip's loudest bin, compared by Euclidean distance; 1024-point transforms of 256
    samples every 128.
    """

    name: ClassVar[str] = "umap"

    def fit(self, clips: "Clips") -> FittedProjector:
        """Fit the map to clips.

        Raises:
            CanaryganError: where they are too few, or all alike.
        """
        from canarygan_metrics.umap.fitted import fit

        return fit(self, clips)

    @classmethod
    def load(cls, folder: Path) -> FittedProjector:
        """The map from its folder; it holds numbers alone, nothing that runs.

        Raises:
            CanaryganError: where a file is damaged, or the files contradict one another.
        """
        from canarygan_metrics.umap.fitted import load

        return load(folder)
