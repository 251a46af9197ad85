"""How a folder of sounds is listed: which files in it are sounds, and how their names are printed."""

import os
import unicodedata
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from canarygan_core.console import show_on_one_line
from canarygan_core.errors import CanaryganError

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
"""Endings of the names of sound files, in lower case."""


@dataclass(frozen=True)
class Listing:
    """What lies in one folder, each in the order of names.

    Attributes:
        folder: the folder.
        folders: folders in it, links to folders among them.
        sounds: its sound files. A link to nothing that is named as a sound is one, so that it is reported as missing.
        others: what is neither: other files, and pipes, sockets and devices of any name.
    """

    folder: Path
    folders: list[Path]
    sounds: list[Path]
    others: list[Path]


def list_folder(folder: Path, suffixes: Sequence[str] = SUFFIXES) -> Listing:
    """List one folder. Hidden entries and `__MACOSX` are left out.

    Raises:
        CanaryganError: where it cannot be read.
    """
    listing = Listing(folder, [], [], [])
    try:
        for entry in sorted(folder.iterdir()):
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            if entry.is_dir():
                listing.folders.append(entry)
            elif entry.suffix.lower() in suffixes and (entry.is_file() or not entry.exists()):
                listing.sounds.append(entry)
            else:
                listing.others.append(entry)
    except OSError as error:
        raise CanaryganError(f"Cannot look into {folder}: {error.strerror}. Check its permissions.") from None
    return listing


def walk_folder(folder: Path, suffixes: Sequence[str] = SUFFIXES, above: Set[Path] = frozenset()) -> Iterator[Listing]:
    """List a folder, then each folder below it, in the order of names.

    Links to folders are followed, except to a folder that the link lies in.

    Args:
        folder: where to begin.
        suffixes: endings of the names of sounds, in lower case.
        above: real paths of folders that are not entered.

    Raises:
        CanaryganError: where a folder cannot be read.
    """
    waiting = [(folder, above)]
    while waiting:  # a folder may lie deeper than Python may call itself
        here, known = waiting.pop()
        place = resolve(here)
        if place in known:
            continue
        listing = list_folder(here, suffixes)
        yield listing
        waiting += [(inner, known | {place}) for inner in reversed(listing.folders)]


def list_sounds(folder: Path, suffixes: Sequence[str] = SUFFIXES) -> list[Path]:
    """The sound files anywhere below a folder, in the order of their paths; see `walk_folder`."""
    return sorted(sound for listing in walk_folder(folder, suffixes) for sound in listing.sounds)


def is_there(path: Path) -> bool:
    """Whether there is a file or folder; no name that no file can have is there."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def resolve(path: Path) -> Path:
    """The real path of a file or folder, which need not be there.

    Raises:
        CanaryganError: on a link that leads to itself, or a name that no file can have.
    """
    try:
        return path.expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise CanaryganError(f"There is nothing at {path}: {error}.") from None


def printable(name: str) -> str:
    """A file's name as text of one line that can be printed and is the same on every system (Unicode NFC)."""
    return show_on_one_line(unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "replace")))
