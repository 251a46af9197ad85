"""Bugs planted in a projector, each with what is told of it."""

import json

import numpy as np
from specimens import Changed, FittedPrincipal, fitted, saved

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
