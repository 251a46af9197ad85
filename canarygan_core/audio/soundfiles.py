"""Sound files in, float32 mono out, and what is wrong with those that cannot be used."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
"""Names that count as sound, in lower case."""

SILENT = 1e-5
"""Peak below which a file is silent, where full scale is 1."""

SHORTEST = 0.010
"""Shortest sound that is of use, seconds."""

FULL_SCALE = {"PCM_U8": 127 / 128, "PCM_S8": 127 / 128, "ALAW": 0.984, "ULAW": 0.98}
"""Largest sample that a coarse encoding can hold; 0.999 is taken for the others."""

_MAGIC = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"OggS", b"ID3")
_COPY = "Copy it again from its source."
_UNKNOWN = 2**60  # libsndfile's count of frames where the header gives none is larger
_PLACEHOLDER = 0x7FFF0000  # bytes; no syllable is that large
_SLACK = 64  # some writers count a header or a padding byte into the size of the data


@dataclass(frozen=True)
class Problem:
    """Why a file is of no use.

    Attributes:
        path: the file, as it was asked for.
        kind: one of `missing`, `unreadable`, `zero-byte`, `not-audio`, `damaged`, `truncated`, `empty`, `not-finite`,
            `silent`, `too-short`, `too-long`.
        what: the reason, to be read after the path.
        advice: what would mend it.
    """

    path: str
    kind: str
    what: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


class UnusableAudio(CanaryganError):
    """Files that cannot be used; the message names each with its reason, up to a screenful.

    Attributes:
        problems: all of them.
    """

    def __init__(self, problems: Sequence[Problem], heading: str = "", advice: str = "") -> None:
        self.problems = tuple(problems)
        if not heading and len(problems) == 1:
            super().__init__(f"{problems[0]}. {problems[0].advice}".strip())
            return
        heading = heading or f"{len(problems)} files cannot be used:"
        super().__init__("\n".join([heading, *listed(problems), *([advice] if advice else [])]))


def listed(problems: Sequence[Problem], shown: int = 20) -> list[str]:
    """One indented line a problem for the first of them, and a count of the rest."""
    rest = len(problems) - shown
    lines = [f"  {problem}" for problem in problems[:shown]]
    return lines + ([f"  ... and {rest} more"] if rest > 0 else [])


@dataclass(frozen=True, eq=False)
class Recording:
    """A file's sound and what is known of the file.

    Attributes:
        audio: (samples,) float32, mono, at `rate`.
        rate: sampling rate of `audio` in Hz.
        native_rate: sampling rate of the file in Hz.
        channels: channels of the file, which `audio` is the average of.
        frames: samples a channel in the file.
        format: container, such as `WAV`.
        subtype: encoding, such as `PCM_16`.
        peak: largest absolute sample in the file, before averaging and resampling; full scale is 1.
        rms: root mean square of the file's samples; full scale is 1.
        clipped: whether a channel reaches 0.999 of full scale, or stays three samples at its encoding's largest value.
        digest: SHA-256 of the file's bytes, hexadecimal.
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

    @property
    def seconds(self) -> float:
        """Length of the file in seconds."""
        return self.frames / self.native_rate


def read(path: Path, rate: int, *, longest: float | None = None) -> Recording:
    """Decode a WAV, FLAC, OGG or MP3 file, average its channels and resample it.

    Args:
        path: the file.
        rate: sampling rate wanted, Hz.
        longest: refuse longer files, unread, seconds.

    Raises:
        UnusableAudio: where the file is broken, silent, or too short or too long to be of use.
    """
    try:
        return _read(path, rate, longest)
    except _Refused as refusal:
        raise UnusableAudio([Problem(str(path), *refusal.args)]) from None
    except FileNotFoundError:
        problem = Problem(str(path), "missing", "there is no such file", "Check its name, or its link.")
        raise UnusableAudio([problem]) from None
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        raise UnusableAudio([Problem(str(path), "unreadable", what, "Check its permissions.")]) from None


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
        with files.replacing(path) as partial:
            partial.write_bytes(encoded.getbuffer())
    except OSError as error:
        raise CanaryganError(f"Cannot write {path}: {error.strerror}.") from None


class _Refused(Exception):
    """A problem that does not know its path yet: kind, what, advice."""


def _read(path: Path, rate: int, longest: float | None) -> Recording:
    with open(path, "rb") as stream:
        _check_header(stream, longest)
        stream.seek(0)
        content = stream.read()
    data, sound = _decoded(content)
    peak = float(max(data.max(), -data.min()))  # NaN where any sample is
    if not np.isfinite(peak):
        raise _Refused("not-finite", "holds NaN or infinite samples", "Write it again from its source.")
    if peak < SILENT:
        raise _Refused("silent", f"is silent (peak {peak:.0e})", "Remove it.")
    mono = data[:, 0] if data.shape[1] == 1 else data.mean(axis=1, dtype=np.float32)
    if not np.abs(mono).max() >= SILENT:
        raise _Refused("silent", "is silent: its channels cancel out", "Keep one channel of it.")
    if sound.samplerate != rate:
        mono = soxr.resample(mono, sound.samplerate, rate, quality="HQ")
    return Recording(
        audio=np.ascontiguousarray(mono, dtype=np.float32),
        rate=rate,
        native_rate=sound.samplerate,
        channels=data.shape[1],
        frames=len(data),
        format=sound.format,
        subtype=sound.subtype,
        peak=peak,
        rms=float(np.sqrt(np.mean(np.square(data, dtype=np.float64)))),
        clipped=_clipped(data, peak, sound.subtype),
        digest=hashlib.sha256(content).hexdigest(),
    )


def resampled(audio: NDArray[np.float32], rate: int, wanted: int) -> NDArray[np.float32]:
    """Clips (n, samples) brought from one sampling rate to another, Hz; themselves where it is the same."""
    if rate == wanted:
        return audio
    made = [soxr.resample(np.ascontiguousarray(sound), rate, wanted, quality="HQ") for sound in audio]
    samples = round(audio.shape[1] * wanted / rate)
    return np.stack(made) if made else np.empty((0, samples), np.float32)


def _check_header(stream: BinaryIO, longest: float | None) -> None:
    """Refuse what holds no sound, or far too much to be worth reading."""
    start = stream.read(512)
    if not start:
        raise _Refused("zero-byte", "has no content (0 bytes)", _COPY)
    stream.seek(0)
    try:
        with soundfile.SoundFile(stream) as sound:
            frames, seconds = sound.frames, sound.frames / sound.samplerate
    except soundfile.LibsndfileError as error:
        raise _no_sound(start, _reason(error)) from None
    if frames > _UNKNOWN:
        raise _Refused("damaged", "does not say how long it is", "Write it again, such as by ffmpeg -i OLD NEW.wav.")
    if longest is not None and seconds > longest:
        what = f"lasts {seconds:.1f} s, more than {longest:g} s: a recording rather than a syllable"
        raise _Refused("too-long", what, "Cut it into syllables.")


def _no_sound(start: bytes, reason: str) -> _Refused:
    """What a file is that cannot be opened as sound, from its first bytes."""
    if start.startswith(b"version https://git-lfs"):
        return _Refused("not-audio", "is a Git LFS pointer, not the sound", "Run git lfs pull.")
    if start.startswith(_MAGIC):
        return _Refused("damaged", f"begins as sound but cannot be decoded ({reason})", _COPY)
    is_text = all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in start)
    what = "holds text, not sound" if is_text else "is not a sound file, whatever its name says"
    return _Refused("not-audio", what, "Remove it, or convert it to WAV.")


def _decoded(content: bytes) -> tuple[NDArray[np.float32], Any]:
    """The samples (frames, channels) in a file's bytes, and its decoder, closed; raises where any are missing."""
    promised, held = _riff_data(content)
    if promised > held + _SLACK:
        what = f"is truncated: its header promises {promised} bytes of sound, it holds {held}"
        raise _Refused("truncated", what, _COPY)
    with soundfile.SoundFile(io.BytesIO(content)) as sound:
        if sound.frames == 0:
            raise _Refused("empty", "holds no samples", "Remove it.")
        try:
            data: NDArray[np.float32] = sound.read(dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise _Refused("truncated", f"breaks off or is damaged ({_reason(error)})", _COPY) from None
    if len(data) < 0.99 * sound.frames:
        what = f"is truncated: its header promises {sound.frames} samples, it holds {len(data)}"
        raise _Refused("truncated", what, _COPY)
    seconds = len(data) / sound.samplerate
    if seconds < SHORTEST:
        what = f"lasts {seconds * 1000:.1f} ms, less than {SHORTEST * 1000:.0f} ms"
        raise _Refused("too-short", what, "Remove it.")
    return data, sound


def _riff_data(content: bytes) -> tuple[int, int]:
    """Bytes of sound that a WAV file's header promises, and that the file holds; (0, 0) where nothing is promised.

    libsndfile quietly gives what there is. Programs that wrote to a pipe leave about 2**31 or 2**32 for a size unknown.
    """
    if content[:4] not in (b"RIFF", b"RIFX") or content[8:12] != b"WAVE":
        return 0, 0
    order: Literal["little", "big"] = "little" if content[:4] == b"RIFF" else "big"
    at = 12
    while at + 8 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8], order)
        if content[at : at + 4] == b"data":
            return (0, 0) if size > _PLACEHOLDER else (size, len(content) - at - 8)
        at += 8 + size + size % 2
    return 0, 0


def _clipped(data: NDArray[np.float32], peak: float, subtype: str) -> bool:
    """Whether sound (frames, channels) touches full scale, as it does where a recorder was overdriven."""
    full = FULL_SCALE.get(subtype, 0.999)
    if peak >= 0.999:
        return True
    if peak < full or len(data) < 3:
        return False
    loud = np.abs(data) >= full
    return bool((loud[2:] & loud[1:-1] & loud[:-2]).any())


def _reason(error: Any) -> str:
    return str(error.error_string).rstrip(".")
