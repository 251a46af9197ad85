"""A CanaryGAN model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from canarygan_core import CanaryganError, Generator, Model, hookimpl

if TYPE_CHECKING:
    import numpy as np
    from canarygan_core.clips import Clips
    from canarygan_core.lightning.training import Training
    from canarygan_core.runs import Run
    from numpy.typing import NDArray


@dataclass(frozen=True)
class PlaceholderModel(Model):
    """Principal components of the waveforms. Replace them with your own model."""

    name: ClassVar[str] = "placeholder"

    latent_dim: int = 3
    """Coordinates of a latent vector."""

    def __post_init__(self) -> None:
        if self.latent_dim < 1:
            raise CanaryganError(f"--latent-dim must be at least 1, not {self.latent_dim}.")

    def train(self, clips: "Clips", run: "Run", *, training: "Training") -> None:
        """Fit at most 1000 clips in one step. A model with many epochs also continues from `run.resume_from`.

        For a model that trains with Lightning, `canarygan_core.lightning` does the saving, the stopping and the logs.
        """
        import numpy as np
        from canarygan_core.audio import archives
        from canarygan_core.runs import files

        if run.resume_from is not None:
            run.warn("Nothing is left to do: this model is fitted in one step.")
            return
        rows = np.random.default_rng(training.seed).permutation(len(clips))[:1000]
        sounds = np.asarray(clips.audio[np.sort(rows)])
        if len(sounds) <= self.latent_dim or not np.isfinite(sounds).all():
            raise CanaryganError(f"{len(sounds)} clips are too few for {self.latent_dim} coordinates, or hold NaN.")
        mean = sounds.mean(0)
        _, spread, axes = np.linalg.svd(sounds - mean, full_matrices=False)
        scaled = axes[: self.latent_dim] * (spread[: self.latent_dim, None] * np.sqrt(3 / len(sounds)))
        path = run.checkpoints / "all" / "epoch_1-step_1.ckpt"
        with archives.writing(path, scaled.nbytes) as archive:
            archive.add("placeholder", np.asarray([1, clips.rate]))
            archive.add("mean", mean)
            archive.add("axes", scaled.astype(np.float32))
        files.copy(path, run.last)
        run.manifest.add_output(path)

    @classmethod
    def load(cls, checkpoint: Path, *, device: str = "cpu") -> Generator:
        from canarygan_core.audio import archives

        held = archives.read(checkpoint)
        if held.keys() != {"placeholder", "mean", "axes"}:
            raise CanaryganError(f"{checkpoint} is no checkpoint of placeholder.")
        return PlaceholderGenerator(held["mean"], held["axes"], int(held["placeholder"][1]))


class PlaceholderGenerator:
    """Generator of sounds from latents; see `canarygan_core.Generator`."""

    def __init__(self, mean: Any, axes: Any, rate: int) -> None:
        self.mean, self.axes, self.rate = mean, axes, rate
        self.latent_dim, self.samples = axes.shape
        self.progress: Mapping[str, int] = {"epoch": 1, "step": 1}

    def generate(self, z: "NDArray[np.float32]") -> "NDArray[np.float32]":
        sounds: NDArray[np.float32] = self.mean + z @ self.axes
        return sounds


@hookimpl
def register_models() -> list[type[Model]]:
    return [PlaceholderModel]
