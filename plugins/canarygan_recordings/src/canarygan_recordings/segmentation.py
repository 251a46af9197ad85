"""Syllables found by their level: above the noise by one threshold somewhere, and by a lower one from end to end."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.errors import CanaryganError
from canarygan_recordings.sounds import Header, read_blocks, read_header

STEP = 0.0005
"""From one value of the level to the next, seconds."""

BLOCK = 10.0
"""Sound that is filtered at a time, seconds."""

FAINTEST = 60.0
"""Noise is taken to be no fainter than this below the loudest sound: digital silence is no noise. dB."""

QUIET = 10
"""Share of the time that is surely no song, in per cent: the level that is not reached then is the noise."""

Spans = list[tuple[float, float]]


@dataclass(frozen=True)
class Segmentation:
    """How syllables are found. The defaults were chosen on two Bengalese finches, of which docs/recordings.md tells."""

    above: float = 12.0
    """How far above the noise a syllable must rise somewhere, dB."""
    edge: float = 6.0
    """How far above the noise it begins and ends, dB."""
    smooth: float = 6.0
    """Length of the window over which the level is taken, milliseconds."""
    min_gap: float = 5.0
    """Shorter gaps between two syllables join them, milliseconds."""
    min_syllable: float = 20.0
    """Shorter sounds are left out, milliseconds."""
    max_syllable: float = 0.0
    """Longer sounds are left out; 0 for none, milliseconds."""
    low: float = 500.0
    """Lower edge of the band in which the level is taken, Hz."""
    high: float = 10000.0
    """Upper edge of that band, or less where the recording does not reach it, Hz."""
    noise_window: float = 30.0
    """Time over which the noise is measured anew, seconds."""
    channel: int | None = None
    """Channel to listen to, counted from 1; by default the mean of all, but the first of a .cbin, number."""

    def __post_init__(self) -> None:
        if not 0 < self.edge <= self.above:
            raise CanaryganError(f"--edge {self.edge:g} dB must be above 0 and at most --above, {self.above:g} dB.")
        if not 0 < self.low < self.high:
            raise CanaryganError(f"--low {self.low:g} Hz must be above 0 and below --high, {self.high:g} Hz.")
        if not 0.5 <= self.smooth <= 1000:
            raise CanaryganError(f"--smooth is {self.smooth:g} ms: it may be 0.5 to 1000 ms.")
        if not self.noise_window >= 1:
            raise CanaryganError(f"--noise-window is {self.noise_window:g} s: it must be at least 1 s.")
        for name in ("min_gap", "min_syllable", "max_syllable"):
            if not getattr(self, name) >= 0:
                raise CanaryganError(f"--{name.replace('_', '-')} is {getattr(self, name):g} ms: it must be 0 or more.")


@dataclass(frozen=True, eq=False)
class Level:
    """The level of a recording over time.

    Attributes:
        values: dB below full scale of a sine, every `STEP` seconds, in the band.
        noise: the noise's, likewise.
    """

    values: NDArray[np.float32]
    noise: NDArray[np.float32]


def find_syllables(path: Path, options: Segmentation) -> tuple[Spans, Level, Header]:
    """Where the syllables of a recording begin and end, seconds; its level; and its header.

    Raises:
        UnusableAudio: where the recording is missing or broken.
        CanaryganError: where its rate is too low for the band.
    """
    header = read_header(path)
    if options.low >= header.rate / 2:
        raise CanaryganError(f"{path}: --low {options.low:g} Hz is not below half its rate, {header.rate / 2:g} Hz.")
    values = measure_level(path, options, header.rate)
    level = Level(values, follow_noise(values, options.noise_window))
    return find_spans(level, options), level, header


def measure_level(path: Path, options: Segmentation, rate: int) -> NDArray[np.float32]:
    """The level of a recording every `STEP` seconds, dB, block by block."""
    from scipy import signal

    band = (options.low, min(options.high, 0.49 * rate))
    sections = signal.butter(5, band, "bandpass", fs=rate, output="sos")
    size = max(3, round(options.smooth / 1000 * rate))
    window = np.hanning(size + 2)[1:-1]
    window /= window.sum()
    parts: list[NDArray[np.float32]] = []
    place = 0  # where the block begins, samples
    for sound, before, length in read_blocks(path, options.channel, BLOCK, 0.25):
        power = np.square(
            signal.sosfiltfilt(sections, sound.astype(np.float64) - sound.mean(), padlen=min(len(sound) - 1, 2000))
        )
        smoothed = signal.fftconvolve(power, window, "same") if len(power) > size else np.full(len(power), power.mean())
        # the values lie on one grid through all blocks, whatever their length
        begin = sum(map(len, parts))
        steps = np.arange(begin, int(np.ceil((place + length) / rate / STEP)))
        at = np.minimum(np.round(steps * STEP * rate).astype(int) - place + before, len(power) - 1)
        parts.append((10 * np.log10(2 * np.maximum(smoothed[at], 1e-14))).astype(np.float32))
        place += length
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def follow_noise(values: NDArray[np.float32], window: float) -> NDArray[np.float32]:
    """The noise's level at each time, from what is quiet in each window of so many seconds, dB."""
    if not len(values):
        return values
    count = max(1, round(len(values) * STEP / window))
    bounds = np.linspace(0, len(values), count + 1).astype(int)
    quiet = [np.percentile(values[start:stop], QUIET) for start, stop in pairwise(bounds)]
    middles = (bounds[1:] + bounds[:-1]) / 2
    followed = np.interp(np.arange(len(values)), middles, quiet)
    return np.asarray(np.maximum(followed, values.max() - FAINTEST), np.float32)


def find_spans(level: Level, options: Segmentation) -> Spans:
    """The spans that are above the lower threshold from end to end, and above the upper one somewhere, seconds."""
    over = level.values - level.noise
    edges = np.diff(np.concatenate([[0], (over > options.edge).astype(np.int8), [0]]))
    onsets, offsets = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    rises: list[Any] = [over[start:stop].max() > options.above for start, stop in zip(onsets, offsets, strict=True)]
    onsets, offsets = onsets[np.array(rises, bool)], offsets[np.array(rises, bool)]
    apart = (onsets[1:] - offsets[:-1]) * STEP >= options.min_gap / 1000
    onsets = onsets[np.concatenate([[True], apart])] if len(onsets) else onsets
    offsets = offsets[np.concatenate([apart, [True]])] if len(offsets) else offsets
    lengths = (offsets - onsets) * STEP * 1000
    fits = (lengths >= options.min_syllable) & (lengths <= (options.max_syllable or np.inf))
    starts, ends = onsets[fits] * STEP, offsets[fits] * STEP
    return list(zip(starts.tolist(), ends.tolist(), strict=True))
