"""`runs`: a table of the work that lies in a folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from canarygan_core.components import Answer
from canarygan_core.console import log, show_on_one_line
from canarygan_core.errors import CanaryganError
from canarygan_core.lightning.logs import read_rows
from canarygan_core.runs import Manifest, Run, listing
from canarygan_core.runs.documents import read_json
from canarygan_core.runs.run import PREFIX

HEADING = ("task", "version", "status", "started", "updates", "score", "size", "where")


def runs(*paths: Path) -> Answer:
    """Tell what trainings and other outputs lie in folders: task, status, start, updates, score and size.

    Work that a process is at is running; where that process is gone it was killed.

    Args:
        paths: Folders to look through to the bottom, or files that a task left. [default: the working directory]
    """
    if missing := [str(path) for path in paths if not path.exists()]:
        raise CanaryganError(f"There is nothing at {', '.join(missing)}.")
    rows = []
    for place in dict.fromkeys(place for path in paths or [Path()] for place in listing.list_manifests(path)):
        try:
            rows.append(_describe(Manifest.read(place)))
        except CanaryganError as error:
            log.warning(str(error))
    rows.sort(key=lambda row: (row["started"], row["where"]))
    table = [HEADING, *(tuple(_format(row, name) for name in HEADING) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    size = sum(row["size"] for row in rows)
    where = ", ".join(map(str, paths)) or "the working directory"
    if not rows:
        return Answer(f"Nothing that a task left is in {where}.", {"runs": []})
    return Answer("\n".join([*lines, f"{len(rows)} in {where}, {_format_size(size)}."]), {"runs": rows})


def _describe(manifest: Manifest) -> dict[str, Any]:
    """A row, JSON values."""
    record, place = manifest.record, manifest.path
    is_run = place.name == listing.MANIFEST and place.parent.name.startswith(PREFIX)
    score = record["test"].get("accuracy") if isinstance(record.get("test"), Mapping) else None
    updates = record["result"].get("updates") if isinstance(record.get("result"), Mapping) else None
    where = place.parent if place.name == listing.MANIFEST else place
    return {
        "task": str(record.get("task", "")),
        "version": place.parent.name.removeprefix(PREFIX) if is_run else "",
        "status": manifest.status,
        "started": str(record.get("started", "")),
        "updates": _read_updates(Run.read(place.parent)) if is_run and updates is None else updates,
        "score": {"accuracy": score} if score is not None else _read_scores(place.with_name("scores.json")),
        "size": sum(map(listing.measure_size, listing.list_outputs(manifest))),
        "where": str(where),
        "manifest": str(place),
        "error": record.get("error"),
    }


def _read_updates(run: Run) -> int | None:
    """The updates that a training has logged so far."""
    table = run.logs("csv") / "metrics.csv"
    rows = read_rows(table) if table.is_file() else []
    return int(rows[-1]["step"]) if rows else None


def _read_scores(path: Path) -> dict[str, float]:
    """The first score of each metric in the file that `score` writes; none where it is no such file."""
    try:
        metrics = read_json(path)["metrics"]
        return {name: float(next(iter(one["scores"].values()))) for name, one in metrics.items() if one.get("scores")}
    except (CanaryganError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _format(row: Mapping[str, Any], name: str) -> str:
    """A cell of the table."""
    value = row[name]
    if name == "size":
        return _format_size(value)
    if name == "started":
        return str(value)[:16].replace("T", " ")
    if name == "score":
        return ", ".join(f"{key} {number:.3g}" for key, number in value.items()) or "-"
    return "-" if value in (None, "") else show_on_one_line(str(value))


def _format_size(size: int) -> str:
    """Bytes, with the largest unit of which there is one."""
    power = max(number for number in range(5) if size >= 1000**number or number == 0)
    return f"{size / 1000**power:.3g} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"
