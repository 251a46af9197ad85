"""Previews of a training: WAV files, spectrograms beside those of real clips, curves of the log."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from canarygan_core import audio
from canarygan_core.runs import files

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WINDOW, HOP, FLOOR = 256, 64, -60.0
"""Spectrograms in pictures: window and hop in samples, lowest level shown in dB."""

COLUMNS = 8
"""Spectrograms in a row of a picture."""

GAP = 0.1
"""Silence between two sounds of a preview, seconds."""


def draw_sheet(generated: NDArray[np.float32], real: NDArray[np.float32], rate: int, title: str) -> "Figure":
    """Draw spectrograms of generated sounds above those of real ones, each (n, samples) at `rate` Hz."""
    from matplotlib.figure import Figure

    pictures = {"generated": tile_spectrograms(generated), "real": tile_spectrograms(real)}
    heights = [picture.shape[0] for picture in pictures.values()]
    figure = Figure(figsize=(1.5 * COLUMNS, sum(heights) / heights[-1] * 2.6 + 0.4), layout="constrained")
    figure.suptitle(title)
    seconds = generated.shape[1] / rate
    rows = {"generated": -(-len(generated) // COLUMNS), "real": -(-len(real) // COLUMNS)}
    axes = figure.subplots(2, 1, squeeze=False, height_ratios=heights)[:, 0]
    for axis, (label, picture) in zip(axes, pictures.items(), strict=True):
        axis.imshow(picture, origin="lower", aspect="auto", vmin=FLOOR, vmax=0, cmap="magma", interpolation="nearest")
        axis.set_ylabel(f"{label}, kHz")
        width, height = (
            side / number for side, number in zip(picture.shape[::-1], (COLUMNS, rows[label]), strict=True)
        )
        edges = [number * height + 1.5 for number in range(rows[label])]
        axis.set_yticks([*edges, *(edge + height - 4 for edge in edges)])
        axis.set_yticklabels([*["0"] * len(edges), *[f"{rate / 2000:g}"] * len(edges)], fontsize=7)
        starts = [number * width + 1.5 for number in range(COLUMNS)]
        axis.set_xticks([*starts, *(start + width - 4 for start in starts)])
        axis.set_xticklabels([*["0"] * COLUMNS, *[f"{1000 * seconds:.0f}"] * COLUMNS], fontsize=7)
        for left, right in zip(axis.get_xticklabels()[:COLUMNS], axis.get_xticklabels()[COLUMNS:], strict=True):
            left.set_horizontalalignment("left")
            right.set_horizontalalignment("right")
    axes[-1].set_xlabel("ms in each")
    return figure


def tile_spectrograms(sounds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Spectrograms of sounds (n, samples) in rows of `COLUMNS`, the first at the top left, with NaN between them."""
    levels = audio.compute_spectrogram(sounds, 1, window=WINDOW, hop=HOP, floor=-FLOOR, reference=1.0)
    tiles = [np.pad(level, 2, constant_values=np.nan) for level in levels]  # (bins, frames) each
    tiles += [np.full_like(tiles[0], np.nan)] * (-len(tiles) % COLUMNS)
    rows = [np.concatenate(tiles[start : start + COLUMNS], axis=1) for start in range(0, len(tiles), COLUMNS)]
    return np.concatenate(rows[::-1])


def draw_curves(table: Path, curves: Mapping[str, str], unit: str = "updates") -> "Figure | None":
    """Plot logged values against updates; None if nothing is logged yet.

    Args:
        table: the log, as CSV.
        curves: by column, its title.
        unit: what the column `step` counts.
    """
    from matplotlib.figure import Figure

    if not table.is_file():
        return None
    with open(table, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    across = 1 if len(curves) == 1 else 2
    down = -(-len(curves) // across)
    figure = Figure(figsize=(4.5 * across, 2.5 * down), layout="constrained")
    axes = figure.subplots(down, across, sharex=True, squeeze=False)
    for axis, (name, title) in zip(axes.ravel(), curves.items(), strict=False):
        points = [(int(row["step"]), float(row[name])) for row in rows if row.get(name)]
        axis.plot(*zip(*points, strict=True), linewidth=1) if points else None
        axis.set_title(title)
        axis.grid(alpha=0.3)
    for axis in axes[-1]:
        axis.set_xlabel(unit)
    return figure


def render(figure: "Figure") -> NDArray[np.uint8]:
    """Render a figure as an image (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]


def save_image(picture: NDArray[np.uint8], path: Path) -> None:
    """Write an image (height, width, 3) as PNG, atomically."""
    from matplotlib.image import imsave

    with files.replace_file(path) as draft:
        imsave(draft, picture, format="png")


def write_sounds(sounds: NDArray[np.float32], rate: int, path: Path) -> None:
    """Write sounds (n, samples) one after the other into one WAV file."""
    gap = np.zeros((len(sounds), int(GAP * rate)), np.float32)
    audio.write(path, np.concatenate([sounds, gap], axis=1).ravel(), rate)
