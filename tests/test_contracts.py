"""The contract suite on datasets, metrics, decoders and projectors: what they promise beyond their class."""

import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from specimens import (
    Changed,
    FittedNearest,
    FittedPrincipal,
    Level,
    Nearest,
    Principal,
    Toy,
    broken,
    fitted,
    saved,
    spectra,
)

from canarygan_core import CanaryganError
from canarygan_core.testing import check_component, toy_clips


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


def posteriors(change):
    return {
        "fit": fitted(lambda inner: Changed(inner, posteriors=lambda one, clips: change(one.posteriors(clips), clips)))
    }


def save_pickle(one, folder):
    one.save(folder)
    (folder / "model.bin").write_bytes(pickle.dumps({"a": 1}))


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
    "company": (lambda self: Louder(), "hears another audio of a clip with others beside it"),
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
        "depends on the others",
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

BEHAVIOUR = {
    **{f"dataset {case}": (Toy, {"load": load}, told) for case, (load, told) in LOADS.items()},
    **{f"metric {case}": (Level, {"score": score}, told) for case, (score, told) in SCORES.items()},
    **{f"listener {case}": (Level, {"listener": listener}, told) for case, (listener, told) in LISTENERS.items()},
    **{f"decoder {case}": (Nearest, *rest) for case, rest in DECODERS.items()},
    **{f"projector {case}": (Principal, *rest) for case, rest in PROJECTORS.items()},
}


@pytest.mark.parametrize("case", BEHAVIOUR)
def test_components_that_break_the_promise_of_their_kind(case):
    base, changed, told = BEHAVIOUR[case]
    with pytest.raises(AssertionError, match=told):
        check_component(broken(base, **changed))
