"""Files and folders that are whole or absent, and text that comes in."""

import codecs
import difflib
import errno
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from canarygan_core.errors import FULL, CanaryganError, UsageError, did_you_mean
from canarygan_core.runs import drafts

T = TypeVar("T")

BROKEN = frozenset({errno.EIO, errno.EROFS, *([errno.ESTALE] if hasattr(errno, "ESTALE") else [])})
"""The numbers of an `OSError` of a disk that fails while a file is written to."""


@contextmanager
def replace_file(path: Path, *, sync: bool = False) -> Iterator[Path]:
    """A draft beside `path`, which takes its place when the block ends well and is removed when it does not.

    Args:
        path: the file.
        sync: whether to wait until the disk has it, so that it survives a power cut.

    Raises:
        CanaryganError: where the folder cannot be written, or is full.
    """
    with _explain(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with drafts.claim(path) as draft:
            yield draft
            if sync:
                _sync(draft)
            os.replace(draft, path)
            if sync:
                _sync(path.parent)


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """A folder to fill beside `path`, which takes its place when the block ends well and is removed when it does not.

    A folder that is there is renamed aside and removed at the very end, so that one of the two is always whole. Where
    the process is killed in between, the next one that writes there puts the old one back.

    Raises:
        CanaryganError: where the folder cannot be written, or is full.
    """
    if path.exists() and not path.is_dir():
        raise CanaryganError(f"Cannot write {path}: it is a file, and a folder is to go there.")
    with _explain(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with drafts.claim(path, is_folder=True) as draft:
            yield draft
            aside = drafts.name_aside(draft)
            try:
                with suppress(FileNotFoundError):
                    path.rename(aside)
                draft.rename(path)
            finally:
                if aside.exists() and not path.exists():
                    aside.rename(path)
                drafts.remove(aside)


@contextmanager
def make_temporary_folder(size: int = 0) -> Iterator[Path]:
    """A folder among those for temporary files, removed after the block.

    Args:
        size: bytes that will lie in it, about.

    Raises:
        CanaryganError: where none can be had, or there is no room.
    """
    with ExitStack() as stack:
        try:
            folder = Path(tempfile.gettempdir())
            draft = stack.enter_context(drafts.claim(folder / "canarygan", is_folder=True))
            draft.chmod(0o700)
        except OSError as error:
            reason = (error.strerror or str(error)).rstrip(".")
            raise CanaryganError(f"No folder for temporary files: {reason}. Set TMPDIR to one with room.") from None
        if size > (free := shutil.disk_usage(folder).free):
            needed = f"{size / 1e9:.1f} GB are needed, and {free / 1e9:.1f} GB are free"
            raise CanaryganError(f"No room for temporary files in {folder}: {needed}. Set TMPDIR elsewhere.")
        yield draft


def collect_figures(draw: Callable[[Path], Iterable[Path]], folder: Path, name: str) -> list[Path]:
    """Figures that a component draws into an empty folder, brought to another as NAME-FIGURE.png; gives their paths.

    Raises:
        CanaryganError: where it draws something else than PNG files in that folder.
    """
    with make_temporary_folder() as draft:
        drawn = [draft / Path(path).name for path in draw(draft)]
        if wrong := [path.name for path in drawn if path.suffix != ".png" or not path.is_file()]:
            raise CanaryganError(f"{name} tells of a figure {wrong[0]}, and drew no such PNG file.")
        paths = [folder / f"{name}-{path.name}" for path in drawn]
        for source, path in zip(drawn, paths, strict=True):
            with replace_file(path) as target:
                shutil.copyfile(source, target)
    return paths


def check_absent(*paths: Path, overwrite: bool = False) -> tuple[Path, ...]:
    """Raise `CanaryganError` where one of the paths is there and may not be overwritten.

    Returns:
        Those that may not be there, to be checked again by `Manifest.begin`.
    """
    checked = () if overwrite else paths
    for path in checked:
        if path.exists():
            raise CanaryganError(f"{path} is there already: give another --save-dir, or --overwrite.")
    return checked


def check_outside(data_dir: Path | None, *outputs: Path) -> None:
    """Raise `UsageError` where an output would lie in the folder of the clips, where the next load would find it."""
    if data_dir is not None:
        home = data_dir.expanduser().resolve()
        for output in outputs:
            if output.expanduser().resolve().is_relative_to(home):
                reason = "where nothing may be written: move it out"
                raise UsageError(f"{output} lies in the data folder {data_dir}, {reason}.")


def suggest_near(path: Path) -> str:
    """Closing sentences on a path that is not there: which folder of it is missing, and the name nearest to it.

    Names are alike where they are without their endings, which many share.
    """
    missing = next((folder for folder in reversed(path.parents) if not os.path.isdir(folder)), path)
    told = "" if missing == path else f" There is no folder {missing}."
    try:
        names = sorted(name for name in os.listdir(missing.parent) if name[0] != ".")
    except (OSError, ValueError):  # ValueError: a name with a zero byte
        return told
    if told:
        names = [name for name in names if os.path.isdir(missing.with_name(name))]
    alike = difflib.get_close_matches(missing.stem, {Path(name).stem for name in names})
    return told + did_you_mean(missing.name, [name for name in names if Path(name).stem in alike])


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
    except (OSError, ValueError) as error:
        near = suggest_near(path) if isinstance(error, FileNotFoundError) else ""
        raise CanaryganError(f"Cannot read {path}: {getattr(error, 'strerror', None) or error}.{near}") from None


def write_text(path: Path, text: str, *, sync: bool = False) -> None:
    """Write UTF-8 text, atomically. Bytes of a file's name that are no UTF-8 become question marks."""
    known = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    with replace_file(path, sync=sync) as draft:
        draft.write_text(known, encoding="utf-8")


def copy(existing: Path, path: Path, *, sync: bool = False) -> None:
    """Copy a file, atomically. A hard link would be cheaper, but damage to one name would be damage to both."""
    with replace_file(path, sync=sync) as draft:
        shutil.copyfile(existing, draft)


def remove(path: Path) -> None:
    """Remove a file or a folder.

    Raises:
        CanaryganError: where it cannot be removed.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise CanaryganError(f"Cannot remove {path}: {error.strerror}.") from None


def read_with_digest(path: Path, read: Callable[[Path], T]) -> tuple[T, str]:
    """What `read` makes of a file, and the digest of these bytes, even where another process replaces it meanwhile."""
    while True:
        before, digest = os.stat(path), compute_digest(path)
        value, after = read(path), os.stat(path)
        if (before.st_ino, before.st_size, before.st_mtime_ns) == (after.st_ino, after.st_size, after.st_mtime_ns):
            return value, digest


def compute_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as `sha256:...`."""
    with open(path, "rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder."""
    if sys.platform != "win32":  # which opens no folders, and syncs no file that is open to be read
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


@contextmanager
def _explain(path: Path) -> Iterator[None]:
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
        named = Path(str(error.filename))
        is_ours = named in path.parents or (named.parent == path.parent and named.name.startswith(f".{path.name}."))
        if error.errno in FULL or is_ours or (error.errno in BROKEN and error.filename is None):
            raise CanaryganError(f"Cannot write {path}: {error.strerror}.") from error
        raise
