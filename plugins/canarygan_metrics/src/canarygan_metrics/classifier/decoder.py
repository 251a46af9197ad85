"""The classifier's network as a decoder: options, training and the trained decoder."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from canarygan_core import CanaryganError, Decoder
from canarygan_core.errors import UsageError
from canarygan_core.runs.documents import Format
from canarygan_metrics.options import check_ranges

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canarygan_core.clips import Clips
    from canarygan_core.fitted.novelty import Novelty
    from canarygan_metrics.classifier.network import Network
    from canarygan_metrics.classifier.spectrogram import Spectrogram

STATE, COMPONENT = "state.npz", "component.json"

FORMAT = Format("the record of a decoder's options", {"options": dict[str, Any], "classes": list[str]})
"""What `COMPONENT` holds."""

WEIGHTS = "network."
"""What the names of the network's arrays begin with."""


@dataclass(frozen=True)
class CNN(Decoder):
    """Convolutions over the mel spectrogram: the network of the inception score (Donahue et al., 2019), made narrower.

    It learns from altered copies that are drawn anew for every pass, and needs clips: train it with -d.
    """

    name: ClassVar[str] = "cnn"
    search_ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"lr": (2e-4, 1e-2), "channels": (8, 128)}

    epochs: int = 15
    """Passes over the training clips, count."""
    channels: int = 32
    """Channels of each convolution, count."""
    bands: int = 64
    """Mel bands of the spectrogram, count."""
    seconds: float = 0.3
    """Length of an aligned sound that the network takes, from its start, seconds."""
    altered: float = 0.7
    """Share of the training clips that are altered anew in each pass, by noises and a tilted spectrum."""
    lr: float = 2e-3
    """Highest learning rate of AdamW; it rises, then falls to zero (Smith and Topin, 2019)."""
    batch_size: int = 32
    """Clips in a batch, count."""
    seed: int = 0
    """Seed of the weights, the order of clips and the alterations, an integer from 0."""

    def __post_init__(self) -> None:
        check_ranges(self, epochs=1, channels=1, bands=(16, 512), seconds=(0.128, 10, "s"), batch_size=2, seed=0)
        check_ranges(self, altered=(0, 1), lr=(1e-6, 1))

    @property
    def sizes(self) -> "Spectrogram":
        """The spectrogram that the network takes."""
        from canarygan_metrics.classifier.spectrogram import Spectrogram

        samples = round(self.seconds * Spectrogram.rate)
        return Spectrogram(samples=samples, n_fft=512, n_mels=self.bands)

    def fit(self, clips: "Clips") -> "FittedCNN":
        from canarygan_metrics.classifier import fitting

        if clips.labels is None or len(clips.classes) < 2:
            known = f"only {clips.classes[0]}" if clips.classes else "none"
            raise CanaryganError(f"A decoder tells classes apart and needs at least two; the clips have {known}.")
        options = dataclasses.asdict(self)
        chosen = {name: options[name] for name in ("channels", "epochs", "batch_size", "lr", "altered", "seed")}
        plan = fitting.Plan(self.sizes, **chosen)
        network, sharpness = fitting.train(plan, clips)
        return FittedCNN(self, tuple(clips.classes), network, sharpness, fitting.learn_novelty(plan, clips))

    @classmethod
    def load(cls, folder: Path, *, device: str = "cpu") -> "FittedCNN":
        """A fitted decoder from its folder, on a device; no code is run.

        Raises:
            CanaryganError: where a file is damaged, or the files contradict one another.
            UsageError: where there is no such device.
        """
        import torch

        from canarygan_core.audio import archives
        from canarygan_core.fitted.novelty import Novelty
        from canarygan_core.lightning.checkpoints import load_weights
        from canarygan_metrics.classifier.network import Network

        state = archives.read(folder / STATE, {"sharpness": "f"})
        record = FORMAT.read(folder / COMPONENT)
        classes = tuple(record["classes"])
        weights = {name.removeprefix(WEIGHTS): array for name, array in state.items() if name.startswith(WEIGHTS)}
        try:
            decoder = cls(**record["options"])
            sizes, tensors = decoder.sizes, {name: torch.tensor(array) for name, array in weights.items()}
            build = partial(Network, sizes.n_mels, sizes.frames, len(classes), decoder.channels)
            network = load_weights(folder / STATE, build, tensors)
            novelty = Novelty.from_arrays(state, sizes.n_mels * sizes.frames)
            sharpness = float(state["sharpness"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CanaryganError(f"{folder} is no decoder that this version of {cls.name} can read: {error}.") from None
        try:
            network = network.eval().to(device)
        except (RuntimeError, AssertionError) as error:
            raise UsageError(f"Cannot use {folder} on the device {device}: {str(error).splitlines()[0]}") from None
        return FittedCNN(decoder, classes, network, sharpness, novelty)


@dataclass(eq=False)
class FittedCNN:
    """A trained network; see `canarygan_core.FittedDecoder`.

    Attributes:
        decoder: the component with its options.
        classes: labels in the order of the posteriors' columns.
        network: in evaluation mode.
        sharpness: by which its logits are multiplied (Guo et al., 2017).
        novelty: the distance to training clips; None where there was only one.
    """

    decoder: CNN
    classes: tuple[str, ...]
    network: "Network"
    sharpness: float
    novelty: "Novelty | None"

    def posteriors(self, clips: "Clips") -> "NDArray[np.float32]":
        import numpy as np

        from canarygan_metrics.classifier import fitting

        parts = [
            fitting.compute_logits(self.network, part) for part in fitting.iterate_inputs(self.decoder.sizes, clips)
        ]
        if not parts:
            return np.empty((0, len(self.classes)), np.float32)
        return np.concatenate([(part * self.sharpness).softmax(1).numpy() for part in parts])

    def resemblance(self, clips: "Clips") -> "NDArray[np.float32]":
        """How likely clips are of a kind with the training clips (n,); see `canarygan_core.fitted.novelty`."""
        import numpy as np

        from canarygan_metrics.classifier import fitting

        if self.novelty is None:
            return np.ones(len(clips), np.float32)
        inputs = fitting.iterate_inputs(self.decoder.sizes, clips)
        parts = [self.novelty.compare(fitting.keep_loud(part)) for part in inputs]
        return np.concatenate(parts) if parts else np.empty(0, np.float32)

    def save(self, folder: Path) -> None:
        import numpy as np

        from canarygan_core.audio import archives
        from canarygan_core.runs import files

        arrays: Mapping[str, NDArray[Any]] = {
            **{WEIGHTS + name: part.cpu().numpy() for name, part in self.network.state_dict().items()},
            "sharpness": np.asarray(self.sharpness),
            **({} if self.novelty is None else self.novelty.arrays()),
        }
        with archives.writing(folder / STATE, sum(array.nbytes for array in arrays.values())) as archive:
            for name, array in arrays.items():
                archive.add(name, array)
        component = {"options": dataclasses.asdict(self.decoder), "classes": list(self.classes)}
        files.write_text(folder / COMPONENT, json.dumps(component, indent=2) + "\n")
