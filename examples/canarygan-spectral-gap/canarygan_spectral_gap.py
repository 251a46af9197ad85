"""A CanaryGAN metric: the distance between the average spectra of generated and of real sounds."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from canarygan_core import CanaryganError, Metric, hookimpl

if TYPE_CHECKING:
    from canarygan_core.clips import Clips


@dataclass(frozen=True)
class Spectra:
    """A listener that keeps the share of each clip's energy in each band, and no audio."""

    bands: int

    def __call__(self, clips: "Clips") -> "Clips":
        import numpy as np

        power = np.abs(np.fft.rfft(clips.audio, axis=1)) ** 2  # (clips, frequencies)
        edges = np.linspace(0, power.shape[1], self.bands, endpoint=False).astype(int)
        energy = np.add.reduceat(power, edges, axis=1)  # (clips, bands)
        share = energy / np.maximum(energy.sum(1, keepdims=True), 1e-30)
        return replace(clips, audio=np.empty((len(clips), 0), np.float32), facts={"share": share})


@dataclass(frozen=True)
class SpectralGap(Metric):
    """Difference of the average spectra, 0 if they are equal. It measures pitch and noise but not their order."""

    name: ClassVar[str] = "spectral-gap"
    units: ClassVar[dict[str, str]] = {"gap": "dB"}
    better: ClassVar[dict[str, str]] = {"gap": "smaller"}
    bands: int = 64
    """Bands of equal width up to half the sampling rate, bands."""
    floor: float = -60.0
    """Level below which bands count as equal, dB of a clip's energy."""

    def __post_init__(self) -> None:
        if self.bands < 1 or not self.floor < 0:
            raise CanaryganError(f"bands must be 1 or more and floor below 0, not {self.bands} and {self.floor:g}.")

    def listener(self) -> Spectra:
        return Spectra(self.bands)

    def score(self, generated: "Clips", reference: "Clips") -> dict[str, float]:
        import numpy as np

        levels = []  # dB
        for clips in (generated, reference):
            share = clips.facts["share"]
            usable = share.sum(1) > 0  # neither silent nor broken
            if not usable.any() or generated.rate != reference.rate:
                raise CanaryganError(f"{usable.sum()} of {len(clips)} clips have sound: give sounds, of one rate.")
            levels.append(10 * np.log10(np.maximum(share[usable].mean(0), 10 ** (self.floor / 10))))
        return {"gap": float(np.sqrt(np.mean((levels[0] - levels[1]) ** 2)))}


@hookimpl
def register_metrics() -> list[type[Metric]]:
    return [SpectralGap]
