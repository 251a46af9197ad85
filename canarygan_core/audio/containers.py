"""What sound files say of their own length, put right or refused where it is not what they hold.

libsndfile believes a header: it reads no further than a header says, and says nothing where a file ends before.
"""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO, Literal, NamedTuple

from canarygan_core.audio.problems import require

COPY = "Copy it again from its source."
JOINED = "Write it again, such as by ffmpeg -i OLD NEW.wav, or cut it where it was joined."

PLACEHOLDER = 0x7FFF0000  # bytes; no syllable is that large
SLACK = 64  # some writers count a header or a padding byte into the size of the data

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""Sampling rates of MPEG audio by the version's two bits and the rate's."""

_KBITS = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates of layer III by the version's two bits (0 as 2) and the rate's, 1000 bits a second."""

_SEARCHED = 1 << 16  # bytes between two MPEG frames in which the next one is looked for


class Size(NamedTuple):
    """The sound's size in a WAV file.

    Attributes:
        at: where the size stands.
        start: where the sound starts.
        promised: the size, bytes.
        held: bytes from there to the end of the file.
        order: of the bytes of a number.
        wide: bytes of the number.
    """

    at: int
    start: int
    promised: int
    held: int
    order: Literal["little", "big"]
    wide: int


class Frame(NamedTuple):
    """A frame of an MP3 file.

    Attributes:
        size: bytes.
        samples: samples a channel.
        tag: where in it a Xing header may stand.
    """

    size: int
    samples: int
    tag: int


class Content(io.BytesIO):
    """Bytes to be decoded; libsndfile, misled by a damaged header, may ask for places before the first."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return super().seek(max(offset, 0) if whence == io.SEEK_SET else offset, whence)


class Patched(io.RawIOBase):
    """A file in which some bytes are others than on disk.

    Args:
        stream: the file.
        at: where the bytes stand.
        number: the bytes.
    """

    def __init__(self, stream: BinaryIO, at: int, number: bytes) -> None:
        self._stream, self._patch_at, self._number = stream, at, number

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(max(offset, 0) if whence == io.SEEK_SET else offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: Any) -> int:
        at = self._stream.tell()
        content = bytearray(self._stream.read(len(buffer)))
        for place, byte in enumerate(self._number, self._patch_at - at):
            if 0 <= place < len(content):
                content[place] = byte
        memoryview(buffer).cast("B")[: len(content)] = content
        return len(content)


def is_mp3(start: bytes) -> bool:
    """Whether a file that starts so is an MP3 file without a tag in front."""
    return _read_frame(start, 0) is not None


def mend(content: bytes) -> bytes:
    """The content of a sound file, its length put right where a decoder would stop before its end.

    Raises:
        Refusal: where the file breaks off, or holds several files joined end to end.
    """
    if content[:4] in (b"RIFF", b"RIFX", b"RF64") and content[8:12] == b"WAVE":
        return _mend_wave(content)
    if content[:4] == b"OggS":
        _check_ogg(content)
    elif content[:4] == b"fLaC":
        is_joined = any(mark in content[4:] for mark in (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22"))
        require(not is_joined, "damaged", "holds several FLAC files, one after the other", JOINED)
    elif content[:3] == b"ID3" or _read_frame(content, 0) is not None:
        return _mend_mp3(content)
    return content


def patch_wave(stream: BinaryIO) -> tuple[int, bytes] | None:
    """Where in a WAV file, and what, is to stand instead of a size of 0 that a recorder did not come to mend."""
    size = _find_size(stream)
    if size is None or size.promised != 0 or size.held == 0:
        return None
    total = size.start + size.held
    if _is_chunk(stream, size.start, total):  # no sound, and then something else
        return None
    return size.at, min(size.held, 256**size.wide - 1).to_bytes(size.wide, size.order)


def _mend_wave(content: bytes) -> bytes:
    stream = io.BytesIO(content)
    if (patch := patch_wave(stream)) is not None:
        at, number = patch
        return content[:at] + number + content[at + len(number) :]
    size = _find_size(stream)
    if size is None or size.promised > PLACEHOLDER:
        return content
    what = f"is truncated: its header promises {size.promised} bytes of sound, it holds {size.held}"
    require(size.promised <= size.held + SLACK, "truncated", what, COPY)
    end = size.start + size.promised
    rest = content[end:]
    if len(rest) > SLACK and rest.strip(b"\0"):
        starts = (end, end + size.promised % 2)
        is_joined = any(content[at : at + 4] in (b"RIFF", b"RIFX", b"RF64") for at in starts)
        require(not is_joined, "damaged", "holds several WAV files, one after the other", JOINED)
        what = f"holds {len(rest)} bytes after the {size.promised} bytes of sound that its header promises"
        is_known = any(_is_chunk(stream, at, len(content)) for at in starts) or rest[:3] == b"TAG"
        require(is_known, "damaged", what, JOINED)
    return content


def _find_size(stream: BinaryIO) -> Size | None:
    """The size of the sound in a WAV file, None where it has no sound."""
    stream.seek(0, io.SEEK_END)
    total = stream.tell()
    stream.seek(0)
    start = stream.read(12)
    if start[:4] not in (b"RIFF", b"RIFX", b"RF64") or start[8:12] != b"WAVE":
        return None
    order: Literal["little", "big"] = "big" if start[:4] == b"RIFX" else "little"
    at, wide = 12, -1  # where an RF64's 64-bit size stands
    while at + 8 <= total:
        stream.seek(at)
        head = stream.read(8)
        size = int.from_bytes(head[4:], order)
        if head[:4] == b"ds64":
            wide = at + 16
        if head[:4] == b"data":
            if size == 0xFFFFFFFF and wide > 0:
                stream.seek(wide)
                return Size(wide, at + 8, int.from_bytes(stream.read(8), order), total - at - 8, order, 8)
            return Size(at + 4, at + 8, size, total - at - 8, order, 4)
        at += 8 + size + size % 2
    return None


def _is_chunk(stream: BinaryIO, at: int, total: int) -> bool:
    """Whether a chunk stands at a place of a RIFF file: a name of letters, and a size that fits."""
    stream.seek(at)
    head = stream.read(8)
    sizes = [int.from_bytes(head[4:], "little"), int.from_bytes(head[4:], "big")]
    return len(head) == 8 and all(32 <= byte < 127 for byte in head[:4]) and at + 8 + min(sizes) <= total + 1


def _check_ogg(content: bytes) -> None:
    """Refuse a chain of Ogg streams, of which only the first would be read."""
    at, has_ended = 0, False
    while content[at : at + 4] == b"OggS" and at + 27 <= len(content):
        kind, segments = content[at + 5], content[at + 26]
        require(not (has_ended and kind & 2), "damaged", "holds several Ogg streams, one after the other", JOINED)
        has_ended |= bool(kind & 4)
        at += 27 + segments + sum(content[at + 27 : at + 27 + segments])


def _mend_mp3(content: bytes) -> bytes:
    """An MP3 file that says how many frames it has; without that, a decoder takes an estimate for its length."""
    first, count, samples, tags = -1, 0, 0, 0
    for at, frame in _walk_frames(content):
        if content[at + frame.tag : at + frame.tag + 4] in (b"Xing", b"Info"):
            tags += 1
        else:
            first = at if first < 0 else first
            count, samples = count + 1, samples + frame.samples
    require(tags < 2, "damaged", "holds several MP3 files, one after the other", JOINED)
    if tags or count < 2:
        return content
    model = _read_frame(content, first)
    assert model is not None
    head = bytearray(content[first : first + 4])
    head[1] |= 1  # no checksum
    head[2] = 0x90 | head[2] & 0x0C  # a bit rate at which a header fits in
    told = _read_frame(bytes(head), 0)
    assert told is not None
    start = bytes(head).ljust(model.tag, b"\0") + b"Xing" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
    return start.ljust(told.size, b"\0") + content[first:]


def _walk_frames(content: bytes) -> Iterator[tuple[int, Frame]]:
    """Where each whole frame of an MP3 file starts, and the frame; what is between two of them is passed over."""
    at = 0
    if content[:3] == b"ID3" and len(content) > 10:
        at = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(content[6:10], (21, 14, 7, 0), strict=True))
    while at < len(content):
        frame = _read_frame(content, at)
        if frame is None or at + frame.size > len(content):
            at = _find_frame(content, at + 1)
            if at < 0:
                return
            continue
        yield at, frame
        at += frame.size


def _find_frame(content: bytes, start: int) -> int:
    """Where the next two frames in a row start, -1 where there are none near."""
    at = content.find(b"\xff", start, start + _SEARCHED)
    while at >= 0:
        frame = _read_frame(content, at)
        if frame is not None and _read_frame(content, at + frame.size) is not None:
            return at
        at = content.find(b"\xff", at + 1, start + _SEARCHED)
    return -1


def _read_frame(content: bytes, at: int) -> Frame | None:
    """The frame of layer III whose header stands at a place, None where there is none."""
    head = int.from_bytes(content[at : at + 4], "big")
    version, layer, bits, rate = head >> 19 & 3, head >> 17 & 3, head >> 12 & 15, head >> 10 & 3
    if head >> 21 != 0x7FF or version == 1 or layer != 1 or bits in (0, 15) or rate == 3:
        return None
    is_first = version == 3
    size = (144 if is_first else 72) * 1000 * _KBITS[3 if is_first else 2][bits] // _RATES[version][rate]
    side = ((17 if head >> 6 & 3 == 3 else 32) if is_first else (9 if head >> 6 & 3 == 3 else 17)) + 4
    return Frame(size + (head >> 9 & 1), 1152 if is_first else 576, side)
