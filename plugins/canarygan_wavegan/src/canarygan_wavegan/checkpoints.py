"""Read generators from our checkpoints and those of the original CanaryGAN, without running code from either."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.lightning.checkpoints import Inert, load_weights, read, take_weights
from canarygan_core.lightning.training import is_bfloat16_fast, set_float32
from canarygan_core.runs.documents import Format
from canarygan_wavegan.description import describe
from canarygan_wavegan.fast.convolutions import accelerate
from canarygan_wavegan.model import SEED_LENGTH, STRIDES, Generator, Shape

SCHEMA = 1
"""Version of the record that our checkpoints hold under `wavegan`."""

SHAPE = Format(
    "the sizes of a WaveGAN",
    {"latent_dim": int, "dim": int, "samples": int},
    {"upsampling": str, "batch_norm": bool},
)

RECORD = Format(
    "a checkpoint of a WaveGAN",
    {"schema": int, "shape": SHAPE, "rate": int, "average": bool, "per_epoch": int},
    {"arithmetic": str},
    schema=SCHEMA,
    bounds={"rate": (100, 10**7), "per_epoch": (1, 1 << 62)},
)

FORMAT = Format("a checkpoint of a WaveGAN", {"state_dict": dict, "updates": int, "wavegan": dict})
"""What is read of our checkpoints."""

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

    def module(self) -> torch.nn.Module:
        """The network, from latents (n, latent_dim) to sounds (n, samples), in float32."""
        return self.network

    def layers(self) -> list[dict[str, Any]]:
        """The network as layers of arrays; see `canarygan_core.Generator`."""
        return describe(self.network, self.arithmetic)


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
        elif _is_original(saved):
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


def _is_original(saved: Mapping[str, Any]) -> bool:
    state = saved.get("state_dict")
    return isinstance(state, Mapping) and any(str(name).startswith("generator.linear_block.") for name in state)


def _read_ours(path: Path, saved: Mapping[str, Any]) -> Content:
    record = RECORD.check(saved["wavegan"], path)
    updates = FORMAT.check(saved, path)["updates"]
    shape = Shape(**record["shape"])
    weights = take_weights(path, saved, "average." if record["average"] else "generator.")
    progress = {"epoch": updates // record["per_epoch"], "step": updates}
    arithmetic = torch.bfloat16 if record.get("arithmetic") == "bfloat16" else torch.float32
    return load_weights(path, lambda: Generator(shape), weights), record["rate"], progress, arithmetic


def _read_original(path: Path, saved: Mapping[str, Any]) -> Content:
    """The original's generator: sizes are read from the shapes of its weights."""
    weights = take_weights(path, saved, "generator.")
    numbers = sorted({int(match[1]) for name in weights if (match := re.match(r"deconvnet\.(\d+)\.", name))})
    expected = [f"deconvnet.{number}.block.weight" for number in range(0, 2 * len(numbers), 2)]
    if not numbers or any(name not in weights for name in [*expected, "linear_block.0.weight"]):
        raise CanaryganError(
            f"{path} is of the original CanaryGAN, but with batch normalisation or nearest-neighbour upsampling; "
            "only its default architecture can be read."
        )
    project = weights["linear_block.0.weight"]
    shape = Shape(
        latent_dim=project.shape[1],
        dim=project.shape[0] // (SEED_LENGTH * 2 ** (len(numbers) - 1)),
        samples=_original_samples(path, saved, len(numbers)),
    )
    renamed = {"project.weight": project, "project.bias": weights["linear_block.0.bias"]}
    for level, number in enumerate(numbers):
        for part in ("weight", "bias"):
            renamed[f"layers.{level}.{part}"] = weights[f"deconvnet.{number}.block.{part}"]
    network = load_weights(path, lambda: Generator(shape), renamed)
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
