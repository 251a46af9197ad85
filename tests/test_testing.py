"""The contract suite: it passes what is sound, and says of what is not what to change."""

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from canarygan_core import CanaryganError, Dataset, Decoder, Metric, Model, Projector, archives, files
from canarygan_core.datasets.folder import Folder
from canarygan_core.datasets.synthetic import Synthetic
from canarygan_core.plugins import installed
from canarygan_core.testing import check_cheap_import, check_component, toy_clips

if TYPE_CHECKING:
    from fractions import Fraction


def spectra(clips):
    if not np.isfinite(clips.audio).all():
        raise CanaryganError("Some clips are not finite.")
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
        power = np.mean(spectra(generated) ** 2) if len(generated) else 0
        return {"level": max(self.floor, float(10 * np.log10(power + 1e-12)))}


@dataclass(frozen=True)
class Nearest(Decoder):
    """Nearest mean spectrum."""

    name: ClassVar[str] = "nearest"

    sharpness: float = 1.0
    """Posterior odds a unit of distance."""

    def fit(self, clips):
        if clips.labels is None or not clips.classes:
            raise CanaryganError("There are no labels.")
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
        if len(clips) < self.components or self.components < 1:
            raise CanaryganError("Too few clips.")
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
        if not len(clips):
            raise CanaryganError("No clips.")
        epoch = training.max_epochs
        path = run.checkpoints / "all" / f"epoch_{epoch}-step_{epoch}.ckpt"
        state = {"x": self.learnt(clips, training), "rate": clips.rate, "epoch": epoch}
        with files.replacing(path) as partial, open(partial, "wb") as stream:
            np.savez(stream, **state)
        files.copy(path, run.last)

    def learnt(self, clips, training):
        return np.random.default_rng(training.seed).standard_normal((2, 1), np.float32) * clips.audio[:2]

    @classmethod
    def load(cls, checkpoint, *, device="cpu"):
        held = archives.read(checkpoint)
        return Sounds(held["x"], int(held["rate"]), {"epoch": int(held["epoch"]), "step": int(held["epoch"])})


@dataclass(frozen=True)
class Sounds:
    x: Any
    rate: int
    progress: Mapping[str, int]

    @property
    def latent_dim(self):
        return len(self.x)

    @property
    def samples(self):
        return self.x.shape[1]

    def generate(self, z):
        return z @ self.x


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


SMALL = {"wavegan": {"dim": 2, "slice_len": 4096, "critic_updates": 1}}


@pytest.mark.parametrize("name", installed().names("model"))
def test_installed_models_pass(name):
    check_component(installed().get("model", name), **SMALL.get(name, {}))


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


def careless():
    @dataclass(frozen=True)
    class Careless(Level):
        name: ClassVar[str] = "careless"
        size: int = 1
        """Size."""

        def __post_init__(self):
            np.zeros(self.size)

    return Careless


CLASSES = {
    "option's error": (careless, r"Careless\(size=-1\) raises ValueError: negative dimensions .* raise CanaryganError"),
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


def strict(self, generated, reference):
    return {"level": 1 / len(generated)}


def of_loudest(self, generated, reference):
    return {"level": float(np.abs(generated.audio).max())} if len(generated) and len(reference) else {"level": 0.0}


def silent_error(self, generated, reference):
    if len(generated) < 2:
        raise CanaryganError("")
    return {"level": 1.0}


SCORES = {
    "error": (strict, "no clips on the generated side raises ZeroDivisionError"),
    "nan of nan": (of_loudest, "With a clip that is NaN on the generated side Broken.score gives level = nan"),
    "no message": (silent_error, "raises a CanaryganError that says nothing"),
    "none": (lambda *_: None, "must return a dict"),
    "empty": (lambda *_: {}, "at least one score"),
    "keys": (lambda *_: {1: 1.0}, "name its scores by strings"),
    "array": (lambda *_: {"x": np.float32(1)}, "as a Python float, not float32"),
    "nan": (lambda *_: {"x": float("nan")}, "no finite number"),
    "unsteady": (unsteady(), "the second time"),
    "in place": (louder, "changes the clips"),
}


@dataclass(frozen=True)
class Louder:
    """A listener that hears clips relative to the others given with them."""

    def __call__(self, clips):
        return replace(clips, audio=clips.audio * np.float32(len(clips)))


LISTENERS = {
    "unhashable": (lambda self: Unhashable(), "listener of Broken cannot be hashed"),
    "unequal": (lambda self: lambda clips: clips, "make it a frozen dataclass"),
    "company": (lambda self: Louder(), "3 at a time"),
}


class Unhashable:
    __hash__ = None

    def __call__(self, clips):
        return clips

    def __eq__(self, other):
        return True


def drawn():
    calls = []

    def fit(self, clips):
        calls.append(1)
        return replace(Nearest.fit(self, clips), sharpness=0.1 * len(calls))

    return fit


def fit_all(self, clips):
    means = np.stack([spectra(clips)[clips.labels == label].mean(0) for label in clips.classes])
    return FittedNearest(self.sharpness, clips.classes, means)


DECODERS = {
    "draws": ({"fit": drawn()}, "learns something else the second time"),
    "too few": ({"fit": fit_all}, "Broken.fit on no clips raises ValueError"),
    "no clips": (
        posteriors(lambda told, clips: told if len(clips) else told[:, :1]),
        r"shape \(clips, classes\), \(0, 3\), not \(0, 1\)",
    ),
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


def projected(change):
    return {"fit": fitted(lambda inner: Changed(inner, project=lambda one, clips: change(one.project(clips))))}


PROJECTORS = {
    "order": (projected(lambda laid: np.sort(laid, axis=0)), "depends on the clips' order"),
    "company": (projected(lambda laid: laid - laid.mean(0)), "depend.* on the others given with it"),
    "too few": (
        {"fit": lambda self, clips: FittedPrincipal(spectra(clips)[[0, 1]])},
        "with no clips raises IndexError",
    ),
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


def generating(change):
    """A model whose sounds are changed, given the latents."""

    def load(cls, checkpoint, *, device="cpu"):
        inner = Net.load(checkpoint)
        return Changed(inner, generate=lambda one, z: change(one.generate(z), z))

    return {"load": classmethod(load)}


def trains(change):
    """A model that does something after it has trained."""

    def train(self, clips, run, *, training):
        Net.train(self, clips, run, training=training)
        change(run)

    return {"train": train}


def unseeded():
    calls = []

    def learnt(self, clips, training):
        calls.append(1)
        return clips.audio[:2] * np.float32(len(calls))

    return learnt


def forgetting(self, clips, run, *, training):
    Net.train(self, clips, run, training=replace(training, max_epochs=1 if run.resume_from else 2))


def of_any(self, clips, run, *, training):
    Net.train(self, clips if len(clips) else toy_clips(), run, training=training)


def breaking(self, clips, run, *, training):
    if not len(clips):
        raise ZeroDivisionError("no clips")
    Net.train(self, clips, run, training=training)


MODELS = {
    "no last": (trains(lambda run: run.last.unlink()), "must leave its last checkpoint at run.last"),
    "none kept": (
        trains(lambda run: [path.unlink() for path in run.checkpoints.glob("all/*")]),
        "must keep checkpoints",
    ),
    "misnamed": (
        trains(lambda run: [path.rename(path.with_name("a.ckpt")) for path in run.checkpoints.glob("all/*")]),
        "progress says epoch_1-step_1.ckpt, and all/ holds a.ckpt",
    ),
    "rate": (
        {"load": classmethod(lambda cls, path, *, device="cpu": replace(Net.load(path), rate=1))},
        "rate must be the clips', 16000 Hz",
    ),
    "shape": (generating(lambda sounds, z: sounds[:, :-1]), r"must give \(n, samples\), \(5, 4096\)"),
    "type": (generating(lambda sounds, z: sounds.astype(float)), "must give float32, not float64"),
    "nan": (generating(lambda sounds, z: sounds * np.float32(np.nan)), "NaN or infinite samples"),
    "silence": (generating(lambda sounds, z: sounds * 0), "gives silence"),
    "latents": (generating(lambda sounds, z: sounds + z.__imul__(2)[:, :1]), "changes the latents"),
    "noise": (
        generating(lambda sounds, z: sounds + np.float32(np.random.default_rng().random())),
        "equal latents must give equal bytes",
    ),
    "unseeded": ({"learnt": unseeded()}, "learns something else the second time"),
    "goes back": ({"train": forgetting}, "must go on from run.resume_from: after epoch 2 came 1"),
    "no clips": ({"train": of_any}, "Broken.train must raise CanaryganError on no clips"),
    "breaks on no clips": ({"train": breaking}, "Broken.train must raise CanaryganError on no clips, not ZeroDivision"),
    "loads anything": (
        {"load": classmethod(lambda cls, checkpoint, *, device="cpu": object())},
        "no checkpoint .junk.",
    ),
    "other error": ({"load": raising(KeyError("state"))}, "that is no checkpoint .junk., not KeyError"),
    "unpickles": ({"load": classmethod(pickled_mark)}, "runs code from the file"),
    "preset": ({"presets": {"big": {"layres": 3}}}, "preset big sets layres, which is no option"),
}
BEHAVIOUR = {
    **{f"dataset {case}": (Toy, {"load": load}, told) for case, (load, told) in LOADS.items()},
    **{f"metric {case}": (Level, {"score": score}, told) for case, (score, told) in SCORES.items()},
    **{f"listener {case}": (Level, {"listener": listener}, told) for case, (listener, told) in LISTENERS.items()},
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
