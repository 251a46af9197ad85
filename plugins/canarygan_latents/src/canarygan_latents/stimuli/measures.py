"""How far two sounds are from each other: features whose Euclidean distance is the measure."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError
from canarygan_core.plugins import get_registry
from canarygan_latents.inversion import measuring

TRIED = 16_000
"""Samples of the noise, which lasts a second, by which a classifier is tried."""

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Measure:
    """How far two sounds are from each other.

    Attributes:
        name: of the measure.
        unit: of a distance.
        extract: gives of sounds (n, samples) at a rate in Hz features (n, k), whose Euclidean distance it is.
    """

    name: str
    unit: str
    extract: Callable[[Floats, int], NDArray[np.float64]]

    def __call__(self, sounds: Floats, rate: int) -> NDArray[np.float64]:
        return self.extract(sounds, rate)


def compute_log_mel(sounds: Floats, rate: int) -> NDArray[np.float64]:
    """Log-mel spectrograms (n, k), so scaled that their distance is the root mean square difference over cells, in dB.

    They are those by which `invert` compares sounds: at one level, so that a sound played louder is the same.
    """
    levels = measuring.Measure(rate).compute_levels(np.asarray(sounds, np.float32))
    return np.asarray(levels / np.sqrt(levels.shape[1]), np.float64)


LOG_MEL = Measure("log-mel", "dB", compute_log_mel)


def make_embedding(model_ckpt: Path) -> Measure:
    """The measure that a classifier of train-inception gives: the distance of its embeddings.

    It is tried on noise, so that a file that is none is told before long work begins.

    Raises:
        UsageError: where no metric of a classifier is installed.
        CanaryganError: where the checkpoint holds none.
    """
    listener = get_registry().get("metric", "kid")(model_ckpt=model_ckpt).listener()

    def extract(sounds: Floats, rate: int) -> NDArray[np.float64]:
        heard = listener(Clips(np.asarray(sounds, np.float32), rate))
        if "embedding" not in heard.facts:
            raise CanaryganError(f"{model_ckpt} gives no embeddings.")
        return np.asarray(heard.facts["embedding"], np.float64)

    try:
        extract(np.random.default_rng(0).uniform(-0.1, 0.1, (1, TRIED)), TRIED)
    except CanaryganError as error:
        raise CanaryganError(f"{error}\nGive a classifier of train-inception by -m.") from None
    return Measure("embedding", "in the embedding", extract)


def compute_distances(features: Floats) -> NDArray[np.float64]:
    """The distance of each row (m, k) from each (m, m)."""
    centred = np.asarray(features, np.float64) - features.mean(0, dtype=np.float64)
    norms = np.square(centred).sum(1)
    distances = np.sqrt(np.maximum(norms[:, None] + norms[None] - 2 * centred @ centred.T, 0))
    np.fill_diagonal(distances, 0)
    return np.asarray(distances)


def compute_steps(features: Floats) -> NDArray[np.float64]:
    """The distance of each row (m, k) from the one before it (m - 1,)."""
    return np.asarray(np.sqrt(np.square(np.diff(np.asarray(features, np.float64), axis=0)).sum(1)))
