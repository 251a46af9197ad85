"""What components may bring besides, and do not have to: checked where they bring it."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

from canarygan_core.clips import Clips
from canarygan_core.components import Decoder, Metric
from canarygan_core.errors import CanaryganError
from canarygan_core.testing.toys import explain

NEAR = 1e-4
"""Relative difference of two scores that are the same."""


def check_fitting(metric: Metric, generated: Clips, reference: Clips) -> None:
    """Where a metric is fitted to real clips, it scores each set as it does without, whatever set came before."""
    fitting = getattr(metric, "fit", None)
    if fitting is None:
        return
    name = type(metric).__name__
    fitted = fitting(reference)
    assert callable(getattr(fitted, "score", None)), (
        f"{name}.fit must give what has `score(generated)`, not {fitted!r}."
    )
    for part in (generated, generated.select(slice(0, len(generated) // 2)), generated):
        told, alone = fitted.score(part), metric.score(part, reference)
        is_same = told.keys() == alone.keys() and all(
            math.isclose(told[key], alone[key], rel_tol=NEAR, abs_tol=NEAR) for key in alone
        )
        assert is_same, f"{name}.fit(...).score gives {told}, and {name}.score {alone}: keep nothing of the sets."


def check_figures(name: str, draw: Callable[[Path], Iterable[Path]], folder: Path) -> None:
    """The figures that a component draws are PNG files in its folder alone."""
    folder.mkdir()
    paths = [Path(path) for path in draw(folder)]
    same = sorted(paths) == sorted(folder.iterdir())
    assert same, f"{name}: draw must return the files that it writes in its folder."
    for path in paths:
        is_png = path.suffix == ".png" and path.read_bytes().startswith(b"\x89PNG")
        assert is_png, f"{name}: draw must write PNG files, not {path.name}."


def check_metric_figures(metric: Metric, generated: Clips, reference: Clips, folder: Path) -> None:
    """The same of a metric, where it brings figures."""
    drawing = getattr(metric, "draw", None)
    if drawing is not None:
        check_figures(type(metric).__name__, partial(drawing, generated, reference), folder)


def check_declarations(decoder: Decoder) -> None:
    """What a decoder learns from is known, and a search may draw its options anywhere in their ranges."""
    name, what = type(decoder).__name__, decoder.learns_from
    assert what in ("clips", "features"), f"{name}.learns_from is {what!r}: it may be clips or features."
    has_door = what == "clips" or callable(getattr(decoder, "fit_examples", None))
    assert has_door, f"{name} learns from features: give it `fit_examples(examples)`."
    options = {field.name for field in fields(decoder)}
    ranges: Mapping[str, Any] = decoder.search_ranges
    for option, ends in ranges.items():
        assert option in options, f"{name}.search_ranges names {option}, which is no option of it."
        low, high = ends
        assert 0 < low < high, f"{name}.search_ranges: {option} is from {low} to {high}; it must rise from above 0."
        number = type(getattr(decoder, option))
        assert number in (int, float), f"{name}.search_ranges: {option} is {number.__name__}, and no number."
        for end in ends:
            with explain(CanaryganError, f"{name}.search_ranges: {option} may be drawn as {end:g}, which is refused: "):
                replace(decoder, **{option: number(end)})


def load_to_device(cls: type[Any], folder: Path) -> Any:
    """What lies in a folder, loaded to the device cpu where a component takes a device."""
    return cls.load(folder, **({"device": "cpu"} if "device" in signature(cls.load).parameters else {}))
