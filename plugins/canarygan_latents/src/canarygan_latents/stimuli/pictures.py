"""Spectrograms of stimuli as they are played, one beside the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import compute_spectrogram
from canarygan_core.runs import files

COLUMNS, ROWS, DEPTH = 10, 12, 60.0
"""Spectrograms in a row where the caller does not say, rows at most, and levels shown, dB."""


def draw_sheet(
    path: Path, sounds: Sequence[NDArray[np.float32]], titles: Sequence[str], rate: int, columns: int = 0
) -> None:
    """Draw the first stimuli to a PNG file, on one scale of time, each darkest where it is silent.

    Args:
        path: the file.
        sounds: each (samples,).
        titles: one a sound, of a line or two.
        rate: Hz.
        columns: spectrograms in a row; 0 for `COLUMNS`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    width = columns or min(COLUMNS, len(sounds))
    shown = sounds[: width * ROWS]
    longest = max(map(len, shown))
    height = -(-len(shown) // width)
    across, down = 1.15 * width + 0.6, 1.35 * height + 0.5  # inches
    figure = Figure(figsize=(across, down))
    FigureCanvasAgg(figure)
    edges = {"left": 0.5 / across, "right": 1 - 0.1 / across, "bottom": 0.4 / down, "top": 1 - 0.3 / down}
    spaces = {"wspace": 0.1, "hspace": 0.35, **edges}
    axes: Any = figure.subplots(height, width, squeeze=False, sharex=True, sharey=True, gridspec_kw=spaces).ravel()
    for axis in axes[len(shown) :]:
        axis.axis("off")
    extent = (0, 1000 * longest / rate, 0, rate / 2000)
    for axis, sound, title in zip(axes, shown, titles, strict=False):
        padded = np.pad(sound, (0, longest - len(sound)))
        levels = compute_spectrogram(padded[None], rate, window=0.008, hop=0.002, floor=DEPTH)[0]
        axis.imshow(levels, origin="lower", aspect="auto", extent=extent, vmin=-DEPTH, vmax=0, cmap="magma")
        axis.set_title(title.replace("$", r"\$"), fontsize=6)
        axis.xaxis.set_major_locator(MaxNLocator(3, prune="upper"))  # or else it runs into the first of the next
        axis.tick_params(labelsize=6)
    figure.supxlabel("ms", fontsize=7, y=0.02 / down, va="bottom")
    figure.supylabel("kHz", fontsize=7, x=0.02 / across, ha="left")
    with files.replace_file(path) as draft:
        figure.savefig(draft, format="png", dpi=110)
