"""What a run has left that a page can show: its record, logs, scores and confusions, found and read."""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from canarygan_core import runs
from canarygan_core.audio import archives
from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files
from canarygan_core.runs.manifest import Manifest

ROWS = 600
"""Most rows of a log that are drawn."""

KNOWN_FILES = "scores.json, is_scores-version_*.yml, metrics-*.npz"

Read = TypeVar("Read")
Json = dict[str, Any]


@dataclass
class Notes:
    """What was read, and what could not be."""

    inputs: dict[str, Path] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def read(self, reader: Callable[[Path], Read], path: Path, *, asked: bool = False) -> Read | None:
        """What a reader makes of a file; None, and a note, where it can make nothing of one that nobody asked for."""
        try:
            made = reader(path)
        except CanaryganError as error:
            if asked:
                raise
            self.told.append(str(error))
            return None
        self.inputs[str(path)] = path
        return made


def run_of(path: Path) -> Manifest:
    """The manifest of a run: of a version's folder, of the newest version in a folder of runs, or of a checkpoint.

    Raises:
        CanaryganError: where there is none.
    """
    if path.is_dir():
        if not (path / "manifest.json").is_file() and runs.versions(path):
            path = runs.latest(path)
        return Manifest.read(path / "manifest.json")
    if not path.is_file():
        raise CanaryganError(f"There is no run at {path}. Give -x the folder of a version, or a checkpoint in it.")
    manifest = runs.manifest_of(path)
    if manifest is None:
        raise CanaryganError(f"{path} lies in no run: there is no manifest.json in its folder or the one above.")
    return manifest


def version_of(run: Manifest) -> str:
    """The number or name of a run's version."""
    return run.path.resolve().parent.name.removeprefix("version_")


def save_dir_of(run: Manifest) -> Path:
    """The folder that holds all versions of a run."""
    return run.path.resolve().parents[2]


def made_by(run: Manifest, facts: Mapping[str, str]) -> bool:
    """Whether a run has left the checkpoint that sounds came from; True where they do not say which.

    Args:
        run: its manifest.
        facts: the `step` and the digest of the `checkpoint`, where known. Only checkpoints of that step are read.
    """
    folder = run.path.parent
    kept = [folder / "last" / "last.ckpt", *folder.glob(f"all/*step_{facts.get('step', '*')}.ckpt")]
    digests = (files.digest(path) for path in kept if path.is_file())
    return "checkpoint" not in facts or facts["checkpoint"] in digests


def tables(given: Sequence[Path], beside: Sequence[Path], version: str | None) -> dict[str, list[Path]]:
    """The files that hold inception scores, scores and confusions: given ones, and those in folders, to the bottom.

    Scores of other versions are left out unless they were given as files.

    Args:
        given: files and folders that the user gave.
        beside: folders that may hold some besides.
        version: the run's, or None.

    Raises:
        CanaryganError: where what was given is missing, or is no such file.
    """
    found: dict[str, list[Path]] = {"inception": [], "scores": [], "confusion": []}
    for path in (*given, *beside):
        if not path.exists():
            raise CanaryganError(f"There is nothing at --scores {path}.")
        listed = [path] if path.is_file() else list(_visible(path))
        if path in given and not any(map(_kind, listed)):
            what = "is none of" if path.is_file() else "holds none of"
            raise CanaryganError(f"--scores {path} {what} the files that can be shown: {KNOWN_FILES}.")
        for file in listed:
            kind = _kind(file)
            other = kind == "inception" and version is not None and file.name != f"is_scores-version_{version}.yml"
            if kind is not None and (path.is_file() or not other) and file.resolve() not in found[kind]:
                found[kind].append(file.resolve())
    return found


def _visible(folder: Path) -> Iterable[Path]:
    return sorted(
        path for path in folder.rglob("*") if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _kind(path: Path) -> str | None:
    kinds = {
        "inception": r"is_scores-version_.*\.ya?ml",
        "scores": r"scores.*\.json",
        "confusion": r"metrics-.*\.npz",
    }
    return next((kind for kind, pattern in kinds.items() if re.fullmatch(pattern, path.name)), None)


def curves(path: Path) -> Json:
    """The columns of a training's `metrics.csv` against its updates, thinned to `ROWS` rows."""
    reader = csv.DictReader(io.StringIO(_text(path)))
    rows = [row for row in reader if _number(row.get("step")) is not None]
    if not rows:
        raise CanaryganError(f"{path} has no row with a step: it is no log of a training.")
    if len(rows) > ROWS:
        rows = [rows[index] for index in np.linspace(0, len(rows) - 1, ROWS).round().astype(int)]
    columns = {name: [_number(row.get(name)) for row in rows] for name in reader.fieldnames or [] if name != "step"}
    epochs = columns.pop("epoch", [None] * len(rows))
    series = [
        {"name": name, "values": values} for name, values in columns.items() if any(v is not None for v in values)
    ]
    return {"step": [_number(row["step"]) for row in rows], "epoch": epochs, "series": series}


def inception(path: Path) -> Json:
    """Inception scores by epoch, with the scores that give them a scale."""
    import yaml

    try:
        content = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        raise CanaryganError(f"{path} is not YAML ({' '.join(str(error).split())}).") from None
    given = content.get("rows") if isinstance(content, Mapping) else content
    rows = [row for row in given if isinstance(row, Mapping)] if isinstance(given, list) else []
    listed = [row for row in rows if _number(row.get("is_mean")) is not None]
    if not listed:
        raise CanaryganError(f"{path} holds no inception scores: no rows with is_mean.")
    about = content if isinstance(content, Mapping) else {}
    context = about.get("context")
    return {
        "name": path.name,
        "rows": sorted((_score_row(row) for row in listed), key=lambda row: (row["epoch"] or 0, row["step"] or 0)),
        "context": [
            {"name": str(name), "mean": _number(said.get("is_mean")), "std": _number(said.get("is_std"))}
            for name, said in (context.items() if isinstance(context, Mapping) else ())
            if isinstance(said, Mapping) and _number(said.get("is_mean")) is not None
        ],
        "about": {key: plain(about[key]) for key in ("n_samples", "n_split", "seed", "classifier") if key in about},
    }


def _score_row(row: Mapping[str, Any]) -> Json:
    interval = row.get("is_interval_95")
    low, high = interval if isinstance(interval, list | tuple) and len(interval) == 2 else (None, None)
    return {
        "epoch": _number(row.get("epoch")),
        "step": _number(row.get("step")),
        "mean": _number(row.get("is_mean")),
        "std": _number(row.get("is_std")),
        "low": _number(low),
        "high": _number(high),
    }


def scores(path: Path) -> Json:
    """The named scores of `score`: by metric a row a score, and a column a set that it was also computed for."""
    try:
        content = json.loads(_text(path))
        metrics = content["metrics"].items()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CanaryganError(f"{path} holds no scores of metrics ({type(error).__name__}: {error}).") from None
    shown = [_metric(str(name), said if isinstance(said, Mapping) else {"scores": said}) for name, said in metrics]
    sides = {key: plain(content[key]) for key in ("generated", "reference") if key in content}
    return {"name": path.name, "metrics": shown, **sides}


KNOWN = frozenset({"scores", "context", "warnings", "error", "options"})
"""What a metric's record in scores.json holds; anything else is shown as it is, but for the options."""


def _metric(name: str, said: Mapping[str, Any]) -> Json:
    found = said.get("scores")
    values = found if isinstance(found, Mapping) else {} if found is None else {name: found}
    given = said.get("context")
    context = (
        {key: told for key, told in given.items() if isinstance(told, Mapping)} if isinstance(given, Mapping) else {}
    )
    keys = list(dict.fromkeys([*values, *(key for told in context.values() for key in told)]))
    warnings = said.get("warnings") or []
    return {
        "name": name,
        "error": None if said.get("error") is None else str(said["error"]),
        "warnings": [str(one) for one in (warnings if isinstance(warnings, list) else [warnings])],
        "columns": [str(key) for key in context],
        "rows": [
            {"key": str(key), "values": [plain(values.get(key)), *(plain(told.get(key)) for told in context.values())]}
            for key in keys
        ],
        "more": {str(key): plain(said[key]) for key in said.keys() - KNOWN},
    }


def confusion(path: Path) -> Json:
    """How often each class was taken for which, from a `metrics-<name>.npz`."""
    arrays = archives.read(path)
    counts, classes = arrays.get("confusion"), arrays.get("classes")
    if counts is None or classes is None or counts.shape != (len(classes), len(classes)):
        raise CanaryganError(f"{path} holds no confusion: it needs confusion (K, K) and classes (K,).")
    interval = arrays.get("interval_95")
    return {
        "name": path.stem.removeprefix("metrics-"),
        "classes": [str(name) for name in classes],
        "counts": plain(counts.tolist()),
        "accuracy": plain(arrays["accuracy"].item()) if "accuracy" in arrays else None,
        "interval": None if interval is None else plain(interval.tolist()),
    }


def plain(value: Any) -> Any:
    """A value as JSON can hold it: what is not finite as a word, what is neither JSON nor a number as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _number(value: Any) -> float | None:
    """A finite number, or None."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CanaryganError(f"Cannot read {path}: {error}.") from None
