"""Options of the classifier: how it is trained, from what, and when training stops."""

from dataclasses import dataclass
from typing import Literal

from canarygan_core import CanaryganError
from canarygan_core.lightning.training import Training
from canarygan_metrics.options import check_ranges

FIXED = frozenset({"scale", "seconds", "noise", "lr", "split", "validation", "group_by"})
"""Options of `Learning` that may not change when a training is resumed."""


@dataclass(frozen=True)
class ClassifierTraining(Training):
    """How the classifier is trained."""

    max_epochs: int = 20
    """Most passes over the data."""
    log_every_n_steps: int = 50
    """Updates between two rows of the logs."""
    save_every_n_epochs: int = 1
    """Epochs between two checkpoints kept in all/."""


@dataclass(frozen=True)
class Learning:
    """What the classifier is trained on, and when training stops."""

    scale: Literal["log", "linear"] = "log"
    """Mel spectrogram in decibels (log) or in power (linear, as in the original), word."""
    seconds: float = 1.0
    """Length of each clip that the classifier uses, from its start; a shorter one is faster, seconds."""
    noise: float = 0.5
    """Share of the training clips that are altered anew each time, by noises and a tilted spectrum; 0 for none."""
    lr: float = 3e-4
    """Learning rate of AdamW."""
    split: float = 0.1
    """Share of each class that is held out for testing."""
    validation: float = 0.05
    """Share of each class's other clips for validation, which stops training and chooses the best checkpoint."""
    group_by: str = "auto"
    """What is kept on one side of both splits, as train-gan takes it: auto, none, recording, folder, or a pattern."""
    early_stopping: bool = True
    """Stop where the validation loss has not improved for --patience epochs, yes or no."""
    patience: int = 5
    """Epochs without progress after which training stops."""

    def __post_init__(self) -> None:
        for name, most in (("lr", 1), ("split", 0.9), ("validation", 0.9)):
            if not 0 < getattr(self, name) < most:
                raise CanaryganError(f"--{name} is {getattr(self, name):g}: it may be above 0 and below {most}.")
        check_ranges(self, seconds=(0.128, 10, "s"), noise=(0, 1), patience=1)
