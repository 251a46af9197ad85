"""Generated syllables, each as its label wants it, brought to one level and strung together to the sample."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import find_extent
from canarygan_core.errors import CanaryganError

PEAK = 0.9
"""Peak of every syllable; full scale is 1."""

EXTENT = 30.0
"""A syllable is cut where it stays so far below its loudest, which is under what generators leave as noise, dB."""

FADE = 0.002
"""Time over which a syllable rises from nothing and falls to it, so that there is no click, seconds."""

TOLERANCE = 0.4
"""How far the crest of a syllable may be from that of all, dB."""

SMOOTH = 0.004
"""Length of the window over which the envelope of a syllable is taken, seconds."""

Decode = Callable[[NDArray[np.float32]], tuple[NDArray[np.str_], NDArray[np.float32]]]
"""Gives of sounds (n, samples) the label of each and how sure it is, 0 to 1; X where the decoders do not agree."""

Generate = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Gives of latents (n, d) the sounds (n, samples)."""


@dataclass(frozen=True, eq=False)
class Syllable:
    """A generated syllable.

    Attributes:
        label: what decoders call it.
        posterior: how sure they are.
        latent: (d,) what it was generated from.
        sound: (samples,) what of it sounds, faded at both ends, at the level of all.
    """

    label: str
    posterior: float
    latent: NDArray[np.float32]
    sound: NDArray[np.float32]


def find_syllables(
    wanted: Sequence[str],
    draw: Callable[[int], NDArray[np.float32]],
    generate: Generate,
    decode: Decode,
    rate: int,
    *,
    posterior: float,
    tries: int,
    batch: int = 100,
) -> list[Syllable]:
    """A syllable for each label, of latents drawn until decoders say so of the sound, and again of what is cut of it.

    Args:
        wanted: labels, in the order of the song; equal ones get different syllables.
        draw: gives so many latents.
        generate: makes their sounds.
        decode: labels them.
        rate: of the sounds, Hz.
        posterior: that decoders must reach.
        tries: latents drawn at most.
        batch: latents drawn at a time.

    Raises:
        CanaryganError: where some label has not come up often enough.
    """
    missing = Counter(wanted)
    found: dict[str, list[Syllable]] = {label: [] for label in missing}
    best = dict.fromkeys(missing, 0.0)
    crest, done = float("nan"), 0
    while done < tries and any(missing.values()):
        latents = draw(batch)
        sounds = generate(latents)
        done += len(latents)
        labels, sure = decode(sounds)
        onsets, offsets = find_extent(sounds, rate, below=EXTENT, background=None)
        for label in missing:
            best[label] = max(best[label], float(sure[labels == label].max(initial=0)))
        usable = np.isin(labels, list(missing)) & (sure >= posterior) & (offsets - onsets > 4 * FADE * rate)
        rows = np.flatnonzero(usable)
        cut = [fade(sounds[row, onsets[row] : offsets[row]], rate) for row in rows]
        if not cut:
            continue
        crest = float(np.median([measure_crest(one) for one in cut])) if np.isnan(crest) else crest
        levelled = [level(one, rate, crest) for one in cut]
        heard = np.zeros((len(cut), sounds.shape[1]), np.float32)
        for one, place in zip(levelled, heard, strict=True):
            place[: len(one)] = one
        again, sure_again = decode(heard)
        for row, one, label, certain in zip(rows, levelled, again.tolist(), sure_again.tolist(), strict=True):
            is_level = abs(measure_crest(one) - crest) <= TOLERANCE
            if label == labels[row] and certain >= posterior and is_level and missing[label]:
                found[label].append(Syllable(label, float(certain), latents[row], one))
                missing[label] -= 1
    if short := {label: count for label, count in missing.items() if count}:
        told = ", ".join(f"{label} ({count} more; at best {best[label]:.2f})" for label, count in short.items())
        raise CanaryganError(
            f"{done} latents brought too few sounds that decoders are sure of: {told}. "
            "Lower --posterior, raise --tries, or train the model for longer."
        )
    return [found[label].pop(0) for label in wanted]


def fade(sound: NDArray[np.floating[Any]], rate: int) -> NDArray[np.float64]:
    """The sound (samples,) without its mean, rising from nothing and falling to it, as half a period of a cosine."""
    count = min(max(1, round(FADE * rate)), len(sound) // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(count) / count)
    shape = np.ones(len(sound))
    shape[:count], shape[len(sound) - count :] = ramp, ramp[::-1]
    return np.asarray((sound - sound.mean(dtype=np.float64)) * shape, np.float64)


def measure_crest(sound: NDArray[np.floating[Any]]) -> float:
    """Peak over root mean square, dB."""
    return float(20 * np.log10(np.abs(sound).max() / np.sqrt(np.mean(np.square(sound, dtype=np.float64)))))


def level(sound: NDArray[np.float64], rate: int, crest: float) -> NDArray[np.float32]:
    """A sound (samples,) at the peak of all, with its crest as near to the wanted one, dB, as its envelope allows.

    The crest of a syllable depends on what it is, so one peak is not one root mean square. The envelope is raised to a
    power, which makes loud parts louder against soft ones, or the reverse, and keeps the tones.
    """
    size = max(3, round(SMOOTH * rate))
    window = np.hanning(size + 2)[1:-1] / np.hanning(size + 2).sum()
    envelope = np.sqrt(np.convolve(np.square(sound), window, "same"))
    envelope = np.maximum(envelope / envelope.max(), 1e-3)
    low, high = -0.9, 3.0  # exponents of the gain: below 0 the envelope is flattened, above it is sharpened
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if measure_crest(sound * envelope**middle) < crest else (low, middle)
    shaped = sound * envelope ** ((low + high) / 2)
    return np.asarray(PEAK * shaped / np.abs(shaped).max(), np.float32)


def string_together(
    sounds: Sequence[NDArray[np.float32]], gaps: Sequence[int], rest: int
) -> tuple[NDArray[np.float32], list[tuple[int, int]]]:
    """A song (samples,) of sounds with silence between them, and where each begins and ends, samples.

    Args:
        sounds: in order.
        gaps: samples after each but the last.
        rest: silence before the first and after the last, samples.
    """
    spans, at = [], rest
    for number, sound in enumerate(sounds):
        spans.append((at, at + len(sound)))
        at += len(sound) + (gaps[number] if number < len(gaps) else 0)
    song = np.zeros(at + rest, np.float32)
    for sound, (start, stop) in zip(sounds, spans, strict=True):
        song[start:stop] = sound
    return song, spans
