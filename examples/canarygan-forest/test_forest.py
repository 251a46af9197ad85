import pytest
from canarygan_core import CanaryganError
from canarygan_core.fitted import decoders
from canarygan_core.testing import check_cheap_import, check_component, toy_clips

from canarygan_forest import ForestDecoder


def test_contract() -> None:
    check_component(ForestDecoder, trees=10)
    check_cheap_import("canarygan_forest")


def test_tells_unseen_clips_apart() -> None:
    fitted = ForestDecoder(trees=50).fit(toy_clips(60, classes=3, samples=16000, seed=1))
    unseen = toy_clips(12, classes=3, samples=16000, seed=2)
    labels = decoders.pick_labels(fitted.posteriors(unseen), fitted.classes)
    assert unseen.labels is not None
    assert labels.tolist() == unseen.labels.tolist()


def test_no_tree_is_refused() -> None:
    with pytest.raises(CanaryganError, match="at least 1"):
        ForestDecoder(trees=0)
