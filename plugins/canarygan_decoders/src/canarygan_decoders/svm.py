"""The support vector machine: scikit-learn trains it, and plain arrays keep it."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from canarygan_core.errors import CanaryganError
from canarygan_decoders.feature_decoder import FeatureDecoder

if TYPE_CHECKING:
    from canarygan_decoders.dataset.examples import Examples
    from canarygan_decoders.feature_decoder import FeatureArray, Scores, State


@dataclass(frozen=True)
class SVM(FeatureDecoder):
    """Support vector machine with Gaussian kernel, one class against one (Cortes and Vapnik, 1995), calibrated."""

    name: ClassVar[str] = "svm"
    is_calibrated: ClassVar[bool] = True
    search_ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"c": (0.1, 100.0)}

    c: float = 10.0
    """Weight of misclassified examples; the paper's 0.1 underfits sets of 100 clips a class, number."""
    gamma: float = 0.0
    """Inverse square width of the kernel; 0 for 1 / (numbers a clip x their variance), number."""

    def __post_init__(self) -> None:
        if self.c <= 0 or self.gamma < 0:
            raise CanaryganError(
                f"--svm.c must be above 0 and --svm.gamma not under 0, not {self.c:g} and {self.gamma:g}."
            )

    def learn(self, examples: "Examples") -> "State":
        import numpy as np
        from sklearn.svm import SVC

        rows = np.asarray(examples.features).reshape(len(examples), -1)
        gamma = self.gamma or 1 / (rows.shape[1] * (float(rows.var(dtype=np.float64)) or 1.0))
        machine = SVC(C=self.c, gamma=gamma, cache_size=500, random_state=0).fit(rows, examples.targets)
        # scikit-learn turns the sign where there are two classes
        sign = -1.0 if len(examples.classes) == 2 else 1.0
        return {
            "vectors": rows[machine.support_],
            "weights": sign * machine.dual_coef_,  # (classes - 1, vectors)
            "offsets": sign * machine.intercept_,  # (pairs,): (0, 1), (0, 2), ...
            "counts": np.asarray(machine.n_support_),  # (classes,)
            "gamma": np.asarray(gamma),
            "closest": np.asarray(1),
        }

    def predict(self, state: "State", features: "FeatureArray") -> "Scores":
        import numpy as np

        rows = features.reshape(len(features), -1).astype(np.float64)
        vectors = state["vectors"].astype(np.float64)
        distances = np.square(rows).sum(1)[:, None] + np.square(vectors).sum(1) - 2 * (rows @ vectors.T)
        kernel = np.exp(-state["gamma"] * np.maximum(distances, 0))
        # decoders of 0.2 were calibrated on scores that count comparisons
        return closest_margins(kernel, state) if "closest" in state else count_wins(kernel, state)


def closest_margins(kernel: "Scores", state: "State") -> "Scores":
    """Scores (n, classes): the margin of a class in the closest of its comparisons with the others.

    A class that wins all its comparisons has the only score above 0, and the score says by how much it does. So
    posteriors tell a clear case from a narrow one, which a count of comparisons won does not.

    Args:
        kernel: (n, vectors) similarity of clips to the support vectors, which are ordered by class.
        state: what `SVM.learn` returned; a vector has a weight for each comparison of its class with another.
    """
    import numpy as np

    scores = np.full((len(kernel), len(state["counts"])), np.inf)
    for one, two, margin in _compare(kernel, state):
        scores[:, one] = np.minimum(scores[:, one], margin)
        scores[:, two] = np.minimum(scores[:, two], -margin)
    return scores


def count_wins(kernel: "Scores", state: "State") -> "Scores":
    """Scores (n, classes): the comparisons that a class wins, plus less than half for its margin in all of them.

    This is scikit-learn's `decision_function_shape="ovr"`. Arguments as of `closest_margins`.
    """
    import numpy as np

    wins = np.zeros((len(kernel), len(state["counts"])))
    margins = np.zeros_like(wins)
    for one, two, margin in _compare(kernel, state):
        wins[:, one] += margin >= 0
        wins[:, two] += margin < 0
        margins[:, one] += margin
        margins[:, two] -= margin
    scores: Scores = wins + margins / (3 * (np.abs(margins) + 1))
    return scores


def _compare(kernel: "Scores", state: "State") -> "Iterator[tuple[int, int, Scores]]":
    """Every pair of classes, and the margin (n,) by which the first wins."""
    import numpy as np

    weights, counts = state["weights"], state["counts"]
    ends = np.cumsum(counts)
    own = [slice(end - count, end) for end, count in zip(ends, counts, strict=True)]
    pairs = itertools.combinations(range(len(counts)), 2)
    for (one, two), offset in zip(pairs, state["offsets"], strict=True):
        margin = kernel[:, own[one]] @ weights[two - 1, own[one]]
        yield one, two, margin + kernel[:, own[two]] @ weights[one, own[two]] + offset
