"""How far a clip lies from those that a decoder was trained on: what is new is no syllable that it can name."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 1600
"""Training examples that distances are taken to, at most."""

SHARE = 0.005
"""Share of real clips that lie farther than the limit from all clips but themselves and their copies."""

USUAL = 0.95
"""Resemblance of a clip that lies as far as the median of real clips."""

PREFIX = "novelty_"
"""What the arrays of the test are called in a decoder's file."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Novelty:
    """The distance to the nearest training example, and what follows from it.

    Clips end in silence, where all features are zero. So only the numbers before it are kept.

    Attributes:
        references: (examples, numbers) the first numbers of training examples, float32.
        limit: distance at which a clip is as likely a syllable as not.
        power: how steeply resemblance falls with distance.
    """

    references: Floats
    limit: float
    power: float

    @classmethod
    def fit(
        cls, features: NDArray[Any], groups: NDArray[np.intp], rows: NDArray[np.intp] | None = None
    ) -> "Novelty | None":
        """The test by features of real clips, of which it keeps `MOST`; None for fewer than two clips.

        The limit is the distance that `SHARE` of the unaltered clips exceed, each to the examples of other clips.

        Args:
            features: (n, ...) such that silence is zero; only those that are kept are read.
            groups: (n,) number of the clip that each was made of; the unaltered clip comes before its altered copies.
            rows: those of real clips; None where there is no garbage.
        """
        real = np.arange(len(groups)) if rows is None else rows
        if len(np.unique(groups[real])) < 2:
            return None
        original = real[np.unique(groups[real], return_index=True)[1]]
        kept = _spread(original, MOST)
        rows = np.sort(np.r_[kept, _spread(np.setdiff1d(real, original), MOST - len(kept))])
        taken = np.asarray(features[rows], np.float32).reshape(len(rows), -1)
        tested = np.flatnonzero(np.isin(rows, kept))
        sounding = np.flatnonzero(taken[tested].any(0))  # noise may follow the sound of an altered copy
        width = int(sounding[-1]) + 1 if len(sounding) else 1
        references = taken[:, :width].astype(np.float16).astype(np.float32)  # as it will be saved
        squares = square_distances(taken[tested], references)
        squares[groups[rows][tested][:, None] == groups[rows]] = np.inf
        nearest = np.sqrt(squares.min(1))
        limit = max(float(np.quantile(nearest, 1 - SHARE, method="higher")), 1e-12)
        ratio = max(limit / max(float(np.median(nearest)), 1e-12), 1.05)
        return cls(references, limit, math.log(USUAL / (1 - USUAL)) / math.log(ratio))

    def compare(self, features: NDArray[Any]) -> Floats:
        """How likely clips (n,) are of a kind with the examples, by their features (n, ...): 0.5 at the limit."""
        queries = np.asarray(features, np.float32).reshape(len(features), -1)
        distances = np.sqrt(square_distances(queries, self.references).min(1))
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + (distances / self.limit) ** self.power), np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as plain arrays by name."""
        values = {"references": self.references.astype(np.float16), "limit": self.limit, "power": self.power}
        return {PREFIX + name: np.asarray(value) for name, value in values.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], numbers: int) -> "Novelty | None":
        """The test from what `arrays` returned, for features of so many numbers; None where there is none.

        Raises:
            ValueError: where it does not fit the features.
        """
        if f"{PREFIX}references" not in arrays:
            return None
        references = np.asarray(arrays[f"{PREFIX}references"], np.float32)
        limit, power = (float(arrays[PREFIX + name]) for name in ("limit", "power"))
        if (
            references.ndim != 2
            or not len(references)
            or not 0 < references.shape[1] <= numbers
            or not limit > 0
            or not power > 0
        ):
            raise ValueError(f"the examples of its novelty test, {references.shape}, do not fit {numbers} features")
        return cls(references, limit, power)


def _spread(rows: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """At most so many of the rows, spread evenly over them."""
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), max(count, 0))).astype(np.intp)]


def square_distances(queries: Floats, references: Floats) -> Floats:
    """Squares of Euclidean distances (n, m) of rows (n, numbers) to shorter rows (m, fewer), which zeros continue."""
    own = np.square(queries).sum(1)
    product = queries[:, : references.shape[1]] @ references.T
    return np.asarray(np.maximum(own[:, None] + np.square(references).sum(1) - 2 * product, 0))
