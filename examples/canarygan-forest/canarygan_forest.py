"""A CanaryGAN decoder with a scikit-learn classifier. Its base class brings features, training and saving."""

from dataclasses import dataclass
from typing import Any, ClassVar

from canarygan_core import CanaryganError, Decoder, hookimpl
from canarygan_decoders.sklearn_decoder import SklearnDecoder


@dataclass(frozen=True)
class ForestDecoder(SklearnDecoder):
    """A random forest: decision trees, each grown on a random draw of the clips, vote (Breiman, 2001)."""

    name: ClassVar[str] = "forest"
    trusted: ClassVar[tuple[str, ...]] = ("sklearn.tree._tree.Tree",)

    trees: int = 100
    """Number of decision trees, trees."""
    seed: int = 0
    """Seed of the random draws, an integer from 0."""

    def __post_init__(self) -> None:
        if self.trees < 1 or self.seed < 0:
            raise CanaryganError(
                f"--forest.trees must be at least 1 and --forest.seed not under 0, not {self.trees} and {self.seed}."
            )

    def estimator(self) -> Any:
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(self.trees, random_state=self.seed)


@hookimpl
def register_decoders() -> list[type[Decoder]]:
    return [ForestDecoder]
