"""`generate`: make sounds with a trained model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from canarygan_core import archives, audio, files, latents, models, progress
from canarygan_core.components import Generator
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.manifest import Manifest, ending
from canarygan_core.plugins import installed
from canarygan_core.task import Answer, Request


def generate(
    *,
    generator_ckpt: Annotated[Path, Parameter(alias="-x")],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("generated"),
    vec_file: Annotated[Path | None, Parameter(alias="-z")] = None,
    num_samples: Annotated[int | None, Parameter(alias="-n")] = None,
    dist: str = "uniform",
    dist_params: str = "",
    seed: int = 0,
    batch_size: int = 100,
    device: str = "auto",
    device_idx: int = 0,
    wav: bool = False,
    overwrite: bool = False,
    model: str | None = None,
    request: Request,
) -> Answer:
    """Make sounds from latents, drawn or read, and write them with those latents to an .npz archive.

    Args:
        generator_ckpt: Checkpoint, or the folder of a version, whose last one is taken.
        save_dir: Folder for the archive and its manifest.
        vec_file: File of latents (n, d), as `sample` writes; leaves out --num-samples.
        num_samples: Sounds to make from latents drawn anew. [default: 16000 without -z]
        dist: Distribution of drawn latents; see `sample`.
        dist_params: Its parameters, JSON.
        seed: Seed of the draw.
        batch_size: Sounds computed at a time.
        device: auto, cpu, cuda or mps.
        device_idx: Which GPU.
        wav: Write a WAV file a sound besides.
        overwrite: Replace an archive of the same name.
        model: Which model reads the checkpoint. [default: the one in its run's manifest]
    """
    if vec_file is not None and num_samples is not None:
        raise UsageError("Give latents with -z or a number with -n, not both.")
    if batch_size < 1:
        raise UsageError(f"--batch-size must be at least 1, not {batch_size}.")
    checkpoint = models.resolve(generator_ckpt)
    generator, run = models.load(checkpoint, installed(), model=model, device=_device(device, device_idx))
    if vec_file is not None:
        z = latents.read(vec_file, generator.latent_dim)
    else:
        count = 16000 if num_samples is None else num_samples
        z = latents.draw(count, generator.latent_dim, dist=dist, params=dist_params, seed=seed)
    version = run.path.parent.name.removeprefix("version_") if run else checkpoint.stem
    epoch, step = generator.progress["epoch"], generator.progress["step"]
    path = save_dir / f"generation-version_{version}-epoch_{epoch}-step_{step}.npz"
    if path.exists() and not overwrite:
        raise CanaryganError(f"{path} is there already: give another --save-dir, or --overwrite.")
    manifest = Manifest.begin(path.with_suffix(".manifest.json"), request, seed=seed)
    with ending(manifest):
        manifest.add_input("generator", checkpoint)
        if vec_file is not None:
            manifest.add_input("latents", vec_file)
        shape = (len(z), generator.samples)
        with archives.writing(path, size=4 * shape[0] * (shape[1] + z.shape[1])) as archive:
            archive.stream("x", shape, np.dtype(np.float32), _sounds(generator, z, batch_size))
            archive.add("z", z)
            archive.add("rate", np.asarray(generator.rate))
            archive.add("version", np.asarray(version))
            archive.add("epoch", np.asarray(epoch))
            archive.add("step", np.asarray(step))
            archive.add("checkpoint", np.asarray(files.digest(checkpoint)))
        manifest.add_output(path)
        if wav:
            _write_waves(path, generator.rate)
    text = f"{shape[0]} sounds of {shape[1]} samples at {generator.rate} Hz: {path}"
    if wav:
        text += f"\nWAV files: {path.with_suffix('')}"
    return Answer(text, {"path": str(path), "shape": list(shape), "rate": generator.rate, "epoch": epoch, "step": step})


def _sounds(generator: Generator, z: NDArray[np.float32], batch_size: int) -> Iterator[NDArray[np.float32]]:
    """Sounds batch by batch. The last one is filled up, so that a sound's bytes do not depend on how many there are."""
    with progress.bar("generating", len(z)) as advance:
        for start in range(0, len(z), batch_size):
            part = z[start : start + batch_size]
            missing = batch_size - len(part)
            sounds = generator.generate(np.concatenate([part, np.zeros((missing, z.shape[1]), np.float32)]))
            yield sounds[: len(part)]
            advance(len(part))


def _write_waves(archive: Path, rate: int) -> None:
    sounds = archives.read(archive)["x"]
    digits = len(str(len(sounds) - 1))
    for number, sound in enumerate(progress.track(sounds, "writing WAV files")):
        audio.write(archive.with_suffix("") / f"{number:0{digits}}.wav", sound, rate)


def _device(name: str, index: int) -> str:
    """A device as torch spells it; `auto` is a GPU where there is one."""
    if name not in ("auto", "cpu", "cuda", "gpu", "mps"):
        raise UsageError(f"No device named {name!r}; there are auto, cpu, cuda and mps.")
    if name == "auto":
        try:
            import torch
        except ImportError:  # a model that needs none
            return "cpu"
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return f"cuda:{index}" if name in ("cuda", "gpu") else name
