"""Trained decoders on disk. What follows from their posteriors is in `judgements`, whose names are also found here.

A trained decoder is a folder: `decoder.json` says which component it is of and what it knows, the other files are the
component's own. Nothing in it is ever run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import SILENT, Filter, Hearing
from canarygan_core.clips import Clips
from canarygan_core.components import Decoder, FittedDecoder
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.fitted.folders import FolderFormat
from canarygan_core.fitted.generators import choose_device
from canarygan_core.fitted.judgements import (
    Consensus,
    Judgement,
    X,
    compute_margins,
    describe_consensus,
    find_consensus,
    pick_labels,
    reach_consensus,
)
from canarygan_core.plugins import Registry

__all__ = [
    "FORMAT",
    "RATE",
    "RECORD",
    "SECONDS",
    "Consensus",
    "Judgement",
    "TrainedDecoder",
    "X",
    "choose_threshold",
    "compute_margins",
    "describe_consensus",
    "find_consensus",
    "is_audible",
    "judge_all",
    "load",
    "load_all",
    "pick_labels",
    "reach_consensus",
    "save",
]

FORMAT = FolderFormat(
    "decoder",
    schema=1,
    facts={"classes": list[str], "threshold": float, "garbage": list[str]},
    maker="train-decoders",
    remedy="train anew",
    beside={"test": dict[str, Any], "trained_on": int, "rate": int, "seconds": float},
)

RECORD = FORMAT.record

RATE, SECONDS = 16000, 1.0
"""Sampling rate in Hz and length of the clips of a decoder where neither it nor its record says what it hears."""

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
        """Sampling rate it listens at, Hz: what it says itself, or else that of the clips that it was trained on."""
        return int(getattr(self.fitted, "rate", self.record.get("rate", RATE)))

    @property
    def seconds(self) -> float:
        """Length of a clip that it listens to: what it says itself, or else that of the clips it was trained on."""
        return float(getattr(self.fitted, "seconds", self.record.get("seconds", SECONDS)))

    @property
    def filtering(self) -> Filter:
        """What the clips that it was trained on had taken out, and so is taken out of what it hears."""
        return Filter.of(self.record.get("dataset", {}))

    @property
    def hearing(self) -> Hearing:
        """How it hears any sound: as the clips are that it was trained on."""
        return Hearing(self.rate, round(self.seconds * self.rate), self.filtering)

    def posteriors(self, clips: Clips) -> NDArray[np.float32]:
        """Posteriors (n, classes), garbage among them, of clips of any rate and length; equal where one is silent.

        Raises:
            CanaryganError: where the decoder gives something else.
        """
        return self._listen(clips)[0]

    def _listen(self, clips: Clips) -> tuple[NDArray[np.float32], Clips, NDArray[np.bool_]]:
        """The posteriors of clips, those of them that are finite and not silent, as it hears them, and which these are.

        Several decoders that hear alike get the same clips, so that they may share their features.
        """
        clips = self.hearing.hear(clips)
        usable = is_audible(clips.audio)
        posteriors = np.full((len(clips), len(self.classes)), 1 / len(self.classes), np.float32)
        heard = clips if usable.all() else clips.select(usable)
        if len(heard):
            given = self.fitted.posteriors(heard)
            is_finite, shape = np.isfinite(given).all(), (len(heard), len(self.classes))
            if given.shape != shape or not is_finite:
                what = f"{given.shape} posteriors" if is_finite else "posteriors that are not finite"
                raise CanaryganError(f"Decoder {self.key} gave {what} for {shape[0]} clips of {shape[1]} classes.")
            posteriors[usable] = given
        return posteriors, heard, usable

    def label(self, posteriors: Floats) -> Strings:
        """The likeliest class of each clip, garbage among them; X where all are equally likely, as of silence."""
        return np.where(np.ptp(posteriors, axis=1) == 0, X, pick_labels(posteriors, self.classes))

    def vote(self, posteriors: Floats) -> Strings:
        """The label of each clip, X where its posteriors alone reject it; `judge` also knows other reasons."""
        labels = self.label(posteriors)
        rejected = (posteriors.max(1) < self.threshold) | np.isin(labels, self.garbage)
        return np.where(rejected, X, labels)

    def judge(self, clips: Clips) -> Judgement:
        """What it says of clips of any rate and length: which syllable each is, and whether it is one.

        Raises:
            CanaryganError: where the decoder gives something else.
        """
        posteriors, heard, usable = self._listen(clips)
        resemblance = np.zeros(len(clips), np.float32)
        if len(heard):
            resemblance[usable] = getattr(self.fitted, "resemblance", lambda clips: 1.0)(heard)
        return Judgement.of(
            posteriors,
            self.classes,
            garbage=self.garbage,
            resemblance=resemblance,
            threshold=self.threshold,
            usable=usable,
        )


def judge_all(trained: Sequence[TrainedDecoder], clips: Clips) -> list[Judgement]:
    """What each decoder says of clips of any rate and length, which are heard once by all that hear alike."""
    heard = {hearing: hearing.hear(clips) for hearing in {one.hearing for one in trained}}
    return [one.judge(heard[one.hearing]) for one in trained]


def find_context(trained: Sequence[TrainedDecoder]) -> tuple[float, float]:
    """The sound before the onset and after the offset of a syllable that decoders have learnt with, seconds.

    None where they do not say, or do not agree.
    """
    known = {tuple(one.record.get("dataset", {}).get("context", (0.0, 0.0))) for one in trained}
    both = known.pop() if len(known) == 1 else ()
    return (float(both[0]), float(both[1])) if len(both) == 2 else (0.0, 0.0)


def is_audible(audio: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which sounds (n, samples) are finite and not silent."""
    peak = np.abs(audio).max(1)
    usable: NDArray[np.bool_] = np.isfinite(peak) & (peak >= SILENT)
    return usable


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
        facts: what else is known of the training, JSON values: `dataset` is the clips' origin, `rate` their rate in Hz
            and `seconds` their length, by which it hears.
    """
    known = {"classes": list(fitted.classes), "threshold": threshold, "garbage": list(garbage)}
    FORMAT.save(folder, decoder, fitted, known | dict(facts or {}))


def load(folder: Path, registry: Registry, device: str = "cpu", device_idx: int = 0) -> TrainedDecoder:
    """A trained decoder from its folder; no code in it is run.

    Args:
        folder: where it lies.
        registry: where components are looked up.
        device: auto, cpu, cuda or mps; a decoder that cannot be loaded to a device works where it does.
        device_idx: which GPU.

    Raises:
        CanaryganError: where it is missing, damaged, of a newer version, or of a decoder that is not installed.
    """
    fitted, record = FORMAT.load(folder, registry, device, device_idx)
    if not record["classes"]:
        raise CanaryganError(f"{folder / RECORD} does not describe a decoder: it names no component, or no class.")
    classes = tuple(map(str, record["classes"]))
    if tuple(fitted.classes) != classes:
        raise CanaryganError(f"{folder} contradicts itself: {RECORD} and what was learnt name different classes.")
    key, threshold, garbage = record["decoder"]["name"], float(record["threshold"]), tuple(record["garbage"])
    return TrainedDecoder(key, fitted, classes, threshold, garbage, folder, record)


def load_all(
    paths: Sequence[Path],
    registry: Registry,
    parameters: Path | None = None,
    device: str = "cpu",
    device_idx: int = 0,
) -> list[TrainedDecoder]:
    """The decoders in these folders, each a decoder's or one that holds some.

    Args:
        paths: folders.
        registry: where components are looked up.
        parameters: a file of feature parameters that must not contradict theirs.
        device: auto, cpu, cuda or mps.
        device_idx: which GPU.

    Raises:
        CanaryganError: where one cannot be used.
    """
    if device != "auto":
        choose_device(device, device_idx)  # which refuses an unknown name
    folders: list[Path] = []
    for path in paths:
        folders += [folder for folder in FORMAT.find(path) or [path] if folder not in folders]
    trained = [load(folder, registry, device, device_idx) for folder in folders]
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
