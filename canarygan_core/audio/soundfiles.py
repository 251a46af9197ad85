"""Sound files to float32 mono and back, and the checks that a file must pass to be used."""

import hashlib
import io
import math
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from canarygan_core.audio import containers
from canarygan_core.audio.decoder import Decoder, share
from canarygan_core.audio.filtering import convert
from canarygan_core.audio.inspection import is_clipped
from canarygan_core.audio.options import Filter
from canarygan_core.audio.problems import Problem, Refusal, UnusableAudio, require
from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files

SILENT = 1e-5
"""Peak below which a file is silent, where full scale is 1."""

SHORTEST = 0.010
"""Shortest sound that is of use, seconds."""

LONGEST = 10
"""A file of more clip lengths than this is a recording, to be cut into clips first."""

_START = 512  # bytes that tell what a file is
_LARGE = 2**20  # bytes; a larger file may be a long recording
_MAGIC = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"OggS", b"ID3")
_UNKNOWN = 2**60  # libsndfile's count of frames where the header gives none is larger


@dataclass(frozen=True, eq=False)
class Recording:
    """A file's sound and what is known of the file.

    Attributes:
        audio: (samples,) float32, mono, filtered, at `rate`.
        rate: sampling rate of `audio` in Hz.
        native_rate: sampling rate of the file in Hz.
        channels: channels of the file.
        frames: samples a channel in the file.
        format: container, such as `WAV`.
        subtype: encoding, such as `PCM_16`.
        peak: largest absolute sample in the file, before anything is done to it; full scale is 1.
        rms: root mean square of the file's samples; full scale is 1.
        clipped: whether a channel reaches 0.999 of full scale, or stays three samples at its encoding's largest value.
        digest: SHA-256 of the file's bytes, hexadecimal.
        inspected: what the caller's own inspection of the file's samples gave.
    """

    audio: NDArray[np.float32]
    rate: int
    native_rate: int
    channels: int
    frames: int
    format: str
    subtype: str
    peak: float
    rms: float
    clipped: bool
    digest: str
    inspected: Any = None

    @property
    def seconds(self) -> float:
        """Length of the file in seconds."""
        return self.frames / self.native_rate


def read(
    path: Path,
    rate: int,
    *,
    longest: float | None = None,
    channel: int | None = None,
    filtering: Filter = Filter(),  # noqa: B008 frozen
    inspect: Callable[[NDArray[np.float32], int, str], Any] | None = None,
) -> Recording:
    """Decode a WAV, FLAC, OGG or MP3 file to one channel, resample it and filter it.

    Args:
        path: the file.
        rate: sampling rate wanted, Hz.
        longest: refuse longer files without reading them, seconds.
        channel: the channel to take, from 1; None averages all.
        filtering: what to take out of the sound: the mean unless this says otherwise.
        inspect: looks at the file's samples (frames, channels), rate in Hz and encoding, as the file has them.

    Raises:
        UnusableAudio: where the file is missing, broken, silent, too short, too long, or lacks the channel.
    """
    with _open_file(path) as stream:
        if os.fstat(stream.fileno()).st_size > _LARGE:  # perhaps a recording: its header tells before all is read
            with _open_sound(stream, stream.read(_START)) as sound:
                _check_length(sound, longest)
            stream.seek(0)
        content = stream.read()
        mended = containers.mend(content)
        with _open_sound(containers.Content(mended), mended) as sound:
            _check_length(sound, longest)
            data = _decode(sound)
            _check_complete(sound, len(data))
        low, high = float(data.min()), float(data.max())  # NaN where any sample is
        peak = max(high, -low)
        require(math.isfinite(peak), "not-finite", "holds NaN or infinite samples", "Write it again from its source.")
        require(peak >= SILENT, "silent", f"is silent (peak {peak:.0e})", "Remove it.")
        require(high - low >= SILENT, "silent", f"is silent but for an offset of {high:.3g}", "Remove it.")
        mono = _take_channel(data, channel)
        if data.shape[1] > 1:
            kept = "its channels cancel out" if channel is None else f"its channel {channel} is"
            is_audible = max(mono.max(), -mono.min()) >= SILENT
            require(is_audible, "silent", f"is silent: {kept}", "Keep another channel of it, by --channel.")
    return Recording(
        audio=convert(mono[None], sound.samplerate, rate, filtering)[0],
        rate=rate,
        native_rate=sound.samplerate,
        channels=data.shape[1],
        frames=len(data),
        format=sound.format,
        subtype=sound.subtype,
        peak=peak,
        rms=math.sqrt(np.vdot(data, data) / data.size),
        clipped=is_clipped(data, peak, sound.subtype),
        digest=hashlib.sha256(content).hexdigest(),
        inspected=None if inspect is None else inspect(data, sound.samplerate, sound.subtype),
    )


def read_stretch(
    path: Path,
    rate: int,
    onset: float,
    offset: float,
    *,
    channel: int | None = None,
    filtering: Filter = Filter(),  # noqa: B008 frozen
) -> tuple[NDArray[np.float32], int]:
    """A stretch of a recording, which is never read whole, filtered as if it were a file of its own.

    Args:
        path: the recording.
        rate: sampling rate wanted, Hz.
        onset: start of the stretch, seconds.
        offset: its end, seconds.
        channel: the channel to take, from 1; None averages all.
        filtering: what to take out of the sound.

    Returns:
        The stretch (samples,), mono, at `rate`; and the recording's own sampling rate in Hz.

    Raises:
        UnusableAudio: where the recording is missing, broken, or lacks the stretch or the channel.
    """
    with _open_file(path) as stream, share(path, lambda: _open_recording(path, stream)) as sound:
        native, seconds = int(sound.samplerate), sound.frames / sound.samplerate
        what = f"lasts {seconds:.3f} s, and the table asks for {onset:g} to {offset:g} s"
        is_inside = onset < seconds and offset <= seconds + 0.05
        require(is_inside, "too-short", what, "Mend the table, or give the recording it is of.")
        sound.seek(round(onset * native))
        data = _decode(sound, round((offset - onset) * native))
        require(len(data) > 0, "empty", f"has no sample from {onset:g} to {offset:g} s", "Mend the table.")
        is_finite = np.isfinite(data).all()
        what = f"holds NaN or infinite samples from {onset:g} to {offset:g} s"
        require(is_finite, "not-finite", what, "Write it again from its source.")
        mono = _take_channel(data, channel)
    return convert(mono[None], native, rate, filtering)[0], native


def write(path: Path, audio: NDArray[Any], rate: int, subtype: Literal["PCM_16", "FLOAT"] = "PCM_16") -> None:
    """Write a WAV file, atomically. What a 16-bit file held comes back from 16 bits unchanged.

    Args:
        path: the file; its folder is made where it is missing.
        audio: (samples,) or (samples, channels); 16 bits clip it to full scale, `FLOAT` keeps it.
        rate: sampling rate in Hz.
        subtype: `PCM_16` or `FLOAT`.

    Raises:
        CanaryganError: where samples are not finite, or the file cannot be written.
    """
    if not np.isfinite(audio).all():
        raise CanaryganError(f"{path} was not written: the sound holds NaN or infinite samples.")
    if subtype == "PCM_16":
        # libsndfile writes floats times 32767 but reads them by 32768, which would shift loud samples by one
        audio = np.clip(np.rint(np.asarray(audio, dtype=np.float64) * 32768), -32768, 32767).astype(np.int16)
    encoded = io.BytesIO()
    soundfile.write(encoded, audio, rate, format="WAV", subtype=subtype)
    try:
        with files.replace_file(path) as partial:
            partial.write_bytes(encoded.getbuffer())
    except OSError as error:
        raise CanaryganError(f"Cannot write {path}: {error.strerror}.") from None


def _take_channel(data: NDArray[np.float32], channel: int | None) -> NDArray[np.float32]:
    """One channel of sound (frames, channels), counted from 1, or the mean of all: (frames,)."""
    if channel is not None:
        has_it = channel <= data.shape[1]
        require(
            has_it, "too-few-channels", f"has no channel {channel}, only {data.shape[1]}", "Give another --channel."
        )
        return data[:, channel - 1]
    return data[:, 0] if data.shape[1] == 1 else data.mean(axis=1, dtype=np.float32)  # the mean of one takes longer


@contextmanager
def _open_file(path: Path) -> Iterator[BinaryIO]:
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


def _open_sound(source: io.RawIOBase | BinaryIO | Path, content: bytes) -> Decoder:
    """A decoder of a sound, whose content, or the first `_START` bytes of it, says why it cannot be decoded."""
    if isinstance(source, io.IOBase):
        source.seek(0)
    try:
        return Decoder(source)
    except Exception as error:  # noqa: BLE001 a damaged file may break the reader anywhere
        reason = str(getattr(error, "error_string", error)).rstrip(".")
    start = content[:_START]
    require(len(start) > 0, "zero-byte", "has no content (0 bytes)", containers.COPY)
    is_pointer = start.startswith(b"version https://git-lfs")
    require(not is_pointer, "not-audio", "is a Git LFS pointer, not the sound", "Run git lfs pull.")
    is_foreign = not start.startswith(_MAGIC)
    require(is_foreign, "damaged", f"begins as sound but cannot be decoded ({reason})", containers.COPY)
    is_text = all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in start)
    what = "holds text, not sound" if is_text else "is not a sound file, whatever its name says"
    raise Refusal("not-audio", what, "Remove it, or convert it to WAV.")


def _open_recording(path: Path, stream: BinaryIO) -> Decoder:
    """A decoder of a recording of any size; what is compressed is held in memory as it is."""
    start = stream.read(_START)
    if (patch := containers.patch_wave(stream)) is not None:
        return _open_sound(containers.Patched(stream, *patch), start)
    if start[:4] == b"OggS" or start[:3] == b"ID3" or containers.is_mp3(start):
        stream.seek(0)
        content = containers.mend(stream.read())
        return _open_sound(containers.Content(content), content)
    return _open_sound(path, start)


def _decode(sound: Decoder, frames: int = -1) -> NDArray[np.float32]:
    """The next frames (n, channels) of a sound; what a decoder cannot take is damage."""
    try:
        return sound.read(frames)
    except (soundfile.LibsndfileError, CanaryganError):
        raise
    except Exception as error:  # noqa: BLE001 a damaged file may break the reader anywhere
        raise Refusal("damaged", f"cannot be decoded ({error or type(error).__name__})", containers.COPY) from None


def _check_length(sound: Decoder, longest: float | None) -> None:
    """Refuse a file that does not say how long it is, or lasts more than `longest` seconds."""
    advice = "Write it again, such as by ffmpeg -i OLD NEW.wav."
    require(sound.frames <= _UNKNOWN, "damaged", "does not say how long it is", advice)
    seconds, limit = sound.frames / sound.samplerate, math.inf if longest is None else longest
    what = f"lasts {seconds:.1f} s, more than {limit:g} s: a recording rather than a syllable"
    require(seconds <= limit, "too-long", what, "Cut it into syllables.")


def _check_complete(sound: Decoder, frames: int) -> None:
    """Refuse a file of which so many samples were read, where there are none, fewer than it promises, or too few."""
    require(sound.frames > 0, "empty", "holds no samples", "Remove it.")
    what = f"is truncated: its header promises {sound.frames} samples, it holds {frames}"
    require(frames >= 0.99 * sound.frames, "truncated", what, containers.COPY)
    seconds = frames / sound.samplerate
    what = f"lasts {seconds * 1000:.1f} ms, less than {SHORTEST * 1000:.0f} ms"
    require(seconds >= SHORTEST, "too-short", what, "Remove it.")
