"""The tables that tasks leave, found and read as JSON: training logs, inception scores, scores, confusions."""

import inspect
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from canarygan_core import CanaryganError
from canarygan_core.audio import archives
from canarygan_core.plugins import get_registry
from canarygan_core.runs import files
from canarygan_core.runs.documents import Format, read_yaml
from canarygan_core.runs.tables import parse_table
from canarygan_report.lineage import Lineage

Json = dict[str, Any]

ROWS = 600
"""Most rows of a log that are drawn."""

SCORES = Format("a file of scores", {"metrics": dict[str, Any]}, {"generated": dict, "reference": dict, "tests": dict})

CONFUSION: archives.Layout = {"confusion": "iuf K K", "classes": "U K", "accuracy?": "f", "interval_95?": "f 2"}
"""What the file of an accuracy holds."""

KNOWN_FILES = "scores.json, is_scores-version_*.yml, metrics-*.npz"

PATTERNS = {"inception": r"is_scores-version_.*\.ya?ml", "scores": r"scores.*\.json", "confusion": r"metrics-.*\.npz"}
"""Names of the files of each kind."""

KNOWN_KEYS = frozenset({"scores", "context", "warnings", "error", "options", "clips", "units", "better", "null"})
"""Keys of a metric's record in scores.json; other keys are shown as they are, and the options are not shown."""


def find_tables(
    given: Sequence[Path], beside: Sequence[Path], version: str | None, lineage: Lineage
) -> dict[str, list[Path]]:
    """The files that hold inception scores, scores and confusions: given ones, those in folders, those of the run.

    Folders are searched to the bottom. Scores of other versions are left out unless they were given as files.

    Args:
        given: files and folders that the user gave.
        beside: other folders to search.
        version: the run's, or None.
        lineage: tells which files elsewhere are of the run.

    Raises:
        CanaryganError: where what was given is missing, or is no such file.
    """
    tables: dict[str, list[Path]] = {kind: [] for kind in PATTERNS}
    for path in (*given, *beside):
        if not path.exists():
            raise CanaryganError(f"There is nothing at --scores {path}.")
        listed = [path] if path.is_file() else _list_visible(path)
        if path in given and not any(map(_kind, listed)):
            what = "is none of" if path.is_file() else "holds none of"
            raise CanaryganError(f"--scores {path} {what} the files that can be shown: {KNOWN_FILES}.")
        for file in listed:
            kind = _kind(file)
            other = kind == "inception" and version is not None and file.name != f"is_scores-version_{version}.yml"
            other = other or (kind == "scores" and path not in given and lineage.is_of_another(file))
            if kind is not None and (path.is_file() or not other) and file.resolve() not in tables[kind]:
                tables[kind].append(file.resolve())
    made = [(file, _kind(file)) for file in lineage.list_made()]
    tools = [(file, "confusion") for file in lineage.list_tools() if _kind(file) == "confusion"]
    for file, kind in (*made, *tools):
        if kind is not None and file.resolve() not in tables[kind]:
            tables[kind].append(file.resolve())
    return tables


def _list_visible(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if "/." not in f"/{path.relative_to(folder).as_posix()}"]


def _kind(path: Path) -> str | None:
    return next((kind for kind, pattern in PATTERNS.items() if re.fullmatch(pattern, path.name)), None)


def read_curves(path: Path) -> Json:
    """The columns of a training's `metrics.csv` against its updates, thinned to `ROWS` rows."""
    names, read = parse_table(files.read_text(path), path)
    rows = [row for row in read if _number(row.get("step")) is not None]
    if not rows:
        raise CanaryganError(f"{path} has no row with a step: it is no log of a training.")
    if len(rows) > ROWS:
        rows = [rows[index] for index in np.linspace(0, len(rows) - 1, ROWS).round().astype(int)]
    columns = {name: [_number(row.get(name)) for row in rows] for name in names}
    steps, epochs = columns.pop("step"), columns.pop("epoch", [None] * len(rows))
    series = [{"name": name, "values": values} for name, values in columns.items() if set(values) != {None}]
    return {"step": steps, "epoch": epochs, "series": series}


def read_inception(path: Path) -> Json:
    """Inception scores by epoch, with the scores that give them a scale."""
    content = read_yaml(path)
    record = _mapping(content)
    given = record.get("rows", content)
    scores = [_score(_mapping(row)) for row in (given if isinstance(given, list) else [])]
    rows = [row for row in scores if row["mean"] is not None]
    if not rows:
        raise CanaryganError(f"{path} holds no inception scores: no rows with is_mean.")
    context = [{"name": str(name)} | _score(_mapping(row)) for name, row in _mapping(record.get("context")).items()]
    return {
        "name": path.name,
        "rows": sorted(rows, key=lambda row: (row["epoch"] or 0, row["step"] or 0)),
        "context": [
            {key: row[key] for key in ("name", "mean", "std", "clips")} for row in context if row["mean"] is not None
        ],
        "about": {key: as_json(record[key]) for key in ("n_samples", "n_split", "seed", "classifier") if key in record},
    }


def _score(row: Mapping[str, Any]) -> Json:
    """The numbers of a row of inception scores, None for those that it lacks."""
    interval = row.get("is_interval_95")
    low, high = interval if isinstance(interval, list | tuple) and len(interval) == 2 else (None, None)
    names = {"epoch": "epoch", "step": "step", "mean": "is_mean", "std": "is_std", "clips": "clips"}
    return {key: _number(row.get(name)) for key, name in names.items()} | {"low": _number(low), "high": _number(high)}


def read_scores(path: Path) -> Json:
    """The scores in a file of `score`: a row for each score, a column for each set that it was computed on."""
    content = SCORES.read(path)
    metrics = content["metrics"].items()
    shown = [_metric(str(name), one if isinstance(one, Mapping) else {"scores": one}) for name, one in metrics]
    sides: Json = {key: as_json(content[key]) for key in ("generated", "reference", "tests") if key in content}
    return {"name": path.name, "metrics": shown, **sides}


def _describe(name: str) -> str:
    """What a metric measures, in its own words; empty where it is not installed."""
    registry = get_registry()
    if name not in registry.names("metric"):
        return ""
    try:
        first = (inspect.getdoc(registry.get("metric", name)) or "").partition("\n\n")[0]
    except CanaryganError:  # two plugins claim the name
        return ""
    return " ".join(first.split())


def _metric(name: str, record: Mapping[str, Any]) -> Json:
    scores, warnings = record.get("scores"), record.get("warnings") or []
    values = _mapping(scores) if isinstance(scores, Mapping) or scores is None else {name: scores}
    sets = {key: one for key, one in _mapping(record.get("context")).items() if isinstance(one, Mapping)}
    columns = [values, *sets.values()]
    keys = dict.fromkeys(key for column in columns for key in column)
    units, better, null = (_mapping(record.get(key)) for key in ("units", "better", "null"))
    tested = _mapping(null.get("scores"))

    def about(key: Any) -> Json:
        beside = {"unit": str(units.get(key, "")), "better": str(better.get(key, ""))}
        return beside | {"null": as_json(tested[key]) if key in tested else None}

    return {
        "name": name,
        "about": _describe(name),
        "clips": as_json(record.get("clips")),
        "null": {str(key): as_json(value) for key, value in null.items() if key != "scores"} or None,
        "error": None if record.get("error") is None else str(record["error"]),
        "warnings": [str(one) for one in (warnings if isinstance(warnings, list) else [warnings])],
        "columns": [str(key) for key in sets],
        "rows": [
            {"key": str(key), "values": [as_json(column.get(key)) for column in columns], **about(key)} for key in keys
        ],
        "more": {str(key): as_json(record[key]) for key in record.keys() - KNOWN_KEYS},
    }


def read_confusion(path: Path) -> Json:
    """How often each class was taken for which, from a `metrics-<name>.npz`."""
    arrays = archives.read(path, CONFUSION)
    counts, classes = arrays["confusion"], arrays["classes"]
    accuracy, interval = arrays.get("accuracy"), arrays.get("interval_95")
    return {
        "name": path.stem.removeprefix("metrics-"),
        "classes": [str(name) for name in classes],
        "counts": as_json(counts.tolist()),
        "accuracy": None if accuracy is None else as_json(accuracy.item()),
        "interval": None if interval is None else as_json(interval.tolist()),
    }


def as_json(value: Any) -> Any:
    """A value as JSON can hold it: what is not finite as a word, what is neither JSON nor a number as text."""
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    is_finite = not isinstance(value, float) or math.isfinite(value)
    return value if is_finite and isinstance(value, int | float | str | None) else str(value)


def _mapping(value: Any) -> Mapping[Any, Any]:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> float | None:
    """A finite number, or None."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
