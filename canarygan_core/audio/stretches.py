"""Tables of stretches: where in a recording its sounds start and end."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from canarygan_core.errors import CanaryganError

Stretch = tuple[float, float]
"""Onset and offset, seconds."""

Stretches = Mapping[str, Sequence[Stretch]]
"""By recording, its stretches; under the empty name where the table names no recording."""


def is_table(path: Path) -> bool:
    """Whether a file is a table with the columns onset and offset, as `read_stretches` reads it."""
    try:
        with open(path, encoding="utf-8-sig") as stream:
            first = stream.readline()
    except (OSError, UnicodeDecodeError):
        return False
    return any({"onset", "offset"} <= {name.strip() for name in first.split(separator)} for separator in ",;\t")


def read_stretches(path: Path) -> Stretches:
    """A CSV table with the columns onset and offset in seconds and, for several recordings, file.

    Raises:
        CanaryganError: naming the line that cannot be used.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CanaryganError(f"Cannot read the table --onsets {path}: {error}.") from None
    separator = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.DictReader(text.splitlines(), delimiter=separator, skipinitialspace=True)
    reader.fieldnames = columns = [name.strip() for name in reader.fieldnames or []]
    if not {"onset", "offset"} <= set(columns):
        names = ", ".join(columns) or "none"
        raise CanaryganError(f"{path} must have the columns onset and offset, in seconds; it has {names}.")
    stretches: dict[str, list[Stretch]] = {}
    for number, row in enumerate(reader, 2):
        line = f"{path}, line {number}"
        try:
            onset, offset = float(row["onset"]), float(row["offset"])
        except (TypeError, ValueError):
            raise CanaryganError(f"{line}: onset and offset must be numbers of seconds, such as 1.25.") from None
        if not 0 <= onset < offset < math.inf:
            raise CanaryganError(f"{line}: the onset {onset} must be 0 or more and before the offset {offset}.")
        stretches.setdefault((row.get("file") or "").strip(), []).append((onset, offset))
    if not stretches:
        raise CanaryganError(f"{path} holds no line below its header.")
    return stretches


def assign_stretches(recordings: Sequence[Path], stretches: Stretches) -> dict[Path, Sequence[Stretch]]:
    """The stretches of each recording, found by its path, name or stem.

    Raises:
        CanaryganError: where a recording has none, or the table names one that is not among the recordings.
    """
    table = "The table of --onsets"
    if "" in stretches:
        if len(recordings) != 1 or len(stretches) > 1:
            raise CanaryganError(f"{table} names no file for {len(recordings)} recordings: it needs the column file.")
        return {recordings[0]: stretches[""]}
    assigned, unused = {}, set(stretches)
    for path in recordings:
        name = next((name for name in (str(path), path.name, path.stem) if name in stretches), None)
        if name is None:
            names = ", ".join(list(stretches)[:5])
            raise CanaryganError(f"{table} has no line for {path.name}; it names {names}.")
        assigned[path] = stretches[name]
        unused.discard(name)
    if unused:
        raise CanaryganError(f"{table} names {min(unused)}, which is not among the files to decode.")
    return assigned
