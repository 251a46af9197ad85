"""Songs made for tests: tones in noise whose onsets and offsets are known to the sample."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from canarygan_recordings import Recordings

from canarygan_core.clips import Clips

RATE = 32000
PITCH = {"a": 1500.0, "b": 2500.0, "c": 4000.0, "d": 6000.0}


@dataclass(frozen=True)
class Song:
    """A recording with what is in it, seconds."""

    path: Path
    onsets: tuple[float, ...]
    offsets: tuple[float, ...]
    labels: tuple[str, ...]
    seconds: float

    @property
    def spans(self):
        return list(zip(self.onsets, self.offsets, strict=True))

    @property
    def segments(self):
        return list(zip(self.onsets, self.offsets, self.labels, strict=True))


def make_sound(labels, seed=0, rate=RATE, noise=1e-3):
    """A song of tones: its samples, and the onset and offset of each in samples."""
    drawn = np.random.default_rng(seed)
    lengths = drawn.integers(round(0.05 * rate), round(0.1 * rate), len(labels))
    gaps = drawn.integers(round(0.04 * rate), round(0.08 * rate), len(labels) + 1)
    onsets = np.cumsum(gaps[:-1]) + np.concatenate([[0], np.cumsum(lengths)[:-1]])
    sound = drawn.normal(0, noise, int(gaps.sum() + lengths.sum()))
    for onset, length, label in zip(onsets, lengths, labels, strict=True):
        fade = np.minimum(1, np.minimum(np.arange(length), np.arange(length)[::-1]) / (0.002 * rate))
        sound[onset : onset + length] += 0.3 * fade * np.sin(2 * np.pi * PITCH[label] * np.arange(length) / rate)
    return sound.astype(np.float32), onsets, onsets + lengths


def make_song(path: Path, labels: str = "abcabc", seed: int = 0, rate: int = RATE, **options: Any) -> Song:
    """Write a song."""
    sound, onsets, offsets = make_sound(labels, seed, rate, **options)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".cbin":
        both = np.stack([sound, np.random.default_rng(9).uniform(-0.5, 0.5, len(sound))], axis=1)
        (both * 32767).astype(">i2").tofile(path)
        path.with_suffix(".rec").write_text(f"ADFREQ = {rate}\nChans = 2\nSamples = {len(sound)}\n")
    else:
        soundfile.write(path, sound, rate, subtype=None if path.suffix in (".flac", ".ogg") else "FLOAT")
    return Song(
        path, tuple((onsets / rate).tolist()), tuple((offsets / rate).tolist()), tuple(labels), len(sound) / rate
    )


def put_labels(path: Path, segments: Any) -> None:
    """Write labels as Audacity exports them."""
    path.write_text("".join(f"{onset!r}\t{offset!r}\t{label}\n" for onset, offset, label in segments), "utf-8")


def load(folder: Path, **options: Any) -> Clips:
    """The clips of a folder of songs and labels."""
    return Recordings(data_dir=folder, **options).load()
