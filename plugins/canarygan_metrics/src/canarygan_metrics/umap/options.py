"""The options of the map."""

from dataclasses import dataclass

from canarygan_core import CanaryganError
from canarygan_metrics.options import check_ranges


@dataclass(frozen=True)
class MapOptions:
    """How a map is fitted: see `canarygan_metrics.umap.projector.UMAP`."""

    seconds: float = 0.3
    """Length of each clip that is compared, from its start; shorter clips are padded with zeros, seconds."""
    floor: float = 40.0
    """Depth below a clip's loudest bin from which all levels count as equal, so that faint noise has no effect, dB."""
    neighbors: int = 100
    """Nearest clips that determine where a clip lies, itself among them; at most one less than there are, clips."""
    min_dist: float = 0.9
    """Least distance of two points of the map, in its units."""
    spread: float = 1.0
    """Scale of the map; at least the least distance, in its units."""
    dimensions: int = 2
    """Coordinates of a point, count."""
    fit_at_most: int = 20000
    """Most clips that the map is fitted to, the same share of each class; the rest are placed on it, clips."""
    map_seed: int = 42
    """Seed of the map, an integer from 0."""

    def __post_init__(self) -> None:
        check_ranges(self, seconds=(0.01, 600, "s"), floor=(1, 200, "dB"), neighbors=2, dimensions=(1, 100))
        check_ranges(self, fit_at_most=self.least, map_seed=(0, 2**32 - 1))
        if not 0 <= self.min_dist <= self.spread or self.spread <= 0:
            raise CanaryganError(
                f"--min-dist {self.min_dist:g} must be 0 to --spread {self.spread:g}, which is above 0."
            )

    @property
    def least(self) -> int:
        """Clips that a map needs."""
        return max(4, self.dimensions + 2)
