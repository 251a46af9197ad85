"""The distributions of what is measured of real and generated sounds, drawn over each other."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from canarygan_core import CanaryganError
from canarygan_core.clips import Clips
from canarygan_metrics.acoustics.comparison import ENOUGH, pairs
from canarygan_metrics.acoustics.measures import UNITS, Floats
from canarygan_metrics.figures import plain, saved_figure

BINS, SMOOTHING = 128, 2.5
"""Points of a curve over a panel's width, and the standard deviation it is smoothed with, points."""

OUTSIDE = 0.5
"""Share of the values at either end that a panel may leave beyond its edges, per cent."""

REAL, GENERATED = "#9a9a9a", "#c1272d"


def draw(path: Path, generated: Clips, reference: Clips, least: int = ENOUGH) -> None:
    """Draw a panel a measure of measured clips as a PNG: on top all clips, below them each class that can be compared.

    Each curve is a smoothed histogram with a tick at its median, as high as any other whatever its width.

    Raises:
        CanaryganError: where a side has no usable clip, or the file cannot be written.
    """
    compared = list(pairs(generated, reference, least))
    if not all(len(side) for side in compared[0][1:]):
        raise CanaryganError("There is nothing to draw: the generated or the reference clips cannot be measured.")
    labels = [plain(label) or "all" for label, _, _ in compared]
    with saved_figure(path, (11, 1.6 + 2 * (0.7 + 0.38 * len(labels)))) as figure:
        grid = figure.subplots(2, 3, sharey=True)
        for axes, (name, unit) in zip(grid.ravel(), UNITS.items(), strict=True):
            _panel(axes, [(generated.facts[name], real.facts[name]) for _, generated, real in compared])
            axes.set_xlabel(name.replace("_", " ") + (f" ({unit})" if unit else ""))
        for axes in grid[:, 0]:
            axes.set_yticks(-np.arange(len(labels)), labels)
            axes.set_ylim(0.7 - len(labels), 1.0)
        handles = grid[0, 0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside upper center", ncols=2, frameon=False)


def _panel(axes: Axes, rows: list[tuple[Floats, Floats]]) -> None:
    """One measure: rows of generated and real values, the first at the top."""
    both = np.concatenate([values for row in rows for values in row])
    left, right = np.percentile(both, [OUTSIDE, 100 - OUTSIDE])
    spare = 0.04 * (right - left) or 0.5
    edges = np.linspace(left - spare, right + spare, BINS + 1)
    points = (edges[1:] + edges[:-1]) / 2
    for number, (generated, real) in enumerate(rows):
        named = ("real", "generated") if number == 0 else (None, None)
        axes.axhline(-number, color="0.85", linewidth=0.6, zorder=0)
        curve = _curve(real, edges) - number
        axes.fill_between(points, -number, curve, color=REAL, alpha=0.6, linewidth=0, label=named[0])
        axes.plot(points, _curve(generated, edges) - number, color=GENERATED, linewidth=1.1, label=named[1])
        for values, color, width in ((real, "0.25", 2.4), (generated, GENERATED, 1.2)):
            axes.vlines(np.median(values), -number, 0.3 - number, color=color, linewidth=width)
    axes.set_xlim(edges[0], edges[-1])
    axes.tick_params(axis="y", length=0, pad=6)
    axes.spines[["left", "top", "right"]].set_visible(False)


def _curve(values: Floats, edges: Floats) -> NDArray[np.float64]:
    """Values counted in bins, smoothed and brought to a height of 0.9; those beyond the edges are left out."""
    counts = np.histogram(values, edges)[0].astype(np.float64)
    smooth: NDArray[np.float64] = gaussian_filter1d(counts, SMOOTHING, mode="constant")
    return 0.9 * smooth / (smooth.max() or 1.0)
