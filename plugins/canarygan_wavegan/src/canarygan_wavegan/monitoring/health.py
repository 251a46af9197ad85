"""Troubles of a training and their names: pure functions of its sounds and of its logged values."""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

SILENT_PEAK = 1e-3
"""Peak below which a sound counts as silent: 60 dB under full scale."""

CLIPPED_LEVEL, CLIPPED_SHARE = 0.999, 0.01
"""A sound counts as clipped where more than this share of its samples reach this level."""

ALIKE = 0.1
"""Diversity has collapsed where generated sounds differ less than this share of the difference of real ones."""

FLAT_PENALTY, STEEP_PENALTY = 0.9, 10.0
"""Gradient penalties above which the critic's gradient has vanished (norm near 0) or exploded."""


def find_non_finite(values: Mapping[str, float]) -> list[str]:
    """The names of logged values that are NaN or infinite."""
    return [name for name, value in values.items() if not math.isfinite(value)]


def compute_diversity(sounds: NDArray[np.float32]) -> float:
    """Mean spectral distance, dB, between each of the sounds (n, samples) and the next one."""
    if len(sounds) < 2:
        return 0.0
    spectra = np.abs(
        np.fft.rfft(sounds[:, : sounds.shape[1] // 256 * 256].reshape(len(sounds), -1, 256) * np.hanning(256))
    )
    levels = 20 * np.log10(np.maximum(spectra, 1e-3)).reshape(len(sounds), -1)  # (n, frames * bins)
    return float(np.sqrt(np.square(levels - np.roll(levels, 1, axis=0)).mean(1)).mean())


def check_sounds(sounds: NDArray[np.float32], real_diversity: float) -> list[str]:
    """Name the troubles of generated sounds.

    Args:
        sounds: (n, samples), full scale at 1.
        real_diversity: `compute_diversity` of as many real clips, dB.
    """
    troubles = []
    if not np.isfinite(sounds).all():
        return ["NaN: the generator's sounds are not numbers"]
    silent = float((np.abs(sounds).max(1) < SILENT_PEAK).mean())
    if silent > 0.5:
        troubles.append(f"silence: {silent:.0%} of the generated sounds stay below -60 dB")
    clipped = float(((np.abs(sounds) > CLIPPED_LEVEL).mean(1) > CLIPPED_SHARE).mean())
    if clipped > 0.5:
        troubles.append(f"clipping: {clipped:.0%} of the generated sounds stick to full scale; a lower --lr may help")
    spread = compute_diversity(sounds)
    if spread < ALIKE * real_diversity:
        troubles.append(
            f"collapse of diversity: generated sounds differ by {spread:.1f} dB, real ones by {real_diversity:.1f} dB; "
            "try more --critic-updates, --phase-shuffle or another --seed"
        )
    return troubles


def check_values(values: Mapping[str, float]) -> list[str]:
    """Name the troubles in the values logged at one update."""
    troubles = []
    penalty = values["critic/gradient_penalty"]
    if penalty > FLAT_PENALTY and values["critic/gradient_norm"] < 1e-6:
        troubles.append("critic saturation: its slope vanished, and the generator learns nothing; lower --lr")
    if penalty > STEEP_PENALTY:
        troubles.append(f"critic saturation: its slope exploded (penalty {penalty:.3g}); lower --lr or raise --penalty")
    return troubles


class TroubleFilter:
    """Lets a trouble through once, and only if it was there twice in a row."""

    def __init__(self) -> None:
        self._suspected: set[str] = set()
        self._reported: set[str] = set()

    def select_lasting(self, troubles: Iterable[str], source: str) -> list[str]:
        """The troubles whose kind was there at the last check of `source` too, and was not reported yet."""
        kinds = {f"{source} {text.partition(':')[0]}": text for text in troubles}
        lasting = [text for kind, text in kinds.items() if kind in self._suspected and kind not in self._reported]
        self._reported |= {kind for kind in kinds if kind in self._suspected}
        self._suspected = {kind for kind in self._suspected if not kind.startswith(f"{source} ")} | set(kinds)
        return lasting
