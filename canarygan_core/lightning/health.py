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


def check_sounds(
    sounds: NDArray[np.float32], real_diversity: float, advice: Mapping[str, str] | None = None
) -> list[str]:
    """Name the troubles of generated sounds.

    Args:
        sounds: (n, samples), full scale at 1.
        real_diversity: `compute_diversity` of as many real clips, dB.
        advice: what may help, by `silence`, `clipping` and `collapse of diversity`.
    """
    helps = {kind: f"; {text}" for kind, text in (advice or {}).items()}
    troubles = []
    if not np.isfinite(sounds).all():
        return ["NaN: the generator's sounds are not numbers"]
    silent = float((np.abs(sounds).max(1) < SILENT_PEAK).mean())
    if silent > 0.5:
        troubles.append(f"silence: {silent:.0%} of the generated sounds stay below -60 dB{helps.get('silence', '')}")
    clipped = float(((np.abs(sounds) > CLIPPED_LEVEL).mean(1) > CLIPPED_SHARE).mean())
    if clipped > 0.5:
        stuck = f"{clipped:.0%} of the generated sounds stick to full scale"
        troubles.append(f"clipping: {stuck}{helps.get('clipping', '')}")
    spread = compute_diversity(sounds)
    if spread < ALIKE * real_diversity:
        kind, both = "collapse of diversity", f"differ by {spread:.1f} dB, real ones by {real_diversity:.1f} dB"
        troubles.append(f"{kind}: generated sounds {both}{helps.get(kind, '')}")
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
