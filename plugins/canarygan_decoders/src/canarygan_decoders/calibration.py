"""The calibration of decoders: how scores become posteriors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
"""One of so many folds of the training examples is held out to calibrate on."""


def to_posteriors(scores: NDArray[np.floating[Any]], sharpness: float) -> NDArray[np.float64]:
    """Posteriors (n, classes): the softmax of scores (n, classes) times the inverse temperature."""
    from scipy.special import softmax

    posteriors: NDArray[np.float64] = softmax(scores * sharpness, axis=1)
    return posteriors


def fit_sharpness(scores: NDArray[np.floating[Any]], targets: NDArray[np.intp]) -> float:
    """The inverse temperature at which the softmax of held-out scores has the least cross-entropy (Guo et al., 2017).

    Args:
        scores: (n, classes) of clips that the decoder was not trained on.
        targets: (n,) number of each clip's class.
    """
    from scipy.optimize import minimize_scalar

    spread = max(float(np.ptp(scores, axis=1).mean()), 1e-12)

    def cross_entropy(log_sharpness: float) -> float:
        posteriors = to_posteriors(scores, float(np.exp(log_sharpness) / spread))
        return float(-np.log(np.maximum(posteriors[np.arange(len(targets)), targets], 1e-12)).mean())

    minimum = minimize_scalar(cross_entropy, bounds=(np.log(0.1), np.log(100)), method="bounded")
    return float(np.exp(minimum.x) / spread)
