"""The contract suite: it passes what is sound, and says of what is not what to change."""

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from canarygan_core import CanaryganError, Dataset, Decoder, Metric, Model, Projector
from canarygan_core.datasets.folder import Folder
from canarygan_core.datasets.synthetic import Synthetic
from canarygan_core.plugins import installed
from canarygan_core.testing import check_cheap_import, check_component, toy_clips

if TYPE_CHECKING:
    from fractions import Fraction


def spectra(clips):
    return np.abs(np.fft.rfft(clips.audio, axis=1)).astype(np.float32)


@dataclass(frozen=True)
class Toy(Dataset):
    """Toy clips."""

    name: ClassVar[str] = "toy"

    count: int = 4
    """How many, clips."""
    places: tuple[Path, ...] = (Path("a"),)
    """Folders."""

    def load(self):
        return toy_clips(self.count)


@dataclass(frozen=True)
class Level(Metric):
    """Level of the generated clips."""

    name: ClassVar[str] = "level"

    floor: float = -80.0
    """Lowest level told, dB."""

    def score(self, generated, reference):
        return {"level": max(self.floor, float(20 * np.log10(np.sqrt(np.mean(generated.audio**2)))))}


@dataclass(frozen=True)
class Nearest(Decoder):
    """Nearest mean spectrum."""

    name: ClassVar[str] = "nearest"

    sharpness: float = 1.0
    """Posterior odds a unit of distance."""

    def fit(self, clips):
        means = np.stack([spectra(clips)[clips.labels == label].mean(0) for label in clips.classes])
        return FittedNearest(self.sharpness, clips.classes, means)

    @classmethod
    def load(cls, folder):
        told = json.loads((folder / "nearest.json").read_text())
        return FittedNearest(told["sharpness"], told["classes"], np.load(folder / "means.npy", allow_pickle=False))


@dataclass(frozen=True)
class FittedNearest:
    sharpness: float
    classes: list[str]
    means: Any

    def posteriors(self, clips):
        distance = np.linalg.norm(spectra(clips)[:, None] - self.means, axis=2)
        odds = np.exp(-self.sharpness * (distance - distance.min(1, keepdims=True)) / 100)
        return odds / odds.sum(1, keepdims=True)

    def save(self, folder):
        (folder / "nearest.json").write_text(json.dumps({"sharpness": self.sharpness, "classes": self.classes}))
        np.save(folder / "means.npy", self.means)


@dataclass(frozen=True)
class Principal(Projector):
    """Principal components of the spectra."""

    name: ClassVar[str] = "principal"

    components: int = 2
    """Coordinates."""

    def fit(self, clips):
        return FittedPrincipal(np.linalg.svd(spectra(clips), full_matrices=False)[2][: self.components])

    @classmethod
    def load(cls, folder):
        return FittedPrincipal(np.load(folder / "axes.npy", allow_pickle=False))


@dataclass(frozen=True)
class FittedPrincipal:
    axes: Any

    def project(self, clips):
        return spectra(clips) @ self.axes.T

    def save(self, folder):
        np.save(folder / "axes.npy", self.axes)


@dataclass(frozen=True)
class Net(Model):
    """A net."""

    name: ClassVar[str] = "net"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"small": {"layers": 1, "max-epochs": 2}}

    layers: int = 2
    """Layers."""

    def train(self, clips, run, *, training):
        raise NotImplementedError

    @classmethod
    def load(cls, checkpoint, *, device="cpu"):
        raise CanaryganError("No net in it.")


SOUND = (Toy, Level, Nearest, Principal, Net)


@pytest.mark.parametrize("cls", SOUND)
def test_sound_components_pass(cls):
    check_component(cls)


def test_builtin_datasets_pass(tmp_path, monkeypatch):
    soundfile = pytest.importorskip("soundfile")
    check_component(Synthetic, per_class=1, syllables=2)
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    clips = toy_clips(4)
    for sound, source in zip(clips.audio, clips.sources, strict=True):
        (tmp_path / "data" / source).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "data" / source, sound, clips.rate)
    check_component(Folder, data_dir=tmp_path / "data")


@pytest.mark.parametrize("name", installed().names("model"))
def test_installed_models_pass(name):
    check_component(installed().get("model", name))


def broken(base, **changed):
    """A component that differs from a sound one in one thing, `changed` also naming types of new fields."""
    types = changed.pop("__annotations__", {})
    attributes = {"__module__": __name__, "__doc__": base.__doc__, "__annotations__": {**types}, **changed}
    return dataclass(frozen=True)(type("Broken", (base,), attributes))


def without_kind():
    @dataclass(frozen=True)
    class Plain:
        name: ClassVar[str] = "plain"

    return Plain


def of_two_kinds():
    @dataclass(frozen=True)
    class Both(Level, Toy):
        name: ClassVar[str] = "both"

    return Both


def undecorated():
    class Plain(Level):
        name = "plain"

    return Plain


def silent():
    @dataclass(frozen=True)
    class Silent(Metric):
        name: ClassVar[str] = "silent"
        floor: float = 0.0

        def score(self, generated, reference):
            return {"x": 1.0}

    return Silent


def unimportable():
    @dataclass(frozen=True)
    class Hidden(Level):
        name: ClassVar[str] = "hidden"
        part: "Fraction | None" = None
        """Part."""

    return Hidden


def required():
    @dataclass(frozen=True)
    class Required(Metric):
        name: ClassVar[str] = "required"
        model: Path
        """Checkpoint."""

        def score(self, generated, reference):
            return {"x": 1.0}

    return Required


def listing():
    @dataclass(frozen=True)
    class Listing(Level):
        name: ClassVar[str] = "listing"
        parts: list[int] = field(default_factory=list)
        """Parts."""

    return Listing


def forgetful():
    @dataclass(frozen=True)
    class Forgetful(Level):
        name: ClassVar[str] = "forgetful"
        size: int = 1
        """Size."""

        def __post_init__(self):
            object.__setattr__(self, "size", self.size + 1)

    return Forgetful


def seeded():
    @dataclass(frozen=True)
    class Seeded(Toy):
        name: ClassVar[str] = "seeded"
        seed: int = 0
        """Seed."""

    return Seeded


def unequal():
    @dataclass(frozen=True, eq=False)
    class Unequal(Level):
        name: ClassVar[str] = "unequal"

        def __eq__(self, other):
            return self is other

        __hash__ = Level.__hash__

    return Unequal


CLASSES = {
    "instance": (lambda: Level(), "is not a class"),
    "no kind": (without_kind, "must derive from exactly one of Model, Dataset"),
    "two kinds": (of_two_kinds, "not from 2 of them"),
    "no decorator": (undecorated, "must be decorated with @dataclass"),
    "no name": (lambda: broken(Level, name=""), "has no name"),
    "bad name": (lambda: broken(Level, name="My Metric"), "cannot be named 'My Metric'"),
    "abstract": (lambda: broken(Metric, name="abstract"), "does not define score"),
    "no help": (silent, "Silent.floor has no help: write a string under the field"),
    "hidden type": (unimportable, "outside of `if TYPE_CHECKING`"),
    "required": (
        required,
        r"Required.model has no default: give it one, or pass a value .* check_component\(Required, model",
    ),
    "unhashable": (listing, "let its fields be tuples"),
    "unequal": (unequal, "leave __eq__ to the dataclass"),
    "taken option": (seeded, "Seeded.seed is an option of the command itself"),
    "no round trip": (forgetful, "comes back from its record as"),
}


@pytest.mark.parametrize("case", CLASSES)
def test_classes_that_break_the_contract(case):
    make, told = CLASSES[case]
    with pytest.raises(AssertionError, match=told):
        check_component(make())


def test_a_required_option_may_be_given():
    check_component(required(), model=Path("x"))


def drifting():
    calls = []

    def load(self):
        calls.append(1)
        return toy_clips(self.count, seed=len(calls))

    return load


def unsteady():
    calls = []

    def score(self, generated, reference):
        calls.append(1)
        return {"calls": float(len(calls))}

    return score


def louder(self, generated, reference):
    generated.audio[:] *= 2
    return {"level": 1.0}


def fitted(change):
    """A `fit` whose result is changed; and loading it again is not."""

    def fit(self, clips):
        return change(super(self.__class__, self).fit(clips))

    return fit


class Changed:
    """A fitted component with some methods replaced."""

    def __init__(self, inner, **methods):
        self.inner, self.methods = inner, methods

    def __getattr__(self, name):
        if name in self.methods:
            return lambda *arguments: self.methods[name](self.inner, *arguments)
        return getattr(self.inner, name)


def posteriors(change):
    return {
        "fit": fitted(lambda inner: Changed(inner, posteriors=lambda one, clips: change(one.posteriors(clips), clips)))
    }


def saved(save):
    return {"fit": fitted(lambda inner: Changed(inner, save=lambda one, folder: save(one, folder)))}


def save_pickle(one, folder):
    one.save(folder)
    (folder / "model.bin").write_bytes(pickle.dumps({"a": 1}))


def raising(error):
    def load(cls, checkpoint, *, device="cpu"):
        raise error

    return classmethod(load)


def unpickling(cls, checkpoint, *, device="cpu"):
    try:
        return pickle.loads(checkpoint.read_bytes())
    except pickle.UnpicklingError:
        raise CanaryganError("No net in it.") from None


def pickled_mark(cls, checkpoint, *, device="cpu"):
    unpickling(cls, checkpoint)
    raise CanaryganError("Too late.")


LOADS = {
    "no clips": (lambda self: [], "must return Clips, not list"),
    "empty": (lambda self: toy_clips(0), "at least one clip"),
    "nan": (lambda self: replace(toy_clips(), audio=np.full((8, 4), np.nan, np.float32)), "NaN or infinite"),
    "drift": (drifting(), "returns other audio the second time"),
    "no fingerprint": (lambda self: replace(toy_clips(), origin={}), "must set origin"),
    "origin": (lambda self: replace(toy_clips(), origin={"fingerprint": "x", "at": Path("x")}), "must be JSON values"),
    "refusal": (
        lambda self: (_ for _ in ()).throw(CanaryganError("No data.")),
        r"No data\. .* check_component\(Broken, \.\.\.\)",
    ),
}
SCORES = {
    "none": (lambda *_: None, "must return a dict"),
    "empty": (lambda *_: {}, "at least one score"),
    "keys": (lambda *_: {1: 1.0}, "name its scores by strings"),
    "array": (lambda *_: {"x": np.float32(1)}, "as a Python float, not float32"),
    "nan": (lambda *_: {"x": float("nan")}, "no finite number"),
    "unsteady": (unsteady(), "the second time"),
    "in place": (louder, "changes the clips"),
}
DECODERS = {
    "shape": (posteriors(lambda told, _: told[:, :2]), r"shape \(clips, classes\), \(24, 3\), not \(24, 2\)"),
    "sum": (posteriors(lambda told, _: told * 2), "rows must sum to 1"),
    "negative": (posteriors(lambda told, _: told - 0.5), "must be probabilities"),
    "order": (posteriors(lambda told, _: told[np.argsort(told[:, 0])]), "order"),
    "company": (
        posteriors(lambda told, clips: told if len(clips) > 1 else np.full_like(told, 1 / 3)),
        "depend on the others",
    ),
    "classes": ({"fit": fitted(lambda inner: replace(inner, classes=["a", "b", "c"]))}, "classes are"),
    "nothing saved": (saved(lambda one, folder: None), "save writes nothing"),
    "pickle": (saved(save_pickle), "save writes pickle, model.bin"),
    "other when loaded": (
        saved(lambda one, folder: replace(one, means=one.means[::-1]).save(folder)),
        "does something else when saved and loaded",
    ),
}
PROJECTORS = {
    "shape": (
        {"fit": fitted(lambda inner: Changed(inner, project=lambda one, clips: np.zeros(24)))},
        r"must be \(clips, k\)",
    ),
    "nan": ({"fit": fitted(lambda inner: replace(inner, axes=inner.axes * np.nan))}, "NaN"),
    "other when loaded": (
        saved(lambda one, folder: replace(one, axes=one.axes * 2).save(folder)),
        "does something else when saved and loaded",
    ),
}
MODELS = {
    "loads anything": (
        {"load": classmethod(lambda cls, checkpoint, *, device="cpu": object())},
        "no checkpoint .junk.",
    ),
    "other error": ({"load": raising(KeyError("state"))}, "must raise CanaryganError on junk, not KeyError"),
    "unpickles": ({"load": classmethod(pickled_mark)}, "runs code from the file"),
    "preset": ({"presets": {"big": {"layres": 3}}}, "preset big sets layres, which is no option"),
}
BEHAVIOUR = {
    **{f"dataset {case}": (Toy, {"load": load}, told) for case, (load, told) in LOADS.items()},
    **{f"metric {case}": (Level, {"score": score}, told) for case, (score, told) in SCORES.items()},
    **{f"decoder {case}": (Nearest, *rest) for case, rest in DECODERS.items()},
    **{f"projector {case}": (Principal, *rest) for case, rest in PROJECTORS.items()},
    **{f"model {case}": (Net, *rest) for case, rest in MODELS.items()},
}


@pytest.mark.parametrize("case", BEHAVIOUR)
def test_components_that_break_the_promise_of_their_kind(case):
    base, changed, told = BEHAVIOUR[case]
    with pytest.raises(AssertionError, match=told):
        check_component(broken(base, **changed))


PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar
from canarygan_core import Metric, hookimpl

@dataclass(frozen=True)
class One(Metric):
    name: ClassVar[str] = "one"

    def score(self, generated, reference):
        import numpy as np
        return {"one": float(np.ones(1)[0])}

@hookimpl
def register_metrics():
    return [One]
"""


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (PLUGIN, ""),
        ("import numpy\n" + PLUGIN, "imports numpy: import them within the functions that use them"),
        (PLUGIN.replace("    return [One]", "    import numpy\n    return [One]"), "imports numpy"),
        (PLUGIN.replace("register_metrics", "register_metrcs"), "Did you mean register_metrics"),
        ("import nowhere_to_be_found", "cannot be imported"),
    ],
)
def test_cheap_import(tmp_path, monkeypatch, source, told):
    (tmp_path / "cheap_or_not.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    if not told:
        check_cheap_import("cheap_or_not")
        return
    with pytest.raises(AssertionError, match=told):
        check_cheap_import("cheap_or_not")


def test_toy_clips_are_tones_that_their_classes_tell_apart():
    clips = toy_clips(30, classes=3, samples=2048, rate=8000)
    assert (clips.audio.shape, clips.audio.dtype, clips.rate) == ((30, 2048), np.float32, 8000)
    assert clips.classes == ["s0", "s1", "s2"]
    assert [clips.labels.tolist().count(label) for label in clips.classes] == [10, 10, 10]
    assert np.abs(clips.audio).max() < 1
    peaks = spectra(clips).argmax(1) * 8000 / 2048  # Hz
    for label, pitch in zip(clips.classes, np.linspace(8000 / 20, 8000 / 3, 3), strict=True):
        assert np.allclose(peaks[clips.labels == label], pitch, rtol=0.03)
    assert len(set(clips.sources)) == 30


def test_toy_clips_follow_their_seed():
    assert np.array_equal(toy_clips(seed=1).audio, toy_clips(seed=1).audio)
    assert not np.array_equal(toy_clips(seed=1).audio, toy_clips(seed=2).audio)
    assert toy_clips(seed=1).origin != toy_clips(seed=2).origin
