"""Trained decoders on disk, and what follows from their posteriors: labels, margins, agreement, rejection.

A trained decoder is a folder: `decoder.json` says which component it is of and what it knows, the other files are the
component's own. Nothing in it is ever run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import SILENT, Filter, hear
from canarygan_core.clips import Clips
from canarygan_core.components import Decoder, FittedDecoder
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.fitted.folders import FolderFormat
from canarygan_core.plugins import Registry

FORMAT = FolderFormat(
    "decoder",
    schema=1,
    facts={"classes": list, "threshold": int | float, "garbage": list},
    maker="train-decoders",
    remedy="train anew",
)

RECORD = FORMAT.record

X = "X"
"""The label of what is none of the classes."""

RATE, SECONDS = 16000, 1.0
"""Sampling rate in Hz and length of the clips of a decoder that does not say what it listens to."""

Floats = NDArray[np.floating[Any]]
Strings = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class TrainedDecoder:
    """A decoder from its folder.

    Attributes:
        key: what its columns are called: the component's name, or the folder's where two share that.
        fitted: tells classes apart.
        classes: labels in the order of the posteriors' columns.
        threshold: posterior of the best class below which a clip is none of the classes.
        garbage: those of `classes` that count as X.
        folder: where it lies.
        record: all of `decoder.json`.
    """

    key: str
    fitted: FittedDecoder
    classes: tuple[str, ...]
    threshold: float
    garbage: tuple[str, ...]
    folder: Path
    record: Mapping[str, Any]

    @property
    def rate(self) -> int:
        """Sampling rate it listens at, Hz."""
        return int(getattr(self.fitted, "rate", RATE))

    @property
    def seconds(self) -> float:
        """How much of a clip it listens to."""
        return float(getattr(self.fitted, "seconds", SECONDS))

    @property
    def filtering(self) -> Filter:
        """What the clips that it was trained on had taken out, and so is taken out of what it hears."""
        return Filter.of(self.record.get("dataset", {}))

    def posteriors(self, clips: Clips) -> NDArray[np.float32]:
        """Posteriors (n, classes) of clips that it hears filtered; equal for all where one is silent or not finite.

        Raises:
            CanaryganError: where the decoder gives something else.
        """
        clips = hear(clips, self.filtering)
        usable = is_audible(clips.audio)
        posteriors = np.full((len(clips), len(self.classes)), 1 / len(self.classes), np.float32)
        if usable.any():
            given = self.fitted.posteriors(clips.select(usable))
            is_finite, shape = np.isfinite(given).all(), (usable.sum(), len(self.classes))
            if given.shape != shape or not is_finite:
                what = f"{given.shape} posteriors" if is_finite else "posteriors that are not finite"
                raise CanaryganError(f"Decoder {self.key} gave {what} for {shape[0]} clips of {shape[1]} classes.")
            posteriors[usable] = given
        return posteriors

    def label(self, posteriors: Floats) -> Strings:
        """The likeliest class of each clip, X where all are equally likely, as of silence."""
        return np.where(np.ptp(posteriors, axis=1) == 0, X, pick_labels(posteriors, self.classes))

    def vote(self, posteriors: Floats) -> Strings:
        """The label of each clip, X where the decoder rejects it."""
        labels = self.label(posteriors)
        rejected = (posteriors.max(1) < self.threshold) | np.isin(labels, self.garbage)
        return np.where(rejected, X, labels)


def is_audible(audio: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which sounds (n, samples) are finite and not silent."""
    peak = np.abs(audio).max(1)
    usable: NDArray[np.bool_] = np.isfinite(peak) & (peak >= SILENT)
    return usable


def pick_labels(posteriors: Floats, classes: Sequence[str]) -> Strings:
    """The likeliest class of each row of posteriors (n, classes)."""
    return np.asarray(np.take(list(classes), posteriors.argmax(1)))


def compute_margins(posteriors: Floats) -> Floats:
    """By how much the likeliest class leads the next, (n,)."""
    best = np.sort(posteriors, axis=1)[:, -2:]
    return best[:, -1] - best[:, 0] if best.shape[1] > 1 else best[:, 0]


def find_consensus(votes: Sequence[Strings], certainty: Sequence[Floats]) -> tuple[Strings, NDArray[np.float64]]:
    """What most decoders say of each clip, and the share of them that does; a tie goes to the more certain.

    Args:
        votes: by decoder, the label of each clip (n,).
        certainty: by decoder, the posterior of the label voted for (n,).
    """
    labels, sure = np.stack(votes), np.stack(certainty)  # (decoders, n)
    same = labels[:, None] == labels[None]  # (decoders, decoders, n)
    support = same.sum(1) + (same * sure[None]).sum(1) / (len(votes) + 1)
    chosen, clips = support.argmax(0), np.arange(labels.shape[1])
    return labels[chosen, clips], same[chosen, :, clips].mean(1)


def choose_threshold(posteriors: Floats, share: float) -> float:
    """The posterior below which at most a share of held-out clips (n, classes) of known classes would be rejected."""
    best = np.sort(posteriors.max(1))
    return float(best[int(share * len(best))]) if len(best) else 0.0


def save(
    folder: Path,
    decoder: Decoder,
    fitted: FittedDecoder,
    *,
    threshold: float = 0.0,
    garbage: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Write a trained decoder to a folder, which is whole or absent, and replaces one of the same name.

    Args:
        folder: where it goes.
        decoder: the component with its options.
        fitted: what it has learnt.
        threshold: posterior below which a clip is X.
        garbage: classes that count as X.
        facts: what else is known of the training, JSON values.
    """
    known = {"classes": list(fitted.classes), "threshold": threshold, "garbage": list(garbage)}
    FORMAT.save(folder, decoder, fitted, known | dict(facts or {}))


def load(folder: Path, registry: Registry) -> TrainedDecoder:
    """A trained decoder from its folder; no code in it is run.

    Raises:
        CanaryganError: where it is missing, damaged, of a newer version, or of a decoder that is not installed.
    """
    fitted, record = FORMAT.load(folder, registry)
    if not record["classes"]:
        raise CanaryganError(f"{folder / RECORD} does not describe a decoder: it names no component, or no class.")
    classes = tuple(map(str, record["classes"]))
    if tuple(fitted.classes) != classes:
        raise CanaryganError(f"{folder} contradicts itself: {RECORD} and what was learnt name different classes.")
    key, threshold, garbage = record["decoder"]["name"], float(record["threshold"]), tuple(record["garbage"])
    return TrainedDecoder(key, fitted, classes, threshold, garbage, folder, record)


def load_all(paths: Sequence[Path], registry: Registry, parameters: Path | None = None) -> list[TrainedDecoder]:
    """The decoders in these folders, each a decoder's or one that holds some.

    Args:
        paths: folders.
        registry: where components are looked up.
        parameters: a file of feature parameters that must not contradict theirs.

    Raises:
        CanaryganError: where one cannot be used.
    """
    folders: list[Path] = []
    for path in paths:
        inside = [path] if (path / RECORD).is_file() else sorted(entry.parent for entry in path.glob(f"*/{RECORD}"))
        folders += [folder for folder in inside or [path] if folder not in folders]
    trained = [load(folder, registry) for folder in folders]
    for one in trained if parameters is not None else ():
        check = getattr(one.fitted, "check_parameters", None)
        if check is None:
            problem = f"Decoder {one.key} has no feature parameters to compare with -p {parameters}"
            raise UsageError(f"{problem}: leave out -p.")
        check(parameters)
    names = [one.key for one in trained]
    keys = [one.folder.resolve().name if names.count(one.key) > 1 else one.key for one in trained]
    if len(set(keys)) < len(keys):
        raise UsageError(f"Two decoders are called {max(keys, key=keys.count)}: rename the folder of one of them.")
    return [replace(one, key=key) for key, one in zip(keys, trained, strict=True)]
