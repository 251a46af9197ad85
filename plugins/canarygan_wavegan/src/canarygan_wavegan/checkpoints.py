"""Checkpoints in: ours, and those of the original CanaryGAN. No code in either is run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.lightning.checkpoints import Inert, read
from canarygan_core.lightning.training import fast_bfloat16
from canarygan_wavegan.networks import SEED_LENGTH, STRIDES, Generator, Shape

SCHEMA = 1
"""Version of what our checkpoints hold under `wavegan`."""

ORIGINAL_RATE = 16000
"""Sampling rate of the original's sounds, Hz."""


@dataclass(frozen=True, eq=False)
class Content:
    """What a checkpoint holds.

    Attributes:
        network: the generator.
        rate: of its sounds, Hz.
        progress: `epoch` and `step`.
        arithmetic: dtype that its layers computed in when it was trained.
    """

    network: Generator
    rate: int
    progress: Mapping[str, int]
    arithmetic: torch.dtype


class TrainedGenerator:
    """A generator read from a checkpoint; see `canarygan_core.Generator`.

    What was trained in bfloat16 makes its sounds in bfloat16 where the hardware is fast at it: the sounds that the
    critic saw. The last layer and all else compute in float32.
    """

    def __init__(self, content: Content, device: str) -> None:
        self.network = network = content.network.eval().to(device)
        self.rate, self.progress, self.device = content.rate, content.progress, device
        half = content.arithmetic is torch.bfloat16 and fast_bfloat16(device)
        self.arithmetic = torch.bfloat16 if half else torch.float32
        self.latent_dim, self.samples = network.shape.latent_dim, network.shape.samples

    def generate(self, z: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            made = self.network(torch.from_numpy(z).to(self.device), self.arithmetic)
        sounds: NDArray[np.float32] = made.cpu().numpy()
        return sounds


def load(path: Path, device: str = "cpu") -> TrainedGenerator:
    """The generator in a checkpoint of ours or of the original CanaryGAN.

    Raises:
        CanaryganError: where the file is missing, damaged, or holds no generator that this version knows.
    """
    content = read(path)
    try:
        if "wavegan" in content:
            found = _ours(path, content)
        elif any(name.startswith("generator.linear_block.") for name in content.get("state_dict", {})):
            found = _original(path, content)
        else:
            held = ", ".join(map(str, content))
            raise CanaryganError(f"{path} is a checkpoint, but not of a WaveGAN; it holds {held}.")
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise CanaryganError(
            f"{path} does not hold what a WaveGAN's checkpoint does ({type(error).__name__}: {error})."
        ) from None
    try:
        return TrainedGenerator(found, device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"Cannot use --device {device}: {str(error).splitlines()[0]}") from None


def _ours(path: Path, content: Mapping[str, Any]) -> Content:
    record = content["wavegan"]
    if record["schema"] > SCHEMA:
        raise CanaryganError(
            f"{path} was written by a newer canarygan-wavegan (schema {record['schema']}): upgrade it."
        )
    network = Generator(Shape(**record["shape"]))
    _fill(path, network, content["state_dict"], "average." if record["average"] else "generator.")
    updates = int(content["updates"])
    progress = {"epoch": updates // record["per_epoch"], "step": updates}
    arithmetic = torch.bfloat16 if record.get("arithmetic") == "bfloat16" else torch.float32
    return Content(network, int(record["rate"]), progress, arithmetic)


def _fill(path: Path, network: Generator, weights: Mapping[str, Tensor], prefix: str) -> None:
    own = {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        raise CanaryganError(f"The weights in {path} do not fit its own description: {error}") from None


def _original(path: Path, content: Mapping[str, Any]) -> Content:
    """The original's generator: sizes are read from the shapes of its weights."""
    weights = {name: weight for name, weight in content["state_dict"].items() if name.startswith("generator.")}
    numbers = sorted({int(found[1]) for name in weights if (found := re.match(r"generator\.deconvnet\.(\d+)\.", name))})
    expected = [f"generator.deconvnet.{number}.block.weight" for number in range(0, 2 * len(numbers), 2)]
    if not numbers or any(name not in weights for name in [*expected, "generator.linear_block.0.weight"]):
        raise CanaryganError(
            f"{path} is of the original CanaryGAN, but with batch normalisation or nearest-neighbour upsampling; "
            "only its default architecture can be read."
        )
    project = weights["generator.linear_block.0.weight"]
    shape = Shape(
        latent_dim=project.shape[1],
        dim=project.shape[0] // (SEED_LENGTH * 2 ** (len(numbers) - 1)),
        samples=_original_samples(path, content, len(numbers)),
    )
    network = Generator(shape)
    renamed = {"project.weight": project, "project.bias": weights["generator.linear_block.0.bias"]}
    for level, number in enumerate(numbers):
        for part in ("weight", "bias"):
            renamed[f"layers.{level}.{part}"] = weights[f"generator.deconvnet.{number}.block.{part}"]
    _fill(path, network, renamed, "")
    progress = {"epoch": int(content.get("epoch", 0)), "step": int(content.get("global_step", 0))}
    return Content(network, ORIGINAL_RATE, progress, torch.float32)


def _original_samples(path: Path, content: Mapping[str, Any], depth: int) -> int:
    """Length in samples. Two lengths share a depth of six; the enum in the hyper-parameters tells them apart."""
    told = content.get("hyper_parameters", {}).get("slice_len")
    value = told.arguments[0] if isinstance(told, Inert) and told.arguments else told
    fitting = [samples for samples, strides in STRIDES.items() if len(strides) == depth and samples >= 16384]
    if value in fitting:
        return int(value)
    if not fitting:
        raise CanaryganError(f"{path} has a generator of {depth} layers; the original's have 5 or 6.")
    return fitting[0]
