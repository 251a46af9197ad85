"""The generator that a task works with, and the part of its latent space that training knew."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import Generator, runs
from canarygan_core.fitted import generators, latents
from canarygan_core.plugins import get_registry
from canarygan_core.runs import Manifest

DRAWN, COVERED = 10_000, 0.99
"""Latents drawn where a model does not say between which numbers they lie, and the share of them that the box holds."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Opened:
    """A generator with where it came from.

    Attributes:
        generator: makes sounds of latents.
        checkpoint: its file.
        digest: of the file as it was read.
        version: name of its run's version.
    """

    generator: Generator
    checkpoint: Path
    digest: str
    version: str

    @property
    def stem(self) -> str:
        """What outputs of this checkpoint are named by."""
        epoch, step = self.generator.progress["epoch"], self.generator.progress["step"]
        return f"version_{self.version}-epoch_{epoch}-step_{step}"

    def record(self, manifest: Manifest) -> None:
        """Name the checkpoint as an input."""
        manifest.add_input("generator", self.checkpoint, self.digest)


def open_generator(path: Path, device: str = "auto", device_idx: int = 0) -> Opened:
    """The generator of a checkpoint, of a version's last one, or of the newest version of a folder of runs.

    Raises:
        CanaryganError: where there is none, or no installed model can read it.
        UsageError: on a device that is none.
    """
    checkpoint = runs.find_checkpoint(path)
    place = generators.choose_device(device, device_idx)
    generator, _, digest = generators.load_with_digest(checkpoint, get_registry(), model=None, device=place)
    return Opened(generator, checkpoint, digest, runs.name_version(checkpoint))


def find_network(generator: Generator) -> Any:
    """The network of a generator, whose weights then get no gradients; None where the model does not give it."""
    give = getattr(generator, "module", None)
    return None if give is None else give().requires_grad_(False).eval()


def find_box(generator: Generator) -> tuple[Floats, Floats]:
    """The least and the greatest of each coordinate (d,): what training drew from, or what holds 99 % of its draws."""
    dim = generator.latent_dim
    known = getattr(generator, "latent_range", None)
    if known is not None:
        return np.full(dim, known[0], np.float32), np.full(dim, known[1], np.float32)
    drawn = latents.draw_for(generator, DRAWN)
    low, high = np.quantile(drawn, [(1 - COVERED) / 2, (1 + COVERED) / 2], axis=0)
    return low.astype(np.float32), high.astype(np.float32)
