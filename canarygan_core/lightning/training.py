"""How a model is trained with Lightning, whichever it is: options, and the arithmetic they mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter

from canarygan_core.errors import CanaryganError

SHAPING = frozenset({"batch_size", "seed"})
"""Options of a training that shape what is learnt; the others say where, and how long."""


@dataclass(frozen=True)
class Training:
    """How a model is trained, whichever it is."""

    max_epochs: int = 1000
    """Passes over the data."""
    batch_size: int = 64
    """Clips a batch, over all devices together."""
    devices: Annotated[int, Parameter(alias="-G")] = 1
    """Devices a node."""
    num_nodes: Annotated[int, Parameter(alias="-N")] = 1
    """Nodes."""
    num_workers: Annotated[int, Parameter(alias="-c")] = 1
    """Threads that read batches ahead of the training; 0 reads them in between."""
    log_every_n_steps: int = 100
    """Updates of the model between two rows of the logs."""
    save_every_n_epochs: int = 15
    """Epochs between two checkpoints kept in all/."""
    seed: int = 0
    """Seed of everything random in the training."""
    precision: Literal["auto", "32", "bf16"] = "auto"
    """Arithmetic of the networks: bfloat16 where the hardware is fast at it, or 32 for float32 without TF32."""
    accelerator: Literal["auto", "cpu", "gpu", "mps"] = "auto"
    """Hardware."""
    dry_run: bool = False
    """Do a few updates on one device, tell how long the whole would take, and leave nothing."""

    def __post_init__(self) -> None:
        least = {"log_every_n_steps": 1, "save_every_n_epochs": 1, "batch_size": 1, "devices": 1, "num_nodes": 1}
        for name, lowest in {**least, "max_epochs": 1, "num_workers": 0, "seed": 0}.items():
            if getattr(self, name) < lowest:
                flag = name.replace("_", "-")
                raise CanaryganError(f"--{flag} must be at least {lowest}, not {getattr(self, name)}.")
        if self.seed >= 2**63:
            raise CanaryganError(f"--seed must be below 2^63, not {self.seed}.")


def uses_bfloat16(training: Training) -> bool:
    """Whether networks compute in bfloat16: asked for, or fast on this hardware."""
    import torch

    if training.precision != "auto":
        return training.precision == "bf16"
    on_gpu = training.accelerator in ("auto", "gpu") and torch.cuda.is_available()
    return is_bfloat16_fast("cuda" if on_gpu else "mps" if training.accelerator == "mps" else "cpu")


def is_bfloat16_fast(device: str) -> bool:
    """Whether a device, as torch spells it, computes faster in bfloat16 than in float32."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device != "cpu":
        return False
    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in asked)


@contextmanager
def set_float32(*, exact: bool) -> Iterator[None]:
    """Inside the block, a GPU multiplies float32 numbers as they are, or else rounded to TF32; restored afterwards.

    TF32 keeps 10 of the 23 bits of a fraction. torch uses it for convolutions unless told otherwise.

    Args:
        exact: without TF32, in products of matrices and in convolutions.
    """
    import torch

    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    if exact:
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False
    elif torch.cuda.is_available():
        torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]
