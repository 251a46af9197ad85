"""What errors mean: beside noise, a latent drawn blindly, the nearest training clip, and sounds of the model itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from canarygan_core import Generator
from canarygan_core.clips import Clips
from canarygan_core.fitted import latents
from canarygan_latents.inversion.inverting import TOGETHER, Inverted, Search, invert
from canarygan_latents.inversion.listening import UNKNOWN, Learning
from canarygan_latents.inversion.measuring import Floats, Measure

SAME = 0.05
"""Error below which a training clip is the sound itself, dB."""


@dataclass(frozen=True, eq=False)
class Errors:
    """Errors of sounds, a row each, dB.

    Attributes:
        error: of what the model makes of the latents that were found.
        noise_floor: that noise as loud as the sound's background makes.
        random_error: of a latent drawn blindly, the median of many.
        nearest_error: of the nearest clip that the model was trained on, but for the sound itself; NaN where unknown.
        nearest: source of that clip; empty where unknown.
        reachable: (m,) of sounds that the model made itself, inverted likewise; empty where none were.
    """

    error: Floats
    noise_floor: Floats
    random_error: Floats
    nearest_error: Floats
    nearest: np.ndarray[Any, np.dtype[np.str_]]
    reachable: Floats


def judge(
    generator: Generator,
    sounds: Clips,
    inverted: Inverted,
    learning: Learning,
    measure: Measure,
    search: Search,
    own: int,
) -> Errors:
    """The errors of inverted sounds, and what gives them a scale; `own` sounds of the model are inverted likewise."""
    nearest_error, nearest = np.full(len(sounds), np.nan, np.float32), np.full(len(sounds), "")
    trained = None if learning.clips is None else learning.clips.select(~learning.unseen)
    if trained is not None and len(trained):
        nearest_error, nearest = find_nearest(sounds, trained, measure)
    reachable = np.empty(0, np.float32)
    if own:
        z = latents.draw_for(generator, own, seed=search.seed + 1)
        reachable = invert(generator, generator.generate(z), measure, search).error
    floor = measure.compute_noise_floor(sounds.audio, search.seed)
    return Errors(inverted.error, floor, inverted.random_error, nearest_error, nearest, reachable)


def find_nearest(sounds: Clips, trained: Clips, measure: Measure) -> tuple[Floats, Any]:
    """Error and source of the nearest training clip to each sound (n,), but for the sound itself; NaN, "" of none."""
    names = np.arange(len(trained)).astype(str) if trained.sources is None else trained.sources
    found = []
    for some in sounds.batches(TOGETHER):
        levels = measure.compute_levels(some.audio)
        parts = [measure.compare(levels, measure.compute_levels(part.audio)) for part in trained.batches(256)]
        errors = np.concatenate(parts, axis=1)
        errors[errors < SAME] = np.inf
        best = errors.argmin(1)
        least = errors[np.arange(len(some)), best]
        is_known = np.isfinite(least)
        found.append((np.where(is_known, least, np.nan), np.where(is_known, names[best], "")))
    least, nearest = map(np.concatenate, zip(*found, strict=True))
    return least, nearest


def summarize(errors: Errors, labels: Any = None) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Of all sounds, and by class: `sounds`, the medians of the errors, and `way`; NaN is None. No label is no class.

    `way` is how far a class comes from a blind latent (0) to what the search reaches on sounds of the model (1):
    (random - error) / (random - reachable), of the medians.
    """
    groups = {} if labels is None else {str(label): labels == label for label in np.unique(labels) if label != UNKNOWN}
    by_class = {label: _summarize(errors, rows) for label, rows in groups.items()}
    return _summarize(errors, np.ones(len(errors.error), bool)), by_class


def _summarize(errors: Errors, rows: Any) -> dict[str, Any]:
    reached = float(np.median(errors.reachable)) if len(errors.reachable) else 0.0
    row: dict[str, Any] = {"sounds": int(rows.sum())}
    for name in ("error", "noise_floor", "random_error", "nearest_error"):
        row[name] = _median(getattr(errors, name)[rows])
    span = row["random_error"] - reached
    row["way"] = round((row["random_error"] - row["error"]) / span, 3) if span > 0 else None
    return row


def _median(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(np.median(known)), 3) if len(known) else None


def describe(overall: Mapping[str, Any], by_class: Mapping[str, Mapping[str, Any]], errors: Errors) -> list[str]:
    """What `summarize` gives in sentences, the class that the model makes worst first."""
    lines = [
        f"Median error {overall['error']:.2f} dB; a blind latent has {overall['random_error']:.2f} dB, "
        f"and noise as loud as the background makes {overall['noise_floor']:.2f} dB."
    ]
    if len(errors.reachable):
        lines.append(
            f"Of {count_sounds(len(errors.reachable))} that the model made itself the median is "
            f"{np.median(errors.reachable):.2f} dB: so much the search misses where the model can make a sound."
        )
    classes = sorted(by_class, key=lambda label: -by_class[label]["error"])
    lines += [f"{label}: {_describe_class(by_class[label])}" for label in classes]
    far = [label for label in classes if is_far(by_class[label])]
    if far:
        lines.append(f"The model comes less than half of the way to {', '.join(far)}.")
    elif classes and all(by_class[label]["way"] is not None for label in classes):
        lines.append("The model comes at least half of the way to every class.")
    return lines


def _describe_class(row: Mapping[str, Any]) -> str:
    near = f", nearest training clip {row['nearest_error']:.2f}" if row["nearest_error"] is not None else ""
    way = f"; {row['way']:.0%} of the way" if row["way"] is not None else ""
    return f"{row['error']:.2f} dB (blind {row['random_error']:.2f}{near}){way}, {count_sounds(row['sounds'])}"


def count_sounds(count: int) -> str:
    """Such as `1 sound` or `2 sounds`."""
    return f"{count} sound{'' if count == 1 else 's'}"


def is_far(row: Mapping[str, Any]) -> bool:
    """Whether the model comes less than half of the way to a class."""
    return row["way"] is not None and row["way"] < 0.5
