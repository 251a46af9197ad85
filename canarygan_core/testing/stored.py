"""What a component keeps on disk, looked through: nothing that would run code when it is read, and damage is told."""

import bz2
import gzip
import io
import lzma
import pickle
import pickletools
import shutil
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from canarygan_core.testing.toys import refuses

CODE = {".py", ".pyc", ".pyo", ".so", ".dll", ".dylib"}
"""Endings of files that are code."""

TENSORS = ("torch", "collections")
"""Modules that a torch file of tensors alone asks for."""

UNPACK: tuple[Callable[[bytes], bytes], ...] = (gzip.decompress, zlib.decompress, bz2.decompress, lzma.decompress)


def check_stored(name: str, paths: list[Path]) -> None:
    """Assert that no file holds objects that reading it would build, or code."""
    advice = "write arrays as .npz or safetensors, the rest as JSON"
    for path in paths:
        assert path.suffix not in CODE, f"{name}: save writes code, {path.name}; {advice}."
        found = find_objects(path.read_bytes())
        assert not found, f"{name}: save writes pickle, {path.name} ({found}); {advice}."


def find_objects(content: bytes, depth: int = 0) -> str:
    """What is wrong with some bytes, in a word or two; empty where they hold no pickled object."""
    if content[:6] == b"\x93NUMPY":
        return "an array of objects" if b"'|O'" in content[:256] or b"'O'" in content[:256] else ""
    if zipfile.is_zipfile(io.BytesIO(content)):
        return _find_in_zip(content, depth)
    if is_pickle(content):
        return "objects"
    for unpack in UNPACK if depth < 2 else ():
        with suppress(Exception):
            return find_objects(unpack(content), depth + 1)
    return ""


def _find_in_zip(content: bytes, depth: int) -> str:
    with suppress(zipfile.BadZipFile, RuntimeError, NotImplementedError), zipfile.ZipFile(io.BytesIO(content)) as parts:
        for part in parts.namelist():
            if part.endswith("data.pkl"):  # of torch, which writes tensors so
                modules = sorted(list_imports(parts.read(part)))
                if foreign := [one for one in modules if one.partition(".")[0] not in TENSORS]:
                    return f"objects of {', '.join(foreign)}"
            elif found := find_objects(parts.read(part), depth):
                return found
    return ""


def is_pickle(content: bytes) -> bool:
    """Whether bytes begin with a pickle, of whatever protocol."""
    if content[:2] in {bytes([0x80, protocol]) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)}:
        return True
    try:
        steps = [operation.name for operation, _, _ in pickletools.genops(content[: 1 << 20])]
    except Exception:  # noqa: BLE001 whatever breaks the reader is no pickle
        return False
    return len(steps) > 2 and steps[-1] == "STOP"


def list_imports(content: bytes) -> set[str]:
    """The modules that a pickle asks for."""
    modules, words = set(), ["", ""]
    with suppress(Exception):
        for operation, argument, _ in pickletools.genops(content):
            if operation.name == "GLOBAL":
                modules.add(str(argument).split(" ")[0])
            elif operation.name == "STACK_GLOBAL":
                modules.add(words[-2])
            elif isinstance(argument, str):
                words.append(argument)
    return modules


def check_damage(name: str, folder: Path, load: Callable[[Path], Any], spare: Path) -> None:
    """Assert that `load` refuses an empty folder, and each file missing, cut short or of something else."""
    spare.mkdir()
    _must_refuse(f"{name}.load of an empty folder", load, spare)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for number, path in enumerate(files):
        content = path.read_bytes()
        for what, changed in {"cut short": content[: len(content) // 2], "of something else": b"other"}.items():
            copied = spare.parent / f"{spare.name}-{number}-{len(changed)}"
            shutil.copytree(folder, copied, dirs_exist_ok=True)
            (copied / path.relative_to(folder)).write_bytes(changed)
            refuses(f"{name}.load with {path.name} {what}", partial(load, copied))


def _must_refuse(what: str, load: Callable[[Path], Any], folder: Path) -> None:
    """Assert that something is refused, with a message for people."""
    made = refuses(what, lambda: load(folder))
    assert made is None, f"{what} gives something: raise CanaryganError, which says what is missing."
