"""Clips to try components on: some that are easy to tell apart, and odd ones."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError

SCREEN = 24
"""Lines that an error's message may have."""


def toy_clips(count: int = 8, classes: int = 2, samples: int = 4096, rate: int = 16000, seed: int = 0) -> Clips:
    """Clips that are quick to make and easy to tell apart: a tone of its own pitch a class, with a little noise.

    Args:
        count: clips; their classes take turns.
        classes: labels `s0`, `s1`, ...; their pitches are spread over a twentieth to a third of the rate.
        samples: length of a clip, samples.
        rate: Hz.
        seed: of the phases, the detuning (up to 2 %) and the noise (40 dB below the tone).
    """
    rng = np.random.default_rng(seed)
    label = np.arange(count) % classes
    pitch = np.linspace(rate / 20, rate / 3, classes)[label] * rng.uniform(0.98, 1.02, count)  # Hz
    phase = rng.uniform(0, 2 * np.pi, count)
    tone = np.sin(2 * np.pi * pitch[:, None] * np.arange(samples) / rate + phase[:, None]) * np.hanning(samples)
    audio = 0.5 * tone + 0.005 * rng.standard_normal((count, samples))
    return Clips(
        audio=audio.astype(np.float32),
        rate=rate,
        labels=np.array([f"s{number}" for number in label], dtype=np.str_),
        sources=np.array([f"s{number}/{row:04d}.wav" for row, number in enumerate(label)], dtype=np.str_),
        origin={"dataset": "toy", "fingerprint": f"toy-{count}-{classes}-{samples}-{rate}-{seed}"},
    )


def odd_clips(count: int) -> Mapping[str, Clips]:
    """Clips that a component may be given and cannot always use, by what is odd about them."""
    clips = toy_clips(count)
    some = clips.audio.copy()
    some[0] = np.nan
    return {
        "no clips": toy_clips(0),
        "one clip": toy_clips(1),
        "silent clips": replace(clips, audio=np.zeros_like(clips.audio)),
        "a clip that is NaN": replace(clips, audio=some),
    }


@contextmanager
def explain(kind: type[Exception], before: str, after: str = "") -> Iterator[None]:
    """Turn an error of this kind from the block into a broken promise, told between two halves of a sentence."""
    try:
        yield
    except kind as error:
        raise AssertionError(f"{before}{error}{after}") from error


def refuses(what: str, work: Callable[[], Any]) -> Any:
    """What the work gives, or None where it refuses with a message for people; any other error is a broken promise."""
    try:
        return work()
    except CanaryganError as error:
        lines = str(error).strip().splitlines()
        assert lines, f"{what} raises a CanaryganError that says nothing: say what was wrong and what would work."
        assert len(lines) <= SCREEN, f"{what} raises a CanaryganError of {len(lines)} lines: keep it to one screen."
        return None
    except Exception as error:
        advice = "raise CanaryganError, which says what would have worked, or give what is sensible"
        raise AssertionError(f"{what} raises {type(error).__name__}: {error}: {advice}.") from error
