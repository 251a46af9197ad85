"""The base of decoders that are a scikit-learn classifier: a subclass only names the classifier."""

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from canarygan_core.errors import CanaryganError
from canarygan_decoders.feature_decoder import FeatureDecoder

if TYPE_CHECKING:
    from canarygan_decoders.dataset.examples import Examples
    from canarygan_decoders.feature_decoder import FeatureArray, Scores, State


@dataclass(frozen=True)
class SklearnDecoder(FeatureDecoder):
    """A scikit-learn classifier with `predict_proba` on a clip's features in one row; skops saves it, not pickle."""

    trusted: ClassVar[tuple[str, ...]] = ()
    """Types that this class trusts although skops does not, such as `sklearn.tree._tree.Tree`."""

    @abc.abstractmethod
    def estimator(self) -> Any:
        """A classifier, or a pipeline that ends in one, not fitted yet."""

    def learn(self, examples: "Examples") -> "State":
        import numpy as np
        import skops.io

        classifier = self.estimator().fit(np.asarray(examples.features).reshape(len(examples), -1), examples.targets)
        return {"estimator": np.frombuffer(skops.io.dumps(classifier), np.uint8)}

    def prepare(self, state: "State") -> Any:
        """The classifier; types that neither skops nor `trusted` names are refused before anything is built."""
        import skops.io

        content = state["estimator"].tobytes()
        try:
            untrusted = sorted(set(skops.io.get_untrusted_types(data=content)) - set(self.trusted))
            classifier = None if untrusted else skops.io.loads(content, trusted=list(self.trusted))
        except Exception as error:  # noqa: BLE001 a damaged or hostile file may break the reader anywhere
            raise ValueError(f"its classifier cannot be read ({error})") from None
        if untrusted:
            raise CanaryganError(
                f"The classifier of {self.name} holds types that are not trusted: {', '.join(untrusted)}."
            )
        return classifier

    def predict(self, state: Any, features: "FeatureArray") -> "Scores":
        if not hasattr(state, "predict_proba"):
            raise ValueError(f"a {type(state).__name__} is no classifier with posteriors")
        posteriors: Scores = state.predict_proba(features.reshape(len(features), -1))
        return posteriors
