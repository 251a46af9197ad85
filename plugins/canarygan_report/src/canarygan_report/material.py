"""The sounds that a page shows: real clips, an archive of generated sounds, and their coordinates on a map."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import CanaryganError, Dataset
from canarygan_core.audio import archives, list_sounds
from canarygan_core.clips import Clips
from canarygan_core.fitted.decoders import X, describe_consensus, is_audible
from canarygan_core.plugins import get_registry
from canarygan_core.plugins.options import fill_in
from canarygan_core.runs import Run, files

Arrays = Mapping[str, NDArray[Any]]
Labels = NDArray[np.str_]
Audio = NDArray[np.float32]

MAP: archives.Layout = {
    **{"coordinates": "f sounds k", "cluster?": "iu sounds", "label?": "U sounds", "labels?": "U sounds"},
    **{"sources?": "U sounds", "archive?": "U", "reducer?": "U", "reference?": "U"},
}
"""A map of `umap`, of real or of generated sounds."""

TOGETHER = "all decoders together"
"""Name of the labels that most decoders give."""

FACTS = ("version", "epoch", "step", "checkpoint")
"""Scalars of an archive that say which training it comes from."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Coordinates of sounds on a map of two dimensions.

    Attributes:
        points: (n, 2).
        labels: (n,) class of each, or None.
        clusters: (n,) number of the cluster, -1 outside all, or None.
        sources: (n,) which clip each is, or None where they are an archive's rows.
        facts: scalars that say what it was made from.
        figures: PNG files that the projector drew of its own.
    """

    points: NDArray[np.float32]
    labels: Labels | None = None
    clusters: NDArray[np.int64] | None = None
    sources: Labels | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    figures: Sequence[Path] = ()


@dataclass(frozen=True, eq=False)
class Generated:
    """The sounds of a generation archive.

    Attributes:
        path: the archive.
        audio: (n, samples), memory-mapped.
        rate: Hz.
        latents: (n, d), or None.
        labels: by decoder, the label of each sound, X where the decoder rejects it; those of all decoders together
            come first, where the archive has them.
        facts: version, epoch, step and the checkpoint's digest, where known.
        consensus: a sentence on how many sounds are sure, and on how many of those all decoders agree; or None.
    """

    path: Path
    audio: Audio
    rate: int
    latents: NDArray[np.float32] | None
    labels: Mapping[str, Labels]
    facts: Mapping[str, str]
    consensus: str | None = None


def read_generated(path: Path, version: str | None = None) -> Generated:
    """The sounds of an archive, or of the one of the latest epoch in a folder, of this version where there are any.

    Raises:
        CanaryganError: where there is none.
    """
    if not path.is_dir():
        return _read_archive(path)
    generated = [_read_archive(one) for one in list_sounds(path, (".npz",)) if "x" in archives.read(one)]
    if not generated:
        raise CanaryganError(f"There is no generation archive in {path}: canarygan generate makes one.")
    same = [one for one in generated if one.facts.get("version") == version]
    return max(same or generated, key=_find_age)


def _find_age(generated: Generated) -> list[int]:
    """The epoch and the step of the model, -1 where the archive does not say."""
    texts = [generated.facts.get(name, "") for name in ("epoch", "step")]
    return [int(text) if re.fullmatch(r"\d{1,18}", text) else -1 for text in texts]


def _read_archive(path: Path) -> Generated:
    x, rate = archives.read_sounds(path)
    content = archives.read(path, archives.GENERATION)
    z = content.get("z")
    decoders = [name.removeprefix("y_") for name in content if name.startswith("y_")]
    labels = {name: _decoded(content, name) for name in decoders if content[f"y_{name}"].shape == (len(x),)}
    consensus = None
    if labels and all(name in content and content[name].shape == (len(x),) for name in ("label", "agreement")):
        together, agreement = content["label"].astype(str), content["agreement"]
        sure = together != X
        unanimous = int((sure & (agreement == 1)).sum())
        consensus = describe_consensus(list(labels), len(x), int(sure.sum()), unanimous)
        labels = ({TOGETHER: together} if len(labels) > 1 else {}) | labels
    return Generated(
        path=path,
        audio=x,
        rate=rate,
        latents=z if z is not None and z.ndim == 2 and len(z) == len(x) else None,
        labels=labels,
        facts={name: str(content[name].item()) for name in FACTS if name in content},
        consensus=consensus,
    )


def _decoded(content: Arrays, decoder: str) -> Labels:
    """The labels that a decoder gave, X where it rejects a sound; in archives of 0.2 by its threshold alone."""
    labels: Labels = content[f"y_{decoder}"].astype(str)
    given = content.get(f"label_{decoder}")
    if given is not None and given.shape == labels.shape:
        return given.astype(str)
    posteriors, threshold = content.get(f"posteriors_{decoder}"), content.get(f"threshold_{decoder}")
    if posteriors is None or threshold is None or posteriors.shape[:1] != labels.shape:
        return labels
    return np.where(posteriors.max(1) < float(threshold), X, labels)


def find_dataset(dataset: Dataset | None, given: Collection[str], run: Run | None, rate: int | None) -> Dataset:
    """The dataset of the real clips: one that was chosen, with the options that the run had, or else the run's own.

    Args:
        dataset: what was chosen, or None.
        given: the flags that the user gave, whose options stay.
        run: the run, or None.
        rate: sampling rate of the generated sounds in Hz, taken where no run says one.

    Raises:
        CanaryganError: where no run says which clips it was trained on, or its dataset cannot be had now.
    """
    part = {} if run is None else run.manifest.record["options"].get("dataset", {})
    if dataset is not None and part.get("name") != dataset.name:
        return fill_in(dataset, given, {} if rate is None else {"sampling_rate": rate})
    if run is None or not part:
        raise CanaryganError("no run says which clips it was trained on")
    own: Dataset = get_registry().restore("dataset", run.checkpoints, run.manifest.record)
    return own if dataset is None else fill_in(dataset, given, vars(own))


def count_unusable(sounds: Audio) -> int:
    """How many sounds (n, samples) are silent or not finite."""
    return sum(int((~is_audible(sounds[start : start + 1000])).sum()) for start in range(0, len(sounds), 1000))


def is_map_of(layout: Layout, clips: Clips) -> bool:
    """Whether a map is of these clips, as far as their sources tell."""
    if layout.sources is None or clips.sources is None:
        return len(layout.points) == len(clips)
    return set(layout.sources.tolist()) == set(clips.sources.tolist())


def read_layout(path: Path) -> Layout:
    """A map from its file.

    Raises:
        CanaryganError: where it holds none.
    """
    arrays = archives.read(path, MAP)
    points = arrays["coordinates"]
    if points.shape[1] < 2:
        raise CanaryganError(f"{path} is no map: its coordinates are {points.shape}, not (n, 2).")
    rows = {name.removesuffix("s"): array for name, array in arrays.items() if array.shape == (len(points),)}
    kinds: dict[str, Any] = {"label": str, "cluster": np.int64, "source": str}
    columns: dict[str, Any] = {f"{name}s": rows[name].astype(kind) for name, kind in kinds.items() if name in rows}
    facts = {name: str(array.item()) for name, array in arrays.items() if array.shape == ()}
    figures = path.parent.glob(f"{escape(facts['projector'])}-*.png") if "projector" in facts else ()
    return Layout(
        points=np.asarray(points[:, :2], np.float32),
        facts=facts,
        figures=sorted(figures),
        **columns,
    )


def read_generated_map(path: Path, sounds: Generated) -> Layout:
    """The map of an archive's sounds.

    Raises:
        CanaryganError: where it is of another archive.
    """
    layout = read_layout(path)
    digest = layout.facts.get("archive", "")
    other = digest.startswith("sha256:") and digest != files.compute_digest(sounds.path)
    if other or len(layout.points) != len(sounds.audio):
        raise CanaryganError(f"{path} is the map of other sounds than those in {sounds.path.name}: make it again.")
    return layout


def count_shares(labels: Mapping[str, Labels]) -> dict[str, Any]:
    """Number of sounds of each class by several sets of labels; the classes in order, `X` at the end."""
    present = {str(label) for given in labels.values() for label in np.unique(given)}
    classes = sorted(present - {X}) + ([X] if X in present else [])
    sides = [
        {"name": name, "count": len(given), "counts": [int((given == label).sum()) for label in classes]}
        for name, given in labels.items()
    ]
    return {"classes": classes, "sides": sides}
