"""Bugs planted in a metric, each with what is told of it."""

from dataclasses import dataclass, replace

import numpy as np


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
