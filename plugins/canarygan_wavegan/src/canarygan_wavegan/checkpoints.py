"""Read generators from our checkpoints and those of the original CanaryGAN, without running code from either."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.lightning.checkpoints import Inert, read
from canarygan_core.lightning.training import is_bfloat16_fast, set_float32
from canarygan_wavegan.fast.convolutions import accelerate
from canarygan_wavegan.model import SEED_LENGTH, STRIDES, Generator, Shape

SCHEMA = 1
"""Version of the record that our checkpoints hold under `wavegan`."""

ORIGINAL_RATE = 16000
"""Sampling rate of the original's sounds, Hz."""


Content = tuple[Generator, int, dict[str, int], torch.dtype]
"""Of a checkpoint: generator, rate of its sounds in Hz, `epoch` and `step`, dtype of the layers in the training."""


class TrainedGenerator:
    """A generator read from a checkpoint; see `canarygan_core.Generator`.

    After a training in bfloat16, hidden layers compute in bfloat16 where the hardware is fast at it, because the critic
    saw such sounds. All else computes in float32, on a GPU without TF32.
    """

    def __init__(self, content: Content, device: str) -> None:
        network, self.rate, self.progress, arithmetic = content
        self.network, self.device = accelerate(network).eval().to(device), device
        is_half = arithmetic is torch.bfloat16 and is_bfloat16_fast(device)
        self.arithmetic = torch.bfloat16 if is_half else torch.float32
        self.latent_range = (-1.0, 1.0)
        self.latent_dim, self.samples = network.shape.latent_dim, network.shape.samples

    def generate(self, z: NDArray[np.float32]) -> NDArray[np.float32]:
        if not len(z):
            return np.empty((0, self.samples), np.float32)
        with torch.inference_mode(), set_float32(exact=self.arithmetic is torch.float32):
            output = self.network(torch.from_numpy(z).to(self.device), self.arithmetic)
        sounds: NDArray[np.float32] = output.cpu().numpy()
        return sounds


def load(path: Path, device: str = "cpu") -> TrainedGenerator:
    """Read the generator from a checkpoint of ours or of the original CanaryGAN.

    Raises:
        CanaryganError: if the file is missing, damaged, or holds no generator that this version knows.
        UsageError: if the device cannot be used.
    """
    saved = read(path)
    try:
        if "wavegan" in saved:
            content = _read_ours(path, saved)
        elif any(name.startswith("generator.linear_block.") for name in saved.get("state_dict", {})):
            content = _read_original(path, saved)
        else:
            names = ", ".join(map(str, saved))
            raise CanaryganError(f"{path} is a checkpoint, but not of a WaveGAN; it holds {names}.")
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise CanaryganError(
            f"{path} does not hold what a WaveGAN's checkpoint does ({type(error).__name__}: {error})."
        ) from None
    try:
        return TrainedGenerator(content, device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"Cannot use --device {device}: {str(error).splitlines()[0]}") from None


def _read_ours(path: Path, saved: Mapping[str, Any]) -> Content:
    record = saved["wavegan"]
    if record["schema"] > SCHEMA:
        raise CanaryganError(
            f"{path} was written by a newer canarygan-wavegan (schema {record['schema']}): upgrade it."
        )
    network = Generator(Shape(**record["shape"]))
    _load_weights(path, network, saved["state_dict"], "average." if record["average"] else "generator.")
    updates = int(saved["updates"])
    progress = {"epoch": updates // record["per_epoch"], "step": updates}
    arithmetic = torch.bfloat16 if record.get("arithmetic") == "bfloat16" else torch.float32
    return network, int(record["rate"]), progress, arithmetic


def _load_weights(path: Path, network: Generator, weights: Mapping[str, Tensor], prefix: str) -> None:
    own = {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        raise CanaryganError(f"The weights in {path} do not fit its own description: {error}") from None


def _read_original(path: Path, saved: Mapping[str, Any]) -> Content:
    """The original's generator: sizes are read from the shapes of its weights."""
    weights = {name: weight for name, weight in saved["state_dict"].items() if name.startswith("generator.")}
    numbers = sorted({int(match[1]) for name in weights if (match := re.match(r"generator\.deconvnet\.(\d+)\.", name))})
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
        samples=_original_samples(path, saved, len(numbers)),
    )
    network = Generator(shape)
    renamed = {"project.weight": project, "project.bias": weights["generator.linear_block.0.bias"]}
    for level, number in enumerate(numbers):
        for part in ("weight", "bias"):
            renamed[f"layers.{level}.{part}"] = weights[f"generator.deconvnet.{number}.block.{part}"]
    _load_weights(path, network, renamed, "")
    progress = {"epoch": int(saved.get("epoch", 0)), "step": int(saved.get("global_step", 0))}
    return network, ORIGINAL_RATE, progress, torch.float32


def _original_samples(path: Path, saved: Mapping[str, Any], depth: int) -> int:
    """Length in samples. Two lengths have six layers; the enum in the hyper-parameters says which it is."""
    recorded = saved.get("hyper_parameters", {}).get("slice_len")
    value = recorded.arguments[0] if isinstance(recorded, Inert) and recorded.arguments else recorded
    fitting = [samples for samples, strides in STRIDES.items() if len(strides) == depth and samples >= 16384]
    if value in fitting:
        return int(value)
    if not fitting:
        raise CanaryganError(f"{path} has a generator of {depth} layers; the original's have 5 or 6.")
    return fitting[0]
