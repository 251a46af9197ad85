"""Checks of the arrays that scores are computed from, before anything is."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.errors import CanaryganError

Floats = NDArray[np.floating[Any]]


def check_embeddings(least: int, *sets: Floats) -> None:
    """Raise `CanaryganError` unless sets of embeddings have `least` rows each and the same number of columns."""
    for rows in sets:
        if rows.ndim != 2 or len(rows) < least:
            raise CanaryganError(
                f"Embeddings must be of shape (clips, numbers), at least {least} of them, not {rows.shape}."
            )
    numbers = sorted({rows.shape[1] for rows in sets})
    if len(numbers) > 1:
        raise CanaryganError(
            f"The embeddings are of {numbers[0]} and {numbers[-1]} numbers: two classifiers made them."
        )


def checked_posteriors(posteriors: Floats) -> NDArray[np.float64]:
    """Posteriors (n, classes) as float64, rows summing to 1 as nearly as that can.

    Raises:
        CanaryganError: on another shape, fewer than two classes, or rows that are no probabilities.
    """
    if posteriors.ndim != 2 or not len(posteriors):
        raise CanaryganError(
            f"Posteriors must be of shape (clips, classes), one clip at least, not {posteriors.shape}."
        )
    if posteriors.shape[1] < 2:
        raise CanaryganError("A score needs posteriors of at least two classes, and these are of one.")
    rows = np.asarray(posteriors, np.float64)
    total = rows.sum(1)
    for wrong, what in (
        (~np.isfinite(total), "hold NaN or infinity"),
        ((rows < 0).any(1), "hold negative numbers"),
        (abs(total - 1) > 1e-3, "do not sum to 1 (are they logits?)"),
    ):
        if wrong.any():
            raise CanaryganError(
                f"The posteriors of {wrong.sum()} of {len(rows)} clips {what}; the first is clip {wrong.argmax()}."
            )
    return np.asarray(rows / total[:, None])
