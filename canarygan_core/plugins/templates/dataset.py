"""A CanaryGAN dataset."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from canarygan_core import CanaryganError, Dataset, hookimpl

if TYPE_CHECKING:
    from canarygan_core.clips import Clips

RATE = 16000
"""Sampling rate, Hz."""


@dataclass(frozen=True)
class PlaceholderDataset(Dataset):
    """Pure tones of two pitches. Replace them with your own sounds."""

    name: ClassVar[str] = "placeholder"

    count: int = 10
    """Clips of each class, clips."""
    pitch: float = 1000.0
    """Pitch of the lower class; the other is an octave higher, Hz."""

    def __post_init__(self) -> None:
        if self.count < 1 or not 20 <= self.pitch <= RATE / 4:
            raise CanaryganError(
                f"--count must be at least 1 and --pitch from 20 to {RATE // 4} Hz, not {self.count} and {self.pitch:g}."
            )

    def load(self) -> "Clips":
        import numpy as np
        from canarygan_core.clips import Clips

        labels = np.repeat(["high", "low"], self.count)  # sorted, so that the order depends only on the options
        pitch = np.where(labels == "low", self.pitch, 2 * self.pitch)
        phase = np.random.default_rng(0).uniform(0, 2 * np.pi, len(labels))
        time = np.arange(RATE // 4) / RATE  # s
        audio = 0.5 * np.hanning(len(time)) * np.sin(2 * np.pi * pitch[:, None] * time + phase[:, None])
        return Clips(
            audio=audio.astype(np.float32),
            rate=RATE,
            labels=labels,
            origin={"dataset": self.name, "fingerprint": f"{self.name}-{self.count}-{self.pitch!r}"},
        )


@hookimpl
def register_datasets() -> list[type[Dataset]]:
    return [PlaceholderDataset]
