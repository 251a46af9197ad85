"""Sounds small enough for a page: where each one sounds, 8-bit mu-law, and mean spectrograms."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import compute_spectrogram
from canarygan_core.clips import fit_length

QUIET = 50.0
"""Level under a sound's peak below which its beginning and end are left out, dB."""

MU = 255
"""Compression of mu-law (ITU-T G.711, continuous form)."""

WINDOW, HOP, BANDS, DEPTH = 256, 64, 64, 60.0
"""Mean spectrograms: window and hop in samples, bands from 0 Hz to half the rate, range shown in dB."""

FRAMES = 160
"""Most frames of a mean spectrogram."""

Span = tuple[int, int]
Floats = NDArray[np.floating[Any]]


def fitting(lengths: Sequence[int], budget: int) -> int:
    """The longest length to which sounds can all be cut so that together they take at most `budget` samples."""
    left, ordered = budget, sorted(lengths)
    for number, length in enumerate(ordered):
        share = left // (len(ordered) - number)
        if length > share:
            return share
        left -= length
    return ordered[-1] if ordered else 0


def loudest(sound: NDArray[np.float32], span: Span, samples: int) -> Span:
    """The part of a span of a sound, at most so many samples long, that holds most energy."""
    start, end = span
    if end - start <= samples:
        return span
    energy = np.concatenate([[0.0], np.cumsum(np.square(sound[start:end], dtype=np.float64))])
    first = start + int(np.argmax(energy[samples:] - energy[:-samples])) if samples else start
    return first, first + samples


def mu_law(sound: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Sound (samples,) as 8-bit mu-law: 128 is silence, 0 and 255 near full scale; what exceeds it is clipped."""
    clipped = np.clip(np.nan_to_num(sound), -1, 1)
    compressed = np.sign(clipped) * np.log1p(MU * np.abs(clipped)) / np.log1p(MU)
    return np.asarray(np.round(compressed * 127 + 128), np.uint8)


def encoded(numbers: NDArray[np.uint8]) -> str:
    """Bytes as base64."""
    return base64.b64encode(numbers.tobytes()).decode()


def stratified(labels: NDArray[np.str_], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """At most `count` rows in their order, drawn so that every label has its share of them, by largest remainder."""
    if count >= len(labels):
        return np.arange(len(labels))
    _, groups, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    wanted = sizes * count / len(labels)
    shares = np.floor(wanted).astype(int)
    shares[np.argsort(shares - wanted, kind="stable")[: count - shares.sum()]] += 1
    drawn = [rng.permutation(np.flatnonzero(groups == group))[:share] for group, share in enumerate(shares)]
    return np.sort(np.concatenate(drawn))


def mean_spectrogram(clips: Floats, samples: int) -> Floats:
    """Mean over clips (n, any) of the power in each band and frame of their first `samples`, as (BANDS, frames) in dB.

    The power of a clip is taken against its own loudest cell, so that no clip outweighs the others. Where there would
    be more than `FRAMES` frames, only that many are computed.
    """
    hop = max(HOP, samples // FRAMES)
    frames = max(1, samples // hop)
    parts = fit_length(clips, (frames - 1) * hop + WINDOW // 2)
    levels = compute_spectrogram(parts, 1, window=WINDOW, hop=hop, floor=120.0)[:, 1:, :frames]
    loudest = levels.max((1, 2), keepdims=True)  # of the bands that are shown; silence stays at the floor
    levels = levels - np.where(loudest > -120, loudest, 0)
    power = (10 ** (levels / 10)).mean(0).reshape(BANDS, -1, frames).mean(1)
    return np.asarray(10 * np.log10(power))


def shaded(levels: Floats) -> NDArray[np.uint8]:
    """Levels in dB as 0 (`DEPTH` under the highest, or less) to 255 (the highest)."""
    return np.asarray(np.round(255 * np.clip(1 + (levels - levels.max()) / DEPTH, 0, 1)), np.uint8)
