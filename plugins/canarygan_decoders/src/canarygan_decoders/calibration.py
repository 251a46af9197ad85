"""From scores to probabilities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

HELD = 5
"""One clip in so many of each class is held out to calibrate on."""

Floats = NDArray[np.floating[Any]]


def softmax(scores: Floats) -> NDArray[np.float64]:
    """Rows of scores (n, classes) as probabilities."""
    raised = np.exp(scores - scores.max(1, keepdims=True))
    made: NDArray[np.float64] = raised / raised.sum(1, keepdims=True)
    return made


def sharpness(scores: Floats, targets: NDArray[np.intp]) -> float:
    """The inverse temperature by which softmax gives held-out clips the least cross-entropy (Guo et al., 2017).

    Args:
        scores: (n, classes) of clips that were not learnt from.
        targets: (n,) number of each one's class.
    """
    from scipy.optimize import minimize_scalar

    spread = max(float(np.ptp(scores, axis=1).mean()), 1e-12)

    def entropy(logarithm: float) -> float:
        chances = softmax(scores * (np.exp(logarithm) / spread))[np.arange(len(targets)), targets]
        return float(-np.log(np.maximum(chances, 1e-12)).mean())

    found = minimize_scalar(entropy, bounds=(np.log(0.1), np.log(100)), method="bounded")
    return float(np.exp(found.x) / spread)


def held_out(targets: NDArray[np.intp], groups: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows to calibrate on, one original clip in `HELD` of each class, and rows that share no clip with them.

    Args:
        targets: (n,) number of each example's class.
        groups: (n,) clip that each example was made of; the first example of a clip is the clip as it is.
    """
    clips, first = np.unique(groups, return_index=True)
    chosen: list[NDArray[np.intp]] = []
    for target in np.unique(targets):
        mine = clips[targets[first] == target]
        chosen.append(mine[HELD - 1 :: HELD])
    held_clips = np.concatenate(chosen)
    held = first[np.isin(clips, held_clips)]
    return held, np.flatnonzero(~np.isin(groups, held_clips))
