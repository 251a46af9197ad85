"""The WaveGAN's options and presets, without PyTorch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from canarygan_core.components import Model
from canarygan_core.errors import CanaryganError

SMALL: dict[str, Any] = {
    "dim": 16,
    "slice-len": "auto",
    "critic-updates": 3,
    "lr": 1e-3,
    "ema": 0.998,
    "batch-size": 8,
    "max-epochs": 240,
    "save-every-n-epochs": 30,
    "log-every-n-steps": 50,
}
"""Preset `small`; `medium` differs in a few values."""

PAPER: dict[str, Any] = {
    "dim": 64,
    "slice-len": 16384,
    "critic-updates": 5,
    "lr": 1e-4,
    "ema": 0.0,
    "batch-size": 64,
    "max-epochs": 1000,
    "save-every-n-epochs": 15,
}
"""Presets `large` and `paper`, which differ in what is done to the clips."""


@dataclass(frozen=True)
class Options(Model):
    """Options of the WaveGAN; `component.WaveGAN` adds what is done with them."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "tiny": {
            "dim": 4,
            "slice-len": "auto",
            "critic-updates": 2,
            "lr": 1e-3,
            "ema": 0.99,
            "batch-size": 16,
            "max-epochs": 8,
            "save-every-n-epochs": 4,
            "log-every-n-steps": 20,
        },
        "small": SMALL,
        "medium": SMALL | {"dim": 32, "lr": 5e-4, "ema": 0.999, "max-epochs": 200, "save-every-n-epochs": 25},
        "large": PAPER,
        "paper": PAPER,
        "original": PAPER
        | {
            "fresh-batches": False,
            "interpolate": "samples",
            "phase-shuffle": 0,
            "precision": "32",
            "log-every-n-steps": 50,
        },
    }
    # The authors high-passed their clips and scaled the set by one factor (Pagliarini et al., 2021).
    preset_data: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "paper": {"gain": "set", "highpass": 700},
        "original": {"gain": "none", "remove-mean": False},
    }

    preset_purposes: ClassVar[Mapping[str, str]] = {
        "tiny": "a first look",
        "small": "a laptop, a few hundred clips",
        "medium": "the same, better sounds",
        "large": "the paper's networks, each clip at one peak, on a GPU",
        "paper": "what the paper did, to the clips too (with -d), on a GPU",
        "original": "what the original CanaryGAN did, to the clips too (with -d), on a GPU",
    }

    latent_dim: int = 3
    """Coordinates of a latent vector."""
    dim: int = 64
    """Channels next to the waveform; they double with every layer inwards."""
    slice_len: Literal["auto", 4096, 8192, 16384, 32768, 65536] = 16384
    """Length of a sound, samples; auto is the shortest that holds 99.5 % of the clips' sound."""
    phase_shuffle: int = 2
    """Radius of the critic's random shifts, samples."""
    critic_updates: int = 5
    """Critic updates to one of the generator; with 5 and fresh batches, an epoch is a fifth of the original code's."""
    balance: bool = False
    """Show every class equally often, whatever its number of clips."""
    fresh_batches: bool = True
    """Take a batch of its own for each update of the critic; else one for all before an update of the generator."""
    lr: float = 1e-4
    """Learning rate of both networks."""
    beta1: float = 0.5
    """Adam's decay of the gradient's mean."""
    beta2: float = 0.9
    """Adam's decay of the gradient's square."""
    penalty: float = 10.0
    """Weight of the gradient penalty (lambda)."""
    interpolate: Literal["clips", "samples"] = "clips"
    """What is mixed by one random share for the gradient penalty: whole clips, or each sample by a share of its own."""
    ema: float = 0.0
    """Decay of the average of the generator's weights that makes the sounds; 0 for none."""
    upsampling: Literal["zeros", "nearest"] = "zeros"
    """Transposed convolutions, or convolutions after nearest-neighbour upsampling."""
    batch_norm: bool = False
    """Normalise the generator's hidden layers over the batch."""
    critic_step: Literal["fast", "plain"] = "fast"
    """Gradients of the critic by formulas (fast), or by automatic differentiation (plain), which fits any critic."""

    def __post_init__(self) -> None:
        for name in ("latent_dim", "dim", "critic_updates"):
            if getattr(self, name) < 1:
                raise CanaryganError(f"--{name.replace('_', '-')} must be at least 1, not {getattr(self, name)}.")
        if not 0 <= self.phase_shuffle <= 8:
            raise CanaryganError(f"--phase-shuffle must be from 0 to 8 samples, not {self.phase_shuffle}.")
        for name in ("ema", "beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise CanaryganError(f"--{name} must be at least 0 and under 1, not {getattr(self, name)}.")
        if not (0 < self.lr < math.inf and 0 <= self.penalty < math.inf):
            raise CanaryganError(f"--lr must be above 0 and --penalty not under 0, not {self.lr} and {self.penalty}.")
