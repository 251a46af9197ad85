"""The metric `acoustics`: durations, frequencies, entropies and levels of generated sounds against real ones."""

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from canarygan_core import CanaryganError, Metric

if TYPE_CHECKING:
    from canarygan_core.clips import Clips

log = logging.getLogger("canarygan")


@dataclass(frozen=True)
class Measuring:
    """Turns clips into what is measured of each, under `facts`; see `canarygan_metrics.acoustics` for what that is."""

    threshold: float
    """How far below its loudest moment a sound still counts, dB."""
    low: float
    """Lowest frequency that is looked at, Hz."""
    high: float
    """Highest frequency that is looked at, Hz."""

    def __call__(self, clips: "Clips") -> "Clips":
        """Clips with an audio of no samples; a clip that is silent or not finite has NaN for its measures."""
        from canarygan_metrics.acoustics import measures as acoustics

        facts = acoustics.measure(clips.audio, clips.rate, threshold=self.threshold, low=self.low, high=self.high)
        return replace(clips, audio=clips.audio[:, :0], facts=facts, latents=None, posteriors={})


@dataclass(frozen=True)
class Acoustics(Metric):
    """Duration, frequencies, bandwidth, entropy and level: how far the generated ones are from the real ones.

    Of each measure: `effect` (Cliff's delta; 0 is none, -1 and 1 are no overlap), `distance` (Wasserstein-1, in s, Hz
    or dB), `relative` (that over the real standard deviation), `ks` (Kolmogorov-Smirnov) and `halves` (the distance of
    random halves of the real clips, below which nothing can be told); over all clips, and where both sides have labels
    of each class as `CLASS/measure.effect`. Where clips are brought to one peak, as training does, level tells how full
    they are under that peak, and nothing of how loud the bird was.
    """

    name: ClassVar[str] = "acoustics"

    threshold: float = 20.0
    """How far below its loudest moment a sound still counts, dB."""
    low: float = 500.0
    """Lowest frequency that is looked at, Hz."""
    high: float = 8000.0
    """Highest frequency that is looked at, at most half the sampling rate, Hz."""
    enough: int = 20
    """Clips that a class needs on both sides to be compared, count."""

    def __post_init__(self) -> None:
        if not 3 <= self.threshold <= 60:
            raise CanaryganError(f"--acoustics.threshold is {self.threshold:g} dB: it may be 3 to 60 dB.")
        if not 0 <= self.low < self.high:
            raise CanaryganError(
                f"--acoustics.low {self.low:g} and --acoustics.high {self.high:g}: 0 <= low < high is needed, in Hz."
            )
        if self.enough < 2:
            raise CanaryganError(f"--acoustics.enough must be at least 2, not {self.enough}.")

    def listener(self) -> Measuring:
        return Measuring(self.threshold, self.low, self.high)

    def score(self, generated: "Clips", reference: "Clips") -> dict[str, float]:
        from canarygan_metrics.acoustics import measures as acoustics

        tops = [acoustics.ceiling(clips.rate, self.high) for clips in (generated, reference)]
        if tops[0] != tops[1]:
            raise CanaryganError(
                f"Generated clips at {generated.rate} Hz cannot be compared up to {self.high:g} Hz with real ones at "
                f"{reference.rate} Hz: take --acoustics.high {min(tops):g}."
            )
        made, real = self._measured(generated), self._measured(reference)
        scores: dict[str, float] = {}
        for side, clips in (("generated", made), ("reference", real)):
            scores[f"{side}.clips"] = len(clips)
            scores[f"{side}.unmeasured"] = self._unmeasured(side, clips)
        rows = acoustics.table(made, real, self.enough)
        for row in rows:
            prefix = f"{row['class']}/" if row["class"] else ""
            for key in ("effect", "distance", "relative", "ks", "halves"):
                if row[key] is not None:
                    scores[f"{prefix}{row['measure']}.{key}"] = row[key]
        if made.labels is not None and real.labels is not None:
            compared = {row["class"] for row in rows}
            left = [label for label in real.classes if label not in compared]
            if left:
                log.warning(
                    f"acoustics: classes of under {self.enough} clips on a side are not compared: {', '.join(left)}."
                )
        return scores

    def _measured(self, clips: "Clips") -> "Clips":
        """The clips as the listener leaves them, whether or not it has heard them."""
        from canarygan_metrics.acoustics import measures as acoustics

        return clips if acoustics.UNITS.keys() <= clips.facts.keys() else self.listener()(clips)

    def _unmeasured(self, side: str, clips: "Clips") -> float:
        """The share of clips without measures, and a warning where there are any, or few others."""
        from canarygan_metrics.acoustics import measures as acoustics

        count = int(acoustics.usable(clips).sum())
        missing = len(clips) - count
        why = f"silent, not finite, or without sound from {self.low:g} to {self.high:g} Hz"
        if not count:
            raise CanaryganError(
                f"acoustics: none of the {len(clips)} {side} clips can be measured: they are {why}. "
                "canarygan check-data names such files."
            )
        if missing:
            log.warning(f"acoustics: {missing} of {len(clips)} {side} clips are left out: {why}.")
        if count < self.enough:
            log.warning(
                f"acoustics: {count} {side} clips are too few to trust the scores: {self.enough} or more are needed."
            )
        return missing / len(clips)
