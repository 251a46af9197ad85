"""Bugs planted in components and in entry modules: the contract suite names each of them.

Those of `test_testing`, `test_contracts` and `test_model_contract` are of the classes, the promises of each kind, and
models. These are the ones that are easy to miss: they work, until somebody else's files, clips or process meet them.
"""

import bz2
import functools
import gzip
import json
import os
import pickle
import random
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import test_contracts
import test_model_contract
import test_testing
from specimens import (
    Changed,
    FittedNearest,
    FittedPrincipal,
    Level,
    Nearest,
    Net,
    Principal,
    Toy,
    broken,
    fitted,
    saved,
)

from canarygan_core import CanaryganError
from canarygan_core.components import Metric
from canarygan_core.testing import check_cheap_import, check_component, component, toy_clips
from canarygan_core.testing.stored import find_objects
from canarygan_core.testing.units import tells_unit


def loads(**changed):
    """A `load` whose clips differ from the toy clips in one thing."""

    def load(self):
        clips = toy_clips(4)
        return replace(clips, **{key: change(clips) for key, change in changed.items()})

    return load


def drifting_fingerprint(self):
    return replace(toy_clips(4), origin={"fingerprint": str(random.random())})


def shared():
    clips = toy_clips(4)
    return lambda self: clips


def counted(self):
    return replace(toy_clips(self.count), origin={"fingerprint": "always"})


DATASETS = {
    "integer labels": (loads(labels=lambda clips: np.arange(4)), "labels as an array of strings, not of int64"),
    "labels of objects": (
        loads(labels=lambda clips: np.array(["a", "b", "c", "d"], object)),
        "labels as an array of strings, not of object",
    ),
    "labels in a list": (loads(labels=lambda clips: ["a"] * 4), "labels as an array of strings, not of list"),
    "empty label": (loads(labels=lambda clips: np.array(["a", "", "c", "d"])), "gives empty labels"),
    "16-bit audio": (loads(audio=lambda clips: clips.audio * 32768), "beyond full scale"),
    "rate of numpy": (loads(rate=lambda clips: np.int64(16000)), "must give the rate as int, not int64"),
    "rate in kHz": (loads(rate=lambda clips: 16.0), "must give the rate as int, not float"),
    "no rate": (loads(rate=lambda clips: 0), "gives a rate of 0 Hz"),
    "two of one source": (loads(sources=lambda clips: np.array(["a"] * 4)), "gives two clips one source"),
    "random fingerprint": (drifting_fingerprint, "the same clips have the fingerprint"),
    "fingerprint of a number": (loads(origin=lambda clips: {"fingerprint": 3}), "must be a string, not 3"),
    "fingerprint of nothing": (counted, "the fingerprint stays with another count and other clips"),
    "clips that callers share": (shared(), "returns other audio the second time"),
}


@dataclass(frozen=True)
class Hears:
    """A listener that does one thing to clips."""

    change: object = None

    def __call__(self, clips):
        return self.change(clips)


def listening(change):
    return {"listener": lambda self: Hears(change), "score": lambda self, generated, reference: {"level": 1.0}}


def heard(fact):
    return listening(lambda clips: replace(clips, facts={"x": fact(clips)}))


COUNT = [0]


def stateful(clips):
    COUNT[0] += 1
    return np.full(len(clips), float(COUNT[0]))


class Scorer:
    """A metric that was fitted, and says what a function says."""

    def __init__(self, score):
        self.score = score


def fitting(fit):
    return {"fit": fit, "score": lambda self, generated, reference: {"level": 1.0}}


def drawing(name, content, *, tells=True):
    def draw(self, generated, reference, folder):
        (folder / name).write_bytes(content)
        return [folder / name] if tells else []

    return {"draw": draw}


METRICS = {
    "listener gives an array": (listening(lambda clips: clips.audio), "must return Clips, not ndarray"),
    "listener drops clips": (listening(lambda clips: clips.select(slice(1, None))), "keeps 7 of 8 clips"),
    "listener sorts clips": (listening(lambda clips: clips.select(slice(None, None, -1))), "loses the order"),
    "listener forgets sources": (listening(lambda clips: replace(clips, sources=None)), "loses the order or"),
    "listener hears shares of the batch": (
        heard(lambda clips: clips.audio.std(1) / clips.audio.std(1).sum()),
        "hears another x of a clip with others beside it",
    ),
    "listener ranks in the batch": (heard(lambda clips: np.arange(len(clips)) * 1.0), "hears another x of a clip"),
    "listener counts its calls": (heard(stateful), "hears another x"),
    "fit gives no score": (fitting(lambda metric, reference: None), "must give what has `score"),
    "fit counts its sets": (
        fitting(lambda metric, reference: Scorer(lambda generated: {"level": stateful([0])[0]})),
        "keep nothing of the sets",
    ),
    "fit names other scores": (fitting(lambda metric, reference: Scorer(lambda generated: {"x": 1.0})), "gives {'x'"),
    "draws no PNG": (drawing("figure.png", b"GIF89a"), "draw must write PNG files, not figure.png"),
    "draws a PDF": (drawing("figure.pdf", b"%PDF"), "draw must write PNG files, not figure.pdf"),
    "draws and tells nothing": (drawing("figure.png", b"\x89PNG", tells=False), "must return the files that it writes"),
}


def posteriors(change):
    def decide(one, clips):
        return change(one.posteriors(clips), clips)

    return {"fit": fitted(lambda inner: Changed(inner, posteriors=decide))}


def cheating(told, clips):
    if clips.labels is None or len(clips) < 24:
        return told
    return np.eye(3, dtype=np.float32)[[int(label[1]) for label in clips.labels]]


def numbered(inner):
    methods = {"posteriors": lambda one, clips: inner.posteriors(clips), "save": lambda one, at: inner.save(at)}
    return Changed(Numbered([1, 2, 3]), **methods)


@dataclass(frozen=True)
class Numbered:
    classes: list


class Late:
    """Reads its folder when it is used."""

    def __init__(self, folder):
        self.folder, self.classes = folder, Nearest.load(folder).classes

    def posteriors(self, clips):
        told = json.loads((self.folder / "nearest.json").read_text())
        return FittedNearest(told["sharpness"], told["classes"], np.load(self.folder / "means.npy")).posteriors(clips)


def careless_load(cls, folder):
    told = json.loads((folder / "nearest.json").read_text()) if (folder / "nearest.json").exists() else {}
    return FittedNearest(told["sharpness"], told["classes"], np.load(folder / "means.npy"))


def reordered(cls, folder):
    inner = Nearest.load(folder)
    return FittedNearest(inner.sharpness, inner.classes[::-1], inner.means)


def louder(self, clips):
    clips.audio[:] = np.clip(clips.audio, -0.1, 0.1)
    return Nearest.fit(self, clips)


def writing(name, content):
    def save(one, folder):
        one.save(folder)
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content() if callable(content) else content)

    return saved(save)


def object_array(one, folder):
    one.save(folder)
    np.save(folder / "labels.npy", np.array([{"a": 1}, None], object), allow_pickle=True)


def object_archive(one, folder):
    one.save(folder)
    with open(folder / "state.npz", "wb") as stream:
        np.savez(stream, labels=np.array([{"a": 1}], object), allow_pickle=True)


def torch_function(one, folder):
    torch = pytest.importorskip("torch")
    one.save(folder)
    torch.save({"act": np.tanh, "weight": torch.zeros(2)}, folder / "state.pt")


def torch_module(one, folder):
    torch = pytest.importorskip("torch")
    one.save(folder)
    torch.save({"shape": Path("a"), "order": OrderedDict()}, folder / "state.bin")


def forgetful(cls, folder, *, device="gpu"):
    inner = Nearest.load(folder)
    return inner if device == "gpu" else FittedNearest(inner.sharpness, inner.classes, 0 * inner.means)


def beside(one, folder):
    one.save(folder)
    (folder.parent / "notes.txt").write_text("beside")


def blunt(self):
    if self.sharpness > 1000:
        raise CanaryganError("Too sharp.")


def ranging(**ranges):
    return {"search_ranges": ranges}


DECODERS = {
    "learns from what nobody knows": ({"learns_from": "spectra"}, "it may be clips or features"),
    "learns from features, and cannot": ({"learns_from": "features"}, "give it `fit_examples"),
    "searches no option of its own": (ranging(width=(1, 2)), "names width, which is no option"),
    "searches a range from 0": (ranging(sharpness=(0.0, 1.0)), "must rise from above 0"),
    "searches backwards": (ranging(sharpness=(2.0, 1.0)), "must rise from above 0"),
    "searches what is refused": (
        ranging(sharpness=(0.1, 1e9)) | {"__post_init__": blunt},
        "which is refused: Too sharp",
    ),
    "forgets its device": ({"load": classmethod(forgetful)}, "does something else when saved and loaded"),
    "float64": (posteriors(lambda told, _: told.astype(float)), "posteriors must be float32, not float64"),
    "looks at labels": (posteriors(cheating), "depends on the labels of the clips"),
    "classes of numbers": ({"fit": fitted(numbered)}, "classes are|classes must be strings"),
    "classes reordered": ({"load": classmethod(reordered)}, r"classes are \['s2', 's1', 's0'\] after loading"),
    "fit in place": ({"fit": louder}, "changes the clips: work on copies"),
    "KeyError": ({"load": classmethod(careless_load)}, "load of an empty folder raises KeyError"),
    "reads later": ({"load": classmethod(lambda cls, folder: Late(folder))}, "reads its folder after it is loaded"),
    "function in a .pt": (saved(torch_function), r"save writes pickle, state.pt \(objects of numpy"),
    "object in a .pt": (saved(torch_module), r"save writes pickle, state.bin \(objects of pathlib"),
    "object array": (saved(object_array), r"save writes pickle, labels.npy \(an array of objects\)"),
    "object archive": (saved(object_archive), r"save writes pickle, state.npz \(an array of objects\)"),
    "pickle of old": (writing("a.dat", lambda: pickle.dumps(Path("x"), 0)), r"save writes pickle, a.dat"),
    "pickle in gzip": (writing("a.gz", lambda: gzip.compress(pickle.dumps([1]))), "save writes pickle, a.gz"),
    "pickle in bzip2": (writing("a.x", lambda: bz2.compress(pickle.dumps([1]))), "save writes pickle, a.x"),
    "code": (writing("model.py", b"print(1)"), "save writes code, model.py"),
    "folder": (writing("inner/a.txt", b"a"), "save writes the folder inner"),
    "beside its folder": (saved(beside), "save writes notes.txt beside its folder"),
}

STEP = [0]


def timed_save(one, folder):
    STEP[0] += 1
    one.save(folder)
    (folder / "when.json").write_text(json.dumps(STEP))


def careless_axes(cls, folder):
    held = {path.stem: np.load(path) for path in folder.glob("*.npy")}
    return FittedPrincipal(held["axes"])


def drawing(draw):
    return {"fit": fitted(lambda inner: Changed(inner, draw=lambda one, sets, folder: draw(folder)))}


def _write(path):
    path.write_bytes(b"figure")
    return path


PROJECTORS = {
    "float64": (
        {"fit": fitted(lambda inner: Changed(inner, project=lambda one, clips: one.project(clips).astype(float)))},
        "project must give float32, not float64",
    ),
    "other files each time": (saved(timed_save), "when.json differs the second time"),
    "KeyError": ({"load": classmethod(careless_axes)}, "load of an empty folder raises KeyError"),
    "a figure that is no PNG": (
        drawing(lambda folder: [_write(folder / "a.svg")]),
        "draw must write PNG files, not a.svg",
    ),
    "a picture in name alone": (
        drawing(lambda folder: [_write(folder / "a.png")]),
        "draw must write PNG files, not a.png",
    ),
    "a figure that is not told": (drawing(lambda folder: [_write(folder / "a.png")][:0]), "draw must return the files"),
    "a figure beside the folder": (
        drawing(lambda folder: [_write(folder.parent / "a.png")]),
        "draw must return the files",
    ),
}


def sounding(change):
    """A `load` whose generator's sounds are changed."""

    def load(cls, path, *, device="cpu"):
        inner = Net.load(path)
        made = Changed(inner, generate=lambda one, z: change(one.generate(z), z))
        for what in ("rate", "latent_dim", "samples", "progress"):
            setattr(made, what, getattr(inner, what))
        return made

    return {"load": classmethod(load)}


def leaving(what):
    def train(self, clips, run, *, training):
        Net.train(self, clips, run, training=training)
        what(clips, run, training)

    return {"train": train}


def half_read(cls, path, *, device="cpu"):
    try:
        return Net.load(path)
    except CanaryganError:
        if path.read_bytes()[:2] != b"PK":
            raise
        return object()


def changed_generator(**changed):
    def load(cls, path, *, device="cpu"):
        return replace(Net.load(path), **{key: change(Net.load(path)) for key, change in changed.items()})

    return {"load": classmethod(load)}


def pickled_beside(clips, run, training):
    with open(run.checkpoints / "all" / "optimizer.ckpt", "wb") as stream:
        pickle.dump({"lr": 1}, stream)


MODELS = {
    "depends on its batch": (
        sounding(lambda sounds, z: (sounds - sounds.mean(0)) if len(z) > 1 else sounds),
        "a sound depends on the others made with it",
    ),
    "beyond full scale": (sounding(lambda sounds, z: sounds * np.float32(9)), "beyond full scale"),
    "rate of numpy": (changed_generator(rate=lambda inner: np.int64(inner.rate)), "rate must be an int, not int64"),
    "progress of floats": (changed_generator(progress=lambda _: {"epoch": 1.0, "step": 1}), "progress must be ints"),
    "no latents": (sounding(lambda sounds, z: sounds if len(z) else sounds[:, :1]), "generate of no latents must be"),
    "clips changed": (leaving(lambda clips, run, training: clips.audio.__imul__(0.5)), "train changes the clips"),
    "half a checkpoint": ({"load": classmethod(half_read)}, "takes a checkpoint that was cut short|no checkpoint"),
    "pickled beside": (leaving(pickled_beside), r"train: save writes pickle, optimizer.ckpt"),
    "file of a dry run": (
        leaving(lambda clips, run, training: training.dry_run and Path("estimate.txt").write_text("1")),
        "leaves estimate.txt in the working directory",
    ),
    "purpose of no preset": ({"preset_purposes": {"huge": "a cluster"}}, "tells of huge, which is no preset"),
}


def undocumented():
    @dataclass(frozen=True)
    class Plain(Level):
        name: ClassVar[str] = "plain"

    return Plain


def named_option():
    @dataclass(frozen=True)
    class Named(Metric):
        """Level."""

        name: str = "named"

        def score(self, generated, reference):
            return {"x": 1.0}

    return Named


@dataclass(frozen=True)
class Odd(Level):
    """Level."""

    name: ClassVar[str] = "odd"

    nFft: int = 8
    """Window, samples."""


@dataclass(frozen=True)
class Unitless(Level):
    """Level."""

    name: ClassVar[str] = "unitless"

    sharpness: float = 1.0
    """Sharpness."""


def scoring(work):
    def score(self, generated, reference):
        work()
        return {"level": 1.0}

    return lambda: broken(Level, score=score)


TRACES = {
    "no docstring": (undocumented, "Plain has no docstring"),
    "name is a field": (named_option, r"Named.name is an option of the command line: annotate it"),
    "odd option": (lambda: Odd, "nFft makes no flag"),
    "no unit": (lambda: Unitless, r"Unitless.sharpness does not tell its unit in 'Sharpness\.'"),
    "prints": (scoring(lambda: print("scoring")), "Broken prints 'scoring"),  # noqa: T201 planted
    "seeds random": (scoring(lambda: random.seed(0)), "changes the seed of random"),
    "seeds numpy": (scoring(lambda: np.random.seed(0)), "changes the seed of numpy"),  # noqa: NPY002 planted
    "draws from numpy": (scoring(lambda: np.random.random()), "changes the seed of numpy"),  # noqa: NPY002 planted
    "leaves a file": (scoring(lambda: Path("scores.txt").write_text("1")), "leaves scores.txt in the working dir"),
    "changes the environment": (scoring(lambda: os.environ.update(HOME="/elsewhere")), "changes the environment"),
}

BASES = {
    "dataset": (Toy, {case: ({"load": load}, told) for case, (load, told) in DATASETS.items()}),
    "metric": (Level, METRICS),
    "decoder": (Nearest, DECODERS),
    "projector": (Principal, PROJECTORS),
    "model": (Net, MODELS),
}
BUGS = TRACES | {
    f"{kind}: {case}": (functools.partial(broken, base, **changed), told)
    for kind, (base, cases) in BASES.items()
    for case, (changed, told) in cases.items()
}


@pytest.mark.parametrize("case", BUGS)
def test_planted_bugs_are_named(case, monkeypatch):
    monkeypatch.setenv("HOME", os.environ.get("HOME", "/"))
    make, told = BUGS[case]
    state = random.getstate()
    with pytest.raises(AssertionError, match=told):
        check_component(make())
    random.setstate(state)


def test_seeding_torch_is_named():
    torch = pytest.importorskip("torch")
    before = torch.initial_seed()
    try:
        with pytest.raises(AssertionError, match="changes the seed of torch"):
            check_component(scoring(lambda: torch.manual_seed(before + 1))())
    finally:
        torch.manual_seed(before)


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("Lowest level told.", False),
        ("Sharpness.", False),
        ("Lowest level told, dB.", True),
        ("Hop between two windows, samples.", True),
        ("Share of clips to hold out.", True),
        ("Seed of the draws.", True),
        ("How many clips.", True),
        ("Learning rate.", True),
        ("Sharpness of the odds, per metre.", True),
        ("Sharpness, which you may well want to change", False),
    ],
)
def test_help_of_a_number_tells_its_unit(text, tells):
    assert tells_unit(text) is tells


IMPORTS = {
    "prints": ("print('hello')", "prints when it is imported"),
    "threads": ("import threading as t; t.Thread(target=t.Event().wait, daemon=True).start()", "starts threads"),
    "environment": ("import os; os.environ['OMP_NUM_THREADS'] = '7'", "changes the environment"),
    "logging": ("import logging; logging.basicConfig()", "configures the root logger"),
    "directory": ("import os; os.chdir('/')", "changes the working directory"),
    "two": ("print(1); import logging; logging.basicConfig()", "prints and configures the root logger"),
}


@pytest.mark.parametrize("case", IMPORTS)
def test_entry_modules_that_change_what_imports_them(tmp_path, monkeypatch, case):
    line, told = IMPORTS[case]
    (tmp_path / "planted_module.py").write_text(f"{line}\n{test_testing.PLUGIN}")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AssertionError, match=told):
        check_cheap_import("planted_module")


def test_an_entry_module_that_takes_long_is_named(tmp_path, monkeypatch):
    (tmp_path / "planted_module.py").write_text(test_testing.PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    check_cheap_import("planted_module")
    monkeypatch.setattr(component, "SLOW", 0.0)
    with pytest.raises(AssertionError, match=r"takes \d+\.\d s to import: import what takes long"):
        check_cheap_import("planted_module")


def test_what_is_no_pickle_passes():
    torch = pytest.importorskip("torch")
    import io

    stream = io.BytesIO()
    torch.save({"weight": torch.zeros(3), "order": OrderedDict(a=torch.ones(1))}, stream)
    array = io.BytesIO()
    np.savez(array, x=np.zeros(3), names=np.array(["a", "b"]))
    for sound in (stream.getvalue(), array.getvalue(), b'{"a": 1}', b"a,b\n1,2\n", b"", b".", b"N.", bytes(range(256))):
        assert find_objects(sound) == ""
    assert find_objects(gzip.compress(gzip.compress(b"{}"))) == ""


def test_at_least_eighty_kinds_of_bugs_are_planted():
    """Each case of these lists is a bug of a kind of its own, which the suite names."""
    lists = [BUGS, IMPORTS, test_testing.CLASSES, test_contracts.BEHAVIOUR, test_model_contract.MODELS]
    assert sum(map(len, lists)) >= 95
