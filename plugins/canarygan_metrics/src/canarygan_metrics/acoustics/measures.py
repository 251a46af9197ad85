"""What sounds are like, as a bioacoustician would measure them, and how far two sets of them are apart.

A clip's sounding part reaches from the first to the last moment at which the energy within `MOMENT` is no more than a
threshold below that of its loudest moment, and at least `MARGIN` above that of its background. The background is the
quietest `PAUSE` of the clip; one that is within 6 dB of the loudest moment is none. The mean of a clip is subtracted
first. The spectrum is the mean power of Hann frames spread evenly over that part, between two frequencies. Zeros before
or after a sound change nothing. Of each clip:

- duration: of the sounding part, s.
- peak_frequency: where the spectrum is highest, by a parabola through the logarithms of three bins, Hz.
- centroid: the mean frequency, weighted by power (Sueur et al., 2008), Hz.
- bandwidth: between the frequencies below which 5 % and 95 % of the power lie (Charif et al., 2010), Hz; of a steady
  tone about 120, as wide as a frame makes it.
- entropy: Shannon entropy of a frame's spectrum over its greatest possible value (Sueur et al., 2008), averaged over
  frames by their energies. Like Wiener entropy (Tchernichovski et al., 2000) it tells tones, sweeping ones too, from
  noise: a steady tone has 0.18, white noise 0.91.
- level: root mean square of the sounding part, less that of the noise around it, over full scale, dB. A gain of `clip`
  first brings the loudest moment of each clip to the power of a sine at full scale, so that sides of unlike gain
  compare; a steady tone then has -3.01.
"""

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from canarygan_core import CanaryganError
from canarygan_core.audio import find_extent
from canarygan_core.fitted.decoders import is_audible
from canarygan_metrics.units import ACOUSTIC_UNITS

Floats = NDArray[np.floating[Any]]
Audio = NDArray[np.float32]
Rows = NDArray[np.intp]
Measures = dict[str, Floats]

UNITS = ACOUSTIC_UNITS
"""What is measured, and in what."""

THRESHOLD, LOW, HIGH = 20.0, 500.0, 8000.0
"""How far below the loudest moment a sound still counts, dB, and the frequencies it is looked for between, Hz."""

MARGIN = 6.0
"""How far above the background a sound has to be, dB: no moment of white noise is so far above its quietest `PAUSE`."""

MOMENT, PAUSE, FRAME, STEP = 0.005, 0.010, 0.016, 0.008
"""Time that energy is summed over, of a background, length of a frame, and longest step between frames, s."""

HELD = 0.9
"""Share of the power within the bandwidth."""

FAINT = 1e-4
"""Share of the power between the two frequencies under which a spectrum there is but the skirt of what lies beyond."""

STEADY = 1 / 3
"""Least share of a clip, without the zeros about it, that is as quiet as its background."""

STILL = 1e-5
"""Greatest deviation from its mean at which a clip is silent, of its peak."""

CHUNK = 64
"""Clips measured at a time."""


def measure(
    audio: Audio,
    rate: int,
    *,
    threshold: float = THRESHOLD,
    low: float = LOW,
    high: float = HIGH,
    gain: Literal["clip", "none"] = "clip",
) -> Measures:
    """Each of `UNITS` of sounds (clips, samples), as (clips,); NaN where one is silent, constant or not finite.

    Frequencies, bandwidth and entropy are NaN too where a sound has less than `FAINT` of its power between `low` and
    `high`.

    Args:
        audio: float32, full scale at -1 and 1.
        rate: Hz.
        threshold: how far below its loudest moment a sound still counts, dB.
        low: frequency below which nothing is looked for, Hz.
        high: frequency above which nothing is looked for, Hz.
        gain: whether the level is that of a clip whose loudest moment is at full scale, or as it is.

    Raises:
        CanaryganError: where the rate leaves too little between the two frequencies.
    """
    high = ceiling(rate, high)
    needed = 3 * rate / _size(rate)  # Hz: three bins
    if high - low < needed:
        band = f"{low:g} to {high:g} Hz"
        raise CanaryganError(f"{band} is too narrow to measure at {rate} Hz: at least {needed:.0f} Hz are needed.")
    measures = {name: np.full(len(audio), np.nan) for name in UNITS}
    for start in range(0, len(audio) if audio.shape[1] else 0, CHUNK):
        part = np.asarray(audio[start : start + CHUNK])
        usable = is_audible(part)
        if usable.any():
            rows = start + np.flatnonzero(usable)
            for name, values in _measured(part[usable], rate, threshold, low, high, gain).items():
                measures[name][rows] = values
    return measures


def ceiling(rate: int, high: float) -> float:
    """The highest frequency that can be measured, Hz."""
    return min(high, rate / 2)


def _size(rate: int) -> int:
    """Samples of a frame at a rate in Hz, rounded up to what is transformed quickly."""
    return int(fft.next_fast_len(round(FRAME * rate), real=True))


def _measured(audio: Audio, rate: int, threshold: float, low: float, high: float, gain: str) -> Measures:
    """The measures of sounds (n, samples) that are finite and not silent."""
    peak = np.abs(audio).max(1, keepdims=True)
    moment, pause = (max(1, round(seconds * rate)) for seconds in (MOMENT, PAUSE))
    audio, start, end = _centre(audio / peak, pause)
    total = np.cumsum(np.pad(np.square(audio, dtype=np.float64), ((0, 0), (1, 0))), axis=1)
    loudest = _loudest(total, moment)
    floor = _find_floor(total, start, end, pause)
    floor[floor > loudest / (4 * moment)] = 0  # it sounds all the time
    onset, offset = find_extent(audio, rate, below=threshold, background=MARGIN, block=MOMENT, step=0.0, floor=floor)
    rows, length = np.arange(len(audio)), np.maximum(offset - onset, 1)
    inside = total[rows, offset] - total[rows, onset]
    before, after = np.maximum(onset - moment, start), np.minimum(offset + moment, end)
    outside = total[rows, before] - total[rows, start] + total[rows, end] - total[rows, after]
    quiet = before - start + end - after  # samples of the background
    noise = np.where(quiet >= pause, outside / np.maximum(quiet, 1), 0.0)
    power = np.maximum(inside / length - noise, 1e-30)
    if gain == "clip":
        power /= 2 * np.maximum(loudest / np.minimum(moment, length) - noise, 1e-30)
    else:
        power *= np.square(peak[:, 0], dtype=np.float64)
    measures = {"duration": length / rate, "level": 10 * np.log10(power)}
    measures |= _frequencies(audio, onset, offset, rate, low, high)
    still = np.abs(audio).max(1) <= STILL
    return {name: np.where(still, np.nan, values) for name, values in measures.items()}


def _centre(audio: Audio, least: int) -> tuple[Audio, Rows, Rows]:
    """Sounds (n, samples), changed in place, less their means from their first to their last sample but zeros.

    Returns these bounds, besides. In fewer samples than `least` a mean is no offset, but part of the sound.
    """
    sounding = audio != 0
    start, end = sounding.argmax(1), audio.shape[1] - sounding[:, ::-1].argmax(1)
    for sound, first, last in zip(audio, start, end, strict=True):
        if last - first >= least:
            sound[first:last] -= np.float32(sound[first:last].mean(dtype=np.float64))
    return audio, start, end


def _loudest(total: Floats, width: int) -> Floats:
    """Greatest energy of so many samples next to one another, or of all, from running sums (n, samples + 1)."""
    width = min(width, total.shape[1] - 1)
    return np.asarray((total[:, width:] - total[:, :-width]).max(1))


def _find_floor(total: Floats, start: Rows, end: Rows, width: int) -> Floats:
    """Power of the background of sounds (n, samples) between two bounds, from running sums (n, samples + 1).

    It is the least power of `width` samples, if `STEADY` of the time is no more than 3 dB above it, or else 0: where a
    sound was cut out exactly, its quietest part is no background.
    """
    step = max(1, width // 16)
    power = (total[:, width::step] - total[:, :-width:step]) / width
    place = step * np.arange(power.shape[1])
    within = (place >= start[:, None]) & (place <= end[:, None] - width)
    least = np.maximum(power.min(1, initial=np.inf, where=within), 0.0)
    steady = (within & (power <= 2 * least[:, None])).sum(1) >= STEADY * within.sum(1)
    return np.asarray(np.where(steady & np.isfinite(least), least, 0.0))


def _frequencies(audio: Audio, onset: Rows, offset: Rows, rate: int, low: float, high: float) -> Measures:
    """The measures of the sounding parts' spectra between two frequencies, Hz."""
    size = _size(rate)
    frames, first, count = _frames(audio, onset, offset, size, max(1, round(STEP * rate)))
    window = np.square(np.sin(np.pi * (np.arange(size) + 0.5) / size, dtype=np.float32))  # Hann's, nowhere 0
    spectra = fft.rfft(frames * window, 2 * size)
    power = np.square(spectra.real) + np.square(spectra.imag)  # (frames, bins), two bins for each that is independent
    frequency = np.arange(power.shape[1]) * rate / (2 * size)  # Hz
    band = np.flatnonzero((frequency >= low) & (frequency <= high))
    mean = np.add.reduceat(power, first, axis=0, dtype=np.float64) / count[:, None]  # (n, bins)
    inside = mean[:, band].sum(1)
    faint = inside <= FAINT * mean.sum(1)
    held = mean[:, band] / np.where(faint, 1.0, inside)[:, None]
    measures = {
        "peak_frequency": _peak(mean, band) * rate / (2 * size),
        "centroid": held @ frequency[band],
        "bandwidth": _width(held, HELD) * rate / (2 * size),
        "entropy": _entropy(power[:, band[band % 2 == 0]], first),
    }
    return {name: np.where(faint, np.nan, values) for name, values in measures.items()}


def _frames(audio: Audio, onset: Rows, offset: Rows, size: int, step: int) -> tuple[Audio, Rows, Rows]:
    """Frames (frames, size) spread from onset to offset, or one about the middle of what is shorter than a frame.

    Returns the row of each clip's first frame and how many it has, besides.
    """
    spare = offset - onset - size
    count = 1 + np.maximum(0, -(-spare // step))
    first = np.cumsum(count) - count
    number = np.arange(count.sum()) - np.repeat(first, count)
    gaps, spread, begin = (np.repeat(part, count) for part in (count - 1, spare, onset))
    start = begin + np.where(gaps > 0, number * spread // np.maximum(gaps, 1), spread // 2)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(audio, ((0, 0), (size, size))), size, axis=1)
    return windows[np.repeat(np.arange(len(audio)), count), start + size], first, count


def _peak(mean: Floats, band: Rows) -> Floats:
    """The bin, with its fraction, at which spectra (n, bins) are highest in the band."""
    at = np.clip(band[mean[:, band].argmax(1)], 1, mean.shape[1] - 2)
    rows = np.arange(len(mean))
    before, top, after = (np.log(np.maximum(mean[rows, at + shift], 1e-300)) for shift in (-1, 0, 1))
    bend = before - 2 * top + after
    shift = np.divide(before - after, 2 * bend, out=np.zeros(len(mean)), where=bend < 0)
    return np.asarray(at + np.clip(shift, -0.5, 0.5))


def _width(held: Floats, share: float) -> Floats:
    """Bins between which the middle share of distributions (n, bins) lies, each spread evenly over its bin."""
    total = np.pad(np.cumsum(held, axis=1), ((0, 0), (1, 0)))  # (n, bins + 1): up to each edge
    rows = np.arange(len(held))

    def edge(below: float) -> Floats:
        after = np.clip((total < below).sum(1), 1, held.shape[1])
        return np.asarray(after - (total[rows, after] - below) / np.maximum(held[rows, after - 1], 1e-300))

    return edge((1 + share) / 2) - edge((1 - share) / 2)


def _entropy(power: Audio, first: Rows) -> Floats:
    """Entropy from 0 to 1 of frames' spectra (frames, bins), averaged by energy over each clip's frames, (n,)."""
    logs = power * np.log(np.maximum(power, 1e-30))
    energy = power.sum(1, dtype=np.float64)
    weighted = energy * np.log(np.maximum(energy, 1e-300)) - logs.sum(1, dtype=np.float64)  # entropy by energy
    mean = np.add.reduceat(weighted, first) / np.maximum(np.add.reduceat(energy, first), 1e-300)
    return np.clip(mean / math.log(power.shape[1]), 0, 1)
