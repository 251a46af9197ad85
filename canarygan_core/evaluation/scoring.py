"""The record of a metric: its scores with their units and numbers of clips, beside what chance makes of them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from canarygan_core.clips import Clips
from canarygan_core.components import FittedMetric, Metric
from canarygan_core.console import log
from canarygan_core.errors import CanaryganError
from canarygan_core.evaluation import nulls, streaming
from canarygan_core.evaluation.nulls import get_name
from canarygan_core.runs import files

Record = dict[str, Any]

Scorer = Callable[[Clips], dict[str, float]]
"""Scores of generated clips, as their listener left them."""

CORRECTION = "Holm"
"""How probabilities are corrected for the number of tests, of single classes apart from the others."""


def score_one(
    metric: Metric, generated: Clips, reference: Clips, noise: Clips | None, *, resamplings: int, seed: int
) -> Record:
    """What a metric says: its scores with warnings and all that stands beside them, or why it says nothing.

    Args:
        metric: that scores.
        generated: as its listener left them.
        reference: the real clips, likewise.
        noise: white noise, likewise; None for no context.
        resamplings: of real clips that stand for generated ones; 0 for none.
        seed: of the resamplings.
    """
    record: Record = {}
    try:
        with streaming.collect_warnings() as warnings:
            ask = fit(metric, reference)
            scores = ask(generated)
        _check_scores(metric, scores)
    except Exception as error:  # noqa: BLE001 a stranger's metric may raise anything, and must hurt no other
        return note_failure(metric, streaming.describe_failure(error))
    record |= {"scores": scores, "warnings": [_prefix(metric, message) for message in warnings]}
    record |= {"clips": {"generated": len(generated), "reference": len(reference)}}
    record |= {"units": _pick(metric.units, scores), "better": _pick(metric.better, scores)}
    context: dict[str, dict[str, float]] = {}
    comparison = nulls.compare(metric, generated, reference, scores, resamplings=resamplings, seed=seed)
    if comparison is not None:
        sizes = {"generated": comparison.generated, "reference": comparison.reference}
        found = {key: asdict(null) for key, null in comparison.scores.items()}
        record["null"] = {**sizes, "resamplings": comparison.resamplings, "scores": found}
        context["real"] = dict(comparison.means)
    if noise is not None:
        record["clips"]["noise"] = len(noise)
        context["noise"] = _score_noise(metric, noise, ask)
    return record | ({"context": {side: one for side, one in context.items() if one}} if context else {})


def fit(metric: Metric, reference: Clips) -> Scorer:
    """What scores any number of sets against real clips, fitted once to them where the metric can be."""
    fitting = getattr(metric, "fit", None)
    if fitting is None:
        return lambda generated: metric.score(generated, reference)
    fitted: FittedMetric = fitting(reference)
    return fitted.score


def draw(metric: Metric, generated: Clips, reference: Clips, folder: Path) -> list[Path]:
    """The figures that a metric brings, drawn into a folder; none, with a warning, where it fails."""
    drawing = getattr(metric, "draw", None)
    if drawing is None:
        return []
    try:
        return files.collect_figures(partial(drawing, generated, reference), folder, metric.name)
    except Exception as error:  # noqa: BLE001 as above
        log.warning(_prefix(metric, f"no figure: {streaming.describe_failure(error)}"))
        return []


def note_failure(metric: Metric, reason: str) -> Record:
    """What stands in place of a metric's scores where it has none; a warning tells it, too."""
    record = {"error": _prefix(metric, reason)}
    log.warning(record["error"])
    return record


def _check_scores(metric: Metric, scores: Any) -> None:
    """Raise where a metric gives something else than named numbers."""
    if not isinstance(scores, Mapping) or not all(isinstance(key, str) for key in scores):
        raise CanaryganError(f"it gave {type(scores).__name__} in place of named scores.")
    for key, value in scores.items():
        if not isinstance(value, int | float):
            raise CanaryganError(f"it gave {key} as {type(value).__name__}, and a score is a number.")


def add_verdicts(results: Mapping[str, Record]) -> Record:
    """Say of each score of all metrics whether it is inside its null, after correction for the number of tests.

    A verdict is `inside`, `above` or `below`. Scores of single classes are a family of tests of their own. Returns what
    the file says of the tests as a whole.
    """
    families: dict[bool, dict[tuple[str, str], float]] = {False: {}, True: {}}
    for name, record in results.items():
        for key, null in record.get("null", {}).get("scores", {}).items():
            families["/" in key][name, key] = null["p"]
    for family in families.values():
        for (name, key), p in nulls.correct(family).items():
            null = results[name]["null"]["scores"][key]
            side = "above" if null["score"] > null["mean"] else "below"
            null |= {"p_corrected": p, "verdict": side if p <= nulls.LEVEL else "inside"}
    counts = {"tests": len(families[False]), "class_tests": len(families[True])}
    return {"correction": CORRECTION, "level": nulls.LEVEL, **counts}


def format_table(results: Mapping[str, Record], tests: Mapping[str, Any]) -> str:
    """Scores as lines for people: those of single classes are left to the file, but for how many are outside."""
    head = ("", "unit", "better", "generated", "same size", "real, 95 %", "verdict", "white noise")
    rows: list[tuple[str, ...]] = [head]
    for name, record in results.items():
        rows.append((_head_line(name, record),))
        scores, told = record.get("scores", {}), record.get("null", {}).get("scores", {})
        noise = record.get("context", {}).get("noise", {})
        for key, value in scores.items():
            if "/" not in key:
                beside = _beside(told[key]) if key in told else ("", "", "")
                unit, better = record["units"].get(key, ""), record["better"].get(key, "")
                rows.append((f"  {key}", unit, better, f"{value:.4g}", *beside, _number(noise.get(key))))
        outside = [key for key, one in told.items() if "/" in key and one["verdict"] != "inside"]
        if any("/" in key for key in told):
            total = sum("/" in key for key in told)
            some = f": {', '.join(outside[:3])}{', ...' * (len(outside) > 3)}" if outside else ""
            rows.append((f"  of single classes, {len(outside)} of {total} scores are outside{some}",))
    widths = [max(len(row[column]) for row in rows if len(row) > 1) for column in range(len(head))]
    lines = []
    for row in rows:
        cells = [
            row[0].ljust(widths[0]),
            *(cell.rjust(wide) for cell, wide in zip(row[1:], widths[1:], strict=False)),
        ]
        lines.append("  ".join(cells).rstrip())
    if tests["tests"]:
        several = "1 score is tested" if tests["tests"] == 1 else f"{tests['tests']} scores are tested together"
        lines.append(
            f"Inside: as real clips of the same numbers score. {several}, so that chance alone puts one outside in "
            f"{tests['level']:.0%} of cases ({tests['correction']})."
        )
    return "\n".join(lines)


def _head_line(name: str, record: Mapping[str, Any]) -> str:
    if "scores" not in record:
        return f"{name}: no score"
    clips, null = record["clips"], record.get("null")
    line = f"{name}: {clips['generated']} generated, {clips['reference']} real"
    if null is not None:
        line += f"; same size: {null['generated']} and {null['reference']}, {null['resamplings']} resamplings"
    return line


def _beside(null: Mapping[str, Any]) -> tuple[str, str, str]:
    verdict = null["verdict"] if null["verdict"] == "inside" else f"outside, {null['verdict']}"
    return f"{null['score']:.4g}", f"{null['low']:.4g} to {null['high']:.4g}", verdict


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _pick(told: Mapping[str, str], scores: Mapping[str, float]) -> dict[str, str]:
    """What is told of scores, by all the names under which they come."""
    return {key: told.get(key, told.get(get_name(key), "")) for key in scores if key in told or get_name(key) in told}


def _score_noise(metric: Metric, noise: Clips, ask: Scorer) -> dict[str, float]:
    with streaming.collect_warnings(should_show=False):
        try:
            return ask(noise)
        except Exception as error:  # noqa: BLE001 as above; the scores themselves are there
            log.debug(f"{metric.name} has no score of white noise: {error}")
            return {}


def _prefix(metric: Metric, message: str) -> str:
    """A message that says which metric it is of."""
    return message if message.startswith(metric.name) else f"{metric.name}: {message}"
