"""The base of a model that trains with Lightning: a subclass brings a network, its loss and how it makes sounds.

All else is here: the loop, checkpoints and going on from them, logs, curves, previews, health, dry runs and several
processes. Nothing here imports torch or Lightning before a training starts.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from canarygan_core.components import Generator
from canarygan_core.lightning.learner import Learner

if TYPE_CHECKING:
    from canarygan_core.clips import Clips
    from canarygan_core.lightning.training import Training
    from canarygan_core.runs import Run


@dataclass(frozen=True)
class LightningModel(Learner):
    """A model whose network learns by one loss; its fields are the options, `latent_dim` and `lr` among them.

    A subclass defines `build`, `loss` and `decode`. A checkpoint holds the options, so a network is built again by
    `build` and needs no code from the file.
    """

    def train(self, clips: "Clips", run: "Run", *, training: "Training") -> None:
        """Train the network; see `canarygan_core.Model.train`.

        Raises:
            CanaryganError: where there are no clips, devices cannot share a batch, or values become NaN.
        """
        from canarygan_core.lightning import module

        module.train(self, clips, run, training)

    @classmethod
    def load(cls, checkpoint: Path, *, device: str = "cpu") -> Generator:
        from canarygan_core.lightning import module

        return module.load(cls, checkpoint, device)
