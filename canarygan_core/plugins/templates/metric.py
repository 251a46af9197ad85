"""A CanaryGAN metric."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from canarygan_core import CanaryganError, Metric, hookimpl

if TYPE_CHECKING:
    from canarygan_core.clips import Clips


@dataclass(frozen=True)
class PlaceholderMetric(Metric):
    """Level of generated sounds minus level of real ones, dB. Replace this with your own measure."""

    name: ClassVar[str] = "placeholder"
    units: ClassVar[dict[str, str]] = {"louder": "dB"}

    floor: float = -80.0
    """Level below which a clip counts as silent, dB of full scale."""

    def score(self, generated: "Clips", reference: "Clips") -> dict[str, float]:
        import numpy as np

        means = []
        for clips in (generated, reference):
            power = np.mean(np.square(clips.audio, dtype=np.float64), axis=1)  # (clips,)
            level = 10 * np.log10(np.maximum(power, 1e-30))  # dB
            heard = level[np.isfinite(level) & (level >= self.floor)]
            if not len(heard):
                raise CanaryganError(f"placeholder: none of {len(clips)} clips is louder than {self.floor:g} dB.")
            means.append(heard.mean())
        return {"louder": float(means[0] - means[1])}


@hookimpl
def register_metrics() -> list[type[Metric]]:
    return [PlaceholderMetric]
