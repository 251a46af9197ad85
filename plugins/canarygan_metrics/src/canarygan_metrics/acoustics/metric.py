"""The metric `acoustics`: durations, frequencies, entropies and levels of generated sounds against real ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from canarygan_core import CanaryganError, Metric
from canarygan_metrics.options import check_ranges
from canarygan_metrics.units import ACOUSTIC_UNITS

if TYPE_CHECKING:
    from canarygan_core.clips import Clips


SCORE_UNITS = {
    **{f"{side}.clips": "clips" for side in ("generated", "reference")},
    **{f"{side}.unmeasured": "share" for side in ("generated", "reference")},
    **{f"{name}.effect": "-1 to 1" for name in ACOUSTIC_UNITS},
    **{f"{name}.distance": unit or "0 to 1" for name, unit in ACOUSTIC_UNITS.items()},
    **{f"{name}.relative": "real sd" for name in ACOUSTIC_UNITS},
    **{f"{name}.ks": "0 to 1" for name in ACOUSTIC_UNITS},
}
"""Units of the scores; the entropy's has none."""


@dataclass(frozen=True)
class Measuring:
    """Measures clips, under `facts`; see `canarygan_metrics.acoustics.measures` for what is measured."""

    threshold: float
    """How far below its loudest moment a sound still counts, dB."""
    low: float
    """Lowest frequency that is looked at, Hz."""
    high: float
    """Highest frequency that is looked at, Hz."""
    gain: Literal["clip", "none"]
    """Whether levels are below each clip's loudest moment, or as they are, word."""

    def __call__(self, clips: "Clips") -> "Clips":
        """Clips with an audio of no samples; a clip that is silent or not finite has NaN for its measures."""
        from canarygan_metrics.acoustics.measures import measure

        facts = measure(clips.audio, clips.rate, **vars(self))
        return replace(clips, audio=clips.audio[:, :0], facts=facts, latents=None, posteriors={})


@dataclass(frozen=True)
class Acoustics(Metric):
    """Duration, frequencies, bandwidth, entropy and level: how far the generated ones are from the real ones.

    Of each measure: `effect` (Cliff's delta; 0 is none, -1 and 1 are no overlap), `distance` (Wasserstein-1, in s, Hz
    or dB), `relative` (that over the real standard deviation) and `ks` (Kolmogorov-Smirnov); over all clips, and where
    both sides have labels, for each class as `CLASS/measure.effect`. By default level is relative to a clip's loudest
    moment, so that all sides are at one level, and says nothing of how loud the bird was.
    """

    name: ClassVar[str] = "acoustics"
    units: ClassVar[Mapping[str, str]] = SCORE_UNITS
    better: ClassVar[Mapping[str, str]] = {
        key: "smaller" for key in SCORE_UNITS if key.endswith((".distance", ".relative", ".ks", ".unmeasured"))
    }
    tested: ClassVar[frozenset[str]] = frozenset(key for key in SCORE_UNITS if key.endswith((".effect", ".distance")))

    threshold: float = 20.0
    """How far below its loudest moment a sound still counts, dB."""
    low: float = 500.0
    """Lowest frequency that is looked at, Hz."""
    high: float = 8000.0
    """Highest frequency that is looked at, at most half the sampling rate, Hz."""
    gain: Literal["clip", "none"] = "clip"
    """Bring each clip's loudest moment to full scale before its level is measured (clip), or leave it (none), word."""
    enough: int = 20
    """Clips that a class needs on both sides to be compared, count."""

    def __post_init__(self) -> None:
        check_ranges(self, threshold=(3, 60, "dB"), enough=2)
        if self.gain not in ("clip", "none"):
            raise CanaryganError(f"--acoustics.gain is {self.gain!r}: it may be clip or none.")
        if not 0 <= self.low < self.high:
            raise CanaryganError(
                f"--acoustics.low {self.low:g}, --acoustics.high {self.high:g}: 0 <= low < high, in Hz."
            )

    def listener(self) -> Measuring:
        return Measuring(self.threshold, self.low, self.high, self.gain)

    def score(self, generated: "Clips", reference: "Clips") -> dict[str, float]:
        from canarygan_metrics.acoustics import comparison

        measure = self.listener()
        return comparison.score(generated, reference, measure, low=self.low, high=self.high, least=self.enough)

    def draw(self, generated: "Clips", reference: "Clips", folder: Path) -> list[Path]:
        """A histogram of each measure, in one figure."""
        from canarygan_metrics.acoustics import figure

        path = folder / "measures.png"
        figure.draw(generated, reference, path)
        return [path]
