"""The support vector machine, kept as plain arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from canarygan_core.errors import CanaryganError
from canarygan_decoders.feature_decoder import FeatureDecoder
from canarygan_decoders.features import Features

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class SVM(FeatureDecoder):
    """Support vector machine with Gaussian kernel, one class against one (Cortes and Vapnik, 1995), calibrated."""

    name: ClassVar[str] = "svm"
    calibrates: ClassVar[bool] = True

    c: float = 10.0
    """Weight of misclassified examples; the paper's 0.1 underfits sets of 100 clips a class, number."""
    gamma: float = 0.0
    """Inverse square width of the kernel; 0 for 1 / (numbers a clip x their variance), number."""

    def __post_init__(self) -> None:
        if self.c <= 0 or self.gamma < 0:
            raise CanaryganError(
                f"--svm.c must be above 0 and --svm.gamma not under 0, not {self.c:g} and {self.gamma:g}."
            )

    def learn(
        self, features: "NDArray[np.float32]", targets: "NDArray[np.intp]", *, classes: int, parameters: Features
    ) -> "Mapping[str, NDArray[Any]]":
        import numpy as np
        from sklearn.svm import SVC

        flat = np.asarray(features).reshape(len(features), -1)
        spread = float(flat.var(dtype=np.float64)) or 1.0
        gamma = self.gamma or 1 / (flat.shape[1] * spread)
        machine = SVC(C=self.c, gamma=gamma, cache_size=500).fit(flat, targets)
        sign = (
            -1.0 if classes == 2 else 1.0
        )  # of two classes scikit-learn turns the sign, so that the second is positive
        return {
            "vectors": flat[machine.support_],
            "weights": sign * machine.dual_coef_,  # (classes - 1, vectors)
            "offsets": sign * machine.intercept_,  # (pairs,)
            "counts": np.asarray(machine.n_support_),  # (classes,)
            "gamma": np.asarray(gamma),
        }

    def judge(
        self, state: "Mapping[str, NDArray[Any]]", features: "NDArray[np.float32]"
    ) -> "NDArray[np.floating[Any]]":
        import numpy as np

        asked = features.reshape(len(features), -1).astype(np.float64)
        vectors = state["vectors"].astype(np.float64)
        apart = np.square(asked).sum(1)[:, None] + np.square(vectors).sum(1) - 2 * (asked @ vectors.T)
        return duels(
            np.exp(-state["gamma"] * np.maximum(apart, 0)), state["weights"], state["offsets"], state["counts"]
        )


def duels(
    kernel: "NDArray[np.float64]",
    weights: "NDArray[np.float64]",
    offsets: "NDArray[np.float64]",
    counts: "NDArray[Any]",
) -> "NDArray[np.float64]":
    """Duels won by each class (n, classes), plus less than half of one for how clearly.

    Args:
        kernel: (n, vectors) similarity of clips to the support vectors, which are ordered by class.
        weights: (classes - 1, vectors) of each vector in its class's duels with the others, in order.
        offsets: (pairs,) one a duel, (0, 1), (0, 2), ...
        counts: (classes,) support vectors of each.
    """
    import numpy as np

    ends = np.cumsum(counts)
    own = [slice(end - count, end) for end, count in zip(ends, counts, strict=True)]
    won = np.zeros((len(kernel), len(counts)))
    clear = np.zeros_like(won)
    pairs = [(one, other) for one in range(len(counts)) for other in range(one + 1, len(counts))]
    for (one, other), offset in zip(pairs, offsets, strict=True):
        lead = (
            kernel[:, own[one]] @ weights[other - 1, own[one]]
            + kernel[:, own[other]] @ weights[one, own[other]]
            + offset
        )
        won[:, one] += lead >= 0
        won[:, other] += lead < 0
        clear[:, one] += lead
        clear[:, other] -= lead
    scores: NDArray[np.float64] = won + clear / (3 * (np.abs(clear) + 1))
    return scores
