"""Figures of maps and of mean spectrograms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.fitted.decoders import X
from canarygan_metrics.figures import plain, saved_figure

Floats = NDArray[np.float32]
Means = Mapping[str, Floats]

COLOURS = ("#332288", "#88CCEE", "#117733", "#CC6677", "#DDCC77", "#AA4499", "#44AA99", "#882255", "#999933")
"""Nine that people of any colour vision can distinguish (Tol, 2021), for as many classes at most."""

MARKERS = ("o", "^", "s", "D", "v", "P", "*", "X", "<", ">", "p", "h")
"""One after the other, so that classes differ in grey, too."""

GREY = "#8C8C8C"

COLUMNS = 4
"""Panels side by side."""

MOST = 12
"""Panels of a figure."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One map of generated sounds.

    Attributes:
        title: words above it.
        points: (n, 2) coordinates.
        labels: (n,) name of each, or None where all are drawn alike.
    """

    title: str
    points: Floats
    labels: NDArray[np.str_] | None = None


def choose_panels(count: int) -> list[int]:
    """Numbers of at most `MOST` of `count` panels at equal steps, the first and the last among them."""
    return sorted(set(np.linspace(0, count - 1, min(count, MOST)).round().astype(int).tolist()))


def draw_maps(path: Path, title: str, real: Floats, labels: NDArray[np.str_], panels: Sequence[Panel]) -> None:
    """Draw generated points over the density of real ones, a panel a set, and the names of classes where they lie.

    Args:
        path: PNG file.
        title: what is drawn.
        real: (m, 2) coordinates of the real sounds.
        labels: (m,) of the real sounds, named in each panel.
        panels: what is drawn over them, at most `MOST`; labelled ones share colours and a legend.
    """
    from matplotlib.lines import Line2D

    everything = np.concatenate([real, *(panel.points for panel in panels)])
    low, high = everything.min(0), everything.max(0)
    margin = 0.05 * np.maximum(high - low, 1e-3)
    box = np.stack([low - margin, high + margin], 1)
    names = sorted({str(label) for panel in panels if panel.labels is not None for label in panel.labels}, key=_order)
    classes = {str(label) for label in labels}
    looks = styles(sorted({*names, *(classes if classes.intersection(names) else ())}, key=_order))
    columns = min(len(panels), COLUMNS)
    rows = -(-len(panels) // columns)
    with saved_figure(path, (4.2 * columns + 1.4, 4.2 * rows + 0.6), 110) as figure:
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        for axes, panel in zip(grid.flat, panels, strict=False):
            axes.imshow(density(real, box), extent=box.ravel(), interpolation="bilinear", **_GREYS)
            size = float(np.clip(6000 / max(len(panel.points), 1), 1.5, 14))
            if panel.labels is None:
                axes.scatter(*panel.points.T, s=size, c=COLOURS[3], alpha=0.6, linewidths=0)
            for name in reversed(names) if panel.labels is not None else ():
                colour, marker = looks[name]
                mine = panel.points[panel.labels == name]
                axes.scatter(*mine.T, s=size, c=colour, marker=marker, alpha=0.75, linewidths=0)
            for name, middle in label_places(real, labels).items():
                text = axes.text(*middle, plain(name), fontsize=8, ha="center", va="center", weight="bold")
                text.set_bbox({"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.8})
            axes.set(title=panel.title, xticks=[], yticks=[], xlim=box[0], ylim=box[1])
        figure.suptitle(title)
        if names:
            keys: list[Any] = [
                Line2D([], [], ls="", marker=looks[name][1], color=looks[name][0], label=plain(name)) for name in names
            ]
            figure.legend(handles=keys, loc="outside right upper", frameon=False, ncols=1 + (len(names) - 1) // 24)


_GREYS: dict[str, Any] = {"cmap": "Greys", "origin": "lower", "aspect": "auto", "vmin": 0, "vmax": 1.6}


def density(points: Floats, box: Floats, cells: int = 120) -> NDArray[np.float64]:
    """Square root of the density of points (n, 2) in a box (2, 2), x and y by low and high: (cells, cells)."""
    from scipy.ndimage import gaussian_filter

    counts, _, _ = np.histogram2d(points[:, 0], points[:, 1], bins=cells, range=box)
    smooth = np.sqrt(np.maximum(gaussian_filter(counts.T, cells / 60), 0))
    return np.asarray(smooth / max(smooth.max(), 1e-12))


def label_places(points: Floats, labels: NDArray[np.str_]) -> dict[str, Floats]:
    """By label, the point of that label nearest to the median of them all, so that the name stands on a cluster."""
    places = {}
    for label in np.unique(labels):
        mine = points[labels == label]
        places[str(label)] = mine[np.square(mine - np.median(mine, axis=0)).sum(1).argmin()]
    return places


def styles(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each name, no colour twice; X and the outside of clusters are grey."""
    named = [name for name in names if name not in (X, "outside")]
    looks = dict(zip(named, zip(choose_colours(len(named)), cycle(MARKERS)), strict=True))
    return looks | {name: (GREY, "o") for name in names if name not in looks}


def choose_colours(count: int) -> list[str]:
    """So many colours, each of its own: Tol's nine, or hues around the circle in three degrees of lightness."""
    from matplotlib.colors import to_hex

    if count <= len(COLOURS):
        return list(COLOURS[:count])
    return [
        to_hex(tuple(_convert_oklch((0.62, 0.42, 0.78)[number % 3], 0.13, 25 + 360 * number / count).tolist()))
        for number in range(count)
    ]


def _convert_oklch(lightness: float, chroma: float, hue: float) -> NDArray[np.float64]:
    """A colour of Oklab (Ottosson, 2020) in polar coordinates, hue in degrees, as sRGB (3,) from 0 to 1."""
    a, b = chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))
    to_cones = np.array(
        [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
    )
    to_linear = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip(to_linear @ (to_cones @ np.array([lightness, a, b])) ** 3, 0, 1)
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


def draw_spectrograms(
    path: Path, title: str, real: Means, generated: Means, counts: Mapping[str, int], *, rate: int, hop: int
) -> None:
    """Draw the mean spectrogram of each class, of real sounds above and of generated ones below.

    Args:
        path: PNG file.
        title: what is drawn.
        real: by class, (frames, bins) dB, bins from 0 Hz to half the rate.
        generated: the same, of those classes that were generated.
        counts: by class, how many were.
        rate: Hz.
        hop: step of the frames, samples.
    """
    from matplotlib.ticker import MaxNLocator

    classes = sorted(real.keys() | generated.keys(), key=_order)
    rows = -(-len(classes) // 8)
    columns = -(-len(classes) // rows)
    darkest = min(float(one.min()) for one in [*real.values(), *generated.values()])
    look: dict[str, Any] = {"origin": "lower", "aspect": "auto", "cmap": "magma", "vmin": darkest, "vmax": 0}
    with saved_figure(path, (1.9 * columns + 1.2, 3.8 * rows + 0.6), 110) as figure:
        grid = figure.subplots(2 * rows, columns, squeeze=False)
        for axes in grid.flat:
            axes.set_visible(False)
        for number, name in enumerate(classes):
            row, column = divmod(number, columns)
            above, below = grid[2 * row, column], grid[2 * row + 1, column]
            for axes, means in ((above, real), (below, generated)):
                axes.set_visible(True)
                axes.set(xticks=[], yticks=[])
                if name not in means:
                    axes.text(0.5, 0.5, "none", ha="center", va="center", transform=axes.transAxes)
                    continue
                extent = (0, 1000 * len(means[name]) * hop / rate, 0, rate / 2000)
                picture = axes.imshow(means[name].T, extent=extent, **look)
                if column == 0:
                    axes.yaxis.set_major_locator(MaxNLocator(4))
            above.set_title(plain(name), fontsize=10, weight="bold")
            below.set_title(f"{counts.get(name, 0)} generated", fontsize=8)
            if name in generated:
                below.xaxis.set_major_locator(MaxNLocator(3))
                below.set_xlabel("ms")
            if column == 0:
                above.set_ylabel("kHz, real")
                below.set_ylabel("kHz, generated")
        figure.suptitle(title)
        figure.colorbar(picture, ax=grid, label="dB below the loudest", shrink=0.6)


def _order(name: str) -> tuple[bool, int, str]:
    """Names in order, numbers among them by size, X and the outside of clusters last."""
    digits = "".join(filter(str.isdigit, name))
    return name in (X, "outside"), int(digits) if name.isdigit() else 0, name
