"""What the samples of a file tell of how it was recorded and written, before anything is done to them.

None of this tells a label. Sound is (frames, channels), as the file has it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio.filtering import find_content

FULL_SCALE = {"PCM_U8": 127 / 128, "PCM_S8": 127 / 128, "ALAW": 0.984, "ULAW": 0.98}
"""Largest sample that a coarse encoding can hold; 0.999 is taken for the others."""

SILENT_CHANNEL = 1e-5
"""Standard deviation from which a channel counts as sound; full scale is 1."""

KEPT = 0.95
"""Share of the energy of a file that the rate keeps which is called the rate that keeps it."""

NOISY = 0.5
"""Flatness from which a sound is noise; recorded syllables have 0 to 0.6, those with swapped bytes 0.6 to 1."""

COHERENT, MIRRORED, IMAGE = 0.95, 0.9, 0.01
"""Coherence of a spectrum with its mirror image, or correlation of their levels, above which it counts as mirrored; and
the least share of the energy in both images. Of 900 recorded syllables none is, 97 to 100 % are once interleaved."""

CENTRE = 16
"""Bins on either side of the axis of the mirror that are left out."""

WINDOW = 256
"""Samples of the frames whose spectra are taken; an even hop keeps two channels apart."""

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Inspection:
    """What the samples of a file tell.

    Attributes:
        offset: absolute mean as a share of the peak, of the channel that has the most.
        likeness: least correlation of two channels that are not silent, from -1 to 1; 1 of one channel.
        lost: share of the energy that lies above half the rate that is wanted.
        rate_kept: least rate that keeps `KEPT` of the energy, Hz.
        swapped: whether the bytes of each sample are in the wrong order.
        interleaved: whether two channels were read as one.
    """

    offset: float
    likeness: float
    lost: float
    rate_kept: float
    swapped: bool
    interleaved: bool


def is_clipped(data: Audio, peak: float, subtype: str) -> bool:
    """Whether sound touches full scale, as it does where a recorder was overdriven."""
    full = FULL_SCALE.get(subtype, 0.999)
    if peak < full or peak >= 0.999:
        return peak >= 0.999
    return stays_at(data, full)


def stays_at(data: Audio, full: float) -> bool:
    """Whether a channel stays for three samples at full scale or beyond."""
    loud = np.abs(data) >= full
    return bool((loud[2:] & loud[1:-1] & loud[:-2]).any())


def inspect(data: Audio, rate: int, subtype: str, wanted: int, channel: int | None = None) -> Inspection:
    """Inspect the sound of a file.

    Args:
        data: (frames, channels).
        rate: of the file, Hz.
        subtype: its encoding, such as `PCM_16`.
        wanted: the rate that it will be brought to, Hz.
        channel: the one to be taken, from 1; None where all are averaged.
    """
    taken = data if channel is None else data[:, channel - 1 : channel]
    mono = np.asarray(taken.mean(1), np.float32)
    mono = mono[find_content(mono)]
    mono = mono - mono.mean()
    lost, rate_kept = measure_loss(mono, rate, wanted)
    is_swapped = subtype == "PCM_16" and are_bytes_swapped(data[:, 0])
    return Inspection(
        offset=measure_offset(taken),
        likeness=measure_likeness(taken),
        lost=lost,
        rate_kept=rate_kept,
        swapped=is_swapped,
        interleaved=data.shape[1] == 1 and not is_swapped and is_interleaved(mono),
    )


def measure_offset(data: Audio) -> float:
    """The largest absolute mean of a channel as a share of its peak; padding is left out."""
    shares = [0.0]
    for sound in data.T:
        content = sound[find_content(sound)]
        if len(content):
            shares.append(abs(float(content.mean())) / float(np.abs(content).max()))
    return max(shares)


def measure_likeness(data: Audio) -> float:
    """The least correlation of two channels of sound, silent ones left out; 1 where fewer than two are left.

    How loud a channel is says nothing: a signal from the laboratory may be a thousand times louder than the bird.
    """
    centred = data - data.mean(0)
    power = np.square(centred, dtype=np.float64).mean(0)
    heard = centred[:, power > SILENT_CHANNEL**2]
    return float(np.corrcoef(heard.T).min()) if heard.shape[1] > 1 else 1.0


def measure_loss(mono: Audio, rate: int, wanted: int) -> tuple[float, float]:
    """The share of a sound's energy above half of a wanted rate, and the least rate that keeps `KEPT` of it, Hz."""
    if rate <= wanted or not mono.any():
        return 0.0, float(rate)
    power = np.square(np.abs(np.fft.rfft(mono)))
    total = np.cumsum(power)
    bins = 2 * np.arange(len(power)) * rate / len(mono)  # the rate at which each is the highest
    lost = 1 - total[np.searchsorted(bins, wanted, "right") - 1] / total[-1]
    return float(lost), float(bins[np.searchsorted(total, KEPT * total[-1])])


def are_bytes_swapped(mono: Audio) -> bool:
    """Whether a sound of 16 bits is noise that becomes sound when the bytes of each sample change places."""
    noise = measure_flatness(mono)
    if noise < NOISY:  # nor would it be worth the time
        return False
    swapped = np.rint(mono * 32768).clip(-32768, 32767).astype(np.int16).byteswap()
    return measure_flatness(swapped.astype(np.float32)) < noise / 2


def measure_flatness(mono: Audio) -> float:
    """How far a sound is white noise: geometric by arithmetic mean of its power over frequency, 1 for white noise."""
    power = np.square(np.abs(take_spectra(mono))).mean(0)[1:-1]
    return float(np.exp(np.log(power + 1e-30).mean()) / (power.mean() + 1e-30))


def is_interleaved(mono: Audio) -> bool:
    """Whether the samples of a sound are those of two channels in turn.

    The spectrum of such a sound mirrors about half the Nyquist frequency: in level where the channels are unlike, and
    frame by frame, in coherence, where they are alike or one is silent.
    """
    spectra = take_spectra(mono)[:, 1:-1]
    level = np.square(np.abs(spectra)).mean(0) + 1e-30
    outer = slice(len(level) // 2 - CENTRE)  # a tone on the axis is its own image
    below, above = level[outer], level[::-1][outer]
    if 2 * np.minimum(below, above).sum() < IMAGE * level.sum():
        return False
    common = np.sqrt(below * above)
    strong = common > common.max() / 10  # elsewhere are the edges of a sound, which lie in few frames
    together = np.abs((spectra * spectra[:, ::-1]).mean(0))[outer]
    is_coherent = together[strong].sum() > COHERENT * common[strong].sum()
    return bool(is_coherent or np.corrcoef(np.log(below), np.log(above))[0, 1] > MIRRORED)


def take_spectra(mono: Audio) -> NDArray[np.complexfloating[Any, Any]]:
    """Spectra (frames, bins) of a sound (samples,), from 0 Hz to half the rate."""
    padded = np.pad(mono, (0, max(0, 2 * WINDOW - len(mono))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[:: WINDOW // 2]
    return np.fft.rfft(frames * np.hanning(WINDOW))
