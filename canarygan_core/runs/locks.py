"""Locks of files and folders: who holds one is alive, since the system frees it when a process ends."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HELD = frozenset({errno.EWOULDBLOCK, errno.EAGAIN})
"""The numbers of the `OSError` that says that another process holds a lock."""


def take(number: int) -> None:
    """Lock an open file or folder without waiting.

    Raises:
        OSError: with a number of `HELD` where another process holds it; with another where there are no locks.
    """
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise OSError(errno.EAGAIN, error.strerror) from None
    else:
        import fcntl

        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def hold(path: Path) -> Iterator[bool | None]:
    """Hold the lock of a file or folder; gives whether it is there and was free, None where there are no locks."""
    try:
        number = None if sys.platform == "win32" else os.open(path, os.O_RDONLY)  # Windows renames nothing that is open
    except FileNotFoundError:
        yield False
        return
    except OSError:
        number = None
    if number is None:
        yield None
        return
    try:
        yield _try(number, path)
    finally:
        os.close(number)


def is_held(path: Path) -> bool | None:
    """Whether a process holds the lock of a file or folder, which need not be there; None where nothing can tell."""
    with hold(path) as is_free:
        return None if is_free is None else not is_free and path.exists()


def _try(number: int, path: Path) -> bool | None:
    """Whether an open file could be locked and is still what lies at its path; None where there are no locks."""
    try:
        take(number)
        there, own = os.stat(path), os.fstat(number)
        return (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino)
    except OSError as error:
        return False if error.errno in (*HELD, errno.ENOENT) else None
