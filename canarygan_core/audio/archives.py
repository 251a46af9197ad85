"""Archives of arrays: `.npz` files written in a stream and read memory-mapped, so that size costs no memory.

What an archive says of its sizes is compared with the file before anything is allocated.
"""

import functools
import math
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.console import log
from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files, seals

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time stamp of every member, so that equal content gives equal bytes."""

LEAST, RATIO = 1 << 28, 100
"""An archive may unfold to so many bytes, or to so many times its own size where that is more."""

LOWEST, HIGHEST = 1000, 768_000
"""Sampling rates of generated sounds, Hz."""

KINDS = {"f": "numbers with decimals", "i": "whole numbers", "u": "whole numbers", "U": "text", "b": "yes or no"}
"""Letters of numpy for what an array holds."""

Layout = Mapping[str, str]
"""What arrays an archive holds: by name the letters of `KINDS` that one may have, then its axes by name or length.

A name that ends in `*` stands for all that begin so; one that ends in `?` may be missing.
"""

SOUNDS: Layout = {"x": "f clips samples", "z?": "fiu clips coordinates", "rate?": "iu"}
"""The sounds of a generation archive."""

GENERATION: Layout = {
    **SOUNDS,
    **{"version?": "iufU", "epoch?": "iufU", "step?": "iufU", "checkpoint?": "U"},
    **{"held_out?": "U sources", "group_by?": "U", "label?": "U clips", "agreement?": "f clips"},
    **{"posterior?": "f clips", "syllable?": "f clips", "y_*": "iuU clips", "label_*": "U clips"},
    **{"posteriors_*": "f clips *", "syllable_*": "f clips", "classes_*": "U *", "threshold_*": "f"},
}
"""All of a generation archive; docs/formats.md says what each is."""


class Writer:
    """Adds arrays to an archive, one after the other."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def _describe(self, name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(f"{name}.npy", EPOCH)
        info.compress_type = self._archive.compression
        return info

    def add(self, name: str, values: object) -> None:
        """Add an array, or what makes one, that is in memory."""
        array = np.asarray(values)
        self.stream(name, array.shape, array.dtype, [array])

    def stream(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], parts: Iterable[NDArray[Any]]) -> None:
        """Add an array of known shape from parts along its first axis."""
        if dtype.hasobject:
            raise ValueError(f"{name} holds Python objects; an archive holds plain values.")
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        with self._archive.open(self._describe(name), "w", force_zip64=True) as member:
            np.lib.format.write_array_header_2_0(member, header)
            written = 0
            for part in parts:
                written += part.size
                member.write(np.ascontiguousarray(part, dtype).data)
        if written != math.prod(shape):
            raise ValueError(f"{name} was announced as {shape}, but {written} values came.")


@contextmanager
def writing(path: Path, size: int, *, compressed: bool = False) -> Iterator[Writer]:
    """An archive that exists once the block ends well.

    Args:
        path: where it goes.
        size: bytes it will take, about, or at most.
        compressed: whether it is compressed, and so is not memory-mapped when it is read.

    Raises:
        CanaryganError: where the disk cannot hold it.
    """
    check_room(path, size)
    how = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with files.replace_file(path) as partial:
        with zipfile.ZipFile(partial, "w", how) as archive:
            yield Writer(archive)
        seals.seal_zip(partial)


def check_room(path: Path, size: int, advice: str = "") -> None:
    """Raise `CanaryganError`, ending with an advice, where the disk of `path` has fewer than `size` bytes left."""
    folder = next((parent for parent in path.absolute().parents if parent.is_dir()), Path("/"))
    free = shutil.disk_usage(folder).free
    if size > free:
        message = f"{path} needs {size / 1e9:.1f} GB and {folder} has {free / 1e9:.1f} GB free. {advice}"
        raise CanaryganError(message.strip())


def read(path: Path, layout: Layout | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of an archive by name, memory-mapped where they are stored uncompressed.

    Args:
        path: the archive.
        layout: what it must hold, and of what shape; None for anything.

    Raises:
        CanaryganError: where the file is missing, damaged, holds objects, or not what it must.
    """
    try:
        if path.exists() and not path.is_file():  # to open a pipe would wait for ever
            raise ValueError("it is a folder, a pipe or a device")
        with zipfile.ZipFile(path) as archive:
            check_bounds(path, archive)
            state = path.stat()
            _check_whole(path.absolute(), state.st_ino, state.st_size, state.st_mtime_ns)
            content = {info.filename.removesuffix(".npy"): _array(path, archive, info) for info in archive.infolist()}
        check_layout(content, layout or {})
    except FileNotFoundError:
        raise CanaryganError(f"There is no archive at {path}.") from None
    except Exception as error:  # noqa: BLE001 a damaged file may break the readers of zip and numpy anywhere
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CanaryganError(f"Cannot read the archive {path}: {reason.rstrip('.')}.") from None
    return content


def read_array(path: Path) -> NDArray[Any]:
    """The array in a `.npy` file, memory-mapped.

    Raises:
        ValueError: where it holds objects, is cut short, or is no such file.
    """
    with open(path, "rb") as stream:
        shape, fortran, dtype = _header(path.name, stream)
        start = stream.tell()
    _check_size(path.name, start + math.prod(shape) * dtype.itemsize, path.stat().st_size)
    if 0 in shape:
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C")


def check_layout(content: Mapping[str, NDArray[Any]], layout: Layout) -> None:
    """Raise `ValueError` where arrays are not those that a layout tells."""
    sizes: dict[str, int] = {}
    for spelt, what in layout.items():
        kinds, *axes = what.split()
        name, is_prefix = spelt.rstrip("*?"), spelt.endswith("*")
        found = [one for one in content if one == name or (is_prefix and one.startswith(name))]
        if not found and spelt == name:
            raise ValueError(f"it has no {name}, but {', '.join(sorted(content)) or 'nothing'}")
        for one in found:
            array = content[one]
            wanted = tuple(sizes.get(axis, int(axis) if axis.isdecimal() else -1) for axis in axes)
            fits = array.ndim == len(axes) and all(a in (-1, b) for a, b in zip(wanted, array.shape, strict=True))
            if array.dtype.kind not in kinds or not fits:
                kind = " or ".join(dict.fromkeys(KINDS[letter] for letter in kinds))
                lengths = [
                    axis if size < 0 or axis.isdecimal() else f"{size} {axis}"
                    for axis, size in zip(axes, wanted, strict=True)
                ]
                told = f"{array.dtype} {array.shape}, and not {kind} of shape ({', '.join(lengths)})"
                raise ValueError(f"its {one} is {told}")
            sizes |= {axis: size for axis, size in zip(axes, array.shape, strict=True) if axis != "*"}


def check_bounds(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise `ValueError` where a zip file would unfold to far more than it is: nothing that we write does."""
    size, declared = path.stat().st_size, sum(info.file_size for info in archive.infolist())
    if declared > max(LEAST, RATIO * size):
        raise ValueError(f"it would unfold from {size:,} to {declared:,} bytes, which is not read")


@functools.lru_cache(maxsize=256)
def _check_whole(path: Path, number: int, size: int, changed: int) -> None:
    """Compare a file with its seal, once for each state that it is in."""
    seals.check_zip(path)


def read_sounds(path: Path, *, should_log: bool = True) -> tuple[NDArray[np.float32], int]:
    """The sounds (n, samples) of a generation archive, memory-mapped, and their sampling rate in Hz.

    Args:
        path: the archive.
        should_log: whether to log that a rate is assumed where the archive has none.

    Raises:
        CanaryganError: where the archive cannot be read, or holds no sounds.
    """
    content = read(path)
    x = content.get("x")
    if x is None:
        names = ", ".join(sorted(content)) or "nothing"
        raise CanaryganError(f"{path} holds no sounds: an archive from generate has x, this has {names}.")
    if x.ndim != 2 or x.dtype.kind != "f" or 0 in x.shape:
        shape = f"{x.dtype} {x.shape}"
        raise CanaryganError(f"{path} holds no sounds: its x is {shape}, not numbers of shape (n, samples).")
    if "rate" not in content and should_log:
        log.info(f"{path} does not say its sampling rate; taking 16000 Hz.")
    rate = content.get("rate", np.asarray(16000))
    if rate.ndim or rate.dtype.kind not in "iu" or not LOWEST <= rate <= HIGHEST:
        told = rate if rate.ndim == 0 else f"{rate.dtype} {rate.shape}"
        raise CanaryganError(f"{path} says that its sampling rate is {told} Hz: it may be {LOWEST} to {HIGHEST} Hz.")
    return x, int(rate)


def _array(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(info) as member:
        shape, fortran, dtype = _header(info.filename, member)
        inside = member.tell()
        _check_size(info.filename, inside + math.prod(shape) * dtype.itemsize, info.file_size)
        if info.compress_type != zipfile.ZIP_STORED or 0 in shape:
            array = np.frombuffer(member.read(), dtype).reshape(shape, order="F" if fortran else "C")
            return _check_text(info.filename, array)
    with open(path, "rb") as stream:
        stream.seek(info.header_offset)
        local = stream.read(30)  # the local header's fixed part: its name and extra field differ in length from info's
    start = info.header_offset + 30 + int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    if start + info.file_size > path.stat().st_size:
        raise ValueError(f"{info.filename} is cut short")
    mapped = np.memmap(path, dtype, "r", start + inside, shape, "F" if fortran else "C")
    return _check_text(info.filename, mapped)


def _header(name: str, stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type of an array that comes next in a stream; `ValueError` where it is none of plain values."""
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read_header(stream)
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects, which are not read")
    if dtype.kind not in "biufcUS" or dtype.itemsize == 0 or any(size < 0 for size in shape):
        raise ValueError(f"{name} holds {dtype} {shape}, and no plain values")
    return shape, fortran, dtype


def _check_size(name: str, needed: int, there: int) -> None:
    if needed != there:
        raise ValueError(f"{name} is cut short: it says {needed:,} bytes, and there are {there:,}")


def _check_text(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """The array itself; `ValueError` where it is text with letters that there are not."""
    if array.dtype.kind == "U" and array.size:
        letters = np.ascontiguousarray(array).reshape(-1).view(array.dtype.byteorder.replace("|", "=") + "u4")
        if letters.max() > 0x10FFFF:
            raise ValueError(f"{name} holds what is no text")
    return array
