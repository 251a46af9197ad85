"""What metrics of the classifier's embeddings and posteriors have in common: the classifier, checks, and warnings."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canarygan_core import CanaryganError, Metric
from canarygan_core.components import Listener

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canarygan_core.clips import Clips

log = logging.getLogger("canarygan")

ADVICE = "canarygan check-data finds sounds that are not; where all are, train the classifier again."


@dataclass(frozen=True)
class ClassifierMetric(Metric):
    """A metric that compares what the classifier makes of clips, not the sounds themselves."""

    model_ckpt: Path | None = None
    """Classifier of train-inception: its checkpoint or the folder of its version, path."""

    def listener(self) -> Listener:
        """The classifier; metrics of one classifier share it.

        Raises:
            CanaryganError: where none was given, or it cannot be loaded.
        """
        from canarygan_metrics.classifier.classifier import ClassifierListener

        if self.model_ckpt is None:
            raise CanaryganError("a metric of a classifier: give -m/--model-ckpt, from canarygan train-inception.")
        return ClassifierListener(self.model_ckpt)

    def warn_few(self, enough: int, reason: str, **counts: int) -> None:
        """Warn of each set of clips, by the word for it, that has fewer than `enough`."""
        for what, count in counts.items():
            if count < enough:
                log.warning(f"{self.name}: too few {what} clips to trust, {count}: {reason}; {enough} would do.")


def both_embeddings(
    generated: "Clips", reference: "Clips", least: int, least_real: int | None = None
) -> "tuple[NDArray[np.float32], NDArray[np.float32]]":
    """The embeddings (clips, numbers) of generated and of real clips, from one classifier.

    Args:
        generated: clips from the metric's listener.
        reference: the same of real clips.
        least: how many of each are needed.
        least_real: how many real ones, where that is another number.

    Raises:
        CanaryganError: on fewer clips, no or two classifiers, or embeddings that are not finite.
    """
    check_agreement(generated, reference)
    return _embeddings(generated, "generated", least), _embeddings(reference, "real", least_real or least)


def _embeddings(clips: "Clips", what: str, least: int) -> "NDArray[np.float32]":
    import numpy as np

    rows = _get_rows(clips, clips.facts, "embedding", what, least)
    bad = int((~np.isfinite(rows).all(1)).sum())
    if bad:
        raise CanaryganError(f"The embeddings of {bad} of {len(rows)} {what} clips are not finite. {ADVICE}")
    return rows


def posteriors_and_classes(generated: "Clips") -> "tuple[NDArray[np.float32], list[str]]":
    """The classifier's posteriors (clips, classes) of generated clips, and the labels of their columns.

    Raises:
        CanaryganError: on no clip, no classifier, or another number of labels than of columns.
    """
    posteriors = _get_rows(generated, generated.posteriors, "inception", "generated", 1)
    labels = [str(label) for label in generated.origin.get("classes", ())]
    if not labels or posteriors.shape[1] != len(labels):
        raise CanaryganError(f"The classifier names {len(labels)} classes for posteriors of {posteriors.shape[1]}.")
    return posteriors, labels


def check_agreement(generated: "Clips", reference: "Clips") -> None:
    """Raise `CanaryganError` where the two come from different classifiers."""
    for key, what in (("classifier", "classifiers"), ("classes", "classes")):
        one, other = generated.origin.get(key), reference.origin.get(key)
        if one != other:
            both = f"{_short(one)} and {_short(other)}"
            raise CanaryganError(f"Generated and real clips come from different {what} ({both}): use one classifier.")


def _get_rows(
    clips: "Clips", arrays: "Mapping[str, NDArray[Any]]", key: str, what: str, least: int
) -> "NDArray[np.float32]":
    if key not in arrays:
        raise CanaryganError(f"No classifier has seen the {what} clips: pass them through the metric's listener first.")
    if len(clips) < least:
        raise CanaryganError(f"There are too few {what} clips: {len(clips)}, and at least {least} are needed.")
    return arrays[key]


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
