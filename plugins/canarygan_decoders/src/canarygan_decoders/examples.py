"""Examples to learn from: features with their labels, and the altered copies that make a decoder robust."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import find_extent
from canarygan_core.audio.noise import add_noise
from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError
from canarygan_decoders import features
from canarygan_decoders.features import Features

SHIFT = 0.010
"""Largest shift of an altered copy, s."""

SNR = (15.0, 40.0)
"""Signal to noise of an altered copy, from and to, dB."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Features with what they are of.

    Attributes:
        features: (n, frames, size) float32, memory-mapped where there are many.
        labels: (n,) class of each.
        sources: (n,) where each came from.
        groups: (n,) number of the clip that each was made of; the clip as it is comes before its altered copies.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.str_]
    sources: NDArray[np.str_]
    groups: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def of(cls, clips: Clips, parameters: Features) -> "Examples":
        """Clips as they are.

        Raises:
            CanaryganError: where they have no labels.
        """
        labels, sources = columns(clips)
        return cls(features.extract(clips, parameters), labels, sources, np.arange(len(clips)))

    def select(self, rows: NDArray[Any]) -> "Examples":
        """The examples of these rows."""
        return Examples(self.features[rows], self.labels[rows], self.sources[rows], self.groups[rows])


def columns(clips: Clips) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Labels and sources of clips."""
    if clips.labels is None:
        raise CanaryganError("A decoder learns from labelled clips, and these have no labels.")
    sources = clips.sources if clips.sources is not None else np.array([f"clip {row}" for row in range(len(clips))])
    return clips.labels, sources


def altered(clips: Clips, copies: int, seed: int) -> Iterator[Clips]:
    """The clips, then so many altered copies of each, a batch at a time; each copy shifted in time and with noise."""
    yield from clips.batches(features.CHUNK)
    for copy in range(copies):
        rng = np.random.default_rng([seed, copy])
        for batch in clips.batches(features.CHUNK):
            audio = np.stack([_altered(sound, clips.rate, rng) for sound in np.asarray(batch.audio)])
            yield replace(batch, audio=audio)


def _altered(sound: NDArray[np.float32], rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A copy (samples,) that starts up to `SHIFT` sooner, where nothing is lost by it, or later, under white noise."""
    start = int(find_extent(sound, rate, background=None, block=0.0)[0])
    most = round(SHIFT * rate)
    shift = int(rng.integers(-min(most, start), most + 1))
    moved = np.zeros_like(sound)
    if shift >= 0:
        moved[shift:] = sound[: len(sound) - shift]
    else:
        moved[:shift] = sound[-shift:]
    return add_noise(moved, rate, rng.uniform(*SNR), rng)


def conditions(clips: Clips, seed: int) -> dict[str, Clips]:
    """Held-out clips as they are, at the level they were recorded at, and under noise: what accuracy is given for."""
    audio = np.asarray(clips.audio)
    gain = clips.facts["gain"][:, None] if "gain" in clips.facts else np.float32(20)
    rng = np.random.default_rng([seed, 20])
    noisy = np.stack([add_noise(sound, clips.rate, 20.0, rng) for sound in audio]) if len(audio) else audio
    return {
        "clean": clips,
        "other-gain": replace(clips, audio=(audio / gain).astype(np.float32)),
        "noise-20dB": replace(clips, audio=noisy),
    }
