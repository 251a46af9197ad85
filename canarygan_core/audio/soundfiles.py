"""Sound files to float32 mono and back, and the checks that a file must pass to be used."""

import hashlib
import io
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from canarygan_core.audio import containers, evtaf
from canarygan_core.audio.decoder import Decoder
from canarygan_core.audio.filtering import convert
from canarygan_core.audio.inspection import is_clipped
from canarygan_core.audio.opening import START, check_length, decode, open_file, open_sound, share_recording
from canarygan_core.audio.options import Filter
from canarygan_core.audio.problems import require
from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files

SILENT = 1e-5
"""Peak below which a file is silent, where full scale is 1."""

SHORTEST = 0.010
"""Shortest sound that is of use, seconds."""

LONGEST = 10
"""A file of more clip lengths than this is a recording, to be cut into clips first."""

_LARGE = 2**20  # bytes; a larger file may be a long recording


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
    with open_file(path) as stream:
        if os.fstat(stream.fileno()).st_size > _LARGE:  # perhaps a recording: its header tells before all is read
            with open_sound(stream, stream.read(START)) as sound:
                check_length(sound, longest)
            stream.seek(0)
        content = stream.read()
        mended = containers.mend(content)
        with open_sound(containers.Content(mended), mended) as sound:
            check_length(sound, longest)
            data = decode(sound)
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
    with share_recording(path) as sound:
        native, seconds = int(sound.samplerate), sound.frames / sound.samplerate
        what = f"lasts {seconds:.3f} s, and the table asks for {onset:g} to {offset:g} s"
        is_inside = onset < seconds and offset <= seconds + 0.05
        require(is_inside, "too-short", what, "Mend the table, or give the recording it is of.")
        sound.seek(round(onset * native))
        data = decode(sound, round((offset - onset) * native))
        require(len(data) > 0, "empty", f"has no sample from {onset:g} to {offset:g} s", "Mend the table.")
        is_finite = np.isfinite(data).all()
        what = f"holds NaN or infinite samples from {onset:g} to {offset:g} s"
        require(is_finite, "not-finite", what, "Write it again from its source.")
        mono = _take_channel(data, 1 if channel is None and evtaf.is_evtaf(path) else channel)
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


def _check_complete(sound: Decoder, frames: int) -> None:
    """Refuse a file of which so many samples were read, where there are none, fewer than it promises, or too few."""
    require(sound.frames > 0, "empty", "holds no samples", "Remove it.")
    what = f"is truncated: its header promises {sound.frames} samples, it holds {frames}"
    require(frames >= 0.99 * sound.frames, "truncated", what, containers.COPY)
    seconds = frames / sound.samplerate
    what = f"lasts {seconds * 1000:.1f} ms, less than {SHORTEST * 1000:.0f} ms"
    require(seconds >= SHORTEST, "too-short", what, "Remove it.")
