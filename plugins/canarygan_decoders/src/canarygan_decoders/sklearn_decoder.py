"""Decoders that are a scikit-learn classifier: a third-party one names the classifier and is done."""

import abc
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
class SklearnDecoder(FeatureDecoder):
    """A scikit-learn classifier with `predict_proba` on a clip's features in one row; kept by skops, without pickle."""

    trusted: ClassVar[tuple[str, ...]] = ()
    """Types that skops does not vouch for and this class does, such as `sklearn.tree._tree.Tree`."""

    @abc.abstractmethod
    def estimator(self) -> Any:
        """A classifier, or a pipeline that ends in one, not fitted yet."""

    def learn(
        self, features: "NDArray[np.float32]", targets: "NDArray[np.intp]", *, classes: int, parameters: Features
    ) -> "Mapping[str, NDArray[Any]]":
        import numpy as np
        import skops.io

        fitted = self.estimator().fit(np.asarray(features).reshape(len(features), -1), targets)
        return {"estimator": np.frombuffer(skops.io.dumps(fitted), np.uint8)}

    def prepare(self, state: "Mapping[str, NDArray[Any]]") -> Any:
        """The classifier; types that neither skops nor `trusted` vouches for are refused before anything is made."""
        import skops.io

        content = state["estimator"].tobytes()
        try:
            strange = sorted(set(skops.io.get_untrusted_types(data=content)) - set(self.trusted))
        except Exception as error:  # noqa: BLE001 a damaged or hostile file may break the reader anywhere
            raise ValueError(f"its classifier cannot be read ({error})") from None
        if strange:
            raise CanaryganError(
                f"The classifier of {self.name} holds types that are not trusted: {', '.join(strange)}."
            )
        try:
            return skops.io.loads(content, trusted=list(self.trusted))
        except Exception as error:  # noqa: BLE001 as above
            raise ValueError(f"its classifier cannot be read ({error})") from None

    def judge(self, state: Any, features: "NDArray[np.float32]") -> "NDArray[np.floating[Any]]":
        if not hasattr(state, "predict_proba"):
            raise ValueError(f"a {type(state).__name__} is no classifier with posteriors")
        made: NDArray[np.floating[Any]] = state.predict_proba(features.reshape(len(features), -1))
        return made
