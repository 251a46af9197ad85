"""Stretches of recordings: read to the sample, one channel of them, filtered and resampled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from canarygan_core import audio
from canarygan_core.audio import Filter
from canarygan_core.errors import CanaryganError


@dataclass(frozen=True)
class Header:
    """What is known of a recording before it is read.

    Attributes:
        rate: Hz.
        frames: samples a channel.
        channels: count.
    """

    rate: int
    frames: int
    channels: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate


@dataclass(frozen=True)
class Ear:
    """How a recording is listened to.

    Attributes:
        rate: what its sound is brought to, Hz.
        channel: from 1; None for the mean of all, but the first of a `.cbin`, whose others hold no song.
        filtering: what is taken out of each stretch, as if it were a file of its own: so does all that hears it again.
    """

    rate: int
    channel: int | None = None
    filtering: Filter = Filter()  # noqa: RUF009 frozen


def read_header(path: Path) -> Header:
    """What a recording's header says.

    Raises:
        UnusableAudio: where it is missing or broken.
    """
    with audio.open_recording(path) as sound:
        return Header(int(sound.samplerate), int(sound.frames), int(sound.channels))


def read_stretches(path: Path, spans: Sequence[tuple[float, float]], ear: Ear) -> list[NDArray[np.float32]]:
    """Stretches of a recording, each (samples,) at the ear's rate.

    Args:
        path: the recording, of which no more is read than these stretches.
        spans: from where to where, seconds; what lies before the beginning or beyond the end is left out.
        ear: how it is listened to.

    Raises:
        UnusableAudio: where the recording is missing or broken.
        CanaryganError: where it has no such channel.
    """
    with audio.open_recording(path) as sound:
        native = int(sound.samplerate)
        check_channel(path, ear.channel, int(sound.channels))
        return [_read_stretch(path, sound, native, onset, offset, ear) for onset, offset in spans]


def check_channel(path: Path, channel: int | None, channels: int) -> None:
    """Raise `CanaryganError` where a recording has no such channel."""
    if (channel or 0) > channels:
        raise CanaryganError(f"--channel {channel}: {path} has {channels}.")


def _read_stretch(
    path: Path, sound: soundfile.SoundFile, native: int, onset: float, offset: float, ear: Ear
) -> NDArray[np.float32]:
    first, last = max(0, round(onset * native)), min(sound.frames, round(offset * native))
    sound.seek(min(first, sound.frames))
    mono = mix(path, sound.read(max(last - first, 0), dtype="float32", always_2d=True), ear.channel)
    brought: NDArray[np.float32] = audio.convert(mono[None], native, ear.rate, ear.filtering)[0] if len(mono) else mono
    return brought


def mix(path: Path, data: NDArray[np.float32], channel: int | None) -> NDArray[np.float32]:
    """One channel (samples,) of sound (samples, channels); see `Ear`."""
    if channel is None and path.suffix.lower() != ".cbin":
        mean: NDArray[np.float32] = data[:, 0] if data.shape[1] == 1 else data.mean(axis=1, dtype=np.float32)
        return mean
    chosen: NDArray[np.float32] = data[:, (channel or 1) - 1]
    return chosen


def read_blocks(
    path: Path, channel: int | None, seconds: float, margin: float
) -> Iterator[tuple[NDArray[np.float32], int, int]]:
    """A recording from its beginning to its end, block by block, so that an hour takes no more memory than a minute.

    Args:
        path: the recording.
        channel: see `Ear`.
        seconds: length of a block.
        margin: sound that a block has beyond its ends, where there is some, seconds.

    Yields:
        The block (samples,) with its margins at the recording's own rate, the margin before it, and its own length.
    """
    with audio.open_recording(path) as sound:
        check_channel(path, channel, int(sound.channels))
        size, edge = round(seconds * sound.samplerate), round(margin * sound.samplerate)
        for start in range(0, sound.frames, size):
            first, stop = max(0, start - edge), min(sound.frames, start + size)
            sound.seek(first)
            data = sound.read(min(sound.frames, stop + edge) - first, dtype="float32", always_2d=True)
            yield mix(path, data, channel), start - first, stop - start
