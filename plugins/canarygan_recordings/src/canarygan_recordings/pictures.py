"""Pictures: spectrograms of clips by class, and of a recording with its segments."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import compute_spectrogram
from canarygan_core.runs import files

Sounds = Sequence[tuple[NDArray[np.float32], float, float]]
"""Clips, each with where its segment begins and ends in it, seconds."""

GAP = 0.02
"""Between two clips of a row, seconds."""


def draw_sheet(path: Path, by_class: Mapping[str, Sounds], counts: Mapping[str, int], rate: int, title: str) -> None:
    """Draw a row of spectrograms for each class, the onset and offset of each segment marked.

    Args:
        path: of the PNG.
        by_class: some clips of each class.
        counts: how many there are of each.
        rate: sampling rate of the clips, Hz.
        title: above the rows.
    """
    figure, axes = _make_rows(len(by_class), 11, 0.85, title)
    length = max((len(clip) / rate for clips in by_class.values() for clip, _, _ in clips), default=0.1) + GAP
    most = max(map(len, by_class.values()), default=1)
    for row, (label, clips) in zip(axes, by_class.items(), strict=True):
        for place, (clip, onset, offset) in enumerate(clips):
            left = place * length
            _show(row, clip, rate, left)
            for at in (onset, offset):
                row.axvline(left + at, color="tab:orange", linewidth=0.8)
        row.set(xlim=(0, most * length), ylim=(0, rate / 2000), yticks=[], xticks=[])
        row.set_ylabel(f"{_plain(label)}\n{counts[label]}", rotation=0, ha="right", va="center")
    axes[-1].set_xlabel(
        f"{length * 1000:.0f} ms from one clip to the next; 0 to {rate / 2000:g} kHz; lines: onset, offset"
    )
    _save(figure, path)


def draw_overview(
    path: Path,
    sound: NDArray[np.float32],
    rate: int,
    level: NDArray[np.float64],
    limits: tuple[float, float],
    found: Sequence[tuple[float, float]],
    given: Sequence[tuple[float, float, str]] = (),
    *,
    title: str = "",
    row_seconds: float = 5.0,
) -> None:
    """Draw a recording in rows of some seconds: its spectrogram, its level with both thresholds, and its segments.

    Args:
        path: of the PNG.
        sound: (samples,).
        rate: Hz.
        level: its level over the same time, dB, evenly spaced.
        limits: the lower and the upper threshold, dB.
        found: segments found, seconds.
        given: segments annotated, seconds, with their labels.
        title: above the rows.
        row_seconds: length of a row.
    """
    seconds = len(sound) / rate
    count = max(1, min(int(np.ceil(seconds / row_seconds)), 24))
    figure, axes = _make_rows(count, 14, 1.9, title)
    times = np.linspace(0, seconds, len(level), endpoint=False)
    for number, row in enumerate(axes):
        start, stop = number * row_seconds, (number + 1) * row_seconds
        _show(row, sound[round(start * rate) : round(stop * rate)], rate, start)
        top = rate / 2000
        for onset, offset in found:
            row.plot([onset, offset], [-0.04 * top] * 2, color="tab:orange", linewidth=4, solid_capstyle="butt")
        for onset, offset, label in given:
            row.plot([onset, offset], [-0.12 * top] * 2, color="tab:blue", linewidth=4, solid_capstyle="butt")
            if start <= onset < stop:
                row.text((onset + offset) / 2, -0.3 * top, _plain(label), ha="center", fontsize=7, color="tab:blue")
        row.set(xlim=(start, stop), ylim=(-0.35 * top, top), ylabel="kHz")
        beside = row.twinx()
        inside = (times >= start) & (times < stop)
        beside.plot(times[inside], level[inside], color="white", linewidth=0.6)
        for limit in limits:
            beside.axhline(limit, color="tab:red", linewidth=0.6, linestyle="--")
        beside.set(ylim=(limits[0] - 40, max(limits[1] + 50, float(level.max()))), ylabel="dB")
    bars = "orange: found" + ("; blue: annotated" if given else "")
    axes[-1].set_xlabel(f"seconds; white: level, with both thresholds; {bars}")
    _save(figure, path)


def _make_rows(count: int, width: float, height: float, title: str) -> tuple[Any, list[Any]]:
    """A figure of rows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 0.9 + height * count), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(_plain(title), fontsize=10)
    return figure, list(figure.subplots(count, 1, squeeze=False)[:, 0])


def _show(axes: Any, sound: NDArray[np.float32], rate: int, left: float) -> None:
    """A spectrogram at a place of an axis of seconds and kHz."""
    if len(sound) < 2:
        return
    levels = compute_spectrogram(sound[None], rate, window=0.008, hop=max(0.002, len(sound) / rate / 2500))[0]
    extent = (left, left + len(sound) / rate, 0, rate / 2000)
    axes.imshow(levels, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-60, vmax=0)


def _plain(text: str) -> str:
    """Text that matplotlib takes for no formula."""
    return text.replace("$", r"\$")


def _save(figure: Any, path: Path) -> None:
    with files.replace_file(path) as draft:
        figure.savefig(draft, format="png", dpi=90)
