"""What watches a training of any model: previews, curves, warnings of lasting troubles, a stop at NaN.

Nothing here imports torch, Lightning or matplotlib before a training starts.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips, fit_length
from canarygan_core.console import log
from canarygan_core.errors import CanaryganError
from canarygan_core.lightning import health, previews

if TYPE_CHECKING:
    from canarygan_core.runs import Run

PREVIEWED = 16
"""Latents of which each preview has the sounds."""


def _find_none(values: Mapping[str, float]) -> list[str]:
    return []


@dataclass(eq=False)
class Monitor:
    """Watches a training.

    Args:
        run: takes previews and warnings.
        clips: that the model learns from.
        latents: of the previews, (n, latent_dim).
        samples: length of a generated sound.
        generate: makes sounds (n, samples) from the latents, as the model stands.
        updates: gives the updates done so far.
        weights: gives the tensors that must stay finite.
        loggers: gives Lightning's loggers; those of TensorBoard get sounds and pictures.
        curves: by column of the log, the title of its curve.
        unit: what is counted as an update, in pictures.
        check: names the troubles in a row of the log.
        advice: what may help against a trouble of the sounds, as `health.check_sounds` takes it.
        rescue: what may help where values become NaN.
    """

    run: "Run"
    clips: Clips
    latents: NDArray[np.float32]
    samples: int
    generate: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    _: KW_ONLY
    updates: Callable[[], int]
    weights: Callable[[], Iterable[Any]]
    loggers: Callable[[], Iterable[Any]]
    curves: Mapping[str, str] = field(default_factory=dict)
    unit: str = "updates"
    check: Callable[[Mapping[str, float]], list[str]] = _find_none
    advice: Mapping[str, str] = field(default_factory=dict)
    rescue: str = "A lower learning rate, or --precision 32, may hold."

    def __post_init__(self) -> None:
        self._filter = health.TroubleFilter()
        rows = np.linspace(0, len(self.clips) - 1, PREVIEWED).astype(int)  # of every class if clips are sorted by class
        self.real = fit_length(np.asarray(self.clips.audio[rows]), self.samples)
        self.real_diversity = health.compute_diversity(self.real)

    def check_values(self, values: Mapping[str, float]) -> None:
        """Check a row of the logs.

        Raises:
            CanaryganError: if a value is not a finite number; the training cannot recover.
        """
        names = health.find_non_finite(values)
        if names:
            raise self._explain(", ".join(names))
        self._report(self.check(values), "values")

    def check_weights(self) -> None:
        """Raise `CanaryganError` if a weight is not a finite number, so that nothing is saved."""
        if not all(bool(weight.isfinite().all()) for weight in self.weights()):
            raise self._explain("the weights")

    def _explain(self, names: str) -> CanaryganError:
        checkpoint = self.run.last if self.run.last.is_file() else "none yet"
        broken = f"Training broke by update {self.updates()}: NaN in {names}."
        return CanaryganError(f"{broken} The last good checkpoint is {checkpoint}. {self.rescue}")

    def write_previews(self, checkpoint: Path | None) -> None:
        """Write the sounds of the fixed latents, their picture beside real ones, and the curves; or warn that not."""
        name = checkpoint.stem if checkpoint else "epoch_0-step_0"
        try:
            self._write_previews(name)
        except (OSError, CanaryganError) as error:  # a picture is not worth the training
            log.warning(f"No preview of {name}: {error}")

    def _write_previews(self, name: str) -> None:
        sounds = self.make_sounds()
        rate, updates = self.clips.rate, self.updates()
        picture = previews.render(previews.draw_sheet(sounds, self.real, rate, f"{updates} {self.unit}"))
        previews.write_sounds(sounds, rate, self.run.previews / f"{name}.wav")
        previews.save_image(picture, self.run.previews / f"{name}.png")
        curves = previews.draw_curves(self.run.logs("csv") / "metrics.csv", self.curves, self.unit)
        if curves is not None:
            previews.save_image(previews.render(curves), self.run.previews / "curves.png")
        for logger in self.loggers():
            board: Any = getattr(logger, "experiment", None)
            if hasattr(board, "add_audio"):
                row = sounds[:8].reshape(1, -1)
                board.add_audio("previews/sounds", row, updates, sample_rate=rate)
                board.add_image("previews/spectrograms", picture, updates, dataformats="HWC")
        if updates:
            self._report(health.check_sounds(sounds, self.real_diversity, self.advice), "sounds")

    def make_sounds(self) -> NDArray[np.float32]:
        """The sounds of the latents of the previews, as the model stands."""
        return self.generate(self.latents)

    def _report(self, troubles: list[str], source: str) -> None:
        for text in self._filter.select_lasting(troubles, source):
            self.run.warn(f"After {self.updates()} updates: {text}.")
