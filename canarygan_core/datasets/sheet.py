"""A sheet of spectrograms, some clips of each class: the quickest way to see a set that was cut or labelled wrongly."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import compute_spectrogram, find_extent
from canarygan_core.clips import fit_length
from canarygan_core.errors import CanaryganError

CLIPS = 8
"""Clips of each class."""

FLOOR = 60.0
"""Range of levels below each clip's loudest cell, dB."""

HOP = 0.002
"""From one frame to the next, seconds."""

MARGIN = 0.010
"""What is shown after the end of the longest sound, seconds."""

Audio = NDArray[np.float32]


def choose_evenly(count: int) -> list[int]:
    """The numbers of at most `CLIPS` of so many clips, from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(count, CLIPS)).round().astype(int)).tolist() if count else []


def draw_sheet(clips: Mapping[str, Sequence[Audio]], rate: int) -> bytes:
    """Draw a sheet: a row a class, with its clips side by side; gives the PNG file.

    Args:
        clips: by class, sounds (samples,) as they are learnt.
        rate: their sampling rate, Hz.

    Raises:
        CanaryganError: where matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise CanaryganError("--sheet draws with matplotlib, which is not installed: pip install matplotlib.") from None

    sounds = [sound for row in clips.values() for sound in row]
    shown = max(int(find_extent(sound, rate)[1]) for sound in sounds) + round(MARGIN * rate)
    shown = min(shown, max(map(len, sounds)))
    width, gap = 1000 * shown / rate, 40 * shown / rate  # ms
    figure = Figure(figsize=(13, 1.1 + 0.95 * len(clips)), layout="constrained")
    FigureCanvasAgg(figure)
    rows = np.atleast_1d(figure.subplots(len(clips), sharex=True))
    mark = _choose_mark(width)
    for axes, (label, row) in zip(rows, clips.items(), strict=True):
        levels = compute_spectrogram(
            np.concatenate([fit_length(one[None], shown) for one in row]), rate, hop=HOP, floor=FLOOR
        )
        for number, level in enumerate(levels):
            start = number * (width + gap)
            extent = (start, start + width, 0, rate / 2000)
            picture = axes.imshow(
                level, extent=extent, origin="lower", aspect="auto", cmap="magma", vmin=-FLOOR, vmax=0
            )
        axes.set(xlim=(-gap, CLIPS * (width + gap)), ylim=(0, rate / 2000))
        axes.set_ylabel(label.replace("$", r"\$"), rotation=0, ha="right", va="center")
        axes.spines[:].set_visible(False)
    starts = [number * (width + gap) for number in range(CLIPS)]
    ticks = [start + time for start in starts for time in (0, mark)]
    rows[-1].set_xticks(ticks, ["0", f"{mark:g}"] * CLIPS)
    rows[-1].set_xlabel("Time in each clip, ms")
    figure.supylabel("Frequency of each class, kHz")
    figure.colorbar(picture, ax=rows.tolist(), label="Below the clip's loudest, dB", shrink=min(1, 3 / len(clips)))
    picture_file = io.BytesIO()
    figure.savefig(picture_file, format="png", dpi=100)
    return picture_file.getvalue()


def _choose_mark(width: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is at most three quarters of a width."""
    steps = [factor * 10.0**power for power in range(-1, 6) for factor in (1, 2, 5)]
    return max(step for step in steps if step <= 0.75 * width)
