"""The nearest neighbours: a clip is what those most like it are."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from canarygan_core.errors import CanaryganError
from canarygan_decoders.feature_decoder import FeatureDecoder
from canarygan_decoders.features import Features

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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

    def learn(
        self, features: "NDArray[np.float32]", targets: "NDArray[np.intp]", *, classes: int, parameters: Features
    ) -> "Mapping[str, NDArray[Any]]":
        import numpy as np

        if self.k > len(targets):
            log.warning(f"knn: k is {self.k}, and there are {len(targets)} examples to learn from: all of them vote.")
        return {"examples": features, "targets": targets, "count": np.asarray(classes)}

    def judge(
        self, state: "Mapping[str, NDArray[Any]]", features: "NDArray[np.float32]"
    ) -> "NDArray[np.floating[Any]]":
        import numpy as np

        known = state["examples"].reshape(len(state["targets"]), -1)  # (examples, numbers)
        asked = features.reshape(len(features), -1)
        k = min(self.k, len(known))
        near = np.argpartition(_distances(asked, known), k - 1, axis=1)[:, :k]  # (n, k)
        away = np.linalg.norm(asked[:, None] - known[near], axis=2).astype(np.float64)
        weights = 1 / np.maximum(away, 1e-9 * max(away.max(), 1e-30))
        votes = np.zeros((len(asked), int(state["count"])))
        np.add.at(votes, (np.arange(len(asked))[:, None], state["targets"][near]), weights)
        chances: NDArray[np.floating[Any]] = votes / votes.sum(1, keepdims=True)
        return chances


def _distances(asked: "NDArray[np.float32]", known: "NDArray[np.float32]", rows: int = 4096) -> "NDArray[np.float32]":
    """Squared distances (n, examples) up to a constant a row; examples are read a few at a time."""
    import numpy as np

    made = np.empty((len(asked), len(known)), np.float32)
    for start in range(0, len(known), rows):
        part = np.asarray(known[start : start + rows])
        made[:, start : start + rows] = np.square(part).sum(1) - 2 * (asked @ part.T)
    return made
