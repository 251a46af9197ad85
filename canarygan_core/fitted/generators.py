"""From a checkpoint to the model that made it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from canarygan_core import console, runs
from canarygan_core.components import Generator
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins import Registry
from canarygan_core.plugins.homes import WAVEGAN, advice
from canarygan_core.runs.manifest import Manifest


def resolve(path: Path) -> Path:
    """A checkpoint file: the path itself, or the last one of a version's folder or of the newest in a folder of runs.

    Raises:
        CanaryganError: where there is none.
    """
    if path.is_dir():
        known = runs.versions(path)
        folder = runs.latest(path) if known and not (path / "manifest.json").is_file() else path
        path = folder / "last" / "last.ckpt"
    if not path.is_file():
        raise CanaryganError(
            f"There is no checkpoint at {path}. Give a .ckpt file, or a version's folder that has one."
        )
    return path


def load(checkpoint: Path, registry: Registry, *, model: str | None, device: str) -> tuple[Generator, Manifest | None]:
    """The generator in a checkpoint, and the manifest of the run that made it where that is known.

    Args:
        checkpoint: a file.
        registry: where models are found.
        model: the model's name; None takes it from the manifest, or else asks each installed one.
        device: where to compute, as torch spells it.

    Raises:
        CanaryganError: where no model can read it.
    """
    manifest = runs.manifest_of(checkpoint)
    recorded = None if manifest is None else manifest.record["options"].get("model", {}).get("name")
    if model is not None:
        return registry.get("model", model).load(checkpoint, device=device), manifest
    if manifest is not None and recorded is not None:
        known = registry.recorded("model", recorded, checkpoint, manifest.record)
        return known.load(checkpoint, device=device), manifest
    refusals = []
    for name in registry.names("model"):
        try:
            return registry.get("model", name).load(checkpoint, device=device), manifest
        except CanaryganError as error:
            refusals.append(f"{name}: {error}")
    if refusals and manifest is not None:
        task = manifest.record["task"]
        raise CanaryganError(f"{checkpoint} is of {task}, and no installed model can read it: give one of train-gan.")
    raise CanaryganError("\n".join(refusals) or f"No model is installed: {advice(WAVEGAN)}.")


def sounds(generator: Generator, z: NDArray[np.float32], batch_size: int) -> Iterator[NDArray[np.float32]]:
    """Sounds of latents, batch by batch, (at most `batch_size`, samples).

    The last batch is filled up before it is computed, so that a sound's bytes do not depend on how many there are.
    """
    with console.bar("generating", len(z)) as advance:
        for start in range(0, len(z), batch_size):
            part = z[start : start + batch_size]
            missing = batch_size - len(part)
            made = generator.generate(np.concatenate([part, np.zeros((missing, z.shape[1]), np.float32)]))
            yield made[: len(part)]
            advance(len(part))


def device(name: str, index: int) -> str:
    """A device as torch spells it; `auto` is a GPU where there is one.

    Raises:
        UsageError: on any other name than auto, cpu, cuda and mps.
    """
    if name not in ("auto", "cpu", "cuda", "gpu", "mps"):
        raise UsageError(f"No device named {name!r}; there are auto, cpu, cuda and mps.")
    if name == "auto":
        try:
            import torch
        except ImportError:  # a model that needs none
            return "cpu"
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return f"cuda:{index}" if name in ("cuda", "gpu") else name
