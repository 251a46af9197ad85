"""The nearest-neighbour decoder."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from canarygan_core.errors import CanaryganError
from canarygan_decoders.feature_decoder import FeatureDecoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canarygan_decoders.dataset.examples import Examples
    from canarygan_decoders.feature_decoder import FeatureArray, Scores, State

log = logging.getLogger("canarygan")

MOST = 1 << 16
"""Classes, at most."""


@dataclass(frozen=True)
class KNN(FeatureDecoder):
    """The k nearest training examples vote, each with the inverse of its Euclidean distance (Dudani, 1976)."""

    name: ClassVar[str] = "knn"

    k: int = 5
    """Neighbours that vote, at most as many as there are; the paper's 100 is more than small classes have, examples."""

    def __post_init__(self) -> None:
        if self.k < 1:
            raise CanaryganError(f"--knn.k must be at least 1, not {self.k}.")

    def learn(self, examples: "Examples") -> "State":
        import numpy as np

        if self.k > len(examples):
            log.warning(f"knn: k is {self.k}, and there are {len(examples)} examples to learn from: all of them vote.")
        count = np.asarray(len(examples.classes))
        return {"examples": examples.features, "targets": examples.targets, "count": count}

    def prepare(self, state: "State") -> Any:
        """The examples (examples, numbers), the squares of their lengths, their targets, and the count of classes."""
        import numpy as np

        targets, count = state["targets"], int(state["count"])
        if not len(targets) or not 0 <= targets.min() <= targets.max() < count <= MOST:
            raise ValueError(f"its examples are of {count} classes")
        examples = state["examples"].reshape(len(targets), -1)
        return examples, np.square(examples).sum(1), targets, count

    def predict(self, state: Any, features: "FeatureArray") -> "Scores":
        import numpy as np

        examples, squares, targets, count = state
        queries = features.reshape(len(features), -1)
        k = min(self.k, len(targets))
        few = min(2 * k, len(targets))  # rounding may mistake the order of those that are nearly as close
        near = _find_smallest(squares - 2 * queries @ examples.T, few)
        distances = np.linalg.norm(queries[:, None] - examples[near], axis=2).astype(np.float64)
        closest = _find_smallest(distances, k)
        nearest, distances = (np.take_along_axis(array, closest, 1) for array in (near, distances))  # (n, k)
        weights = 1 / np.maximum(distances, 1e-9 * max(distances.max(), 1e-30))
        votes = np.zeros((len(queries), count))
        np.add.at(votes, (np.arange(len(queries))[:, None], targets[nearest]), weights)
        posteriors: Scores = votes / votes.sum(1, keepdims=True)
        return posteriors


def _find_smallest(values: "NDArray[Any]", count: int) -> "NDArray[np.intp]":
    """Columns (n, count) of the smallest values in each row of values (n, columns)."""
    import numpy as np

    return np.argpartition(values, count - 1, axis=1)[:, :count]
