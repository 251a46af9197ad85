"""Bugs planted in a decoder, each with what is told of it."""

import bz2
import gzip
import json
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from specimens import (
    Changed,
    FittedNearest,
    Nearest,
    fitted,
    saved,
)

from canarygan_core import CanaryganError


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
