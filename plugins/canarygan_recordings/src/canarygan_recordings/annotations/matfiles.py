"""MATLAB files of version 5, looked through before scipy reads them: a damaged one ends scipy's process.

Format: The MathWorks, MAT-File Format, version 5: a header of 128 bytes, then elements, each a tag and its data.
"""

import math
import struct
import zlib
from pathlib import Path

HEADER = 128
MATRIX, COMPRESSED = 14, 15
NUMBERS = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 12, 13})
LETTERS = NUMBERS | {16, 17, 18}
CELL, STRUCT, CHAR, FIRST_NUMERIC, LAST_NUMERIC = 1, 2, 4, 6, 15

LARGEST = 1 << 26
"""Bytes of a file, and of what a compressed part of it unfolds to, at most."""

DEEPEST = 20
"""Cells and structures within one another, at most."""


def check_mat(path: Path) -> None:
    """Raise `ValueError` where a MATLAB file of version 5 is not what its tags say; others are left to scipy.

    Elements are looked at as scipy reads them, one after the other, so that it finds what it expects.
    """
    if path.stat().st_size > LARGEST:
        raise ValueError(f"it has more than {LARGEST:,} bytes")
    content = path.read_bytes()
    mark = content[HEADER - 2 : HEADER]
    if 0 in content[:4] or mark not in (b"IM", b"MI"):
        return  # version 4, which scipy reads in Python, or none at all
    walk = _Walk(content, "<" if mark == b"IM" else ">", HEADER)
    while walk.at < len(content):
        kind, data = walk.take_element(padded=False)
        if kind == COMPRESSED:
            unpacker = zlib.decompressobj()
            try:
                data = unpacker.decompress(data, LARGEST)
            except zlib.error as error:
                raise ValueError(f"a compressed part is damaged ({error})") from None
            if unpacker.unconsumed_tail:
                raise ValueError("a compressed part unfolds to too much")
            kind, data = _Walk(data, walk.order).take_element()
        if kind != MATRIX:
            raise ValueError(f"there is an element of type {kind} in place of a matrix")
        _check_matrix(_Walk(data, walk.order), DEEPEST)


class _Walk:
    """Takes elements from bytes, one after the other."""

    def __init__(self, content: bytes, order: str, at: int = 0) -> None:
        self.content, self.order, self.at = content, order, at

    def take_element(self, *, padded: bool = True) -> tuple[int, bytes]:
        """The type and the data of the next element."""
        kind, size = struct.unpack(f"{self.order}II", self._take(8))
        if kind >> 16:  # a small one, its data within the tag
            kind, size = kind & 0xFFFF, kind >> 16
            if size > 4:
                raise ValueError(f"a small element has {size} bytes")
            return kind, self.content[self.at - 4 : self.at - 4 + size]
        data = self._take(size)
        if padded or kind != COMPRESSED:
            self.at += -size % 8
        return kind, data

    def take(self, kinds: frozenset[int] | set[int]) -> bytes:
        """The data of the next element, which must be of one of these types."""
        kind, data = self.take_element()
        if kind not in kinds:
            raise ValueError(f"there is an element of type {kind}, and not of {', '.join(map(str, sorted(kinds)))}")
        return data

    def _take(self, count: int) -> bytes:
        part = self.content[self.at : self.at + count]
        if len(part) < count:
            raise ValueError("it is cut short")
        self.at += count
        return part


def _check_matrix(walk: _Walk, left: int) -> None:
    if not walk.content:  # an empty matrix has no header
        return
    if left == 0:
        raise ValueError("its cells are nested too deeply")
    flags = struct.unpack(f"{walk.order}II", _fit(walk.take({6}), 8))[0]
    kind, is_complex = flags & 0xFF, bool(flags & 0x800)
    sizes = walk.take({5})
    shape = struct.unpack(f"{walk.order}{len(sizes) // 4}i", _fit(sizes, len(sizes) // 4 * 4))
    walk.take({1, 2})  # its name
    count = math.prod(shape)
    if not 2 <= len(shape) <= 32 or min(shape) < 0 or count > LARGEST:
        raise ValueError(f"a matrix is {' x '.join(map(str, shape))}")
    if kind == CELL:
        _check_matrices(walk, count, left)
    elif kind == STRUCT:
        length = struct.unpack(f"{walk.order}i", _fit(walk.take({5}), 4))[0]
        names = walk.take({1, 2})
        if length < 1 or len(names) % length:
            raise ValueError("the names of a structure are damaged")
        _check_matrices(walk, count * (len(names) // length), left)
    elif kind == CHAR:
        walk.take(LETTERS)
    elif FIRST_NUMERIC <= kind <= LAST_NUMERIC:
        for _ in range(1 + is_complex):
            walk.take(NUMBERS)
    else:
        raise ValueError(f"it holds an object of class {kind}, which no annotation does")


def _check_matrices(walk: _Walk, count: int, left: int) -> None:
    for _ in range(count):
        _check_matrix(_Walk(walk.take({MATRIX}), walk.order), left - 1)


def _fit(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise ValueError(f"an element has {len(data)} bytes, and not {size}")
    return data
