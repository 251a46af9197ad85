"""The nearest-neighbour decoder."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from canarygan_core.errors import CanaryganError
from canarygan_decoders.feature_decoder import FeatureDecoder

if TYPE_CHECKING:
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
        """A search for the nearest examples; and the examples (examples, numbers), their targets, count of classes."""
        from sklearn.neighbors import NearestNeighbors

        targets, count = state["targets"], int(state["count"])
        if not len(targets) or not 0 <= targets.min() <= targets.max() < count <= MOST:
            raise ValueError(f"its examples are of {count} classes")
        examples = state["examples"].reshape(len(targets), -1)
        search = NearestNeighbors(n_neighbors=min(self.k, len(targets)), algorithm="brute").fit(examples)
        return search, examples, targets, count

    def predict(self, state: Any, features: "FeatureArray") -> "Scores":
        import numpy as np

        search, examples, targets, count = state
        queries = features.reshape(len(features), -1)
        nearest = search.kneighbors(queries, return_distance=False)  # (n, k)
        distances = np.linalg.norm(queries[:, None] - examples[nearest], axis=2).astype(np.float64)
        weights = 1 / np.maximum(distances, 1e-9 * max(distances.max(), 1e-30))
        votes = np.zeros((len(queries), count))
        np.add.at(votes, (np.arange(len(queries))[:, None], targets[nearest]), weights)
        posteriors: Scores = votes / votes.sum(1, keepdims=True)
        return posteriors
