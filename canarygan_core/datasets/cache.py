"""The cache of decoded sounds: folders that are memory-mapped, and whole or not there at all.

CACHE/KIND/KEY/{audio.npy, table.npz, about.json}
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import archives
from canarygan_core.console import log
from canarygan_core.datasets.location import find_folder as find_folder
from canarygan_core.errors import FULL, CanaryganError
from canarygan_core.runs import drafts, seals
from canarygan_core.runs.documents import Format

ADVICE = "Set CANARYGAN_CACHE to a folder with room."

ABOUT = "about.json"
"""The file that describes an entry."""

FORMAT = Format(
    "the record of an entry of the cache",
    {"shape": list[int], "columns": list[str], "files": dict[str, str]},
    {"fingerprint": str, "notes": list[list[Any]], "seal": str},
)
"""Its keys; docs/formats.md says what each means."""

faults: list[str] = []
"""What was wrong with entries that this process read, a sentence each."""

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


def read(path: Path) -> Entry | None:
    """The entry in a folder of the cache, or None where it is not whole, which is told."""
    fault = find_fault(path)
    if fault and path.exists():
        log.warning(f"{fault}: it is built again.")
        faults.append(f"{fault}, and was built again.")
    return None if fault else _read(path)


def find_fault(path: Path) -> str:
    """What is wrong with the entry in a folder of the cache; empty where nothing is."""
    if not (path / ABOUT).is_file():
        return f"{path / ABOUT} is missing"
    try:
        is_whole = seals.is_whole((path / ABOUT).read_bytes())
        if not is_whole:
            reason = "is of an older version" if is_whole is None else "has changed since it was written"
            return f"{path / ABOUT} {reason}"
        for name, told in FORMAT.read(path / ABOUT)["files"].items():
            if f"xxh3:{seals.compute_hash(path / name)}" != told:
                return f"{path / name} has changed since it was written"
        entry = _read(path)
        is_one = entry.audio.ndim == 2 and entry.audio.dtype == np.float32
        is_one &= all(column.shape[:1] == entry.audio.shape[:1] for column in entry.table.values())
    except Exception as error:  # noqa: BLE001 - whatever a damaged file makes of json, zip or numpy, it is built again
        return f"{path} cannot be read ({error or type(error).__name__})"
    return "" if is_one else f"{path} is no entry of clips"


def _read(path: Path) -> Entry:
    with open(path / "table.npz", "rb") as stream, np.load(stream, allow_pickle=False) as stored:
        table = {name: stored[name] for name in stored.files}
    return Entry(archives.read_array(path / "audio.npy"), table, FORMAT.read(path / ABOUT))


def build(path: Path, fill: Callable[[Path], None]) -> Entry:
    """Let `fill` write into a draft beside an entry's folder, then put it in place; where it raises, nothing is left.

    Raises:
        CanaryganError: where the cache cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with drafts.claim(path, is_folder=True) as draft:
            fill(draft)
            _place(draft, path)
    except OSError as error:
        reason = error.strerror or error
        advice = ADVICE if error.errno in FULL else "Mend that, or set CANARYGAN_CACHE to another folder."
        raise CanaryganError(f"Cannot keep decoded sounds in {find_folder()}: {reason}. {advice}") from error
    entry = read(path)
    if entry is None:
        raise CanaryganError(f"The cache entry {path} cannot be read back. Delete it, or set CANARYGAN_CACHE.")
    return entry


def write_table(draft: Path, table: Mapping[str, NDArray[Any]], **about: Any) -> None:
    """Write what stands beside the audio of a draft.

    Args:
        draft: its folder, which holds `audio.npy` already.
        table: arrays with one row a clip.
        about: further facts, JSON values.
    """
    audio = np.load(draft / "audio.npy", mmap_mode="r", allow_pickle=False)
    np.savez(draft / "table.npz", **table)  # type: ignore[arg-type]
    hashes = {name: f"xxh3:{seals.compute_hash(draft / name)}" for name in ("audio.npy", "table.npz")}
    about |= {"shape": list(audio.shape), "columns": sorted(table), "files": hashes}
    (draft / ABOUT).write_text(seals.dump(about), encoding="utf-8")


@contextmanager
def write_array(path: Path, rows: int, samples: int) -> Iterator[BinaryIO]:
    """An array file (rows, samples) of zeros, open where its first row begins, for rows of float32 to be written."""
    start = np.lib.format.open_memmap(path, "w+", np.float32, (rows, samples)).offset
    # plain writes: a memory map would count as this process's memory, and a full disk would kill it without a word
    with open(path, "r+b") as stream:
        stream.seek(start)
        yield stream


def keep_rows(audio: NDArray[np.float32], rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Some rows of an array (clips, samples): memory-mapped from an entry of their own where the array is, so that a
    large set without a few clips takes no more memory than the whole.

    Raises:
        CanaryganError: where the cache cannot be written.
    """
    if not isinstance(audio, np.memmap) or audio.filename is None:
        return audio[rows]
    about = Path(audio.filename).stat()
    key = hashlib.sha256(f"{audio.filename}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
    key.update(rows.astype(np.int64).tobytes())
    path = find_folder() / "rows" / key.hexdigest()

    def fill(draft: Path) -> None:
        with write_array(draft / "audio.npy", len(rows), audio.shape[1]) as stream:
            for start in range(0, len(rows), _ROWS):
                stream.write(audio[rows[start : start + _ROWS]].tobytes())
        write_table(draft, {"row": rows})

    return (read(path) or build(path, fill)).audio


def rewrite_array(path: Path, rows: int, samples: int, factor: float) -> None:
    """Cut an array file to its first rows and multiply them, a few at a time."""
    start = np.load(path, mmap_mode="r", allow_pickle=False).offset
    new = path.with_suffix(".new")
    with write_array(new, rows, samples) as stream:
        for row in range(0, rows, _ROWS):
            count = samples * min(_ROWS, rows - row)
            block = np.fromfile(path, np.float32, count, offset=start + 4 * samples * row)
            stream.write((block * np.float32(factor)).tobytes())
    os.replace(new, path)


def _place(draft: Path, path: Path) -> None:
    """Rename a draft to its entry; where another process was first, keep that one's, unless it is damaged."""
    while True:
        try:
            os.rename(draft, path)
            return
        except OSError:
            if not path.exists():
                raise
        if not find_fault(path):
            return
        aside = drafts.name_aside(draft)
        with suppress(FileNotFoundError):
            os.rename(path, aside)
        drafts.remove(aside)
