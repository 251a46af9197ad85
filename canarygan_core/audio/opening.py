"""Sound files opened: what is wrong with them is told, and what a header says wrongly is mended."""

import io
import math
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from canarygan_core.audio import containers, evtaf
from canarygan_core.audio.decoder import Decoder, share
from canarygan_core.audio.problems import Problem, Refusal, UnusableAudio, require
from canarygan_core.errors import CanaryganError

START = 512
"""Bytes that tell what a file is."""

LOWEST, HIGHEST = 100, 10_000_000
"""Sampling rates that a file may have, Hz."""

_MAGIC = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"OggS", b"ID3")
_UNKNOWN = 2**60  # libsndfile's count of frames where the header gives none is larger


@contextmanager
def open_recording(path: Path) -> Iterator[Decoder]:
    """A recording of any length, open to be read from; also a `.cbin`.

    Raises:
        UnusableAudio: where it is missing or broken, here or in the block.
        CanaryganError: where nothing tells the rate of a `.cbin`.
    """
    with open_file(path) as stream, _open_recording(path, stream) as sound:
        check_length(sound, None)
        yield sound


@contextmanager
def share_recording(path: Path) -> Iterator[Decoder]:
    """The same for a stretch of it: what can only be decoded forward stays open for the next stretch."""
    with open_file(path) as stream, share(path, lambda: _open_recording(path, stream)) as sound:
        check_length(sound, None)
        yield sound


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a regular file. What is wrong with it, here or in the block, is raised as `UnusableAudio`."""
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)  # to open a pipe would wait for ever
        require(is_file, "unreadable", "is a folder, a pipe or a device, and no file", "Give a sound file.")
        with open(path, "rb") as stream:
            yield stream
        return
    except Refusal as refusal:
        kind, what, advice = refusal.args
    except soundfile.LibsndfileError as error:
        what = f"breaks off or is damaged ({str(error.error_string).rstrip('.')})"
        kind, advice = "truncated", containers.COPY
    except FileNotFoundError:
        kind, what, advice = "missing", "there is no such file", "Check its name, or its link."
    except OSError as error:
        kind, what, advice = "unreadable", f"cannot be read ({error.strerror})", "Check its permissions."
    raise UnusableAudio([Problem(str(path), kind, what, advice)])


def open_sound(source: io.RawIOBase | BinaryIO | Path, content: bytes) -> Decoder:
    """A decoder of a sound, whose content, or the first `START` bytes of it, says why it cannot be decoded."""
    if isinstance(source, io.IOBase):
        source.seek(0)
    try:
        return Decoder(source, **(evtaf.describe(source) if isinstance(source, Path) else {}))
    except CanaryganError:
        raise
    except Exception as error:  # noqa: BLE001 a damaged file may break the reader anywhere
        reason = str(getattr(error, "error_string", error)).rstrip(".")
    start = content[:START]
    require(len(start) > 0, "zero-byte", "has no content (0 bytes)", containers.COPY)
    is_pointer = start.startswith(b"version https://git-lfs")
    require(not is_pointer, "not-audio", "is a Git LFS pointer, not the sound", "Run git lfs pull.")
    is_foreign = not start.startswith(_MAGIC)
    require(is_foreign, "damaged", f"begins as sound but cannot be decoded ({reason})", containers.COPY)
    is_text = all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in start)
    what = "holds text, not sound" if is_text else "is not a sound file, whatever its name says"
    raise Refusal("not-audio", what, "Remove it, or convert it to WAV.")


def decode(sound: Decoder, frames: int = -1) -> NDArray[np.float32]:
    """The next frames (n, channels) of a sound; what a decoder cannot take is damage."""
    try:
        return sound.read(frames)
    except (soundfile.LibsndfileError, CanaryganError):
        raise
    except Exception as error:  # noqa: BLE001 a damaged file may break the reader anywhere
        raise Refusal("damaged", f"cannot be decoded ({error or type(error).__name__})", containers.COPY) from None


def check_length(sound: Decoder, longest: float | None) -> None:
    """Refuse a file that does not say how long it is, or lasts more than `longest` seconds."""
    advice = "Write it again, such as by ffmpeg -i OLD NEW.wav."
    is_rate = LOWEST <= sound.samplerate <= HIGHEST
    require(is_rate, "damaged", f"says that its sampling rate is {sound.samplerate} Hz", advice)
    require(sound.frames <= _UNKNOWN, "damaged", "does not say how long it is", advice)
    seconds, limit = sound.frames / sound.samplerate, math.inf if longest is None else longest
    what = f"lasts {seconds:.1f} s, more than {limit:g} s: a recording rather than a syllable"
    require(seconds <= limit, "too-long", what, "Cut it into syllables.")


def _open_recording(path: Path, stream: BinaryIO) -> Decoder:
    """A decoder of a recording of any size; what is compressed is held in memory as it is."""
    start = stream.read(START)
    if (patch := containers.patch_wave(stream)) is not None:
        return open_sound(containers.Patched(stream, *patch), start)
    if start[:4] == b"OggS" or start[:3] == b"ID3" or containers.is_mp3(start):
        stream.seek(0)
        content = containers.mend(stream.read())
        return open_sound(containers.Content(content), content)
    return open_sound(path, start)
