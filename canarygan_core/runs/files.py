"""Files that are whole or not there at all."""

import errno
import hashlib
import os
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from canarygan_core.errors import CanaryganError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, renamed to it when the block ends well and removed when it does not.

    Raises:
        CanaryganError: where the folder cannot be written, or is full.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except (FileExistsError, NotADirectoryError):
        raise CanaryganError(f"Cannot write {path}: {path.parent} is no folder.") from None
    except OSError as error:
        if error.errno is None:  # numpy's word for a disk that took only a part
            raise CanaryganError(f"Cannot write {path}: {error}.") from error
        if error.errno == errno.ENOSPC or str(error.filename) in {str(partial), *map(str, path.parents)}:
            raise CanaryganError(f"Cannot write {path}: {error.strerror}.") from error
        raise
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, atomically."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def copy(existing: Path, path: Path) -> None:
    """Copy a file, atomically. A hard link would be cheaper, but damage to one name would be damage to both."""
    with replacing(path) as partial:
        shutil.copyfile(existing, partial)


def check_zip(path: Path) -> None:
    """Raise `zipfile.BadZipFile` where a member's bytes are not those that were written."""
    with zipfile.ZipFile(path) as archive:
        member = archive.testzip()
    if member is not None:
        raise zipfile.BadZipFile(f"{member} has changed since it was written")


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as `sha256:...`."""
    with open(path, "rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """An empty draft folder beside `path`, renamed to it when the block ends well and removed when it does not.

    A folder that is at `path` is renamed aside first, put back where the draft cannot take its place, and removed last.

    Raises:
        CanaryganError: where the folder cannot be written, or the disk is full.
    """
    if path.exists() and not path.is_dir():
        raise CanaryganError(f"Cannot write {path}: it is a file, and a folder is to go there.")
    token = secrets.token_hex(4)
    draft, old = (path.with_name(f".{path.name}.{token}.{ending}") for ending in ("part", "old"))
    try:
        draft.mkdir(parents=True)
        yield draft
        with suppress(FileNotFoundError):
            os.rename(path, old)
        os.rename(draft, path)
    except OSError as error:
        raise CanaryganError(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        if old.exists() and not path.exists():
            os.rename(old, path)
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
