"""Models that need no library: of sums of sines, of sounds that are given, and one that loads nothing."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from canarygan_core import CanaryganError, Model

SAMPLES, RATE = 50, 8000


class Sines:
    """Generates a sum of sines, one a coordinate; counts the clips that it was asked for."""

    latent_dim, rate, samples = 2, RATE, SAMPLES

    def __init__(self, progress):
        self.progress, self.asked = progress, []

    def generate(self, z):
        assert z.dtype == np.float32
        self.asked.append(len(z))
        phase = np.arange(SAMPLES) / SAMPLES
        return (0.4 * np.sin(2 * np.pi * (z[:, :, None] + phase)).sum(1)).astype(np.float32)


@dataclass(frozen=True)
class Toy(Model):
    name: ClassVar[str] = "toy"
    loaded: ClassVar[list[Any]] = []

    def train(self, clips, run, *, training):
        raise NotImplementedError

    @classmethod
    def load(cls, checkpoint, *, device="cpu"):
        try:
            generator = Sines(json.loads(checkpoint.read_text()))
        except ValueError:
            raise CanaryganError(f"{checkpoint} holds no toy.") from None
        cls.loaded.append((generator, device))
        return generator


@dataclass(frozen=True)
class Stubborn(Model):
    name: ClassVar[str] = "stubborn"

    def train(self, clips, run, *, training):
        raise NotImplementedError

    @classmethod
    def load(cls, checkpoint, *, device="cpu"):
        raise CanaryganError(f"{checkpoint} is not stubborn.")


class Memory:
    """A generator that makes these sounds (clips, samples), one after the other: a latent is the number of one."""

    latent_dim, progress = 1, {"epoch": 1, "step": 1}

    def __init__(self, sounds, rate):
        self.sounds, self.rate, self.samples = sounds, rate, sounds.shape[1]

    def generate(self, z):
        return self.sounds[np.rint(z[:, 0]).astype(int)]
