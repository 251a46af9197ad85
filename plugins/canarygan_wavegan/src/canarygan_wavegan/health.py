"""What goes wrong in a training, named: pure functions of its sounds and of the values it logs."""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

SILENT_PEAK = 1e-3
"""Peak below which a sound counts as silent: 60 dB under full scale."""

CLIPPED_LEVEL, CLIPPED_SHARE = 0.999, 0.01
"""A sound counts as clipped where more than this share of its samples reach this level."""

ALIKE = 0.1
"""Diversity has collapsed where generated sounds differ by less than this share of what real ones do."""

FLAT_PENALTY, STEEP_PENALTY = 0.9, 10.0
"""Gradient penalties beyond which the critic's slope has vanished (norm near 0) or exploded."""


def broken(values: Mapping[str, float]) -> list[str]:
    """The names of logged values that are NaN or infinite; there is nothing to save then."""
    return [name for name, value in values.items() if not math.isfinite(value)]


def diversity(sounds: NDArray[np.float32]) -> float:
    """Mean spectral distance in dB between sounds (n, samples), each to the next one in the order given."""
    if len(sounds) < 2:
        return 0.0
    spectra = np.abs(
        np.fft.rfft(sounds[:, : sounds.shape[1] // 256 * 256].reshape(len(sounds), -1, 256) * np.hanning(256))
    )
    levels = 20 * np.log10(np.maximum(spectra, 1e-3)).reshape(len(sounds), -1)  # (n, frames * bins)
    return float(np.sqrt(np.square(levels - np.roll(levels, 1, axis=0)).mean(1)).mean())


def in_sounds(sounds: NDArray[np.float32], real_diversity: float) -> list[str]:
    """What is wrong with generated sounds.

    Args:
        sounds: (n, samples), full scale at 1.
        real_diversity: `diversity` of as many real clips, dB.
    """
    found = []
    if not np.isfinite(sounds).all():
        return ["NaN: the generator's sounds are not numbers"]
    silent = float((np.abs(sounds).max(1) < SILENT_PEAK).mean())
    if silent > 0.5:
        found.append(f"silence: {silent:.0%} of the generated sounds stay below -60 dB")
    clipped = float(((np.abs(sounds) > CLIPPED_LEVEL).mean(1) > CLIPPED_SHARE).mean())
    if clipped > 0.5:
        found.append(f"clipping: {clipped:.0%} of the generated sounds stick to full scale; a lower --lr may help")
    spread = diversity(sounds)
    if spread < ALIKE * real_diversity:
        found.append(
            f"collapse of diversity: generated sounds differ by {spread:.1f} dB, real ones by {real_diversity:.1f} dB; "
            "try more --critic-updates, --phase-shuffle or another --seed"
        )
    return found


def in_values(values: Mapping[str, float]) -> list[str]:
    """What is wrong with the values logged at one update."""
    found = []
    penalty = values["critic/gradient_penalty"]
    if penalty > FLAT_PENALTY and values["critic/gradient_norm"] < 1e-6:
        found.append("critic saturation: its slope has vanished and the generator learns nothing; lower --lr")
    if penalty > STEEP_PENALTY:
        found.append(
            f"critic saturation: its slope has exploded (penalty {penalty:.3g}); lower --lr or raise --penalty"
        )
    return found


class Monitor:
    """Remembers what was wrong last time, so that a passing trouble is not reported and a lasting one only once."""

    def __init__(self) -> None:
        self._suspected: set[str] = set()
        self._reported: set[str] = set()

    def lasting(self, found: Iterable[str], source: str) -> list[str]:
        """Those of `found` whose kind was there the last time that `source` was looked at, and not reported yet."""
        kinds = {f"{source} {text.partition(':')[0]}": text for text in found}
        lasting = [text for kind, text in kinds.items() if kind in self._suspected and kind not in self._reported]
        self._reported |= {kind for kind in kinds if kind in self._suspected}
        self._suspected = {kind for kind in self._suspected if not kind.startswith(f"{source} ")} | set(kinds)
        return lasting
