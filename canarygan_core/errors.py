"""Errors for people: what was wrong, where, and what would have worked."""

import difflib
import errno
from collections.abc import Iterable

FULL = frozenset({errno.ENOSPC, errno.EFBIG, *([errno.EDQUOT] if hasattr(errno, "EDQUOT") else [])})
"""The numbers of an `OSError` where there is no room to write."""


class CanaryganError(Exception):
    """Something the user can mend. Shown as its message, without a traceback; the command exits with `exit_code`."""

    exit_code = 1


class UsageError(CanaryganError):
    """The command line itself was wrong."""

    exit_code = 2


class Interrupted(CanaryganError):
    """Work was stopped from outside after everything worth keeping was saved."""

    exit_code = 130


def did_you_mean(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """A closing sentence that names the nearest known word, or nothing where none is so alike (0 to 1)."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=likeness)
    return f" Did you mean {near[0]}?" if near else ""
