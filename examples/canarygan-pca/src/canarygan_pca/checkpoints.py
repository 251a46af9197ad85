"""Train the model on clips, and load a generator from a checkpoint."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from canarygan_core import CanaryganError, audio
from canarygan_core.audio import archives
from canarygan_core.runs import files
from numpy.typing import NDArray

from canarygan_pca import components, spectrograms
from canarygan_pca.components import Components

if TYPE_CHECKING:
    from canarygan_core.clips import Clips
    from canarygan_core.lightning.training import Training
    from canarygan_core.runs import Run

    from canarygan_pca.component import PCA

log = logging.getLogger("canarygan")

SCHEMA = 1
"""Version of the content of a checkpoint."""

PREVIEWED = 16
"""Number of sounds in the preview."""


def train(options: "PCA", clips: "Clips", run: "Run", training: "Training") -> None:
    """Fit the components and save them as the only checkpoint. There are no epochs, so a resumed training does nothing.

    Raises:
        CanaryganError: if there are too few clips that are finite and not silent.
    """
    if run.resume_from is not None:
        load(run.resume_from)
        log.warning("Nothing is left to do: principal components are fitted in one go.")
        return
    usable = [row for row, part in enumerate(clips.batches(1)) if _audible(part.audio)]
    if len(usable) <= options.latent_dim:
        raise CanaryganError(
            f"{options.latent_dim} components need more than {len(usable)} clips that are finite and not silent."
        )
    drawn = np.random.default_rng(training.seed).permutation(usable)[: options.most]
    sounds = np.asarray(clips.audio[np.sort(drawn)])
    samples = int(np.flatnonzero(sounds.any(0))[-1]) + 1  # only zeros follow
    levels = spectrograms.levels(sounds[:, :samples])
    fitted, explained = components.fit(levels, options.latent_dim)
    log.info(f"{len(sounds)} clips of {samples} samples; {fitted.dim} components hold {explained:.1%} of the variance.")
    last = run.checkpoints / "all" / "epoch_1-step_1.ckpt"
    _save(last, fitted, clips.rate, samples, options.iterations)
    files.copy(last, run.last)
    run.manifest.add_output(last)
    run.manifest.add(result={"updates": 1, "epochs": 1, "samples": samples, "explained": explained})
    files.write_text(run.logs("csv") / "metrics.csv", f"step,epoch,explained\n1,1,{explained:.6f}\n")
    _preview(load(run.last), run.previews / "epoch_1-step_1.wav", training.seed)


def _audible(sound: NDArray[np.float32]) -> bool:
    peak = np.abs(sound).max(initial=0)
    return bool(np.isfinite(peak) and peak > 0)


def _preview(generator: "PrincipalSounds", path: Path, seed: int) -> None:
    z = np.random.default_rng(seed).uniform(-1, 1, (PREVIEWED, generator.latent_dim)).astype(np.float32)
    audio.write(path, generator.generate(z).reshape(-1), generator.rate)


def _save(path: Path, fitted: Components, rate: int, samples: int, iterations: int) -> None:
    arrays = {
        "pca": np.asarray([SCHEMA, rate, samples, iterations]),
        "mean": fitted.mean,
        "axes": fitted.axes,
        "quantiles": fitted.quantiles,
    }
    with archives.writing(path, sum(array.nbytes for array in arrays.values())) as archive:
        for name, array in arrays.items():
            archive.add(name, array)


def load(path: Path) -> "PrincipalSounds":
    """Load the generator from a checkpoint, which is an .npz of plain arrays.

    Raises:
        CanaryganError: if the file is missing, damaged, or of another model.
    """
    held = archives.read(path)
    try:
        schema, rate, samples, iterations = (int(value) for value in held["pca"])
        fitted = Components(*(np.asarray(held[name]) for name in ("mean", "axes", "quantiles")))
        components.check(fitted)
    except (KeyError, ValueError, TypeError) as error:
        raise CanaryganError(f"{path} holds no principal components ({error}).") from None
    if schema > SCHEMA:
        raise CanaryganError(f"{path} was written by a newer canarygan-pca: upgrade it.")
    return PrincipalSounds(fitted, rate, samples, iterations)


class PrincipalSounds:
    """Generator of sounds from latents; see `canarygan_core.Generator`.

    Attributes:
        latent_dim: coordinates of a latent vector.
        rate: sampling rate, Hz.
        samples: length of a sound, samples.
        progress: one epoch of one step.
    """

    def __init__(self, fitted: Components, rate: int, samples: int, iterations: int) -> None:
        self.fitted, self.iterations = fitted, iterations
        self.rate, self.samples, self.latent_dim = rate, samples, fitted.dim
        self.progress: Mapping[str, int] = {"epoch": 1, "step": 1}

    def generate(self, z: NDArray[np.float32]) -> NDArray[np.float32]:
        levels = components.at(self.fitted, z)
        return spectrograms.sounds(levels, self.samples, iterations=self.iterations)
