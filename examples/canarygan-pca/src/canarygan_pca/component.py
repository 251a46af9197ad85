"""The options of `--model pca`. This module imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from canarygan_core import CanaryganError, Generator, Model

if TYPE_CHECKING:
    from canarygan_core.clips import Clips
    from canarygan_core.lightning.training import Training
    from canarygan_core.runs import Run


@dataclass(frozen=True)
class PCA(Model):
    """A baseline without networks: principal components of log spectrograms, with phases by Griffin and Lim (1984)."""

    name: ClassVar[str] = "pca"

    latent_dim: int = 3
    """Coordinates of a latent vector: principal components."""
    most: int = 2000
    """Most clips used for fitting; a larger set is sampled, clips."""
    iterations: int = 32
    """Rounds of the search for the phases of a sound, rounds."""

    def __post_init__(self) -> None:
        for name, least in {"latent_dim": 1, "most": 2, "iterations": 0}.items():
            if getattr(self, name) < least:
                flag = name.replace("_", "-")
                raise CanaryganError(f"--{flag} must be at least {least}, not {getattr(self, name)}.")

    def train(self, clips: "Clips", run: "Run", *, training: "Training") -> None:
        from canarygan_pca.checkpoints import train

        train(self, clips, run, training)

    @classmethod
    def load(cls, checkpoint: Path, *, device: str = "cpu") -> Generator:
        from canarygan_pca.checkpoints import load

        return load(checkpoint)
