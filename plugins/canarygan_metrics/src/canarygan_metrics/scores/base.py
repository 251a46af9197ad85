"""What metrics that listen with the classifier have in common, and what they take of the clips that it heard."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canarygan_core.components import Listener, Metric
from canarygan_core.errors import CanaryganError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canarygan_core.clips import Clips

EMBEDDING, POSTERIORS = "embedding", "inception"
"""What the classifier's embeddings are called among a clip's facts, and its posteriors among its posteriors."""


@dataclass(frozen=True)
class Embedded(Metric):
    """A metric of what the classifier hears, not of the sounds themselves."""

    model_ckpt: Path | None = None
    """Classifier of train-inception that listens: its checkpoint or the folder of its version, path."""

    def listener(self) -> Listener:
        """The classifier; metrics of one classifier share it.

        Raises:
            CanaryganError: where none was given, or it cannot be loaded.
        """
        from canarygan_metrics.classifier.classifier import Ear

        if self.model_ckpt is None:
            raise CanaryganError(
                "a metric of what a classifier hears: give its checkpoint with -m/--model-ckpt. "
                "canarygan train-inception -d DATA trains one."
            )
        return Ear(self.model_ckpt)

    def _check(self, **least: float) -> None:
        """Refuse options below the least that they may be."""
        for option, low in least.items():
            value = getattr(self, option)
            if not value >= low:
                flag = f"--{self.name}.{option.replace('_', '-')}"
                raise CanaryganError(f"{flag} must be at least {low:g}, not {value:g}.")


def embeddings(clips: "Clips", what: str, least: int = 1) -> "NDArray[np.float32]":
    """The classifier's embeddings (clips, numbers).

    Args:
        clips: as the classifier heard them.
        what: which they are, such as `generated`, for messages.
        least: how many are needed.

    Raises:
        CanaryganError: on fewer clips, ones that no classifier heard, or embeddings that are not finite.
    """
    import numpy as np

    rows = _heard(clips, clips.facts, EMBEDDING, what, least)
    bad = int((~np.isfinite(rows).all(1)).sum())
    if bad:
        raise CanaryganError(
            f"The embeddings of {bad} of {len(rows)} {what} clips are not finite: their sounds are not, "
            "or the classifier was not trained well. canarygan check-data says which of a folder's sounds are not."
        )
    return rows


def posteriors(clips: "Clips", what: str, least: int = 1) -> "NDArray[np.float32]":
    """The classifier's posteriors (clips, classes); raises as `embeddings`, but leaves it open whether they are any."""
    return _heard(clips, clips.posteriors, POSTERIORS, what, least)


def classes(clips: "Clips") -> list[str]:
    """The labels that the classifier tells apart, in the order of its posteriors' columns.

    Raises:
        CanaryganError: where it does not say.
    """
    told = [str(label) for label in clips.origin.get("classes", ())]
    columns = clips.posteriors[POSTERIORS].shape[1] if POSTERIORS in clips.posteriors else None
    if not told or columns not in (None, len(told)):
        raise CanaryganError(f"The classifier names {len(told)} classes for posteriors of {columns}.")
    return told


def check_agreement(generated: "Clips", reference: "Clips") -> None:
    """Raise `CanaryganError` where the two were heard by different classifiers."""
    for key, what in (("classifier", "classifiers"), ("classes", "classes")):
        one, other = generated.origin.get(key), reference.origin.get(key)
        if one != other:
            raise CanaryganError(
                f"Generated and real clips were heard by different {what} ({_short(one)} and {_short(other)}), "
                "whose numbers cannot be compared: let one classifier hear both."
            )


def _heard(
    clips: "Clips", arrays: "Mapping[str, NDArray[Any]]", key: str, what: str, least: int
) -> "NDArray[np.float32]":
    if key not in arrays:
        raise CanaryganError(f"No classifier heard the {what} clips: pass them through the metric's listener first.")
    if len(clips) < least:
        raise CanaryganError(f"There are too few {what} clips: {len(clips)}, and at least {least} are needed.")
    return arrays[key]


def _short(value: Any) -> str:
    told = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return told if len(told) <= 60 else f"{told[:57]}..."
