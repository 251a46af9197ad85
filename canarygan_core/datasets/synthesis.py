"""Canary-like syllables from known factors: a table of types and one synthesiser that reads it."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from canarygan_core.errors import CanaryganError

Floats = NDArray[np.floating[Any]]
Complex = NDArray[np.complexfloating[Any, Any]]

VERSION = 1
"""Raised whenever the same options give other sounds."""
RATE = 16_000
"""Sampling rate, Hz."""
SAMPLES = 16_000
"""Length of a clip, samples."""
ONSET = 160
"""Silence before the sound, samples (10 ms)."""
LONGEST = 4_800
"""Longest sound, samples (300 ms)."""
FACTORS = 3
"""Columns of a factor array; the most that any type uses."""

_PARTIAL_FADE = (7_000.0, 7_600.0)  # Hz over which a partial fades out, so that none reaches Nyquist
_ROWS = 200  # clips rendered at once, to bound memory

_SECONDS = np.arange(LONGEST)[None] / RATE
"""Time since the onset (1, 4800)."""
_HZ = np.fft.fftfreq(LONGEST, 1 / RATE)
_HISS = np.flatnonzero(np.abs(_HZ) <= 2_000)
"""Bins that the hiss fills, up to 2 kHz on either side of the fundamental."""
_BACKGROUND_HZ = np.fft.rfftfreq(SAMPLES, 1 / RATE)
_PINK = np.flatnonzero((_BACKGROUND_HZ >= 300) & (_BACKGROUND_HZ <= 7_500))
"""Bins that the background fills, 300 Hz to 7.5 kHz."""

Quantity = float | tuple[float, float]
"""A constant, or what a factor moves between: its values at -1 and at 1."""


@dataclass(frozen=True)
class Syllable:
    """One type of syllable. Its factors are the quantities given as a pair, in the order of the fields."""

    pitch: Quantity
    """Fundamental about which the contour moves, Hz."""
    duration: Quantity
    """From onset to end, ms."""
    sweep: Quantity = 0.0
    """Rise of the fundamental from onset to end, semitones."""
    bend: Quantity = 0.0
    """Rise of the fundamental from either end to the middle, semitones."""
    step: Quantity = 0.0
    """Jump of the fundamental at the middle, semitones."""
    rate: Quantity = 1.0
    """Pulses of a trill, or turns of a vibrato, Hz."""
    depth: Quantity = 0.0
    """How far the amplitude falls between pulses, 0 to 1."""
    chirp: Quantity = 0.0
    """Rise of the fundamental within each pulse, semitones."""
    vibrato: Quantity = 0.0
    """Swing of the fundamental to either side, semitones."""
    tilt: Quantity = 12.0
    """How much weaker each partial is than the one below, dB."""
    voice: Quantity = 0.0
    """Interval of a second voice above the first, semitones; 0 is none."""
    hiss: Quantity = 0.0
    """Share of noise that follows the fundamental in place of the tone, 0 to 1."""
    band: Quantity = 300.0
    """Half width of that noise, as the standard deviation of its spectrum, Hz."""
    attack: float = 6.0
    """Rise of the amplitude, ms."""
    release: float = 12.0
    """Fall of the amplitude, ms."""
    partials: int = 3
    """Partials of each voice, the fundamental among them."""

    @property
    def factors(self) -> tuple[str, ...]:
        """Quantities that the columns of a factor array move, in their order."""
        return tuple(field.name for field in fields(self) if isinstance(getattr(self, field.name), tuple))


SYLLABLES = {
    "A": Syllable(pitch=(1_550, 2_050), duration=(190, 280), bend=1, tilt=(4, 16), attack=20, release=40),
    "B1": Syllable(pitch=(3_500, 4_200), duration=(60, 110), sweep=(-9, -17)),
    "B2": Syllable(pitch=(2_300, 2_900), duration=(70, 130), sweep=(9, 17)),
    "C": Syllable(pitch=(2_100, 2_600), duration=(120, 190), bend=(7, 14)),
    "D": Syllable(pitch=(3_600, 4_300), duration=(120, 190), bend=(-6, -12), partials=1),
    "E": Syllable(pitch=(4_700, 5_900), duration=(210, 285), rate=(24, 40), depth=1, partials=1),
    "H": Syllable(pitch=(1_080, 1_320), duration=(60, 120), bend=2, tilt=(-1, 4), partials=7),
    "J1": Syllable(pitch=(3_000, 3_700), rate=(30, 50), vibrato=(2, 4), duration=200, partials=2),
    "J2": Syllable(pitch=(2_300, 2_800), duration=(130, 220), rate=(100, 170), depth=0.9, tilt=5),
    "L": Syllable(pitch=(4_700, 5_400), duration=(45, 95), hiss=1, band=(450, 800), attack=3),
    "M": Syllable(pitch=(2_900, 3_500), duration=(210, 285), sweep=(-12, -20), partials=2, release=30),
    "N": Syllable(pitch=(1_900, 2_500), duration=(130, 220), sweep=(-5, 5), hiss=0.85, band=180, partials=2),
    "O": Syllable(pitch=(1_800, 2_200), duration=(90, 150), sweep=-4, voice=(11, 17), partials=1, release=25),
    "Q": Syllable(pitch=(2_700, 3_400), rate=(13, 20), chirp=(-9, -18), duration=270, depth=1, partials=2),
    "R": Syllable(pitch=(4_900, 5_700), duration=(38, 60), sweep=(-2, -7), partials=1, attack=4),
    "V": Syllable(pitch=(2_700, 3_300), duration=(150, 230), step=(8, 15), attack=10, release=20),
}
"""The types by label, in sorted order; the labels are those of the canary of Pagliarini et al. (2021)."""


def quantities(kind: str, factors: ArrayLike) -> dict[str, Floats]:
    """What a type's factors (n, 3) in -1 to 1 make of each of its quantities: (n, 1), in the units of `Syllable`.

    Pitch, duration, rate and band move by equal ratios, the others by equal differences.

    Raises:
        CanaryganError: if there is no such type, or on factors of another shape or range.
    """
    if kind not in SYLLABLES:
        raise CanaryganError(f"No syllable type {kind}: the types are {' '.join(SYLLABLES)}.")
    x = np.asarray(factors, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != FACTORS:
        raise CanaryganError(f"Factors must have the shape (clips, {FACTORS}), not {x.shape}.")
    if not np.all(np.abs(x) <= 1):
        raise CanaryganError("Factors must lie in -1 to 1.")
    columns = iter(np.split((x + 1) / 2, FACTORS, axis=1))
    values: dict[str, Floats] = {}
    for field in fields(Syllable):
        quantity = getattr(SYLLABLES[kind], field.name)
        if not isinstance(quantity, tuple):
            values[field.name] = np.full((len(x), 1), float(quantity))
        elif field.name in ("pitch", "duration", "rate", "band"):
            values[field.name] = quantity[0] * (quantity[1] / quantity[0]) ** next(columns)
        else:
            values[field.name] = quantity[0] + (quantity[1] - quantity[0]) * next(columns)
    return values


def lengths(kind: str, factors: ArrayLike) -> NDArray[np.int64]:
    """Samples of each clip (n,) up to the end of its sound, the silence before it among them."""
    return ONSET + np.ceil(quantities(kind, factors)["duration"][:, 0] * RATE / 1000).astype(np.int64)


def fundamental(kind: str, factors: ArrayLike) -> Floats:
    """Frequency in Hz (n, 4800) of the first voice from the onset on; after the sound's end it has no meaning."""
    return _contour(quantities(kind, factors))


def synthesise(
    kind: str, factors: ArrayLike, *, rng: int | list[int] | np.random.Generator = 0, snr: float = np.inf
) -> NDArray[np.float32]:
    """Clips (n, 16000) at 16 kHz of one type, at their own level (see `to_peak`).

    The tone depends on the factors alone; `rng` is for what is noise. Equal seeds give the first clips of a longer
    array the same samples as a shorter one.

    Args:
        kind: label of the type.
        factors: (n, 3) in -1 to 1; columns that the type does not use are ignored.
        rng: seed of the noise, or the generator to draw it from.
        snr: power of the sound while it lasts over that of the background, dB; infinite is no background.
    """
    values, generator = quantities(kind, factors), np.random.default_rng(rng)
    clips = len(values["pitch"])
    audio = np.zeros((clips, SAMPLES), dtype=np.float32)
    for start in range(0, clips, _ROWS):
        rows = slice(start, start + _ROWS)
        part = {name: value[rows] for name, value in values.items()}
        normal = generator.standard_normal((len(part["pitch"]), 2 * (len(_HISS) + len(_PINK))), dtype=np.float32)
        hiss, background = np.split(normal.view(np.complex64), [len(_HISS)], axis=1)
        sound = _envelope(part) * _tone(part, _contour(part), hiss)
        audio[rows, ONSET : ONSET + LONGEST] = sound
        if np.isfinite(snr):
            energy = np.sum(sound**2, axis=1, keepdims=True)
            level = np.sqrt(energy / (part["duration"] * RATE / 1000)) * 10 ** (-snr / 20)
            audio[rows] += level * _background(background)
    return audio


def to_peak(audio: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Clips (n, samples), none silent, brought to a peak of 0.95, and the linear factor (n,) applied to each."""
    gain = (0.95 / np.abs(audio).max(axis=1)).astype(np.float32)
    return audio * gain[:, None], gain


def _contour(v: dict[str, Floats]) -> Floats:
    """Fundamental in Hz (n, 4800)."""
    t = _SECONDS
    u = np.clip(t * 1000 / v["duration"], 0, 1)
    turns = t * v["rate"]
    semitones = (
        v["sweep"] * (u - 0.5)
        + v["bend"] * (4 * u * (1 - u) - 0.5)
        + v["step"] / 2 * np.tanh((u - 0.5) / 0.03)
        + v["chirp"] * (turns % 1 - 0.5)
        + v["vibrato"] * np.sin(2 * np.pi * turns)
    )
    return v["pitch"] * 2 ** (semitones / 12)


def _envelope(v: dict[str, Floats]) -> Floats:
    """Amplitude (n, 4800), smooth and 0 from the sound's end on."""
    ms = _SECONDS * 1000
    rise = np.clip(ms / v["attack"], 0, 1)
    fall = np.clip((v["duration"] - ms) / v["release"], 0, 1)
    pulses = v["depth"] * np.cos(np.pi * ms / 1000 * v["rate"]) ** 2
    envelope: Floats = np.sin(np.pi / 2 * rise) ** 2 * np.sin(np.pi / 2 * fall) ** 2 * (1 - pulses)
    return envelope


def _tone(v: dict[str, Floats], pitch: Floats, hiss: Complex) -> Floats:
    """Voices and hiss (n, 4800) about fundamentals (n, 4800) in Hz, before the envelope."""
    tone = _partials(v, pitch)
    if np.any(v["voice"]):
        tone += 0.8 * _partials(v, pitch * 2 ** (v["voice"] / 12))
    if np.any(v["hiss"]):
        carrier = np.exp(2j * np.pi * np.cumsum(pitch, axis=1) / RATE)
        tone = (1 - v["hiss"]) * tone + v["hiss"] * np.real(_baseband(hiss, v["band"]) * carrier)
    return tone


def _partials(v: dict[str, Floats], pitch: Floats) -> Floats:
    """A harmonic stack (n, 4800); its first partial has amplitude 1, and what would alias is faded out."""
    phase = 2 * np.pi * np.cumsum(pitch, axis=1) / RATE
    low, high = _PARTIAL_FADE
    below, here, twice = np.zeros_like(phase), np.sin(phase), 2 * np.cos(phase)
    stack = np.zeros_like(phase)
    for number in range(1, int(v["partials"][0, 0]) + 1):
        fade = np.clip((high - number * pitch) / (high - low), 0, 1)
        stack += 10 ** (-v["tilt"] * (number - 1) / 20) * fade * here
        below, here = here, twice * here - below  # sin(kx + x) = 2 cos(x) sin(kx) - sin(kx - x)
    return stack


def _baseband(normal: Complex, band: Floats) -> Complex:
    """Complex noise (n, 4800) with a Gaussian spectrum (n, 1) Hz wide about 0; its power is that of exp(ix)."""
    weight = np.exp(-0.5 * (_HZ[_HISS] / band) ** 2)
    spectrum = np.zeros((len(normal), LONGEST), dtype=np.complex128)
    spectrum[:, _HISS] = normal * weight / np.sqrt(2 * np.sum(weight**2, axis=1, keepdims=True))
    return np.fft.ifft(spectrum, axis=1, norm="forward")


def _background(normal: Complex) -> Floats:
    """Pink noise (n, 16000) of unit root mean square."""
    spectrum = np.zeros((len(normal), SAMPLES // 2 + 1), dtype=np.complex64)
    spectrum[:, _PINK] = normal / np.sqrt(_BACKGROUND_HZ[_PINK], dtype=np.float32)
    noise = np.fft.irfft(spectrum, SAMPLES, axis=1, norm="forward")
    scaled: Floats = noise / np.sqrt(np.mean(noise**2, axis=1, keepdims=True))
    return scaled
