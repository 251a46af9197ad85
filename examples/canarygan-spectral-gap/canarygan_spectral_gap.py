"""A CanaryGAN metric: how far the average spectrum of generated sounds is from that of real ones."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from canarygan_core import CanaryganError, Metric, hookimpl

if TYPE_CHECKING:
    from canarygan_core.clips import Clips


@dataclass(frozen=True)
class Spectra:
    """Keeps of each clip the share of its energy in each band, and no sound."""

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
    """Difference of the average spectra, from 0 where they are equal; it hears pitch and noise, not their order."""

    name: ClassVar[str] = "spectral-gap"

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
                told = f"{usable.sum()} of {len(clips)} clips have sound, at {clips.rate} Hz"
                raise CanaryganError(f"spectral-gap needs sounds of one rate, generated and real; here {told}.")
            levels.append(10 * np.log10(np.maximum(share[usable].mean(0), 10 ** (self.floor / 10))))
        return {"gap": float(np.sqrt(np.mean((levels[0] - levels[1]) ** 2)))}


@hookimpl
def register_metrics() -> list[type[Metric]]:
    return [SpectralGap]
