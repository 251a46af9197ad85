"""Options and words that both tasks have."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from canarygan_core.errors import UsageError
from canarygan_metrics.options import check_ranges

CONTEXT = {
    "real": "real clips",
    "held_out": "held-out clips",
    "ceiling": "certain labels",
    "noise": "white noise",
    "shuffled": "labels shuffled",
}
"""Words for the scores that give another a scale."""


@dataclass(frozen=True)
class Scoring:
    """How inception scores are computed."""

    n_split: int = 10
    """Equal parts that are scored on their own, count."""
    batch_size: int = 100
    """Clips classified at a time, clips."""
    devices: Annotated[int, Parameter(alias="-G")] = 1
    """Devices; scoring runs on one."""
    num_nodes: Annotated[int, Parameter(alias="-N")] = 1
    """Nodes; scoring runs on one."""
    num_workers: Annotated[int, Parameter(alias="-c")] = 1
    """Accepted for command lines of the original; reading is memory-mapped and needs no workers."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""
    device_idx: int = 0
    """Which GPU."""
    seed: int = 0
    """Seed of everything random: latents, splits, noise and bootstrap."""
    overwrite: bool = False
    """Replace scores that exist already."""

    def __post_init__(self) -> None:
        check_ranges(self, n_split=1, batch_size=1, devices=1, num_nodes=1, num_workers=0)
        if self.devices * self.num_nodes > 1:
            number = f"{self.devices * self.num_nodes} devices were given, and scoring runs on one device"
            raise UsageError(f"{number}: score checkpoints side by side, each with its own -x and --device-idx.")
