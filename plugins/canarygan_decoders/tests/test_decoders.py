import io
import itertools
import json
import pickle
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from canarygan_decoders import ESN, KNN, SVM
from canarygan_decoders.dataset.examples import Examples
from canarygan_decoders.features import Features
from canarygan_decoders.sklearn_decoder import SklearnDecoder
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.fitted import decoders
from canarygan_core.plugins import Plugin, Registry
from canarygan_core.runs import files, seals


@dataclass(frozen=True)
class Forest(SklearnDecoder):
    """What a third party would write."""

    name: ClassVar[str] = "forest"
    trusted: ClassVar[tuple[str, ...]] = ("sklearn.tree._tree.Tree",)

    trees: int = 10
    """Trees, count."""

    def estimator(self):
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(self.trees, random_state=0)


ALL = [ESN(units=60), KNN(), SVM(), Forest()]


@pytest.fixture
def registry() -> Registry:
    class Module:
        pass

    import canarygan_core

    result = Registry()
    module = Module()
    module.register_decoders = canarygan_core.hookimpl(lambda: [ESN, KNN, SVM, Forest])  # type: ignore[attr-defined]
    result.add(Plugin("here", "here", "0"), module)
    return result


@pytest.fixture(scope="module", params=ALL, ids=lambda decoder: decoder.name)
def fitted(request, syllables: Clips, short: Features):
    return request.param.fit(syllables.select(np.arange(0, len(syllables), 2)), parameters=short)


def saved(fitted, folder: Path) -> Path:
    decoders.save(folder, fitted.decoder, fitted, threshold=0.2)
    return folder


def test_tells_syllables_apart(fitted, syllables: Clips) -> None:
    unseen = syllables.select(np.arange(1, len(syllables), 2))
    posteriors = fitted.posteriors(unseen)
    assert posteriors.dtype == np.float32
    assert fitted.classes == tuple(syllables.classes)
    np.testing.assert_allclose(posteriors.sum(1), 1, atol=1e-5)
    accuracy = np.mean(decoders.pick_labels(posteriors, fitted.classes) == unseen.labels)
    assert accuracy > 0.75, "over 30 seeds the mean is 0.96, the least 0.83"


def test_does_not_depend_on_order_batch_or_level(fitted, syllables: Clips) -> None:
    together = fitted.posteriors(syllables)
    order = np.random.default_rng(0).permutation(len(syllables))
    np.testing.assert_allclose(fitted.posteriors(syllables.select(order)), together[order], atol=1e-4)
    alone = np.concatenate([fitted.posteriors(syllables.select(np.array([row]))) for row in range(5)])
    np.testing.assert_allclose(alone, together[:5], atol=1e-4)
    quiet = Clips(syllables.audio * np.float32(0.01), syllables.rate)
    np.testing.assert_allclose(fitted.posteriors(quiet), together, atol=1e-3)


def test_comes_back_the_same(fitted, syllables: Clips, registry: Registry, tmp_path: Path) -> None:
    folder = saved(fitted, tmp_path / "one")
    trained = decoders.load(folder, registry)
    np.testing.assert_array_equal(trained.posteriors(syllables), fitted.posteriors(syllables))
    assert (trained.classes, trained.threshold, trained.rate) == (fitted.classes, 0.2, 16000)
    assert trained.seconds == pytest.approx(0.3)


def test_a_folder_older_than_an_option_decodes_as_it_was_trained(
    syllables: Clips, short: Features, registry: Registry, tmp_path: Path
) -> None:
    before = KNN().fit(syllables, parameters=replace(short, detrend=False))
    folder = saved(before, tmp_path / "old")
    lines = (folder / "decoder-dataset.config.yml").read_text().splitlines(keepends=True)
    old = "".join(line for line in lines if "detrend" not in line)
    assert len(old.splitlines()) == len(lines) - 1
    forge(folder, "decoder-dataset.config.yml", old.encode())
    shifted = Clips(syllables.audio + np.float32(0.2), syllables.rate)
    posteriors = decoders.load(folder, registry).posteriors(shifted)
    np.testing.assert_array_equal(posteriors, before.posteriors(shifted))
    now = KNN().fit(syllables, parameters=short)
    assert np.abs(posteriors - now.posteriors(shifted)).max() > 0.01, "else the option changes nothing here"


def test_equal_seeds_give_equal_decoders(syllables: Clips, short: Features) -> None:
    one, same, other = (ESN(units=60, seed=seed).fit(syllables, parameters=short) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.posteriors(syllables), same.posteriors(syllables))
    assert (one.state["recurrent"] != other.state["recurrent"]).any()


def test_knn_votes_as_scikit_learns(syllables: Clips, short: Features) -> None:
    fitted = KNN(k=7).fit(syllables, parameters=short)
    examples = Examples.from_clips(syllables, short)
    queries = (examples.features + np.random.default_rng(0).normal(0, 3e-3, examples.features.shape)).astype(np.float32)
    theirs = KNeighborsClassifier(7, weights="distance").fit(examples.features.reshape(48, -1), examples.labels)
    np.testing.assert_allclose(fitted.predict(queries), theirs.predict_proba(queries.reshape(48, -1)), atol=1e-4)


@pytest.mark.parametrize("classes", [2, 4])
def test_svm_scores_are_scikit_learns(syllables: Clips, short: Features, classes: int) -> None:
    examples = Examples.from_clips(syllables.select(np.arange(12 * classes)), short)
    targets = np.unique(examples.labels, return_inverse=True)[1]
    machine = SVM()
    scores = machine.predict(machine.learn(examples), examples.features)
    flat = examples.features.reshape(len(examples), -1)
    theirs = SVC(C=10.0, gamma=1 / (flat.shape[1] * flat.var(dtype=np.float64))).fit(flat, targets)
    np.testing.assert_array_equal(scores.argmax(1), theirs.predict(flat))
    old = machine.predict({key: value for key, value in machine.learn(examples).items() if key != "closest"}, flat)
    if classes > 2:
        np.testing.assert_allclose(old, theirs.decision_function(flat), atol=1e-6)
        theirs.decision_function_shape = "ovo"
        duels = dict(zip(itertools.combinations(range(classes), 2), theirs.decision_function(flat).T, strict=True))
        signed = duels | {(two, one): -margin for (one, two), margin in duels.items()}
        for one in range(classes):
            closest = np.min([signed[one, two] for two in range(classes) if two != one], axis=0)
            np.testing.assert_allclose(scores[:, one], closest, atol=1e-6)


def test_svm_posteriors_tell_clear_from_narrow(syllables: Clips, short: Features) -> None:
    fitted = SVM().fit(syllables.select(np.arange(0, 48, 2)), parameters=short)
    one, other = (syllables.audio[row] for row in (1, 25))
    mixed = np.stack([one + weight * other for weight in np.linspace(0, 1, 21)]).astype(np.float32)
    best = fitted.posteriors(Clips(mixed, syllables.rate)).max(1)
    assert best[0] > 0.99
    assert best.min() < 0.8


def test_noise_is_new_and_a_decoder_of_before_has_no_such_test(fitted, syllables: Clips) -> None:
    pulses = np.random.default_rng(0).standard_normal((5, 4800), np.float32) * (np.arange(4800) % 960 < 320)
    noise = Clips(pulses, 16000)
    assert (fitted.resemblance(noise) < 0.1).all()
    assert (fitted.resemblance(syllables) > 0.5).mean() > 0.9
    old = {name: array for name, array in fitted.state.items() if not name.startswith("novelty_")}
    before = type(fitted)(fitted.decoder, fitted.classes, fitted.parameters, old)
    assert (before.resemblance(noise) == 1).all()
    np.testing.assert_array_equal(before.posteriors(noise), fitted.posteriors(noise))


class Mark:
    """Leaves a mark where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def forge(folder: Path, name: str, content: bytes) -> None:
    """Put other content into a decoder's file, and make its record agree."""
    (folder / name).write_bytes(content)
    record = json.loads((folder / decoders.RECORD).read_text())
    record["files"][name] = files.compute_digest(folder / name)
    (folder / decoders.RECORD).write_text(seals.dump(record))


def with_member(state: Path, name: str, content: bytes) -> bytes:
    """An archive's bytes with one array replaced."""
    result = io.BytesIO()
    with zipfile.ZipFile(state) as old, zipfile.ZipFile(result, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, content if info.filename == f"{name}.npy" else old.read(info))
    return result.getvalue()


def npy(array: np.ndarray, *, pickled: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=pickled)
    return stream.getvalue()


def test_a_pickle_is_refused_and_not_run(fitted, registry: Registry, tmp_path: Path) -> None:
    folder, mark = saved(fitted, tmp_path / "one"), tmp_path / "mark"
    victim = next(name for name in fitted.state)
    payload = npy(np.array([Mark(mark)], dtype=object), pickled=True)
    for content in (pickle.dumps(Mark(mark)), with_member(folder / "state.npz", victim, payload)):
        forge(folder, "state.npz", content)
        with pytest.raises(CanaryganError, match=r"state\.npz"):
            decoders.load(folder, registry)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Mark(mark)))
    assert mark.exists(), "the payload must be one that works"


def test_an_estimator_of_strange_types_is_refused(syllables, short, registry: Registry, tmp_path: Path) -> None:
    import skops.io

    folder, mark = saved(Forest().fit(syllables, parameters=short), tmp_path / "one"), tmp_path / "mark"
    for strange in (Mark(mark), [Path.touch]):
        payload = npy(np.frombuffer(skops.io.dumps(strange), np.uint8))
        forge(folder, "state.npz", with_member(folder / "state.npz", "estimator", payload))
        with pytest.raises(CanaryganError, match=r"not trusted|no decoder"):
            decoders.load(folder, registry)
    assert not mark.exists()


def test_truncated_and_missing_files_are_refused(fitted, registry: Registry, tmp_path: Path) -> None:
    folder = saved(fitted, tmp_path / "one")
    content = (folder / "state.npz").read_bytes()
    (folder / "state.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(CanaryganError, match="cut short or changed"):
        decoders.load(folder, registry)
    forge(folder, "state.npz", content[: len(content) // 2])
    with pytest.raises(CanaryganError, match="Cannot read the archive"):
        decoders.load(folder, registry)
    (folder / "state.npz").unlink()
    with pytest.raises(CanaryganError, match=r"state\.npz is missing"):
        decoders.load(folder, registry)


def test_other_features_are_refused(fitted, registry: Registry, tmp_path: Path) -> None:
    folder = saved(fitted, tmp_path / "one")
    config = (folder / "decoder-dataset.config.yml").read_text()
    other = tmp_path / "other.yml"
    other.write_text(config.replace("hop_length: 128", "hop_length: 64"))
    assert decoders.load_all([folder], registry, folder / "decoder-dataset.config.yml")
    with pytest.raises(UsageError, match="hop-length 128, not 64"):
        decoders.load_all([folder], registry, other)
    forge(folder, "decoder-dataset.config.yml", other.read_bytes())
    with pytest.raises(CanaryganError, match="trained on other features"):
        decoders.load(folder, registry)
    with pytest.raises(CanaryganError, match="was trained on features of shape"):
        fitted.predict(np.zeros((1, 5, 5), np.float32))


def test_arrays_that_do_not_fit_are_refused(fitted, registry: Registry, tmp_path: Path) -> None:
    folder = saved(fitted, tmp_path / "one")
    victim = {"esn": "readout", "knn": "examples", "svm": "weights", "forest": "estimator"}[fitted.decoder.name]
    forge(folder, "state.npz", with_member(folder / "state.npz", victim, npy(np.zeros((3, 3)))))
    with pytest.raises(CanaryganError, match="no decoder that this version"):
        decoders.load(folder, registry)


def test_one_class_and_no_labels_are_refused(syllables: Clips, short: Features) -> None:
    for decoder in ALL:
        with pytest.raises(CanaryganError, match="needs at least two"):
            decoder.fit(syllables.select(slice(0, 5)), parameters=short)
    with pytest.raises(CanaryganError, match="no labels"):
        KNN().fit(Clips(syllables.audio, syllables.rate), parameters=short)


def test_classes_of_one_clip_still_train(syllables: Clips, short: Features) -> None:
    few = syllables.select(np.array([0, 12, 24, 36]))
    for decoder in ALL:
        fitted = decoder.fit(few, parameters=short)
        assert (decoders.pick_labels(fitted.posteriors(few), fitted.classes) == few.labels).all()


def test_k_above_the_training_size_is_said(syllables: Clips, short: Features, caplog, monkeypatch) -> None:
    import logging

    monkeypatch.setattr(logging.getLogger("canarygan"), "propagate", True)
    fitted = KNN(k=100).fit(syllables, parameters=short)
    assert "k is 100, and there are 48 examples" in caplog.text
    np.testing.assert_allclose(fitted.posteriors(syllables).sum(1), 1, atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [lambda: KNN(k=0), lambda: SVM(c=0), lambda: ESN(leak=0), lambda: ESN(ridge=-1), lambda: ESN(units=0)],
)
def test_options_out_of_range_are_refused(make) -> None:
    with pytest.raises(CanaryganError, match="--"):
        make()
