"""The filter that a sound passes before it is cut. One function, so that another can take its place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.errors import CanaryganError

ORDER = 5
"""Order of the Butterworth filter, applied forwards and backwards (Pagliarini et al., 2021)."""

MARGIN = 0.1
"""Sound read on either side of a stretch, so that filter and resampling are settled where it begins, seconds."""


def check_band(highpass: float | None, lowpass: float | None, rate: int) -> None:
    """Raise `CanaryganError` where no band of sound at this rate is left between two cut-offs, all in Hz."""
    low, high = highpass or 0.0, min(lowpass or rate / 2, rate / 2)
    if not (0 <= low < high):
        told = f"--highpass {highpass or 0:g} Hz and --lowpass {lowpass or 0:g} Hz"
        raise CanaryganError(f"{told} leave nothing: the first must be below the second, and below {rate / 2:g} Hz.")


def filter_sound(
    audio: NDArray[np.floating[Any]], rate: int, highpass: float | None = None, lowpass: float | None = None
) -> NDArray[np.float32]:
    """Sound (samples,) without what lies below `highpass` and above `lowpass`, both in Hz; None for no such edge."""
    lowpass = lowpass if (lowpass or rate) < rate / 2 else None
    if highpass is None and lowpass is None:
        return np.asarray(audio, np.float32)
    from scipy import signal

    designed = []
    if highpass is not None:
        designed.append(signal.butter(ORDER, highpass, "highpass", fs=rate, output="sos"))
    if lowpass is not None:
        designed.append(signal.butter(ORDER, lowpass, "lowpass", fs=rate, output="sos"))
    sections = np.vstack(designed)
    padding = min(len(audio) - 1, round(MARGIN * rate))
    filtered = signal.sosfiltfilt(sections, np.asarray(audio, np.float64), padlen=max(padding, 0))
    return np.asarray(filtered, np.float32)
