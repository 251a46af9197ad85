"""Preprocessed sets: the features to train and to test decoders on, in one archive, with their parameters beside it."""

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import archives
from canarygan_core.clips import Clips
from canarygan_core.console import track
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError
from canarygan_core.evaluation import accuracy
from canarygan_decoders import config, examples, features
from canarygan_decoders.config import CONFIG
from canarygan_decoders.examples import Examples
from canarygan_decoders.features import Features

log = logging.getLogger("canarygan")

ARCHIVE = "decoder-dataset.npz"


@dataclass(frozen=True, eq=False)
class Material:
    """What decoders are trained and tested on.

    Attributes:
        parameters: what the features are.
        train: examples to learn from, altered copies among them.
        tests: held-out examples, as they are (`clean`) and under other conditions.
        garbage: labels that count as X.
        clips: the clips behind `train`, unaltered; None where only features are known.
        test_clips: the clips behind `tests`.
        origin: what the clips are.
    """

    parameters: Features
    train: Examples
    tests: Mapping[str, Examples]
    garbage: tuple[str, ...] = ()
    clips: Clips | None = None
    test_clips: Mapping[str, Clips] | None = None
    origin: Mapping[str, object] = field(default_factory=dict)


def clips_in(data_dir: Path, parameters: Features) -> Clips:
    """The clips of a folder at the rate and length of the features; as recorded where levels are to be kept."""
    gain: Literal["clip", "none"] = "clip" if parameters.norm_audio else "none"
    clips = Folder(
        data_dir=data_dir, sampling_rate=parameters.sampling_rate, max_length=parameters.max_length, gain=gain
    ).load()
    if len(clips.classes) < 2:
        raise CanaryganError(
            f"{data_dir} has one class, {clips.classes[0]}: a decoder tells classes apart and needs at least two."
        )
    return clips


def joined(parts: Sequence[Clips]) -> Clips:
    """Several sets of clips, of one rate and length, as one."""
    first = parts[0]
    gains = [part.facts.get("gain", np.ones(len(part), np.float32)) for part in parts]
    return Clips(
        audio=np.concatenate([np.asarray(part.audio) for part in parts]),
        rate=first.rate,
        labels=np.concatenate([examples.columns(part)[0] for part in parts]),
        sources=np.concatenate([examples.columns(part)[1] for part in parts]),
        facts={"gain": np.concatenate(gains)},
        origin=first.origin,
    )


@contextmanager
def prepared(
    clips: Clips, parameters: Features, *, share: float, copies: int, seed: int, garbage: Sequence[str] = ()
) -> Iterator[Material]:
    """Split clips and turn them into features, which lie memory-mapped in a temporary folder while the block lasts.

    Args:
        clips: labelled.
        parameters: of the features.
        share: share of each class to test on.
        copies: altered copies of each training clip.
        seed: of the split and of the copies.
        garbage: labels that count as X.
    """
    labels, _ = examples.columns(clips)
    train, test = accuracy.split(labels, share, seed)
    lonely = sorted(set(labels.tolist()) - set(labels[test].tolist())) if share else []
    if lonely:
        log.warning(f"One clip only, so none to test on: {', '.join(lonely)}.")
    learnt = clips.select(train)
    trials = examples.conditions(clips.select(test), seed) if len(test) else {}
    with tempfile.TemporaryDirectory(prefix="canarygan-features-") as folder:
        tests = {name: Examples.of(trial, parameters) for name, trial in trials.items()}
        yield Material(
            parameters,
            _examples(learnt, parameters, copies, seed, Path(folder) / "train.npy"),
            tests,
            tuple(garbage),
            learnt,
            trials,
            dict(clips.origin),
        )


def _examples(clips: Clips, parameters: Features, copies: int, seed: int, path: Path) -> Examples:
    """Features of clips and their altered copies, written to a file as they are made."""
    total = len(clips) * (copies + 1)
    made = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(total, *parameters.shape))
    at = 0
    for batch in track(
        examples.altered(clips, copies, seed), "features", -(-len(clips) // features.CHUNK) * (copies + 1)
    ):
        made[at : at + len(batch)] = features.extract(batch, parameters)
        at += len(batch)
    made.flush()
    labels, sources = examples.columns(clips)
    return Examples(
        np.load(path, mmap_mode="r", allow_pickle=False),
        np.tile(labels, copies + 1),
        np.tile(sources, copies + 1),
        np.tile(np.arange(len(clips)), copies + 1),
    )


def write(folder: Path, material: Material) -> list[Path]:
    """Write a preprocessed set; gives the archive and its parameters."""
    path = folder / ARCHIVE
    sides = {"train": material.train, **{_side(name): test for name, test in material.tests.items()}}
    with archives.writing(path, sum(side.features.nbytes + side.labels.nbytes for side in sides.values())) as archive:
        for name, side in sides.items():
            parts = (side.features[start : start + 256] for start in range(0, len(side), 256))
            archive.stream(f"{name}_features", side.features.shape, np.dtype(np.float32), parts)
            archive.add(f"{name}_labels", side.labels)
            archive.add(f"{name}_sources", side.sources)
            archive.add(f"{name}_groups", side.groups)
        archive.add("classes", np.unique(material.train.labels))
        archive.add("garbage", np.asarray(material.garbage, dtype=np.str_))
    config.write(folder / CONFIG, material.parameters)
    return [path, folder / CONFIG]


def _side(condition: str) -> str:
    return "test" if condition == "clean" else f"test_{condition}"


def read(folder: Path) -> Material:
    """A preprocessed set from its folder, memory-mapped.

    Raises:
        CanaryganError: where it is missing, damaged, or not of the features that its parameters say.
    """
    if not (folder / ARCHIVE).is_file():
        raise CanaryganError(
            f"{folder} holds no preprocessed set: there is no {ARCHIVE}. build-decoder-dataset makes one."
        )
    parameters = config.read(folder / CONFIG)
    arrays = archives.read(folder / ARCHIVE)
    try:
        sides = {
            name.removesuffix("_features"): _read(arrays, name.removesuffix("_features"))
            for name in arrays
            if name.endswith("_features")
        }
        train = sides.pop("train")
        garbage = tuple(map(str, arrays["garbage"]))
    except KeyError as error:
        raise CanaryganError(f"{folder / ARCHIVE} is no preprocessed set: it has no {error}.") from None
    if train.features.shape[1:] != parameters.shape:
        raise CanaryganError(
            f"{folder / ARCHIVE} holds features of shape {train.features.shape[1:]} a clip, and {CONFIG} beside it "
            f"describes {parameters.shape}: they do not belong together. Build the set again."
        )
    tests = {
        name.removeprefix("test_") if name != "test" else "clean": side for name, side in sides.items() if len(side)
    }
    return Material(
        parameters, train, tests, garbage, origin={"dataset": "preprocessed", "path": str(folder.resolve())}
    )


def _read(arrays: Mapping[str, NDArray[np.generic]], side: str) -> Examples:
    return Examples(*(arrays[f"{side}_{column}"] for column in ("features", "labels", "sources", "groups")))  # type: ignore[arg-type]
