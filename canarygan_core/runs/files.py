"""Files and folders that are whole or absent, and text that comes in."""

import codecs
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from canarygan_core.errors import FULL, CanaryganError, UsageError


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """A draft beside `path`, which takes its place when the block ends well and is removed when it does not.

    Raises:
        CanaryganError: where the folder cannot be written, or is full.
    """
    draft = _name_draft(path)
    try:
        with _explain(path, draft):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield draft
            os.replace(draft, path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """A folder to fill beside `path`, which takes its place when the block ends well and is removed when it does not.

    A folder that is there is renamed aside and removed at the very end, so that one of the two is always whole.

    Raises:
        CanaryganError: where the folder cannot be written, or is full.
    """
    draft, aside = _name_draft(path), _name_draft(path)
    if path.exists() and not path.is_dir():
        raise CanaryganError(f"Cannot write {path}: it is a file, and a folder is to go there.")
    try:
        with _explain(path, draft):
            draft.mkdir(parents=True)
            yield draft
            with suppress(FileNotFoundError):
                path.rename(aside)
            draft.rename(path)
    finally:
        if aside.exists() and not path.exists():
            aside.rename(path)
        for folder in (draft, aside):
            if folder.is_symlink():
                folder.unlink()
            else:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def make_temporary_folder(size: int = 0) -> Iterator[Path]:
    """A folder among those for temporary files, removed after the block.

    Args:
        size: bytes that will lie in it, about.

    Raises:
        CanaryganError: where none can be had, or there is no room.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="canarygan-", ignore_cleanup_errors=True)
    except OSError as error:
        reason = (error.strerror or str(error)).rstrip(".")
        raise CanaryganError(f"No folder for temporary files: {reason}. Set TMPDIR to one with room.") from None
    with folder as name:
        if size > (free := shutil.disk_usage(name).free):
            needed = f"{size / 1e9:.1f} GB are needed, and {free / 1e9:.1f} GB are free"
            raise CanaryganError(f"No room for temporary files in {Path(name).parent}: {needed}. Set TMPDIR elsewhere.")
        yield Path(name)


def check_absent(*paths: Path, overwrite: bool = False) -> None:
    """Raise `CanaryganError` where one of the paths is there and may not be overwritten."""
    for path in () if overwrite else paths:
        if path.exists():
            raise CanaryganError(f"{path} is there already: give another --save-dir, or --overwrite.")


def check_outside(data_dir: Path | None, *outputs: Path) -> None:
    """Raise `UsageError` where an output would lie in the folder of the clips, where the next load would find it."""
    if data_dir is not None:
        home = data_dir.expanduser().resolve()
        for output in outputs:
            if output.expanduser().resolve().is_relative_to(home):
                reason = "where nothing may be written: move it out"
                raise UsageError(f"{output} lies in the data folder {data_dir}, {reason}.")


def read_text(path: Path, largest: int = 1 << 28) -> str:
    """The text of a file in UTF-8, or in UTF-16 with a byte order mark, as some editors of Windows write it.

    Raises:
        CanaryganError: where it cannot be read, is not such text, or has more than `largest` bytes.
    """
    try:
        if not path.is_file() and path.exists():  # to open a pipe would wait for ever
            raise CanaryganError(f"Cannot read {path}: it is no file.")
        if path.stat().st_size > largest:
            raise CanaryganError(f"{path} is not read: it has {path.stat().st_size:,} bytes, more than {largest:,}.")
        content = path.read_bytes()
        marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return content.decode("utf-16" if marked else "utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise CanaryganError(f"{path} is not text in UTF-8 ({error}): save it as UTF-8.") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise CanaryganError(f"Cannot read {path}: {getattr(error, 'strerror', None) or error}.") from None


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, atomically. Bytes of a file's name that are no UTF-8 become question marks."""
    known = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    with replace_file(path) as draft:
        draft.write_text(known, encoding="utf-8")


def copy(existing: Path, path: Path) -> None:
    """Copy a file, atomically. A hard link would be cheaper, but damage to one name would be damage to both."""
    with replace_file(path) as draft:
        shutil.copyfile(existing, draft)


def compute_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as `sha256:...`."""
    with open(path, "rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def _name_draft(path: Path) -> Path:
    """A hidden name beside a path that nothing else has."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


@contextmanager
def _explain(path: Path, draft: Path) -> Iterator[None]:
    """Turn a failure to write into an error that says why; other errors pass."""
    try:
        yield
    except (FileExistsError, NotADirectoryError):
        if path.parent.is_dir():
            raise
        raise CanaryganError(f"Cannot write {path}: {path.parent} is no folder.") from None
    except OSError as error:
        if error.errno is None:  # numpy's word for a disk that took only a part
            raise CanaryganError(f"Cannot write {path}: {error}.") from error
        names = {str(draft), *map(str, path.parents)}
        if error.errno in FULL or str(error.filename) in names:
            raise CanaryganError(f"Cannot write {path}: {error.strerror}.") from error
        raise
