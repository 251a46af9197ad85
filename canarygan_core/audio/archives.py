"""Generation archives: `.npz` files written in a stream and read memory-mapped, so that size costs no memory."""

import math
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.console import log
from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time stamp of every member, so that equal content gives equal bytes."""


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
    with files.replace_file(path) as partial, zipfile.ZipFile(partial, "w", how) as archive:
        yield Writer(archive)


def check_room(path: Path, size: int, advice: str = "") -> None:
    """Raise `CanaryganError`, ending with an advice, where the disk of `path` has fewer than `size` bytes left."""
    folder = next((parent for parent in path.absolute().parents if parent.is_dir()), Path("/"))
    free = shutil.disk_usage(folder).free
    if size > free:
        message = f"{path} needs {size / 1e9:.1f} GB and {folder} has {free / 1e9:.1f} GB free. {advice}"
        raise CanaryganError(message.strip())


def read(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an archive by name, memory-mapped where they are stored uncompressed.

    Raises:
        CanaryganError: where the file is missing, damaged, or holds objects.
    """
    try:
        if path.exists() and not path.is_file():  # to open a pipe would wait for ever
            raise ValueError("it is a folder, a pipe or a device")
        with zipfile.ZipFile(path) as archive:
            return {info.filename.removesuffix(".npy"): _array(path, archive, info) for info in archive.infolist()}
    except FileNotFoundError:
        raise CanaryganError(f"There is no archive at {path}.") from None
    except Exception as error:  # noqa: BLE001 a damaged file may break the readers of zip and numpy anywhere
        raise CanaryganError(f"Cannot read the archive {path}: {error}.") from None


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
    return x, int(content.get("rate", 16000))


def _array(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(info) as member:
        shape, fortran, dtype = _header(member)
        if dtype.hasobject:
            raise ValueError(f"{info.filename} holds Python objects")
        if info.compress_type != zipfile.ZIP_STORED or fortran or 0 in shape:
            return np.frombuffer(member.read(), dtype).reshape(shape, order="F" if fortran else "C")
        inside = member.tell()
    with open(path, "rb") as stream:
        stream.seek(info.header_offset)
        local = stream.read(30)  # the local header's fixed part: its name and extra field differ in length from info's
    start = info.header_offset + 30 + int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    if inside + math.prod(shape) * dtype.itemsize != info.file_size or start + info.file_size > path.stat().st_size:
        raise ValueError(f"{info.filename} is cut short")
    return np.memmap(path, dtype, "r", start + inside, shape)


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(member)
    return np.lib.format.read_array_header_2_0(member)
