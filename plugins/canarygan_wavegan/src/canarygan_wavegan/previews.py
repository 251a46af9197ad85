"""What a training sounds and looks like while it goes on: WAV files, spectrograms beside real ones, curves."""

import csv
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from canarygan_core import audio, files

WINDOW, HOP, FLOOR = 256, 64, -60.0
"""Spectrograms in pictures: window and hop in samples, lowest level shown in dB."""

GAP = 0.1
"""Silence between two sounds of a preview, seconds."""

CURVES = (
    ("critic/wasserstein", "Wasserstein estimate"),
    ("critic/loss", "critic loss"),
    ("generator/loss", "generator loss"),
    ("critic/gradient_penalty", "gradient penalty"),
)


def spectrogram(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Power in dB of a sound (samples,), as (WINDOW // 2 + 1, frames), floored at `FLOOR` under full scale."""
    padded = np.pad(sound, WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * np.hanning(WINDOW)
    power = np.square(np.abs(np.fft.rfft(frames)) / (WINDOW / 4))
    levels: NDArray[np.float32] = (10 * np.log10(np.maximum(power, 10 ** (FLOOR / 10)))).T
    return levels


def sheet(generated: NDArray[np.float32], real: NDArray[np.float32], rate: int, title: str) -> Figure:
    """Spectrograms of generated sounds above those of real ones, each (n, samples) at `rate` Hz."""
    columns = min(8, len(generated))
    rows = -(-len(generated) // columns)
    real_rows = -(-len(real) // columns)
    figure = Figure(figsize=(1.5 * columns, 1.35 * (rows + real_rows) + 0.6), layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots(rows + real_rows, columns, sharex=True, sharey=True, squeeze=False)
    _fill(axes[:rows], generated, rate, "generated")
    _fill(axes[rows:], real, rate, "real")
    return figure


def _fill(axes: NDArray[np.object_], sounds: NDArray[np.float32], rate: int, label: str) -> None:
    shown: list[Axes] = list(axes.ravel())
    for axis, sound in zip(shown, sounds, strict=False):
        extent = (0.0, len(sound) / rate, 0.0, rate / 2000)
        axis.imshow(
            spectrogram(sound), origin="lower", aspect="auto", extent=extent, vmin=FLOOR, vmax=0, cmap="magma"
        )
    for axis in shown[len(sounds) :]:
        axis.set_axis_off()
    shown[0].set_ylabel(f"{label}\nkHz")
    for axis in axes[-1]:
        axis.set_xlabel("s")


def curves(table: Path) -> Figure | None:
    """The logged values against generator updates, or None where nothing is logged yet."""
    if not table.is_file():
        return None
    with open(table, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True)
    for axis, (name, title) in zip(axes.ravel(), CURVES, strict=True):
        points = [(int(row["step"]), float(row[name])) for row in rows if row.get(name)]
        axis.plot(*zip(*points, strict=True), linewidth=1) if points else None
        axis.set_title(title)
        axis.grid(alpha=0.3)
    for axis in axes[-1]:
        axis.set_xlabel("generator updates")
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, atomically."""
    with files.replacing(path) as partial:
        FigureCanvasAgg(figure).print_png(str(partial))


def pixels(figure: Figure) -> NDArray[np.uint8]:
    """A figure as an image (height, width, 3)."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def write_row(sounds: NDArray[np.float32], rate: int, path: Path) -> None:
    """Write sounds (n, samples) one after the other into one WAV file."""
    gap = np.zeros((len(sounds), int(GAP * rate)), np.float32)
    audio.write(path, np.concatenate([sounds, gap], axis=1).ravel(), rate)
