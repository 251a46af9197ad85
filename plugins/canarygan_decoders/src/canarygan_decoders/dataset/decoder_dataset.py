"""The set that decoders are trained and tested on, made from clips, and its files."""

import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from canarygan_core.audio import Filter, archives
from canarygan_core.clips import Clips
from canarygan_core.console import track
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError
from canarygan_core.evaluation import accuracy, holding
from canarygan_core.runs import files
from canarygan_decoders.dataset.augmentation import BATCH, make_conditions, with_copies
from canarygan_decoders.dataset.examples import Examples, labels_and_sources
from canarygan_decoders.features import Features
from canarygan_decoders.features.config_file import CONFIG, read_config, write_config

log = logging.getLogger("canarygan")

ARCHIVE = "decoder-dataset.npz"
"""The file of features and labels; the file of their parameters, `CONFIG`, lies beside it."""

SIDES = {"clean": "test", "other-gain": "test_other-gain", "noise-20dB": "test_noise-20dB"}
"""How the archive names the held-out examples of each condition."""


@dataclass(frozen=True, eq=False)
class DecoderDataset:
    """What decoders are trained and tested on.

    Attributes:
        train: examples to learn from, altered copies among them.
        tests: held-out examples by condition; see `make_conditions`.
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


def load_clips(
    data_dir: Path,
    parameters: Features,
    filtering: Filter = Filter(),  # noqa: B008 frozen
    channel: int | None = None,
) -> Clips:
    """The clips of a folder, at the rate and length of the features; at their own level unless `norm_audio` is set.

    Args:
        data_dir: the folder.
        parameters: of the features.
        filtering: what to take out of the clips.
        channel: the channel of each file to take, from 1; None averages all.

    Raises:
        CanaryganError: where there are fewer than two classes.
    """
    clips = Folder(
        data_dir=data_dir,
        sampling_rate=parameters.sampling_rate,
        max_length=parameters.max_length,
        gain="clip" if parameters.norm_audio else "none",
        channel=channel,
        **asdict(filtering),
    ).load()
    if len(clips.classes) < 2:
        raise CanaryganError(
            f"{data_dir} has one class, {clips.classes[0]}: a decoder tells classes apart and needs at least two."
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
    garbage: Sequence[str] = (),
    group_by: str = holding.AUTO,
) -> Iterator[DecoderDataset]:
    """Split clips and compute their features, which lie in a temporary folder until the block ends.

    Args:
        clips: with labels.
        parameters: of the features.
        share: share of each class to test on.
        copies: altered copies of each training clip.
        seed: of the split and of the copies.
        garbage: labels that count as X.
        group_by: what belongs together, as `holding.find_groups` takes it; each clip of garbage stands alone.
    """
    labels, _ = labels_and_sources(clips)
    groups = holding.find_groups(clips, group_by, alone=np.isin(labels, list(garbage)))
    train, test = accuracy.split(labels, share, seed, groups)
    if share and (untested := sorted(set(labels.tolist()) - set(labels[test].tolist()))):
        log.warning(f"One clip only, so none to test on: {', '.join(untested)}.")
    train_clips = clips.select(train)
    test_clips = make_conditions(clips.select(test), seed) if len(test) else {}
    size = 4 * len(train_clips) * (copies + 1) * math.prod(parameters.shape)
    with files.make_temporary_folder(size) as folder:
        tests = {name: Examples.from_clips(part, parameters) for name, part in test_clips.items()}
        examples = _examples_with_copies(train_clips, parameters, copies, seed, folder / "train.npy")
        yield DecoderDataset(examples, tests, tuple(garbage), train_clips, test_clips, dict(clips.origin))


def _examples_with_copies(clips: Clips, parameters: Features, copies: int, seed: int, path: Path) -> Examples:
    """Examples of clips and their altered copies; the features go to a file batch by batch and are memory-mapped."""
    from canarygan_decoders.features.extraction import extract

    shape = (len(clips) * (copies + 1), *parameters.shape)
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    batches = -(-len(clips) // BATCH) * (copies + 1)
    # plain writes: where the disk fills up, a memory map would kill the process without a word
    with files.replace_file(path) as draft, open(draft, "wb") as stream:
        np.lib.format.write_array_header_2_0(stream, header)
        for batch in track(with_copies(clips, copies, seed), "features", batches):
            stream.write(np.ascontiguousarray(extract(batch, parameters), "<f4").data)
    labels, sources = labels_and_sources(clips)
    return Examples(
        np.load(path, mmap_mode="r", allow_pickle=False),
        np.tile(labels, copies + 1),
        np.tile(sources, copies + 1),
        np.tile(np.arange(len(clips)), copies + 1),
        parameters,
    )


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
    parameters = read_config(folder / CONFIG)
    arrays: dict[str, Any] = archives.read(path)

    def read_side(name: str) -> Examples:
        columns = (arrays[f"{name}_{column}"] for column in ("features", "labels", "sources", "groups"))
        return Examples(*columns, parameters)  # type: ignore[call-arg]

    try:
        train = read_side("train")
        tests = {name: read_side(side) for name, side in SIDES.items() if f"{side}_features" in arrays}
        garbage = tuple(map(str, arrays["garbage"]))
    except KeyError as error:
        raise CanaryganError(f"{path} is no preprocessed set: it has no {error}.") from None
    if train.features.shape[1:] != parameters.shape:
        raise CanaryganError(
            f"{path} holds features of shape {train.features.shape[1:]} a clip, and {CONFIG} beside it "
            f"describes {parameters.shape}: they do not belong together. Build the set again."
        )
    filtering = Filter.of({"filter": json.loads(str(arrays["filter"]))} if "filter" in arrays else {})
    origin = {"dataset": "preprocessed", "path": str(folder.resolve()), **filtering.origin}
    return DecoderDataset(train, tests, garbage, origin=origin)
