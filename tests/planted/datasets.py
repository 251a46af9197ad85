"""Bugs planted in a dataset, each with what is told of it."""

import random
from dataclasses import replace

import numpy as np

from canarygan_core.testing import toy_clips


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
