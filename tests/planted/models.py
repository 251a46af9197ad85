"""Bugs planted in a model, each with what is told of it."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
from specimens import Changed, Net

from canarygan_core import CanaryganError


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
