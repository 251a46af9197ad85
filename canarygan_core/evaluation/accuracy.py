"""Clips held out to test on, how many of them get their own label, and how sure that number is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files


def split(
    labels: NDArray[np.str_], share: float, seed: int, groups: NDArray[np.str_] | None = None, *, flag: str = "--split"
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows to train on and to test on: of each class the same share, chosen by the seed, in order.

    A class of two clips or more gives at least one to each side; a class of one is only trained on. With groups, all
    clips of a group come to one side, so each class's share is only about the one that is wanted, and a class keeps a
    clip to train on.

    Args:
        labels: (n,) class of each clip.
        share: of each class to test on, 0 to below 1.
        seed: of the choice.
        groups: (n,) group of each clip, such as the recording that it was cut from.
        flag: that gave the share, for the error.

    Raises:
        CanaryganError: on another share, or where no group can be spared.
    """
    if not 0 <= share < 1:
        raise CanaryganError(f"{flag} is {share:g}: the share of clips to test on may be 0 to below 1.")
    held = np.zeros(len(labels), bool)
    if groups is not None and share:
        held = _choose_groups(labels, groups, share, seed)
    else:
        test: list[int] = []
        for number, label in enumerate(np.unique(labels)):
            rows = np.flatnonzero(labels == label)
            wanted = min(max(round(share * len(rows)), 1), len(rows) - 1) if share else 0
            test += np.random.default_rng([seed, number]).permutation(rows)[:wanted].tolist()
        held[test] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def _choose_groups(labels: NDArray[np.str_], groups: NDArray[np.str_], share: float, seed: int) -> NDArray[np.bool_]:
    """Which clips to test on (n,): whole groups, taken in a random order while that brings the shares nearer."""
    classes, of_class = np.unique(labels, return_inverse=True)
    names, of_group = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), len(classes)))
    np.add.at(counts, (of_group, of_class), 1)
    total = counts.sum(0)

    def miss(held: NDArray[np.float64]) -> float:
        """How far the classes' shares of held clips (classes,) are from the one that is wanted."""
        return float(np.square(held / total - share).sum())

    order = np.random.default_rng([seed, len(classes)]).permutation(len(names))
    spare = [int(group) for group in order if (total - counts[group] >= 1).all()]
    if not spare:
        raise CanaryganError(
            f"No group of {len(names)} can be held out: each holds all clips of some class. Group by what has more."
        )
    held, chosen = np.zeros(len(classes)), list[int]()
    for group in spare:
        after = held + counts[group]
        if (total - after >= 1).all() and miss(after) < miss(held):
            held, chosen = after, [*chosen, group]
    chosen = chosen or [min(spare, key=lambda group: miss(counts[group]))]
    return np.isin(of_group, chosen)


@dataclass(frozen=True, eq=False)
class ClassificationReport:
    """Labels given to held-out clips, beside their own.

    Attributes:
        classes: labels, in the order of the confusion's rows and columns.
        confusion: (classes, classes) clips of a true class (row) that were given a label (column).
    """

    classes: tuple[str, ...]
    confusion: NDArray[np.int64]

    @property
    def clips(self) -> int:
        return int(self.confusion.sum())

    @property
    def right(self) -> int:
        return int(np.trace(self.confusion))

    @property
    def accuracy(self) -> float:
        """Share of clips given their own label."""
        return self.right / self.clips

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy."""
        return compute_interval(self.right, self.clips)

    @property
    def recall(self) -> NDArray[np.float64]:
        """Of each class, the share of its clips that got its label; NaN where it has none."""
        total = self.confusion.sum(1)
        unknown = np.full(len(total), np.nan)
        return np.asarray(np.divide(np.diag(self.confusion), total, out=unknown, where=total > 0))

    @property
    def macro_f1(self) -> float:
        """Mean over classes of 2 right / (clips of the class + clips given its label), where there is any of either."""
        both = self.confusion.sum(0) + self.confusion.sum(1)
        return float(np.mean(2 * np.diag(self.confusion)[both > 0] / both[both > 0]))

    def describe(self) -> str:
        """The accuracy with its interval and count, such as `0.978, 95 % from 0.923 to 0.994 (88 of 90)`."""
        low, high = self.interval
        return f"{self.accuracy:.3f}, 95 % from {low:.3f} to {high:.3f} ({self.right} of {self.clips})"

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        shares = (None if math.isnan(share) else share for share in self.recall.tolist())
        return {
            "accuracy": self.accuracy,
            "interval_95": list(self.interval),
            "right": self.right,
            "clips": self.clips,
            "macro_f1": self.macro_f1,
            "recall": dict(zip(self.classes, shares, strict=True)),
        }


def compute_report(
    truth: Sequence[str] | NDArray[np.str_], given: Sequence[str] | NDArray[np.str_], classes: Sequence[str]
) -> ClassificationReport:
    """Compare labels given with true ones; a true label beyond `classes` gets a row of its own."""
    labels = (*classes, *sorted({*map(str, truth), *map(str, given)} - set(classes)))
    place = {label: number for number, label in enumerate(labels)}
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, ([place[str(one)] for one in truth], [place[str(one)] for one in given]), 1)
    return ClassificationReport(labels, confusion)


def compute_interval(right: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """The interval of a proportion (Wilson, 1927), by default of 95 %."""
    if total == 0:
        return 0.0, 1.0
    share = right / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def save_report(folder: Path, name: str, report: ClassificationReport, **facts: float) -> list[Path]:
    """Write `metrics-NAME.npz` and `confusion-NAME.png` to a folder; gives their paths.

    Args:
        folder: where they go.
        name: of what gave the labels.
        report: of the labels.
        facts: further numbers for the `.npz`.
    """
    arrays: dict[str, Any] = {
        "confusion": report.confusion,
        "classes": report.classes,
        "accuracy": report.accuracy,
        "interval_95": report.interval,
        "macro_f1": report.macro_f1,
        "recall": report.recall,
    }
    table, figure = folder / f"metrics-{name}.npz", folder / f"confusion-{name}.png"
    with files.replace_file(table) as draft, open(draft, "wb") as stream:
        np.savez(stream, **arrays | facts)
    draw_confusion(figure, report, f"{name}: accuracy {report.accuracy:.3f}")
    return [table, figure]


def draw_confusion(path: Path, result: ClassificationReport, title: str, *, rows: str = "True class") -> None:
    """Draw a confusion matrix: true classes downwards, labels given rightwards, counts in the cells.

    Args:
        path: the PNG file.
        result: the counts.
        title: above them.
        rows: what stands for the true class.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count = len(result.classes)
    side = 2.5 + 0.45 * count
    figure = Figure(figsize=(side + 0.5, side), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    total = np.maximum(result.confusion.sum(1, keepdims=True), 1)
    picture = axes.imshow(result.confusion / total, vmin=0, vmax=1, cmap="Blues")
    axes.set(xlabel="Label given", ylabel=rows, title=title)
    labels = [label.replace("$", r"\$") for label in result.classes]  # matplotlib takes dollar signs for formulae
    axes.set_xticks(range(count), labels, rotation=90)
    axes.set_yticks(range(count), labels)
    for row, column in zip(*np.nonzero(result.confusion), strict=True):
        ink = "white" if result.confusion[row, column] > total[row, 0] / 2 else "black"
        axes.text(column, row, str(result.confusion[row, column]), ha="center", va="center", color=ink, fontsize=8)
    figure.colorbar(picture, label=f"Share of the {rows.lower()}", shrink=0.8)
    with files.replace_file(path) as draft:
        figure.savefig(draft, format="png", dpi=120)
