"""The points of a page's map and their sounds, and the mean spectrograms of each class."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import find_extent
from canarygan_core.clips import Clips
from canarygan_core.fitted.decoders import X
from canarygan_report import sounds
from canarygan_report.material import Audio, Generated, Labels, Layout

BUDGET = 12_600_000
"""Bytes of sound that a page holds: 16.8 MB as base64, which leaves the file under 20 MB."""

PER_CLASS = 200
"""Most clips that a mean spectrogram is taken over."""

UNKNOWN = "?"
"""The label of a sound that has none."""

COLUMNS = ("x", "y", "real", "label", "cluster", "name", "sound", "level")
"""What the page has of each point."""


@dataclass(frozen=True, eq=False)
class Side:
    """The real or the generated half of a map.

    Attributes:
        name: which half, `real` or `generated`.
        layout: coordinates of its sounds.
        labels: (n,) class of each.
        names: (n,) name of each.
        sound: the samples of a row, or None where they are not at hand.
        rate: Hz.
    """

    name: str
    layout: Layout
    labels: Labels
    names: Labels
    sound: Callable[[int], Audio | None]
    rate: int


def real_side(layout: Layout, clips: Clips | None) -> Side:
    """The real clips of a map, found by their sources."""
    total = len(layout.points)
    names = layout.sources if layout.sources is not None else np.array([f"clip {row}" for row in range(total)])
    sources = [] if clips is None or clips.sources is None else clips.sources.tolist()
    rows = {source: row for row, source in enumerate(sources)}

    def sound(point: int) -> Audio | None:
        row = rows.get(str(names[point]))
        return None if clips is None or row is None else clips.audio[row]

    labels = layout.labels if layout.labels is not None else np.full(total, UNKNOWN)
    return Side("real", layout, labels, names, sound, clips.rate if clips is not None else 0)


def generated_side(layout: Layout, generated: Generated, labels: Labels | None) -> Side:
    """The sounds of an archive on a map."""
    names = np.array([f"sound {row}" for row in range(len(layout.points))])
    known = labels if labels is not None else np.full(len(names), UNKNOWN)
    return Side("generated", layout, known, names, lambda row: generated.audio[row], generated.rate)


def choose(sides: list[Side], count: int, seed: int) -> list[NDArray[np.intp]]:
    """Rows of each side, half of `count` each or more where the other has less, stratified by label."""
    sizes = [len(side.layout.points) for side in sides]
    rng = np.random.default_rng(seed)
    half = count if len(sides) == 1 else count // 2
    return [
        sounds.stratified(side.labels, max(half, count - (sum(sizes) - size)), rng)
        for side, size in zip(sides, sizes, strict=True)
    ]


def points(sides: list[Side], *, count: int, seed: int, budget: int = BUDGET) -> dict[str, Any]:
    """At most `count` points with their sounds, column by column, as JSON values.

    Args:
        sides: the real half, the generated half, or both.
        count: points in all.
        seed: seed of the random choice.
        budget: samples that all sounds may take together; where they take more, each is cut to its loudest part.
    """
    chosen = zip(sides, choose(sides, count, seed), strict=True)
    rows = [(side, row, side.sound(row)) for side, rows in chosen for row in rows.tolist()]
    spans = [(0, 0) if sound is None else find_span(sound, side.rate) for side, _, sound in rows]
    longest = sounds.fitting([end - start for start, end in spans], budget)
    labels = sorted({str(side.labels[row]) for side, row, _ in rows})
    table: list[tuple[Any, ...]] = []
    cut = 0
    for (side, row, sound), span in zip(rows, spans, strict=True):
        encoded = level = None
        if sound is not None:
            start, end = sounds.loudest(sound, span, longest)
            cut += (start, end) != span
            part = np.asarray(sound[start:end], np.float32)
            encoded, level = sounds.encoded(sounds.mu_law(part)), _peak_level(part) if part.size else None
        x, y = (round(float(value), 3) if np.isfinite(value) else 0.0 for value in side.layout.points[row])
        cluster = None if side.layout.clusters is None else int(side.layout.clusters[row])
        label, name = labels.index(str(side.labels[row])), str(side.names[row])
        table.append((x, y, int(side.name == "real"), label, cluster, name, encoded, level))
    columns = {key: [values[number] for values in table] for number, key in enumerate(COLUMNS)}
    totals = {side.name: len(side.layout.points) for side in sides}
    rates = {side.name: side.rate for side in sides}
    return {"labels": labels, "totals": totals, "rates": rates, "cut": cut, "longest": longest, **columns}


def find_span(sound: Audio, rate: int) -> tuple[int, int]:
    """First and last sample of a sound, the last excluded, within `sounds.QUIET` dB of its peak; none in silence."""
    onset, offset = find_extent(sound, rate, below=sounds.QUIET, background=None, block=0.0)
    return int(onset), int(offset)


def _peak_level(sound: Audio) -> float:
    """Peak of a sound, dB under full scale."""
    return round(float(20 * np.log10(max(float(np.abs(np.nan_to_num(sound)).max()), 1e-6))), 1)


def spectra(sets: Mapping[str, tuple[Audio, Labels, int]], seed: int) -> dict[str, Any] | None:
    """Mean spectrogram of each class in each set, shades of grey in base64; None where no clip sounds.

    Args:
        sets: by name, the audio (n, samples), the labels (n,) and the rate in Hz.
        seed: seed of which clips are taken where a class has more than `PER_CLASS`.
    """
    rng = np.random.default_rng(seed)
    present = {str(label) for _, labels, _ in sets.values() for label in np.unique(labels)}
    classes = sorted(present, key=lambda label: (label == X, label))
    chosen = {
        (name, label): rng.permutation(np.flatnonzero(labels == label))[:PER_CLASS]
        for name, (_, labels, _) in sets.items()
        for label in classes
    }
    seconds = 0.0
    for name, (audio, _, rate) in sets.items():
        rows = np.concatenate([chosen[name, label][:20] for label in classes])
        ends = [find_span(audio[row], rate)[1] / rate for row in rows]  # one by one: all at once take gigabytes
        seconds = seconds or (float(np.quantile(ends, 0.95)) if ends else 0.0)
    if not seconds:
        return None
    pictures = []
    for label in classes:
        cells = {}
        for name, (audio, _, rate) in sets.items():
            rows = chosen[name, label]
            if len(rows):
                levels = sounds.mean_spectrogram(audio[np.sort(rows)], round(seconds * rate))
                cells[name] = {
                    "clips": len(rows),
                    "frames": levels.shape[1],
                    "khz": rate / 2000,
                    "shades": sounds.encoded(sounds.shaded(levels)),
                }
        pictures.append({"label": label, **cells})
    return {"bands": sounds.BANDS, "seconds": seconds, "depth": sounds.DEPTH, "sets": list(sets), "classes": pictures}
