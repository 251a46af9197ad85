"""Drafts: hidden files and folders beside what they are to become, each locked by the process that writes it.

So what a killed process left can be told from what a living one is at, and is deleted by whoever writes there next.
"""

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import locks

STALE = 24 * 3600.0
"""Seconds after which a draft counts as left behind where the file system has no locks to tell."""

_NAME = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.(?P<kind>part|old)", re.DOTALL)
_swept: set[Path] = set()


@contextmanager
def claim(path: Path, *, is_folder: bool = False) -> Iterator[Path]:
    """A draft of a file or folder, empty, which this process holds; it is removed where it is still there afterwards.

    The first in a folder sweeps what killed processes left there.
    """
    if (place := path.parent.absolute()) not in _swept:
        _swept.add(place)
        sweep(place)
    while True:
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        if is_folder:
            draft.mkdir()
        else:
            draft.open("xb").close()
        with locks.hold(draft) as is_free:
            if is_free is False:  # another process took it for one left behind
                continue
            try:
                yield draft
            finally:
                remove(draft)
            return


@contextmanager
def reserve(path: Path) -> Iterator[None]:
    """Keep other processes from work that is described by this file.

    Raises:
        CanaryganError: where another process is at it.
    """
    note = name_reservation(path)
    for attempt in range(10):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            note.open("ab").close()
        except (FileExistsError, NotADirectoryError):
            raise CanaryganError(f"Cannot write {path}: {path.parent} is no folder.") from None
        except OSError as error:
            raise CanaryganError(f"Cannot write {path}: {error.strerror}.") from error
        with locks.hold(note) as is_free:
            if is_free is not False:
                try:
                    yield
                finally:
                    remove(note)
                return
        time.sleep(0.01 * attempt)  # one that only sweeps lets go at once
    raise CanaryganError(f"Another process is writing {path.name} in {path.parent}: wait for it, or write elsewhere.")


def name_reservation(path: Path) -> Path:
    """The file whose lock a process holds while it is at work that is described by a file."""
    return path.with_name(f".{path.name}.{0:08}.part")


def name_aside(draft: Path) -> Path:
    """Where the folder that a draft is to replace is kept meanwhile."""
    return draft.with_suffix(".old")


def list_drafts(folder: Path) -> list[Path]:
    """The drafts in a folder, and what was set aside for one, first."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if _NAME.fullmatch(entry.name))
    except OSError:
        return []
    return [folder / name for name in sorted(names, key=lambda name: name.endswith(".part"))]


def is_left(draft: Path) -> bool:
    """Whether no process is at a draft any more."""
    with _hold(draft) as was_left:
        return was_left


def sweep(folder: Path) -> list[Path]:
    """Remove the drafts that killed processes left in a folder, and put back what one had only set aside.

    Returns:
        What was removed or put back.
    """
    swept = []
    for draft in list_drafts(folder):
        with _hold(draft) as was_left:
            if not was_left:
                continue
            match = _NAME.fullmatch(draft.name)
            target = draft.with_name(match["name"]) if match else draft
            if draft.suffix == ".old" and not target.exists():
                with suppress(OSError):
                    draft.rename(target)
            else:
                remove(draft)
            if not draft.exists():
                swept.append(draft)
    return swept


def remove(draft: Path) -> None:
    """Remove a draft, whether it is a file, a folder or a link, as far as that can be done."""
    if draft.is_dir() and not draft.is_symlink():
        shutil.rmtree(draft, ignore_errors=True)
    else:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def _hold(draft: Path) -> Iterator[bool]:
    """Hold a draft, or the one that something was set aside for; gives whether it was left behind."""
    holder = draft.with_suffix(".part")
    if not holder.exists():
        yield draft.exists()
        return
    with locks.hold(holder) as is_free:
        try:
            age = time.time() - draft.lstat().st_mtime
        except OSError:
            age = 0.0
        yield age > STALE if is_free is None else is_free
