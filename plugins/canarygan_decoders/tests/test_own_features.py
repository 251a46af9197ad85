"""A decoder of somebody else: features of its own, on the scikit-learn base, and a range that a search draws from."""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from canarygan_decoders.dataset import decoder_dataset
from canarygan_decoders.features import Features
from canarygan_decoders.sklearn_decoder import SklearnDecoder
from canarygan_decoders.tasks import search, train_decoders

from canarygan_core import hookimpl
from canarygan_core.clips import Clips
from canarygan_core.errors import UsageError
from canarygan_core.fitted import decoders
from canarygan_core.plugins import Plugin, Registry
from canarygan_core.runs import Manifest, Request
from canarygan_core.testing import check_component, toy_clips


@dataclass(frozen=True)
class Bands(SklearnDecoder):
    """Logistic regression on the power in eight bands."""

    name: ClassVar[str] = "bands"
    search_ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"c": (0.1, 10.0), "steps": (50, 200)}

    c: float = 1.0
    """Inverse of the penalty, number."""
    steps: int = 100
    """Most steps of the fit, steps."""

    def __post_init__(self) -> None:
        from canarygan_core import CanaryganError

        if not 0 < self.c < 1e6 or self.steps < 1:
            raise CanaryganError("--bands.c must be above 0, and --bands.steps at least 1.")

    def compute_features(self, audio: np.ndarray, rate: int) -> np.ndarray:
        power = np.square(np.abs(np.fft.rfft(audio, axis=1)))[:, 1:]
        bands = np.stack([part.sum(1) for part in np.array_split(power, 8, axis=1)], axis=1)
        return np.asarray(bands / np.maximum(bands.sum(1, keepdims=True), 1e-9), np.float32)

    def estimator(self) -> Any:
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=self.c * 100, max_iter=self.steps)


@pytest.fixture
def registry() -> Registry:
    module = types.ModuleType("own")
    module.register_decoders = hookimpl(lambda: [Bands])  # type: ignore[attr-defined]
    registry = Registry()
    registry.add(Plugin("own", "canarygan-own", "1.0"), module)
    return registry


def test_it_keeps_the_contract() -> None:
    assert (Bands.learns_from, SklearnDecoder.learns_from) == ("clips", "features")
    check_component(Bands)


def test_it_is_trained_searched_tested_and_loaded_as_ours_are(registry: Registry, tmp_path: Path) -> None:
    clips, features = toy_clips(36, classes=3, samples=4096), Features(max_length=0.256)
    request = Request("train-decoders", options={"task": {}})
    with (
        Manifest.begin(tmp_path / "manifest.json", request) as manifest,
        decoder_dataset.prepare_dataset(clips, features, share=0.25, copies=1, seed=0) as prepared,
    ):
        journal = tmp_path / "search.jsonl"
        found: Any = search.search_options(Bands(), prepared.train, prepared.clips, trials=2, seed=1, journal=journal)
        assert isinstance(found.steps, int)
        assert 0.1 <= found.c <= 10.0
        folds = search.cross_validate(Bands(c=1e-3), prepared.train, prepared.clips)
        assert len(folds) == search.FOLDS
        assert min(search.cross_validate(Bands(), prepared.train, prepared.clips)) > 0.5
        record, _ = train_decoders._train_and_test([Bands()], prepared, tmp_path, manifest)
        assert record["test"]["clean"]["accuracy"] == 1.0
        sounds_gone = types.SimpleNamespace(clips=None)
        with pytest.raises(UsageError, match="learns from sounds"):
            train_decoders._fit(Bands(), sounds_gone)  # type: ignore[arg-type]
    one = decoders.load(tmp_path / "bands", registry)
    assert (one.rate, one.seconds) == (16000, 0.256)
    named = [label for label in one.classes if not label.startswith("X-")]
    votes = one.judge(toy_clips(12, classes=3, samples=4096, seed=3)).labels
    assert votes.tolist() == [f"s{row % 3}" for row in range(12)]
    assert named == ["s0", "s1", "s2"]


def test_features_are_those_of_its_own_and_each_of_one_sound_alone() -> None:
    clips = toy_clips(12, classes=3)
    fitted = Bands().fit(clips)
    parameters = Features()
    assert fitted.state["estimator"].dtype == np.uint8
    assert Bands().find_shape(parameters) == (8,)
    none = Clips(np.empty((0, 4096), np.float32), 16000)
    assert fitted.posteriors(none).shape == (0, 3)
    np.testing.assert_allclose(fitted.posteriors(clips)[3:4], fitted.posteriors(clips.select(slice(3, 4))), atol=1e-6)
