"""Decoders whose seeking is exact, whatever the codec."""

import io
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

INEXACT = frozenset({"MP3", "OGG"})
"""Containers in which libsndfile seeks to about the place that it is asked for."""

BLOCK = 1 << 16
"""Frames decoded at a time."""

SHARED = 4
"""Files that stay open, at most."""

KEPT_S = 60.0
"""Seconds of what was decoded last that are kept, so that going back a little takes no decoding from the start."""


_shared: "dict[tuple[str, int, int], tuple[Decoder, threading.Lock]]" = {}
_sharing = threading.Lock()


class Decoder:
    """Reads the sound of a file. What it reads after `seek` is what lies there in the file decoded from its start.

    Where the codec cannot do that, or cannot seek at all, the sound from its start is decoded and passed over.

    Attributes:
        samplerate: Hz.
        channels: number of them.
        frames: samples a channel, as the file says.
        format: container, such as `WAV`.
        subtype: encoding, such as `PCM_16`.

    Args:
        source: its path, or its content as a stream.
        layout: what libsndfile has to be told of a file without a header.
    """

    def __init__(self, source: Path | BinaryIO | io.RawIOBase, **layout: Any) -> None:
        self._source, self._layout, self._file = source, layout, _open(source, layout)
        self.samplerate, self.channels = int(self._file.samplerate), int(self._file.channels)
        self.frames, self.format, self.subtype = int(self._file.frames), self._file.format, self._file.subtype
        self.is_exact = bool(self._file.seekable()) and self.format not in INEXACT
        if not self.is_exact:
            _forbid_seeking(self._file)
        self._blocks: deque[NDArray[np.float32]] = deque()  # decoded last, up to `_end`
        self._at = self._end = 0

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_closed(self) -> bool:
        return bool(self._file.closed)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def seek(self, frames: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, counted in frames from the start; gives it."""
        if whence != io.SEEK_SET:
            raise ValueError("Places are counted from the start.")
        self._at = frames
        if self.is_exact:
            return int(self._file.seek(min(frames, self.frames)))
        return frames

    def read(self, frames: int = -1, dtype: str = "float32", always_2d: bool = True) -> NDArray[Any]:
        """The next frames (n, channels); all that are left where no number is given, fewer at the end.

        Other types than float32 are for files whose seeking is exact by itself.
        """
        data = self._read_exact(frames, dtype) if self.is_exact else self._read_forward(frames)
        return data if always_2d or self.channels > 1 else data[:, 0]

    def _read_exact(self, frames: int, dtype: str) -> NDArray[Any]:
        wanted = frames if frames >= 0 else self.frames
        if wanted <= BLOCK:  # a header may promise more than there is, and more than memory holds
            return self._decode(wanted, dtype)
        parts = []
        while wanted > 0 and len(part := self._decode(min(wanted, BLOCK), dtype)):
            parts.append(part)
            wanted -= len(part)
        return np.concatenate(parts) if parts else self._decode(0, dtype)

    def _read_forward(self, frames: int) -> NDArray[np.float32]:
        kept = sum(map(len, self._blocks))
        if self._at < self._end - kept:  # begin anew
            self._file.close()
            self._file = _forbid_seeking(_open(self._source, self._layout))
            self._blocks.clear()
            self._end = kept = 0
        parts: list[NDArray[np.float32]] = []
        start = self._end - kept
        for block in self._blocks:
            parts.append(block[max(self._at - start, 0) :])
            start += len(block)
        count, most = sum(map(len, parts)), KEPT_S * self.samplerate
        while frames < 0 or count < frames:
            block = self._decode(BLOCK)
            if not len(block):
                break
            skipped = max(self._at - self._end, 0)
            self._blocks.append(block)
            self._end += len(block)
            kept += len(block)
            while kept - len(self._blocks[0]) > most:
                kept -= len(self._blocks.popleft())
            parts.append(block[skipped:])
            count += len(parts[-1])
        data = np.concatenate(parts) if parts else np.empty((0, self.channels), np.float32)
        data = data if frames < 0 else data[:frames]
        self._at += len(data)
        return data

    def _decode(self, frames: int, dtype: str = "float32") -> NDArray[Any]:
        """The next frames (n, channels) of the file."""
        data: NDArray[Any] = self._file.read(frames, dtype=dtype, always_2d=True)
        return data


@contextmanager
def share(path: Path, make: Callable[[], Decoder]) -> Iterator[Decoder]:
    """A decoder of a file for one thread at a time; one that can only go forward stays open for the next caller.

    Args:
        path: the file.
        make: opens it.
    """
    about = path.stat()
    key = (str(path.absolute()), about.st_size, about.st_mtime_ns)
    with _sharing:
        shared = _shared.get(key)
    if shared is None:
        decoder = make()
        if decoder.is_exact:
            with decoder:
                yield decoder
            return
        with _sharing:
            shared = _shared.setdefault(key, (decoder, threading.Lock()))
            old = [_shared.pop(next(iter(_shared))) for _ in range(len(_shared) - SHARED)]
        for one in (*old, *([(decoder, threading.Lock())] if shared[0] is not decoder else [])):
            with one[1]:
                one[0].close()
    with shared[1]:
        if shared[0].is_closed:  # others were read since
            with make() as decoder:
                yield decoder
        else:
            yield shared[0]


def _open(source: Path | BinaryIO | io.RawIOBase, layout: Mapping[str, Any]) -> soundfile.SoundFile:
    """A file opened by libsndfile, from its start."""
    if not isinstance(source, Path):
        source.seek(0)
        return soundfile.SoundFile(source, **layout)
    return soundfile.SoundFile(os.fsencode(source) if os.name == "posix" else source, **layout)  # a name may be no text


def _forbid_seeking(file: soundfile.SoundFile) -> soundfile.SoundFile:
    """Let soundfile take a file for one that cannot seek, else it seeks after each block that it reads."""
    setattr(file, "seekable", lambda: False)  # noqa: B010
    return file
