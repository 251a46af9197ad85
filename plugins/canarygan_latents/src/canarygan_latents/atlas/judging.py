"""What latents sound like: the label of each by all decoders, how sure it is, and its measures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips
from canarygan_core.fitted import decoders, generators
from canarygan_core.fitted.decoders import Judgement, TrainedDecoder, X
from canarygan_latents.atlas.measures import UNITS, Measures, measure
from canarygan_latents.opening import Opened

MOST, BATCH = 2000, 200
"""Real clips that are labelled at most, and at a time."""


@dataclass(frozen=True, eq=False)
class Heard:
    """What sounds of latents are.

    Attributes:
        labels: (n,) the label of each, X where most decoders reject it; None without decoders.
        posterior: (n,) mean P(class | syllable) of the label, 0 where it is X.
        agreement: (n,) share of decoders that give the label.
        syllable: (n,) mean P(syllable).
        measures: by name, (n,).
    """

    labels: NDArray[np.str_] | None
    posterior: NDArray[np.float64]
    agreement: NDArray[np.float64]
    syllable: NDArray[np.float64]
    measures: Measures

    def select(self, rows: slice) -> "Heard":
        """Some of the sounds."""
        labels = None if self.labels is None else self.labels[rows]
        measures = {name: values[rows] for name, values in self.measures.items()}
        return Heard(labels, self.posterior[rows], self.agreement[rows], self.syllable[rows], measures)


def hear(opened: Opened, trained: Sequence[TrainedDecoder], z: NDArray[np.float32], batch_size: int) -> Heard:
    """Make the sounds of latents (n, d), and let the decoders judge them."""
    judged: list[list[Judgement]] = [[] for _ in trained]
    measured: list[Measures] = []
    for clips in generators.generate_clips(opened.generator, z, batch_size):
        measured.append(measure(clips.audio, clips.rate))
        for judgement, parts in zip(decoders.judge_all(trained, clips), judged, strict=True):
            parts.append(judgement)
    measures = {name: np.concatenate([part[name] for part in measured]) for name in UNITS}
    if not trained:
        nothing = np.zeros(len(z))
        return Heard(None, nothing, nothing, nothing, measures)
    together = decoders.reach_consensus([Judgement.join(parts) for parts in judged])
    return Heard(together.labels, together.posterior, together.agreement, together.syllable, measures)


def label_clips(trained: Sequence[TrainedDecoder], clips: Clips) -> NDArray[np.str_]:
    """What the decoders call clips together: of all, or of `MOST` that are spread over them evenly."""
    rows = np.unique(np.linspace(0, len(clips) - 1, min(len(clips), MOST)).astype(int))
    parts = [decoders.judge_all(trained, part) for part in clips.select(rows).batches(BATCH)]
    return decoders.reach_consensus([Judgement.join(one) for one in zip(*parts, strict=True)]).labels


def list_classes(trained: Sequence[TrainedDecoder]) -> list[str]:
    """The labels that the decoders may give, X the last."""
    known = {label for one in trained for label in one.classes if label not in one.garbage}
    return [*sorted(known), X] if trained else []
