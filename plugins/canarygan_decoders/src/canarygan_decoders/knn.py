"""The nearest-neighbour decoder."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from canarygan_core.errors import CanaryganError
from canarygan_decoders.feature_decoder import FeatureDecoder

if TYPE_CHECKING:
    from canarygan_decoders.dataset.examples import Examples
    from canarygan_decoders.feature_decoder import FeatureArray, Scores, State

log = logging.getLogger("canarygan")


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

    def predict(self, state: "State", features: "FeatureArray") -> "Scores":
        import numpy as np

        examples = state["examples"].reshape(len(state["targets"]), -1)  # (examples, numbers)
        queries = features.reshape(len(features), -1)
        k = min(self.k, len(examples))
        nearest = np.argpartition(_relative_distances(queries, examples), k - 1, axis=1)[:, :k]  # (n, k)
        distances = np.linalg.norm(queries[:, None] - examples[nearest], axis=2).astype(np.float64)
        weights = 1 / np.maximum(distances, 1e-9 * max(distances.max(), 1e-30))
        votes = np.zeros((len(queries), int(state["count"])))
        np.add.at(votes, (np.arange(len(queries))[:, None], state["targets"][nearest]), weights)
        posteriors: Scores = votes / votes.sum(1, keepdims=True)
        return posteriors


def _relative_distances(queries: "FeatureArray", examples: "FeatureArray", rows: int = 4096) -> "FeatureArray":
    """Squared distances (n, examples) up to a constant for each query; examples are read some rows at a time."""
    import numpy as np

    distances = np.empty((len(queries), len(examples)), np.float32)
    for start in range(0, len(examples), rows):
        part = np.asarray(examples[start : start + rows])
        distances[:, start : start + rows] = np.square(part).sum(1) - 2 * (queries @ part.T)
    return distances
