"""The sound of one latent at a time, with its label and how long it took."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from canarygan_core import Generator
from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted.decoders import TrainedDecoder, judge_all, reach_consensus
from canarygan_latents.opening import Floats, find_box

LARGEST = float(np.finfo(np.float32).max)
"""A coordinate is at most this."""


@dataclass(frozen=True, eq=False)
class Made:
    """A sound, and what is known of it.

    Attributes:
        sound: (samples,) what the generator made.
        label: what the decoders call it together; empty where they were not asked.
        confidence: mean posterior of the label, from 0 to 1; None where they were not asked.
        agreement: share of decoders that give the label; None where they were not asked.
        milliseconds: what the generator took.
        warning: what to know of the latent; empty for nothing.
    """

    sound: Floats
    label: str
    confidence: float | None
    agreement: float | None
    milliseconds: float
    warning: str


class SoundMaker:
    """Makes the sound of any latent, one at a time, in the thread of `open_thread`.

    Args:
        generator: makes the sounds.
        trained: decoders that label them; none for no labels.
    """

    def __init__(self, generator: Generator, trained: Sequence[TrainedDecoder] = ()) -> None:
        self.generator, self.trained = generator, trained
        self.low, self.high = find_box(generator)

    @property
    def dim(self) -> int:
        """Coordinates of a latent."""
        return self.generator.latent_dim

    def warm_up(self) -> None:
        """Make and label a sound, so that all libraries are there before anybody waits for one."""
        self.make(self.high)

    def make(self, z: Floats, is_labelled: bool = True) -> Made:
        """The sound of a latent (d,), and its label where that is wished and there are decoders.

        Raises:
            CanaryganError: where it is not finite, as that of a latent far outside.
        """
        start = time.perf_counter()
        sounds = self.generator.generate(z[None])
        took = 1000 * (time.perf_counter() - start)
        if not np.isfinite(sounds).all():
            raise CanaryganError("The sound of this latent is not finite: take one nearer to those of the training.")
        judged: tuple[str, float | None, float | None] = ("", None, None)
        if is_labelled and self.trained:
            judged = self._judge(sounds)
        return Made(sounds[0], *judged, took, self._describe_outside(z))

    def _judge(self, sounds: Floats) -> tuple[str, float, float]:
        together = reach_consensus(judge_all(self.trained, Clips(sounds, self.generator.rate)))
        return str(together.labels[0]), float(together.posterior[0]), float(together.agreement[0])

    def _describe_outside(self, z: Floats) -> str:
        outside = np.flatnonzero((z < self.low) | (z > self.high))
        if not len(outside):
            return ""
        parts = [f"z{n + 1} is {z[n]:.3g}, and was {self.low[n]:.3g} to {self.high[n]:.3g}" for n in outside[:3]]
        others = f", and {len(outside) - 3} more" if len(outside) > 3 else ""
        return f"Outside of the training: {'; '.join(parts)}{others}."


@contextmanager
def open_thread(warm_up: Callable[[], object]) -> Iterator[ThreadPoolExecutor]:
    """A thread that makes one sound after another, and has done so once.

    Libraries use no threads of their own meanwhile: one sound is so little work that they would mostly wait for each
    other.
    """

    def prepare() -> None:
        if (torch := sys.modules.get("torch")) is not None:
            torch.set_num_threads(1)

    with ThreadPoolExecutor(1, "sounds", prepare) as thread:
        thread.submit(warm_up).result()
        with threadpool_limits(1):
            yield thread


def read_request(body: bytes, dim: int) -> tuple[Floats, bool]:
    """The latent (dim,) that a request names, and whether its label is wished: `{"z": [...], "label": true}` in JSON.

    Raises:
        CanaryganError: where it names no latent of `dim` finite numbers.
    """
    wanted = f'Send {{"z": [...]}} with {dim} finite numbers'
    try:
        request = json.loads(body)
        values, is_labelled = request["z"], request.get("label", True)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise CanaryganError(f"{wanted}: this is no such JSON.") from None
    if not isinstance(values, list) or len(values) != dim:
        found = f"{len(values)} values" if isinstance(values, list) else "no list"
        raise CanaryganError(f"{wanted}, not {found}.")
    if not all(type(value) in (int, float) and abs(value) <= LARGEST for value in values):
        raise CanaryganError(f"{wanted}: one of these is not.")
    if not isinstance(is_labelled, bool):
        raise CanaryganError(f"{wanted}; label may be true or false beside it.")
    return np.asarray(values, np.float32), is_labelled
