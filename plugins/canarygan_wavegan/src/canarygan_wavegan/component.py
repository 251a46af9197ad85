"""The WaveGAN as a component: `--model wavegan` on the command line."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from canarygan_core.components import Generator
from canarygan_wavegan.options import Options

if TYPE_CHECKING:
    from canarygan_core.clips import Clips
    from canarygan_core.lightning.training import Training
    from canarygan_core.runs import Run


@dataclass(frozen=True)
class WaveGAN(Options):
    """Low-dimensional WaveGAN trained with the WGAN-GP loss (Donahue et al., 2019; Pagliarini et al., 2021)."""

    name: ClassVar[str] = "wavegan"

    def train(self, clips: "Clips", run: "Run", *, training: "Training") -> None:
        from canarygan_wavegan.train import train

        train(self, clips, run, training)

    @classmethod
    def load(cls, checkpoint: Path, *, device: str = "cpu") -> Generator:
        from canarygan_wavegan.checkpoints import load

        return load(checkpoint, device)
