"""Tables of stretches: where in a recording its sounds start and end."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from canarygan_core.errors import CanaryganError
from canarygan_core.runs.files import read_text
from canarygan_core.runs.tables import parse_table

Stretch = tuple[float, float]
"""Onset and offset, seconds."""

Stretches = Mapping[str, Sequence[Stretch]]
"""By recording, its stretches; under the empty name where the table names no recording."""


def is_table(path: Path) -> bool:
    """Whether a file is a table with the columns onset and offset, as `read_stretches` reads it."""
    try:
        first = read_text(path).partition("\n")[0]
    except CanaryganError:
        return False
    return any({"onset", "offset"} <= {name.strip() for name in first.split(separator)} for separator in ",;\t")


def read_stretches(path: Path) -> Stretches:
    """A CSV table with the columns onset and offset in seconds and, for several recordings, file.

    Raises:
        CanaryganError: naming the line that cannot be used.
    """
    text = read_text(path)
    separator = max(",;\t", key=text.partition("\n")[0].count)
    columns, rows = parse_table(text, path, separator)
    if not {"onset", "offset"} <= set(columns):
        names = ", ".join(columns) or "none"
        raise CanaryganError(f"{path} must have the columns onset and offset, in seconds; it has {names}.")
    stretches: dict[str, list[Stretch]] = {}
    for number, row in enumerate(rows, 2):
        line = f"{path}, line {number}"
        try:
            onset, offset = float(row["onset"]), float(row["offset"])
        except (TypeError, ValueError):
            raise CanaryganError(f"{line}: onset and offset must be numbers of seconds, such as 1.25.") from None
        if not 0 <= onset < offset < math.inf:
            raise CanaryganError(f"{line}: the onset {onset} must be 0 or more and before the offset {offset}.")
        stretches.setdefault(row.get("file", "").strip(), []).append((onset, offset))
    if not stretches:
        raise CanaryganError(f"{path} holds no line below its header.")
    return stretches


def assign_stretches(recordings: Sequence[Path], stretches: Stretches) -> dict[Path, Sequence[Stretch]]:
    """The stretches of each recording, found by its path or the end of it, with or without the suffix.

    Raises:
        CanaryganError: where a recording has none, or the table names what is none of the recordings, or several.
    """
    table = "The table of --onsets"
    if "" in stretches:
        if len(recordings) != 1 or len(stretches) > 1:
            raise CanaryganError(f"{table} names no file for {len(recordings)} recordings: it needs the column file.")
        return {recordings[0]: stretches[""]}
    assigned: dict[Path, list[Stretch]] = {}
    fitting = {name: _find_fitting(name, recordings) for name in stretches}
    for name, paths in fitting.items():
        if len(paths) > 1:
            several = ", ".join(map(str, paths[:3])) + (", ..." if len(paths) > 3 else "")
            raise CanaryganError(f"{table} names {name}, and that fits {several}: write more of the path in it.")
        for path in paths:
            assigned.setdefault(path, []).extend(stretches[name])
    if without := [path for path in recordings if path not in assigned]:
        names = ", ".join(list(stretches)[:5])
        raise CanaryganError(f"{table} has no line for {without[0]}; it names {names}.")
    if unused := [name for name, paths in fitting.items() if not paths]:
        raise CanaryganError(f"{table} names {min(unused)}, which is not among the files to decode.")
    return {path: assigned[path] for path in recordings}


def _find_fitting(name: str, recordings: Sequence[Path]) -> list[Path]:
    """The recordings that a name fits: by the whole path, by its end, or by its end without the suffix."""
    for spelt in dict.fromkeys((name, name.replace("\\", "/"))):
        parts = tuple(part for part in spelt.split("/") if part not in ("", "."))
        if exact := [path for path in recordings if str(path) == spelt]:
            return exact
        for tails in ([path.parts for path in recordings], [path.with_suffix("").parts for path in recordings]):
            fitting = [
                path for path, tail in zip(recordings, tails, strict=True) if parts and tail[-len(parts) :] == parts
            ]
            if fitting:
                return fitting
    return []
