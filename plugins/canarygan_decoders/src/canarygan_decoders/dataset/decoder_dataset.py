"""The set that decoders are trained and tested on, made from clips, and its files."""

import itertools
import json
import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from canarygan_core import runs
from canarygan_core.audio import Filter, archives
from canarygan_core.clips import Clips, concatenate
from canarygan_core.components import Dataset
from canarygan_core.console import track
from canarygan_core.errors import CanaryganError
from canarygan_core.evaluation import accuracy, holding
from canarygan_core.plugins.options import share_values
from canarygan_core.runs import files
from canarygan_decoders.dataset.augmentation import BATCH, iterate_copies, make_conditions
from canarygan_decoders.dataset.examples import GARBAGE, Examples, find_garbage, labels_and_sources
from canarygan_decoders.dataset.garbage import MADE, make_garbage
from canarygan_decoders.features import Features
from canarygan_decoders.features.config_file import CONFIG, read_config, write_config

log = logging.getLogger("canarygan")

ARCHIVE = "decoder-dataset.npz"
"""The file of features and labels; the file of their parameters, `CONFIG`, lies beside it."""

CONDITIONS = ("clean", "other-gain", "noise-20dB", "later-20ms", "garbage")
"""What held-out examples may be: clips under a condition, or garbage."""

SIDES = {name: "test" if name == "clean" else f"test_{name}" for name in CONDITIONS}
"""How the archive names the held-out examples of each condition."""


_COLUMNS = {"features": "f {0} frames numbers", "labels": "U {0}", "sources": "U {0}", "groups": "iu {0}"}

LAYOUT: archives.Layout = {
    **{"classes?": "U classes", "garbage": "U garbage", "filter?": "U"},
    **{f"train_{column}": axes.format("train") for column, axes in _COLUMNS.items()},
    **{f"{side}_{column}?": axes.format(side) for side in SIDES.values() for column, axes in _COLUMNS.items()},
}
"""The arrays of the archive."""


@dataclass(frozen=True, eq=False)
class DecoderDataset:
    """What decoders are trained and tested on.

    Attributes:
        train: examples to learn from, altered copies among them.
        tests: held-out examples by condition; see `make_conditions`. Those of `garbage` are none of the classes.
        garbage: labels that count as X.
        clips: the unaltered clips of `train`; None where only features are known.
        test_clips: the clips of `tests`.
        origin: what the clips are.
    """

    train: Examples
    tests: Mapping[str, Examples]
    garbage: tuple[str, ...] = ()
    clips: Clips | None = None
    test_clips: Mapping[str, Clips] | None = None
    origin: Mapping[str, object] = field(default_factory=dict)


def load_clips(dataset: Dataset, parameters: Features) -> Clips:
    """The clips of a dataset, at the rate and length of the features; at their own level unless `norm_audio` is set.

    Args:
        dataset: with its other options.
        parameters: of the features.

    Raises:
        CanaryganError: where there are fewer than two classes.
    """
    level = "clip" if parameters.norm_audio else "none"
    values = {"sampling_rate": parameters.sampling_rate, "max_length": parameters.max_length, "gain": level}
    clips = share_values(dataset, (), **values).load()
    if len(clips.classes) < 2:
        where = clips.origin.get("path", dataset.name)
        raise CanaryganError(
            f"{where} has one class, {', '.join(clips.classes)}: a decoder tells classes apart and needs at least two."
        )
    return clips


@contextmanager
def prepare_dataset(
    clips: Clips,
    parameters: Features,
    *,
    share: float,
    copies: int,
    seed: int,
    default_garbage: bool = True,
    group_by: str = holding.AUTO,
) -> Iterator[DecoderDataset]:
    """Split clips and compute their features, which lie in a temporary folder until the block ends.

    Args:
        clips: with labels, and the fact `garbage` where some count as X.
        parameters: of the features.
        share: share of each class to test on.
        copies: altered copies of each training clip.
        seed: of the split, the copies and the garbage.
        default_garbage: add the garbage classes that need no GAN; those of the clips to test on are made of these.
        group_by: what belongs together, as `holding.find_groups` takes it; each clip of garbage stands alone.

    Raises:
        CanaryganError: where the data has a class with a label of garbage.
    """
    labels, sources = labels_and_sources(clips)
    if default_garbage and (clash := sorted(set(MADE) & set(clips.classes))):
        raise CanaryganError(
            f"The data has a class {clash[0]}, which is a garbage class by default: rename it, or --no-default-garbage."
        )
    is_garbage = clips.facts.get(GARBAGE, np.zeros(len(clips), bool))
    train, test = accuracy.split(labels, share, seed, holding.find_groups(clips, group_by, alone=is_garbage))
    if share and (untested := sorted(set(labels.tolist()) - set(labels[test].tolist()))):
        log.warning(f"One clip only, so none to test on: {', '.join(untested)}.")
    kept = {"gain": clips.facts.get("gain", np.ones(len(clips), np.float32))}
    kept[GARBAGE] = is_garbage
    clips = replace(clips, facts=kept, sources=sources, latents=None)
    train_clips, test_clips = clips.select(train), clips.select(test)
    tests = make_conditions(test_clips, seed) if len(test) else {}
    if default_garbage:
        made = make_garbage(_find_real(train_clips), seed, copies)
        if len(real := _find_real(test_clips)) and len(real.classes) > 1:
            tests["garbage"] = make_garbage(real, seed + 1)
    else:
        made = None
    everything = train_clips if made is None else concatenate([train_clips, made])
    size = 4 * (len(everything) + copies * len(train_clips)) * math.prod(parameters.shape)
    with files.make_temporary_folder(size) as folder:
        examples = _examples_with_copies(everything, len(train_clips), parameters, copies, seed, folder)
        sides = {name: Examples.from_clips(part, parameters) for name, part in tests.items()}
        yield DecoderDataset(examples, sides, find_garbage(everything), everything, tests, dict(clips.origin))


def _find_real(clips: Clips) -> Clips:
    """The clips that are no garbage."""
    return clips.select(~clips.facts[GARBAGE])


def _examples_with_copies(
    clips: Clips, count: int, parameters: Features, copies: int, seed: int, folder: Path
) -> Examples:
    """Examples of clips, then of altered copies of the first `count`.

    The features go to a file in the folder batch by batch and are memory-mapped.
    """
    from canarygan_decoders.features.extraction import extract

    path, altered = folder / "train.npy", clips.select(slice(0, count))
    shape = (len(clips) + copies * count, *parameters.shape)
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    batches = itertools.chain(clips.batches(BATCH), iterate_copies(altered, copies, seed))
    total = -(-len(clips) // BATCH) + copies * -(-count // BATCH)
    # plain writes: where the disk fills up, a memory map would kill the process without a word
    with files.replace_file(path) as draft, open(draft, "wb") as stream:
        np.lib.format.write_array_header_2_0(stream, header)
        for batch in track(batches, "features", total):
            stream.write(np.ascontiguousarray(extract(batch, parameters), "<f4").data)
    labels, sources = labels_and_sources(clips)
    rows = np.concatenate([np.arange(len(clips)), np.tile(np.arange(count), copies)])
    loaded = np.load(path, mmap_mode="r", allow_pickle=False)
    return Examples(loaded, labels[rows], sources[rows], rows, parameters, find_garbage(clips))


def write_dataset(folder: Path, dataset: DecoderDataset) -> list[Path]:
    """Write a set; returns the paths of the archive and of the feature parameters."""
    path, config = folder / ARCHIVE, folder / CONFIG
    sides = {"train": dataset.train} | {SIDES[condition]: test for condition, test in dataset.tests.items()}
    size = sum(side.features.nbytes + side.labels.nbytes for side in sides.values())
    with archives.writing(path, size) as archive:
        for name, side in sides.items():
            parts = (side.features[start : start + 256] for start in range(0, len(side), 256))
            archive.stream(f"{name}_features", side.features.shape, np.dtype(np.float32), parts)
            for column in ("labels", "sources", "groups"):
                archive.add(f"{name}_{column}", getattr(side, column))
        archive.add("classes", np.unique(dataset.train.labels))
        archive.add("garbage", np.asarray(dataset.garbage, dtype=np.str_))
        archive.add("filter", json.dumps(Filter.of(dataset.origin).origin["filter"]))
    write_config(config, dataset.train.parameters)
    return [path, config]


def read_dataset(folder: Path) -> DecoderDataset:
    """A set from its folder, memory-mapped.

    Raises:
        CanaryganError: where it is missing, damaged, or its features do not have the shape of their parameters.
    """
    path = folder / ARCHIVE
    if not path.is_file():
        raise CanaryganError(
            f"{folder} holds no preprocessed set: there is no {ARCHIVE}. build-decoder-dataset makes one."
        )
    runs.check_recorded(folder / CONFIG)
    parameters = read_config(folder / CONFIG)
    arrays: dict[str, Any] = archives.read(path, LAYOUT)

    def read_side(name: str) -> Examples:
        columns = (arrays[f"{name}_{column}"] for column in ("features", "labels", "sources", "groups"))
        return Examples(*columns, parameters, garbage)  # type: ignore[call-arg]

    try:
        garbage = tuple(map(str, arrays["garbage"]))
        train = read_side("train")
        tests = {name: read_side(side) for name, side in SIDES.items() if f"{side}_features" in arrays}
    except KeyError as error:
        raise CanaryganError(f"{path} is no preprocessed set: it has no {error}.") from None
    if train.features.shape[1:] != parameters.shape:
        raise CanaryganError(
            f"{path} holds features of shape {train.features.shape[1:]} a clip, and {CONFIG} beside it "
            f"describes {parameters.shape}: they do not belong together. Build the set again."
        )
    try:
        filtering = Filter.of({"filter": json.loads(str(arrays["filter"]))} if "filter" in arrays else {})
    except (ValueError, RecursionError) as error:
        raise CanaryganError(f"{path} is no preprocessed set: its filter is no JSON ({error}).") from None
    origin = {"dataset": "preprocessed", "path": str(folder.resolve()), **filtering.origin}
    return DecoderDataset(train, tests, garbage, origin=origin)
