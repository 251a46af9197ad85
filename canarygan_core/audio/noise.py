"""Noise under sounds, so that what learns from them must bear it; and alone, as what is no sound of any class."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio.extent import find_extent
from canarygan_core.audio.filtering import apply
from canarygan_core.audio.options import NOTHING, Filter
from canarygan_core.clips import Clips, fit_length

MOST = 1000
"""Clips of white noise that stand beside a score, at most."""

CUT = 0.010
"""Most that is cut from the start of an altered sound, s."""

TILT = 3.0
"""Standard deviation of the gain of an altered sound at a few frequencies, dB."""

FOLLOWING_SNR, STEADY_SNR = (0.0, 25.0), (10.0, 40.0)
"""Least and greatest signal-to-noise ratio of the noises of an altered sound, dB."""

Audio = NDArray[np.float32]
Rng = np.random.Generator


def add_noise(sound: Audio, rate: int, snr: float, rng: Rng, filtering: Filter = NOTHING) -> Audio:
    """A sound (samples,) at `rate` Hz under white noise.

    The noise is `snr` dB below the sound's mean power, from the first to the last sample within 40 dB of its peak, and
    is then filtered as the sound has been. A silent sound gets none.
    """
    start, end = find_extent(sound, rate, background=None, block=0.0)
    power = np.sum(np.square(sound[start:end], dtype=np.float64)) / max(end - start, 1)
    noise: Audio = apply(rng.standard_normal((1, len(sound)), np.float32), rate, filtering)[0]
    return sound + noise * np.float32(np.sqrt(power * 10 ** (-snr / 10)))


def draw_white_noise(like: Clips, seed: int) -> Clips:
    """White noise, as many clips as there are of `like` but at most `MOST`, as long and brought to the same peak."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((min(len(like), MOST), like.samples), np.float32)
    peak = np.mean([np.abs(batch.audio).max(1).mean() for batch in like.batches(100)])
    noise *= np.float32(peak) / np.abs(noise).max(1, keepdims=True)
    return Clips(noise, like.rate, origin={"dataset": "noise"})


def draw_coloured_noise(
    shape: tuple[int, int], rate: int, rng: Rng, *, slopes: tuple[float, float] = (-2.0, 2.0), roughness: float = 6.0
) -> Audio:
    """Noise (n, samples) of mean power 1, each with a spectrum of its own.

    Args:
        shape: (n, samples).
        rate: sampling rate, Hz.
        rng: draws spectra and noise.
        slopes: least and greatest exponent a of a power that falls as 1 / f^a; 0 is white, 1 is pink.
        roughness: standard deviation of further gains at eight frequencies, dB.
    """
    slope = rng.uniform(*slopes, (shape[0], 1)).astype(np.float32)
    gains = _draw_gains(shape, rate, rng, roughness) - 10 * slope * np.log10(_frequencies(shape[1], rate) / 1000)
    noise = _filter(rng.standard_normal(shape, np.float32), gains)
    power = np.mean(np.square(noise), axis=1, keepdims=True)
    return np.asarray(noise / np.sqrt(np.maximum(power, 1e-30)))


def alter(audio: Audio, rate: int, rng: Rng, filtering: Filter = NOTHING) -> Audio:
    """Copies of sounds as another microphone, another cut or a generator would have left them.

    A copy loses up to `CUT` of its start, its spectrum is tilted, and two noises of random spectra are added. One
    follows the sound's level, as the residue of a trained generator does: it fills what lies between harmonics. The
    other is steady, as the background of a recording is, and lasts to the sound's end, to a later moment, or to the end
    of the clip.

    Args:
        audio: sounds (n, samples).
        rate: sampling rate, Hz.
        rng: draws all that is random.
        filtering: what the sounds had taken out, and so is taken out of the noises.

    Returns:
        (n, samples). Silent sounds stay silent.
    """
    start, end = find_extent(audio, rate, background=None, below=60.0)
    samples = audio.shape[1]
    # sounds are short, and all the time goes into transforms
    window = min(samples, _round_up(int(end.max(initial=1))))
    count, moments = len(audio), np.arange(window)
    begin = start + rng.integers(0, round(CUT * rate) + 1, count)
    sound = np.where(moments >= begin[:, None], audio[:, :window], np.float32(0))
    sound = _filter(sound, _draw_gains(sound.shape, rate, rng, TILT))
    sound *= moments < end[:, None]  # a filter rings on
    power = np.square(sound).sum(1) / np.maximum(end - start, 1)
    following, steady = (
        np.sqrt(10 ** (-rng.uniform(*snr, (count, 1)) / 10)).astype(np.float32) for snr in (FOLLOWING_SNR, STEADY_SNR)
    )
    noise = fit_length(draw_coloured_noise(sound.shape, rate, rng) * _follow_level(sound, rate) * following, samples)
    background = draw_coloured_noise(sound.shape, rate, rng) * np.sqrt(power)[:, None].astype(np.float32) * steady
    last = np.choose(rng.integers(0, 4, count), [end, end, rng.integers(end, samples + 1), samples])
    for row, stop in enumerate(last):
        noise[row, :stop] += np.resize(background[row], stop)  # a transform's noise goes round in a circle
    return fit_length(sound, samples) + apply(noise, rate, filtering)


def _round_up(samples: int) -> int:
    """The next length whose transform is fast."""
    return 1024 * -(-samples // 1024)


def _follow_level(sound: Audio, rate: int, seconds: float = 0.008) -> Audio:
    """Root mean square of sounds (n, samples) around each sample."""
    width = 2 * max(1, round(seconds * rate / 2))
    total = np.cumsum(np.pad(np.square(sound, dtype=np.float64), ((0, 0), (width // 2 + 1, width // 2 - 1))), axis=1)
    return np.asarray(np.sqrt(np.maximum(total[:, width:] - total[:, :-width], 0) / width), np.float32)


def _frequencies(samples: int, rate: int) -> Audio:
    """Frequency of each bin of a transform of so many samples, at least 50 Hz."""
    return np.asarray(np.maximum(np.fft.rfftfreq(samples, 1 / rate), 50), np.float32)


def _draw_gains(shape: tuple[int, int], rate: int, rng: Rng, spread: float, knots: int = 8) -> Audio:
    """Gains in dB (n, bins), smooth over the logarithm of frequency, of so great a standard deviation at some knots."""
    octaves = np.log2(_frequencies(shape[1], rate))
    drawn = rng.normal(0, spread, (shape[0], knots))
    places = np.linspace(octaves[0], octaves[-1], knots)
    position = np.interp(octaves, places, np.arange(knots))
    below = np.minimum(position.astype(np.intp), knots - 2)
    weight = (position - below).astype(np.float32)
    return np.asarray(drawn[:, below] * (1 - weight) + drawn[:, below + 1] * weight, np.float32)


def _filter(audio: Audio, gains: Any) -> Audio:
    """Sounds (n, samples) with gains in dB (n, bins) at the frequencies of their transform."""
    spectrum = np.fft.rfft(audio, axis=1) * 10 ** (gains / 20)
    return np.fft.irfft(spectrum, audio.shape[1], axis=1).astype(np.float32)
