"""What lies in a folder after a command: what is half written, what was left behind, and what can be compared."""

import csv
import hashlib
import json
import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from canarygan_core.audio import archives
from canarygan_core.lightning import logs
from canarygan_core.runs import seals

MOMENTARY = re.compile(r"speed/.*")
"""Columns of a log that tell how fast it went."""

FACTS = ("task", "status", "error", "result", "test", "seed", "dataset", "held_out")
"""Keys of a manifest that must not depend on a kill."""


def list_files(root: Path) -> list[Path]:
    """The files below a folder, but for temporary ones, and what is remembered of how long plugins take to import."""
    found = (path for path in root.rglob("*") if path.is_file() and path.relative_to(root).parts[0] != "tmp")
    return sorted(path for path in found if path.name != "plugins.json")


def is_draft(path: Path) -> bool:
    """Whether a path is that of a draft, or lies in one."""
    return any(re.search(r"\.(part|old|new)$", part) for part in path.parts)


def find_left(root: Path) -> list[str]:
    """Drafts, and temporary files, that nobody will ever remove."""
    left = [path for path in root.rglob("*") if is_draft(path.relative_to(root))]
    return [str(path.relative_to(root)) for path in [*left, *(root / "tmp").glob("*")]]


def find_written(root: Path, opened: Iterable[str]) -> list[str]:
    """Of the files that were written to, those whose final name was: a kill would leave half of them.

    Logs grow in place, and a lock is empty.
    """
    names = [Path(path).relative_to(root) for path in opened]
    growing = ("metrics.csv", "events.out", ".lock")
    return [
        str(name) for name in names if not (is_draft(name) or name.parts[0] == "tmp" or name.name.startswith(growing))
    ]


def find_broken(root: Path) -> list[str]:
    """Files under their final names that are not whole."""
    broken = []
    for path in list_files(root):
        if is_draft(path.relative_to(root)) or path.name.startswith("events.out"):
            continue
        try:
            _check_whole(path)
        except Exception as error:  # noqa: BLE001 whatever a broken file makes of its reader
            broken.append(f"{path.relative_to(root)}: {type(error).__name__}: {error}")
    return broken


def _check_whole(path: Path) -> None:
    content = path.read_bytes()
    if path.suffix in (".npz", ".ckpt"):
        seals.check_zip(path)
    elif path.suffix == ".json":
        json.loads(content)
    elif path.suffix == ".npy":
        np.load(path, mmap_mode="r")
    elif path.suffix == ".yml":
        assert isinstance(yaml.safe_load(content), dict)
    elif path.suffix == ".png":
        assert content.endswith(b"IEND\xaeB`\x82"), "cut short"
    elif path.suffix == ".wav":
        assert len(content) == 8 + int.from_bytes(content[4:8], "little"), "cut short"
    elif path.suffix == ".html":
        assert content.rstrip().endswith(b"</html>"), "cut short"
    elif path.suffix in (".csv", ".txt") and path.name != "metrics.csv":  # a log that grows may end in half a row
        assert content.endswith(b"\n"), "cut short"


def compare(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The names of what differs between two summaries; of a record, with the keys that differ."""
    differing = []
    for name in sorted(one.keys() | other.keys()):
        mine, others = one.get(name), other.get(name)
        if mine != others:
            is_record = isinstance(mine, dict) and isinstance(others, dict)
            differing.append(f"{name} ({', '.join(compare(mine, others))})" if is_record else name)
    return differing


def summarise(root: Path) -> dict[str, Any]:
    """Of each file below a folder, what must be the same however often the work was killed."""
    found = {}
    for path in list_files(root):
        name = path.relative_to(root).as_posix()
        if path.name.startswith("events.out"):
            found[f"{Path(name).parent}/events"] = None
        elif path.name != ".lock":
            found[name] = _summarise_file(path)
    return {name: read_scalars(root / name) if name.endswith("/events") else value for name, value in found.items()}


def read_scalars(path: Path) -> dict[str, Any]:
    """The values in the event files of a folder, by name and step."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logging.getLogger("tensorboard").setLevel(logging.ERROR)  # it tells of what a resumed training takes back
    events = EventAccumulator(str(path.parent), {"scalars": 0}).Reload()
    names = [name for name in events.Tags()["scalars"] if not MOMENTARY.fullmatch(name)]
    return {name: {one.step: repr(one.value) for one in events.Scalars(name)} for name in names}


def _summarise_file(path: Path) -> Any:
    if path.suffix == ".ckpt":
        return _summarise_checkpoint(path)
    if path.suffix == ".npz":
        return {name: _digest(array) for name, array in archives.read(path).items()}
    if path.name.endswith("manifest.json"):
        record = json.loads(path.read_text())
        return {key: record.get(key) for key in FACTS} | {"outputs": sorted(record["outputs"])}
    if path.suffix == ".json":
        record = json.loads(path.read_text())
        return {key: value for key, value in record.items() if key not in ("files", "versions", "seal")}
    if path.suffix in (".yml", ".yaml"):
        return yaml.safe_load(path.read_text())
    if path.name == "metrics.csv":
        rows = logs.read_rows(path)
        return [{key: value for key, value in row.items() if not MOMENTARY.fullmatch(key)} for row in rows]
    if path.suffix == ".csv":
        return list(csv.reader(path.read_text().splitlines()))
    if path.suffix == ".html":
        return re.sub(r'"(made|started|ended|time|command)": ?"[^"]*"', "", path.read_text())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _summarise_checkpoint(path: Path) -> Any:
    import torch

    content = torch.load(path, weights_only=True)
    flat = torch.utils._pytree.tree_flatten({key: value for key, value in content.items() if key != "callbacks"})[0]
    return [_digest(one.numpy()) if isinstance(one, torch.Tensor) else one for one in flat]


def _digest(array: Any) -> str:
    values = np.asarray(array)
    return f"{values.dtype}{values.shape}" + hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
