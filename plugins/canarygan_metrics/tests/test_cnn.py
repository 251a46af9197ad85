import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from canarygan_metrics.classifier.decoder import CNN

from canarygan_core.cli import main
from canarygan_core.clips import Clips, concatenate
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted import decoders
from canarygan_core.plugins import get_registry
from canarygan_core.runs import files
from canarygan_core.testing import check_component, toy_clips

SMALL = {"channels": 8, "bands": 32, "seconds": 0.2}


def noise(count: int, like: Clips, seed: int) -> Clips:
    sounds = np.random.default_rng(seed).standard_normal((count, like.samples), np.float32)
    garbage = {"garbage": np.ones(count, bool)}
    names = np.array([f"noise {row}" for row in range(count)])
    return Clips(sounds, like.rate, labels=np.full(count, "X-noise"), sources=names, facts=garbage)


@pytest.fixture(scope="module")
def clips() -> Clips:
    clips = toy_clips(60, classes=3, samples=2048)
    clips = replace(clips, facts={"garbage": np.zeros(len(clips), bool)}, latents=None)
    return concatenate([clips, noise(20, clips, 0)])


@pytest.fixture(scope="module")
def folder(clips: Clips, tmp_path_factory: pytest.TempPathFactory) -> Path:
    decoder = CNN(**SMALL)
    folder = tmp_path_factory.mktemp("trained") / "cnn"
    decoders.save(folder, decoder, decoder.fit(clips), garbage=["X-noise"])
    return folder


def test_cnn_keeps_the_contract() -> None:
    check_component(CNN, epochs=2, channels=4, bands=32, seconds=0.2)


def test_tells_unseen_clips_apart_and_rejects_noise(folder: Path, clips: Clips) -> None:
    trained = decoders.load(folder, get_registry())
    unseen = toy_clips(30, classes=3, samples=2048, seed=9)
    judgement = trained.judge(unseen)
    assert list(judgement.classes) == unseen.classes
    assert np.mean(judgement.labels == unseen.labels) > 0.9, "over 10 seeds always 1"
    assert np.mean(judgement.votes == unseen.labels) > 0.7
    strange = trained.judge(noise(20, unseen, 5))
    assert (strange.syllable < 0.5).all()
    assert (strange.votes == decoders.X).all()


def test_saved_and_loaded_it_says_the_same(folder: Path, clips: Clips) -> None:
    fitted = CNN(**SMALL).fit(clips)
    trained = decoders.load(folder, get_registry())
    np.testing.assert_allclose(trained.posteriors(clips), fitted.posteriors(clips), atol=1e-5)
    np.testing.assert_allclose(trained.fitted.resemblance(clips), fitted.resemblance(clips), atol=1e-5)


def test_arrays_that_do_not_fit_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "cnn"
    files.copy(folder / "state.npz", copy / "state.npz")
    record = json.loads((folder / "component.json").read_text())
    record["options"]["bands"] = 64
    (copy / "component.json").write_text(json.dumps(record))
    with pytest.raises(CanaryganError, match=r"do not fit its own description: linear\.weight has shape"):
        CNN.load(copy)


def test_is_trained_by_name(toys, tmp_path: Path) -> None:
    words = ["train-decoders", "-d", str(toys.data), "-s", str(tmp_path), "-m", "cnn", "--cnn.epochs", "2"]
    assert main.main([*words, "--cnn.channels", "4", "--max-length", "0.3"]) == 0
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["cnn"]["rejected"]["garbage"]["clips"] > 0
    assert json.loads((tmp_path / "cnn" / "decoder.json").read_text())["decoder"]["options"]["epochs"] == 2


def test_options_out_of_range_are_refused() -> None:
    for options in ({"epochs": 0}, {"altered": 2}, {"lr": 0}, {"seconds": 0.01}):
        with pytest.raises(CanaryganError, match="--"):
            CNN(**options)


def test_it_is_loaded_to_a_device(folder: Path, clips: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = CNN.load.__func__  # type: ignore[attr-defined]

    def load(cls: type[CNN], path: Path, *, device: str = "cpu") -> object:
        asked.append(device)
        return real(cls, path, device=device)

    monkeypatch.setattr(CNN, "load", classmethod(load))
    one = decoders.load(folder, get_registry(), device="cpu")
    (other,) = decoders.load_all([folder], get_registry(), device="auto")
    assert asked[0] == "cpu"
    assert asked[1].split(":")[0] in ("cpu", "cuda")
    np.testing.assert_allclose(one.posteriors(clips), other.posteriors(clips), atol=1e-3)
    with pytest.raises(CanaryganError, match="No device named 'tpu'"):
        decoders.load_all([folder], get_registry(), device="tpu")
    with pytest.raises(CanaryganError, match=r"Cannot use .* on the device nowhere"):
        CNN.load(folder, device="nowhere")
