"""The options that morph, grid and select share: how stimuli are played, and in which order."""

import math
from dataclasses import dataclass
from typing import Literal

from canarygan_core.errors import UsageError


@dataclass(frozen=True)
class Playback:
    """How stimuli are played: level, edges, names and order."""

    level: float = -26.0
    """Level of every stimulus; full scale is 0, dB."""
    level_by: Literal["rms", "peak"] = "rms"
    """What has this level: the root mean square of what sounds (rms), or the largest sample (peak), word."""
    ramp: float = 5.0
    """Time over which a stimulus rises from zero and falls to zero, as half a cosine, milliseconds."""
    silence: float = 0.0
    """Silence before and after each stimulus, milliseconds."""
    whole: bool = False
    """Keep the sound of the model whole, and not only the part that sounds, yes or no."""
    bits: Literal[16, 32] = 16
    """Samples of the WAV files: 16-bit whole numbers, or 32-bit floats, bits."""
    blind: bool = True
    """Give the files random names, which key.csv resolves, yes or no."""
    sheet: bool = True
    """Draw the stimuli as stimuli.png beside the key, yes or no."""
    repeats: int = 1
    """Blocks of trials; each block plays every stimulus once, in an order of its own, blocks."""
    listeners: int = 1
    """Listeners; each gets an order of trials and a scoring sheet of their own, people."""
    real: int = 0
    """Real clips of the dataset -d that are played among the generated ones, clips."""

    def __post_init__(self) -> None:
        if not -90 <= self.level < 0:
            raise UsageError(f"--level is {self.level:g} dB: it is below full scale, -90 to less than 0 dB.")
        for name, longest in {"ramp": 1000, "silence": 60_000}.items():
            value = getattr(self, name)
            if math.isnan(value) or not 0 <= value <= longest:
                raise UsageError(f"--{name} is {value:g} ms: it may be 0 to {longest} ms.")
        if not 1 <= self.repeats <= 1000:
            raise UsageError(f"--repeats is {self.repeats}: it may be 1 to 1000 blocks.")
        if not 1 <= self.listeners <= 1000:
            raise UsageError(f"--listeners is {self.listeners}: it may be 1 to 1000.")
        if self.real < 0:
            raise UsageError(f"--real is {self.real}: it may be 0 clips or more.")
