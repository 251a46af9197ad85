"""Options of the classifier: how it is trained, what it learns and when it stops."""

from dataclasses import dataclass
from typing import Literal

from canarygan_core.errors import CanaryganError
from canarygan_core.lightning.training import Training

FIXED = frozenset({"scale", "seconds", "noise", "lr", "split", "validation"})
"""Options of the learning that may not change when it goes on."""


@dataclass(frozen=True)
class ClassifierTraining(Training):
    """How the classifier is trained."""

    max_epochs: int = 20
    """Passes over the data, at most."""
    log_every_n_steps: int = 50
    """Updates between two rows of the logs."""
    save_every_n_epochs: int = 1
    """Epochs between two checkpoints kept in all/."""


@dataclass(frozen=True)
class Learning:
    """What the classifier learns, and when it stops."""

    scale: Literal["log", "linear"] = "log"
    """Mel spectrogram in levels (log) or in power (linear, as the original's), word."""
    seconds: float = 1.0
    """Length of sound that is seen, from the start: the shorter, the faster; what follows is not heard, seconds."""
    noise: float = 0.5
    """Share of the clips that are learnt under white noise 10 to 40 dB below them, each time anew; 0 for none."""
    lr: float = 3e-4
    """Learning rate of AdamW."""
    split: float = 0.1
    """Share of each class that is held out to test on."""
    validation: float = 0.05
    """Share of each class's other clips by which training stops and the best checkpoint is chosen."""
    early_stopping: bool = True
    """Stop where the validation loss has not got better for --patience epochs, yes or no."""
    patience: int = 5
    """Epochs without progress after which training stops."""

    def __post_init__(self) -> None:
        if not 0 < self.lr < 1:
            raise CanaryganError(f"--lr is {self.lr:g}: it may be above 0 and below 1.")
        for name in ("split", "validation"):
            if not 0 < getattr(self, name) < 0.9:
                raise CanaryganError(f"--{name} is {getattr(self, name):g}: it may be above 0 and below 0.9.")
        if not 0.128 <= self.seconds <= 10:
            raise CanaryganError(f"--seconds is {self.seconds:g} s: it may be 0.128 to 10 s.")
        if not 0 <= self.noise <= 1:
            raise CanaryganError(f"--noise is {self.noise:g}: the share of clips under noise may be 0 to 1.")
        if self.patience < 1:
            raise CanaryganError(f"--patience must be at least 1, not {self.patience}.")
