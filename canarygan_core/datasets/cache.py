"""Where decoded sounds are kept, memory-mapped, whole or not at all.

CACHE/KIND/KEY/{audio.npy, table.npz, about.json}
"""

import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.errors import CanaryganError

_STALE = 24 * 3600.0  # seconds after which a draft was surely left by a killed process
_ROWS = 256  # clips scaled at a time


@dataclass(frozen=True, eq=False)
class Entry:
    """One folder of the cache.

    Attributes:
        audio: (clips, samples) float32, memory-mapped, read-only.
        table: arrays with one row a clip.
        about: further facts.
    """

    audio: NDArray[np.float32]
    table: Mapping[str, NDArray[Any]]
    about: Mapping[str, Any]


def folder() -> Path:
    """Where decoded sounds are kept: CANARYGAN_CACHE, or `canarygan` in the user's cache folder. Safe to delete."""
    if chosen := os.environ.get("CANARYGAN_CACHE"):
        return Path(chosen).expanduser().resolve()
    return (Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "canarygan").resolve()


def kept(entry: Path) -> Entry | None:
    """What a folder of the cache holds, or None where it is not whole."""
    try:
        about = json.loads((entry / "about.json").read_text(encoding="utf-8"))
        audio = np.load(entry / "audio.npy", mmap_mode="r", allow_pickle=False)
        with open(entry / "table.npz", "rb") as stream, np.load(stream, allow_pickle=False) as stored:
            table = {name: stored[name] for name in stored.files}
        is_whole = (
            list(audio.shape) == about["shape"]
            and audio.dtype == np.float32
            and (entry / "audio.npy").stat().st_size == audio.offset + audio.nbytes
            and all(len(column) == len(audio) for column in table.values())
            and sorted(table) == about["columns"]
        )
    except Exception:  # noqa: BLE001 - whatever a damaged file makes of json, zip or numpy, it is built again
        return None
    return Entry(audio, table, about) if is_whole else None


def build(entry: Path, fill: Callable[[Path], None]) -> Entry:
    """Let `fill` write into a draft beside the entry, then put it in place; where it raises, nothing is left behind.

    Raises:
        CanaryganError: where the cache cannot be written.
    """
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        _sweep(entry.parent)
        draft = entry.with_name(f"{entry.name}.{secrets.token_hex(4)}.part")
        draft.mkdir()
        try:
            fill(draft)
            _place(draft, entry)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise CanaryganError(
            f"Cannot keep decoded sounds in {folder()}: {error.strerror or error}. "
            "Set CANARYGAN_CACHE to a folder with room."
        ) from error
    made = kept(entry)
    if made is None:
        raise CanaryganError(f"The cache entry {entry} cannot be read back. Delete it, or set CANARYGAN_CACHE.")
    return made


def write(draft: Path, table: Mapping[str, NDArray[Any]], **about: Any) -> None:
    """Write what stands beside the audio of a draft.

    Args:
        draft: its folder, which holds `audio.npy` already.
        table: arrays with one row a clip.
        about: further facts, JSON values.
    """
    audio = np.load(draft / "audio.npy", mmap_mode="r", allow_pickle=False)
    np.savez(draft / "table.npz", **table)  # type: ignore[arg-type]
    about |= {"shape": list(audio.shape), "columns": sorted(table)}
    (draft / "about.json").write_text(json.dumps(about, indent=1), encoding="utf-8")


def blank(path: Path, rows: int, samples: int) -> int:
    """Lay down an array file (rows, samples) of zeros; gives where the rows begin, bytes."""
    mapped = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(rows, samples))
    return int(mapped.offset)


def rewrite(path: Path, start: int, rows: int, samples: int, factor: float) -> None:
    """Cut an array file, whose rows begin at byte `start`, to its first rows and multiply them, a few at a time."""
    other = path.with_suffix(".new")
    begins = blank(other, rows, samples)
    row = 4 * samples
    with open(path, "rb") as old, open(other, "r+b") as new:
        old.seek(start)
        new.seek(begins)
        for first in range(0, rows, _ROWS):
            block = np.frombuffer(old.read(row * min(_ROWS, rows - first)), dtype=np.float32)
            new.write((block * np.float32(factor)).tobytes())
    os.replace(other, path)


def _place(draft: Path, entry: Path) -> None:
    """Rename a draft to its entry; where another process was first, keep that one's, unless it is damaged."""
    while True:
        try:
            os.rename(draft, entry)
            return
        except OSError:
            if not entry.exists():
                raise
        if kept(entry) is not None:
            return
        aside = entry.with_name(f"{entry.name}.{secrets.token_hex(4)}.part")
        with suppress(FileNotFoundError):
            os.rename(entry, aside)
        shutil.rmtree(aside, ignore_errors=True)


def check_room(place: Path, needed: int) -> None:
    """Raise where the disk cannot hold as many bytes more."""
    free = shutil.disk_usage(place).free
    if free < needed:
        raise CanaryganError(
            f"Decoded, the clips take {needed / 1e9:.1f} GB, and {folder()} has {free / 1e9:.1f} GB free. "
            "Set CANARYGAN_CACHE to a folder with room."
        )


def _sweep(place: Path) -> None:
    """Remove drafts that killed processes left long ago."""
    for draft in place.glob("*.part"):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime > _STALE:
                shutil.rmtree(draft, ignore_errors=True)
