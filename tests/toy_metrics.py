"""Toy metrics: of whole sounds, of peaks alone, of unseen clips, and one that wants a model to listen with."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from canarygan_core.components import Metric
from canarygan_core.errors import CanaryganError


@dataclass(frozen=True)
class Loudness(Metric):
    """Difference of mean levels; keeps sounds whole."""

    name: ClassVar[str] = "loudness"

    offset: float = 0.0
    """Added, for a test, dB."""
    seed: int = 0
    """Seed, for a test."""

    def score(self, generated, reference):
        levels = [20 * np.log10(np.sqrt((clips.audio**2).mean())) for clips in (generated, reference)]
        return {"difference": float(levels[0] - levels[1] + self.offset), "seed": float(self.seed)}


HEARD = []


@dataclass(frozen=True)
class Blind(Metric):
    """Counts the unseen clips; needs some."""

    name: ClassVar[str] = "blind"
    needs_unseen: ClassVar[bool] = True

    def score(self, generated, reference):
        groups = reference.facts.get("group", ())
        return {"unseen": float(reference.facts["unseen"].sum()), "groups": float(len(np.unique(groups)))}


@dataclass(frozen=True)
class Peaks:
    """Keeps the peaks alone, and notes how many clips came at a time."""

    def __call__(self, clips):
        HEARD.append(len(clips))
        return replace(clips, audio=np.empty((len(clips), 0), np.float32), facts={"peak": np.abs(clips.audio).max(1)})


@dataclass(frozen=True)
class Peak(Metric):
    """Mean peak; its listener keeps no sound."""

    name: ClassVar[str] = "peak"

    def listener(self):
        return Peaks()

    def score(self, generated, reference):
        assert generated.audio.shape[1] == 0
        if generated.labels is not None:
            return {"labelled": 1.0, "peak": float(generated.facts["peak"].mean())}
        return {"peak": float(generated.facts["peak"].mean())}


@dataclass(frozen=True)
class Trough(Peak):
    """Shares the listener of `peak`."""

    name: ClassVar[str] = "trough"


@dataclass(frozen=True)
class Wanting(Metric):
    """Needs a model to listen with."""

    name: ClassVar[str] = "wanting"

    model_ckpt: Path | None = None
    """Model, path."""

    def listener(self):
        if self.model_ckpt is None:
            raise CanaryganError("wanting listens with a model: give -m.")
        return Peaks()

    def score(self, generated, reference):
        if len(generated) < 4:
            raise CanaryganError("wanting needs 4 clips at least.")
        return {"path": float(len(str(self.model_ckpt)))}
