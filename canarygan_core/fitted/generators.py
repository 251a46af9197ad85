"""Generators: read from a checkpoint by the model that wrote it, and asked for sounds."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from canarygan_core import console, runs
from canarygan_core.clips import Clips
from canarygan_core.components import Generator
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins import Registry
from canarygan_core.plugins.index import advise_kind
from canarygan_core.runs import files


def load(path: Path, registry: Registry, *, model: str | None, device: str) -> tuple[Generator, runs.Run | None]:
    """The generator in a checkpoint, and the run that made it where that is known.

    Args:
        path: the checkpoint's file.
        registry: where models are looked up.
        model: the model's name; None takes it from the run's manifest, or else asks each installed one.
        device: where to compute, as torch spells it.

    Raises:
        CanaryganError: where no model can read it.
    """
    run = runs.find_by_checkpoint(path)
    record = {} if run is None else run.manifest.record
    part = record.get("options", {}).get("model")
    name = part.get("name") if isinstance(part, Mapping) else None
    recorded = name if isinstance(name, str) else None
    if model is not None:
        return registry.get("model", model).load(path, device=device), run
    if recorded is not None:
        return registry.get_recorded("model", recorded, path, record).load(path, device=device), run
    refusals = []
    for name in registry.names("model"):
        try:
            return registry.get("model", name).load(path, device=device), run
        except CanaryganError as error:
            refusals.append(f"{name}: {error}")
    if refusals and run is not None:
        advice = "no installed model can read it: give one of train-gan"
        raise CanaryganError(f"{path} is of {record['task']}, and {advice}.")
    raise CanaryganError("\n".join(refusals) or f"{advise_kind('model').capitalize()}.")


def load_with_digest(
    path: Path, registry: Registry, *, model: str | None, device: str
) -> tuple[Generator, runs.Run | None, str]:
    """What `load` gives, and the digest of the checkpoint as it was read: a training may have replaced it since."""

    def read(path: Path) -> tuple[Generator, runs.Run | None]:
        return load(path, registry, model=model, device=device)

    (generator, run), digest = files.read_with_digest(path, read)
    return generator, run, digest


def generate_sounds(generator: Generator, z: NDArray[np.float32], batch_size: int) -> Iterator[NDArray[np.float32]]:
    """Sounds of latents, batch by batch, (at most `batch_size`, samples).

    The last batch is filled up before it is computed, so that a sound's bytes do not depend on how many there are.
    Latents outside the range that the generator says it was trained on are told.
    """
    warn_outside(z, getattr(generator, "latent_range", None))
    with console.show_bar("generating", len(z)) as advance:
        for start in range(0, len(z), batch_size):
            part = z[start : start + batch_size]
            filled = np.pad(part, ((0, batch_size - len(part)), (0, 0)))
            yield generator.generate(filled)[: len(part)]
            advance(len(part))


def generate_clips(generator: Generator, z: NDArray[np.float32], batch_size: int) -> Iterator[Clips]:
    """The same with their latents, as clips of the generator's rate and length, out of which nothing was taken."""
    starts = range(0, len(z), batch_size)
    for start, sounds in zip(starts, generate_sounds(generator, z, batch_size), strict=True):
        yield Clips(sounds, generator.rate, latents=z[start : start + batch_size])


def warn_outside(z: NDArray[np.float32], trained: tuple[float, float] | None) -> None:
    """Warn where latents (n, d) lie outside the range of each coordinate in training; None where it is not known."""
    if trained is None:
        return
    low, high = trained
    outside = ((z < low) | (z > high)).any(1)
    if count := int(outside.sum()):
        far = float(np.abs(z).max())
        reach = f"{low:g} to {high:g} in each coordinate, where the model was trained"
        console.log.warning(f"{count} of {len(z)} latents lie outside {reach} (the furthest at {far:.3g}).")


def choose_device(name: str, index: int) -> str:
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
