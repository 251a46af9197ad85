"""What is done to a file: to its bytes, its words, the values of a record, or the members of an archive."""

import copy
import io
import json
import math
import random
import re
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

NUMBERS = [0, 1, -1, 2, 255, 1 << 31, 1 << 32, 1 << 62, -(1 << 63), 1 << 64, 10**30, 0.5, -0.0, 1e308]
VALUES = [*NUMBERS, None, True, False, "", "x", "\x1b[2J", "\udcff", [], {}, [[]], {"a": {}}, "nan", "../../x", "=1+1"]
WORDS = [b"1e999", b"-1", b"4611686018427387904", b"NaN", b"null", b"[]", b"{}", b"true", b'""', b"\x1b[2J", b"\xff"]
WORDS += [
    b"*a",
    b"&a",
    b"!!python/object",
    b"---",
    b"[" * 300,
    b"{" * 300,
    b"\t",
    b",",
    b";",
    b"\r",
    b"\x00",
    b"-",
    b"=",
]
SHAPES: list[tuple[int, ...]] = [(), (0,), (1,), (3,), (2, 2), (1, 1, 1), (1 << 40,), (-1,), (-2, -3), (1 << 62, 4)]
DTYPES = ["<f4", "<f8", "<i8", "<u1", "<U3", "|b1", "|S2", "<c8", "|O", "<M8[s]", ">f4", "<U0", "|V4"]


def mutate_bytes(draw: random.Random, content: bytes) -> bytes:
    """A few bytes flipped, set, taken out, put in, or a tail cut off."""
    changed = bytearray(content)
    for _ in range(draw.choice([1, 1, 1, 2, 4])):
        at = draw.randrange(len(changed) + 1)
        size = draw.choice([1, 2, 4, 8, 100])
        kind = draw.randrange(7)
        if kind == 0 and changed:
            at %= len(changed)
            changed[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del changed[at:]
        elif kind == 2:
            changed[at:at] = draw.randbytes(size)
        elif kind == 3:
            del changed[at : at + size]
        elif kind == 4:
            number = draw.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, draw.randrange(1 << 32)])
            changed[at : at + 4] = number.to_bytes(4, draw.choice(["little", "big"]))
        elif kind == 5:
            changed[at:at] = changed[draw.randrange(len(changed) + 1) :][:size]
        else:
            changed[at : at + 1] = bytes([draw.randrange(256)])
    return bytes(changed)


def mutate_text(draw: random.Random, content: bytes) -> bytes:
    """A word replaced by one that means something else, or a line taken out, doubled or moved; or bytes."""
    kind = draw.randrange(5)
    lines = content.splitlines(keepends=True)
    if kind == 0 or not lines:
        return mutate_bytes(draw, content)
    if kind == 1:
        words = list(re.finditer(rb"[\w.+-]+|\"[^\"]*\"", content)) or [re.match(b"", content)]
        word = draw.choice(words)
        assert word is not None
        return content[: word.start()] + draw.choice(WORDS) + content[word.end() :]
    at = draw.randrange(len(lines))
    if kind == 2:
        del lines[at]
    elif kind == 3:
        lines.insert(draw.randrange(len(lines) + 1), lines[at])
    else:
        other = draw.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    return b"".join(lines)


def mutate_value(draw: random.Random, value: Any) -> Any:
    """A value with one of its parts, however deep, replaced, renamed or taken out."""
    holders: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        places = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        holders += [(one, place) for place in places]
        waiting += [one[place] for place in places]
    if not holders or draw.random() < 0.02:
        return copy.deepcopy(draw.choice(VALUES))
    holder, place = draw.choice(holders)
    kind = draw.randrange(6)
    if kind == 0:
        del holder[place]
    elif kind == 1 and isinstance(holder, dict):
        holder[draw.choice(["x", "", "schema", "name", "\u00fc"])] = holder.pop(place)
    elif kind == 2:
        other = draw.choice(holders)
        holder[place] = (
            json.loads(json.dumps(other[0][other[1]], default=str)) if other[1] in _places(other[0]) else None
        )
    else:
        holder[place] = copy.deepcopy(draw.choice(VALUES))
    return value


def _places(holder: Any) -> Any:
    return holder if isinstance(holder, dict) else range(len(holder))


def mutate_json(draw: random.Random, content: bytes) -> bytes:
    """A part of a JSON value replaced, or its text mutated."""
    if draw.random() < 0.3:
        return mutate_text(draw, content)
    return json.dumps(mutate_value(draw, json.loads(content)), indent=2).encode()


def mutate_array(draw: random.Random, content: bytes) -> bytes:
    """A `.npy` file with another header or other values, or its bytes mutated."""
    kind = draw.randrange(4)
    if kind == 0:
        return mutate_bytes(draw, content)
    dtype, shape = draw.choice(DTYPES), draw.choice(SHAPES)
    if kind == 1:
        header = {"descr": dtype, "fortran_order": draw.random() < 0.3, "shape": shape}
        stream = io.BytesIO()
        np.lib.format.write_array_header_1_0(stream, header)
        return stream.getvalue() + content[-draw.randrange(200) :]
    stream = io.BytesIO()
    if kind == 2:
        small = shape if min(shape, default=0) >= 0 and math.prod(shape) < 100 else (2,)
        kept = "<f4" if dtype in ("|O", "|V4") else dtype
        with np.errstate(all="ignore"):
            values = np.frombuffer(draw.randbytes(math.prod(small)), np.uint8).astype(kept)
        np.save(stream, values.reshape(small))
    else:
        array = np.load(io.BytesIO(content), allow_pickle=False)
        flat = np.array(array).reshape(-1)
        if flat.size and flat.dtype.kind in "fiu":
            with np.errstate(all="ignore"):
                flat[draw.randrange(flat.size)] = np.float64(draw.choice([0, -1, 1e30, np.nan, np.inf])).astype(
                    flat.dtype
                )
        cut = (
            flat.reshape(array.shape)[: draw.randrange(len(array) + 1)] if array.ndim and draw.random() < 0.5 else flat
        )
        np.save(stream, cut if draw.random() < 0.7 else flat.reshape(array.shape))
    return stream.getvalue()


def mutate_zip(
    draw: random.Random, content: bytes, member: Callable[[random.Random, bytes], bytes] = mutate_array
) -> bytes:
    """An archive with a member mutated, renamed, taken out or packed; its checksums fit. Or its bytes mutated."""
    kind = draw.randrange(8)
    if kind == 0:
        return mutate_bytes(draw, content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [[info.filename, archive.read(info)] for info in archive.infolist()]
    one = draw.choice(parts)
    if kind == 1:
        parts.remove(one)
    elif kind == 2:
        one[0] = draw.choice(
            ["x.npy", "z.npy", "rate.npy", "../x.npy", "", "a/b.npy", one[0] + "\u00fc", draw.choice(parts)[0]]
        )
    elif kind == 3:
        one[1] = draw.choice(parts)[1]
    else:
        one[1] = member(draw, bytes(one[1]))
    stream = io.BytesIO()
    packed = draw.choice([zipfile.ZIP_STORED] * 4 + [zipfile.ZIP_DEFLATED])
    with zipfile.ZipFile(stream, "w", packed) as archive:
        for name, inside in parts:
            archive.writestr(zipfile.ZipInfo(str(name) or "?"), inside, packed)
    return stream.getvalue()


def mutate_checkpoint(draw: random.Random, content: bytes) -> bytes:
    """A checkpoint with a part of its content replaced, or with its parts mutated as those of any archive."""
    if draw.random() < 0.4:
        return mutate_zip(draw, content, mutate_bytes)
    import torch

    held = torch.load(io.BytesIO(content), weights_only=True)
    tensors = [torch.zeros(3), torch.zeros(2, 2, dtype=torch.int64), torch.zeros(1, device="meta"), torch.zeros(1, 0)]
    changed = mutate_value(draw, held)
    if draw.random() < 0.3 and isinstance(changed, dict) and isinstance(changed.get("state_dict"), dict):
        names = list(changed["state_dict"])
        if names:
            changed["state_dict"][draw.choice(names)] = draw.choice(tensors)
    stream = io.BytesIO()
    torch.save(changed, stream)
    return stream.getvalue()
