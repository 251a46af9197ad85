"""What an inversion looks like: sounds above their reconstructions, and errors by class."""

from typing import TYPE_CHECKING, Any

import numpy as np

from canarygan_core import audio
from canarygan_core.clips import Clips
from canarygan_latents.inversion.inverting import Inverted
from canarygan_latents.inversion.judging import Errors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN, DEPTH = 8, 60.0
"""Sounds in each of the two halves, the best and the worst, and levels shown, dB."""


def draw(sounds: Clips, inverted: Inverted, errors: Errors) -> "Figure":
    """Spectrograms of the best and worst sounds, each above its reconstruction, and a plot of the errors by class."""
    from matplotlib.figure import Figure

    order = np.argsort(errors.error, kind="stable")
    best = order[: min(SHOWN, (len(order) + 1) // 2)]
    worst = order[len(best) :][-SHOWN:]
    figure = Figure(figsize=(12, 8.5), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.6, 1))
    upper, lower = parts
    halves = [(name, rows) for name, rows in (("smallest errors", best), ("largest errors", worst)) if len(rows)]
    axes = upper.subplots(2 * len(halves), SHOWN, squeeze=False, sharex=True, sharey=True)
    for number, (name, rows) in enumerate(halves):
        _draw_half(axes[2 * number : 2 * number + 2], name, rows, sounds, inverted, errors)
    _draw_errors(lower.subplots(), sounds, errors)
    return figure


def _draw_half(axes: Any, name: str, rows: Any, sounds: Clips, inverted: Inverted, errors: Errors) -> None:
    extent = (0, 1000 * sounds.samples / sounds.rate, 0, sounds.rate / 2000)
    for column, pair in enumerate(axes.T):
        if column >= len(rows):
            for axis in pair:
                axis.axis("off")
            continue
        row = rows[column]
        label = "" if sounds.labels is None else f"{_escape(sounds.labels[row])}  "
        pair[0].set_title(f"{label}{errors.error[row]:.2f} dB", fontsize=8)
        for axis, sound in zip(pair, (sounds.audio[row], inverted.x[row]), strict=True):
            levels = audio.compute_spectrogram(sound[None], sounds.rate, window=0.016, hop=0.004, floor=DEPTH)[0]
            axis.imshow(levels, origin="lower", aspect="auto", extent=extent, vmin=-DEPTH, vmax=0, cmap="magma")
            axis.tick_params(labelsize=7)
    axes[0, 0].set_ylabel(f"{name}\nsound, kHz", fontsize=8)
    axes[1, 0].set_ylabel("found, kHz", fontsize=8)
    for axis in axes[1, : len(rows)]:
        axis.set_xlabel("ms", fontsize=7)


def _escape(label: str) -> str:
    """A label as matplotlib writes it: between dollar signs it reads formulae."""
    return label.replace("$", r"\$")


def _draw_errors(axis: "Axes", sounds: Clips, errors: Errors) -> None:
    """Errors as dots, by class, beside those of noise, of blind latents, of training clips and of the model's own."""
    labels = np.full(len(sounds), "sounds") if sounds.labels is None else sounds.labels
    classes = np.unique(labels)
    scales = {
        "noise as loud as the background": (errors.noise_floor, "tab:green"),
        "nearest training clip": (errors.nearest_error, "tab:orange"),
        "blind latent": (errors.random_error, "tab:gray"),
    }
    for place, label in enumerate(classes):
        rows = np.flatnonzero(labels == label)
        spread = np.linspace(-0.25, 0.25, len(rows)) if len(rows) > 1 else np.zeros(1)
        axis.plot(
            place + spread, np.sort(errors.error[rows]), ".", color="tab:blue", label="error" if not place else ""
        )
        for name, (values, color) in scales.items():
            if np.isfinite(values[rows]).any():
                level = float(np.nanmedian(values[rows]))
                axis.hlines(level, place - 0.35, place + 0.35, color=color, label=name if not place else "")
    if len(errors.reachable):
        reached, name = float(np.median(errors.reachable)), "sounds of the model itself"
        axis.axhline(reached, color="tab:purple", linestyle=":", label=name)
    names = [_escape(label) or "no label" for label in classes]
    axis.set_xticks(range(len(classes)), names, rotation=45 if len(classes) > 12 else 0)
    axis.set_ylim(bottom=0)
    axis.set_ylabel("log-mel error, dB")
    axis.legend(fontsize=7, ncols=5, loc="upper center", bbox_to_anchor=(0.5, 1.18), frameon=False)
