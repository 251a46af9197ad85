"""A sound component of each kind, and what breaks one: for the tests of the contract suite."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from canarygan_core import CanaryganError, Dataset, Decoder, Metric, Model, Projector
from canarygan_core.audio import archives
from canarygan_core.runs import files
from canarygan_core.testing import toy_clips


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
        try:
            told = json.loads((folder / "nearest.json").read_text())
            return FittedNearest(told["sharpness"], told["classes"], np.load(folder / "means.npy", allow_pickle=False))
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise CanaryganError(f"{folder} holds no nearest: {error}.") from None


@dataclass(frozen=True)
class FittedNearest:
    sharpness: float
    classes: list[str]
    means: Any

    def posteriors(self, clips):
        distance = np.linalg.norm(spectra(clips)[:, None] - self.means, axis=2)
        odds = np.exp(-self.sharpness * (distance - distance.min(1, keepdims=True)) / 100)
        return (odds / odds.sum(1, keepdims=True)).astype(np.float32)

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
        try:
            return FittedPrincipal(np.load(folder / "axes.npy", allow_pickle=False))
        except (OSError, EOFError, ValueError) as error:
            raise CanaryganError(f"{folder} holds no axes: {error}.") from None


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
        with files.replace_file(path) as partial, open(partial, "wb") as stream:
            np.savez(stream, **state)
        files.copy(path, run.last)

    def learnt(self, clips, training):
        return np.random.default_rng(training.seed).uniform(-1, 1, (2, 1)).astype(np.float32) * clips.audio[:2]

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


def broken(base, **changed):
    """A component that differs from a sound one in one thing, `changed` also naming types of new fields."""
    types = changed.pop("__annotations__", {})
    attributes = {"__module__": __name__, "__doc__": base.__doc__, "__annotations__": {**types}, **changed}
    return dataclass(frozen=True)(type("Broken", (base,), attributes))


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


def saved(save):
    return {"fit": fitted(lambda inner: Changed(inner, save=lambda one, folder: save(one, folder)))}
