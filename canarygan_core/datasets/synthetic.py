"""The dataset that needs no recordings."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

from canarygan_core.components import Dataset
from canarygan_core.errors import CanaryganError

if TYPE_CHECKING:
    from canarygan_core.clips import Clips


@dataclass(frozen=True)
class Synthetic(Dataset):
    """Canary-like syllables made from known factors, so that what a model found can be checked.

    One second at 16 kHz a clip, at a peak of 0.95. Each type varies along at most three factors, drawn uniformly from
    -1 to 1 and kept in the fact `factors`. A rendition is the same however many types and renditions are asked for.
    """

    name: ClassVar[str] = "synthetic"
    types: ClassVar[int] = 16

    syllables: int = 16
    """How many of the sixteen types of syllable, the first in order, types."""
    per_class: int = 100
    """Renditions of each type, clips."""
    snr: float = 30.0
    """Level of a sound above the background noise, dB."""
    data_seed: int = 0
    """Seed of the factors and of the noise, an integer from 0."""

    def __post_init__(self) -> None:
        if not 1 <= self.syllables <= self.types:
            raise CanaryganError(f"--syllables is {self.syllables}: the types to choose from are 1 to {self.types}.")
        if self.per_class < 1:
            raise CanaryganError(f"--per-class is {self.per_class}: each type needs 1 rendition or more.")
        if not 0 <= self.snr <= 120:
            raise CanaryganError(f"--snr is {self.snr:g} dB: it may be 0 to 120 dB.")
        if self.data_seed < 0:
            raise CanaryganError(f"--data-seed is {self.data_seed}: a seed is 0 or more.")

    def load(self) -> "Clips":
        """All clips, by label and rendition.

        Facts: `factors` (n, 3), 0 where a type has fewer; `length`, samples up to the sound's end, the 10 ms before it
        among them; `gain`, the linear factor applied.
        """
        import hashlib
        import json

        import numpy as np

        from canarygan_core.clips import Clips
        from canarygan_core.datasets import synthesis

        kinds = list(synthesis.SYLLABLES)[: self.syllables]
        total = len(kinds) * self.per_class
        audio = np.empty((total, synthesis.SAMPLES), dtype=np.float32)
        gain = np.empty(total, dtype=np.float32)
        factors = np.zeros((total, synthesis.FACTORS), dtype=np.float32)
        length = np.empty(total, dtype=np.int64)
        for index, kind in enumerate(kinds):
            rows = slice(index * self.per_class, (index + 1) * self.per_class)
            draw, noise = (np.random.default_rng([self.data_seed, index, stream]) for stream in range(2))
            used = len(synthesis.SYLLABLES[kind].factors)
            factors[rows, :used] = draw.uniform(-1, 1, (self.per_class, synthesis.FACTORS))[:, :used]
            length[rows] = synthesis.lengths(kind, factors[rows])
            sounds = synthesis.synthesise(kind, factors[rows], rng=noise, snr=self.snr)
            audio[rows], gain[rows] = synthesis.to_peak(sounds)
        origin = {"dataset": self.name, "options": asdict(self)}
        content = json.dumps(origin | {"synthesis": synthesis.VERSION}, sort_keys=True)
        return Clips(
            audio=audio,
            rate=synthesis.RATE,
            labels=np.repeat(np.array(kinds), self.per_class),
            sources=np.array([f"{kind}/{number:04d}.wav" for kind in kinds for number in range(self.per_class)]),
            facts={"factors": factors, "length": length, "gain": gain},
            origin=origin | {"fingerprint": hashlib.sha256(content.encode()).hexdigest()},
        )
