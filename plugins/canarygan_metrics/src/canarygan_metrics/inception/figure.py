"""The curve of inception scores over a training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from canarygan_metrics.figures import saved_figure
from canarygan_metrics.inception.options import CONTEXT

LOOKS = {
    "real": ("#117733", "--"),
    "held_out": ("#44AA99", "-."),
    "ceiling": ("#332288", (0, (6, 1, 1, 1, 1, 1))),
    "noise": ("#777777", ":"),
    "shuffled": ("#CC6677", (0, (8, 3))),
}
"""Colour and dashes of each line, so that they differ in grey, too."""


def draw(
    path: Path, rows: Sequence[Mapping[str, Any]], context: Mapping[str, Mapping[str, Any]], classes: int, title: str
) -> None:
    """Draw scores with their standard deviation against epochs, with generator updates above and the context as lines.

    Args:
        path: where the PNG goes.
        rows: one a checkpoint, in order: epoch, step, is_mean, is_std.
        context: scores of real clips, white noise and shuffled labels.
        classes: of the classifier, the most that a score can be.
        title: of the figure.
    """
    epochs, mean, spread = ([row[key] for row in rows] for key in ("epoch", "is_mean", "is_std"))
    with saved_figure(path, (8, 4.5)) as figure:
        axes = figure.subplots()
        axes.errorbar(epochs, mean, spread, fmt="o-", color="#2166ac", capsize=3, label="generated")
        for name, row in context.items():
            label = f"{CONTEXT[name]} ({row['is_mean']:.2f}; {row['clips']:,})"
            colour, dashes = LOOKS[name]
            axes.axhline(row["is_mean"], color=colour, linestyle=dashes, linewidth=1.2, label=label)
        axes.axhline(classes, color="black", linewidth=0.8, label=f"{classes} classes, all equally frequent")
        clips = rows[0]["clips"]
        axes.set(
            xlabel="Epoch",
            ylabel=f"Inception score of {clips:,} sounds, classes",
            title=title,
            ylim=(0.8, classes * 1.06),
        )
        if len(rows) > 1 and epochs[-1] > 0:
            each = rows[-1]["step"] / epochs[-1]
            updates = axes.secondary_xaxis("top", functions=(lambda epoch: epoch * each, lambda step: step / each))
            updates.set_xlabel("Generator updates")
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
