"""The sounds that a page shows: real clips, a generation archive, and where a map puts them."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import archives
from canarygan_core.clips import Clips
from canarygan_core.components import Dataset
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted.decoders import X, audible
from canarygan_core.plugins import installed
from canarygan_core.runs import files
from canarygan_core.runs.manifest import Manifest
from canarygan_metrics.mapped import COORDINATES

Arrays = Mapping[str, NDArray[Any]]

FACTS = ("version", "epoch", "step", "checkpoint")
"""What an archive says of the training that it comes of."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Where sounds lie in two dimensions.

    Attributes:
        points: (n, 2).
        labels: (n,) class of each, or None.
        clusters: (n,) number of the cluster, -1 outside all, or None.
        sources: (n,) which clip each is, or None where they are an archive's rows.
        facts: scalars that say what made it.
    """

    points: NDArray[np.float32]
    labels: NDArray[np.str_] | None = None
    clusters: NDArray[np.int64] | None = None
    sources: NDArray[np.str_] | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Generated:
    """The sounds of a generation archive.

    Attributes:
        path: the archive.
        audio: (n, samples), memory-mapped.
        rate: Hz.
        latents: (n, d), or None.
        labels: by decoder, the label of each sound, X where the decoder rejects it.
        facts: version, epoch, step and the checkpoint's digest, where known.
    """

    path: Path
    audio: NDArray[np.float32]
    rate: int
    latents: NDArray[np.float32] | None
    labels: Mapping[str, NDArray[np.str_]]
    facts: Mapping[str, str]

    @property
    def order(self) -> tuple[float, float]:
        """How far the training had come that made them: epoch, update."""
        return float(self.facts.get("epoch", -1)), float(self.facts.get("step", -1))


def generated(path: Path, version: str | None = None) -> Generated:
    """The sounds of an archive, or of the one of the latest epoch in a folder, of this version where there are any.

    Raises:
        CanaryganError: where there is none.
    """
    if not path.is_dir():
        return _archive(path)
    named = [
        one
        for one in sorted(path.rglob("*.npz"))
        if not one.name.endswith(COORDINATES) and not one.name.startswith(".")
    ]
    found = [_archive(one) for one in named if "x" in archives.read(one)]
    if not found:
        raise CanaryganError(f"There is no generation archive in {path}: canarygan generate makes one.")
    same = [one for one in found if one.facts.get("version") == version]
    return max(same or found, key=lambda one: one.order)


def _archive(path: Path) -> Generated:
    content = archives.read(path)
    x = content.get("x")
    if x is None or x.ndim != 2 or x.dtype.kind != "f" or 0 in x.shape:
        raise CanaryganError(f"{path} is no generation archive: it has no sounds x (n, samples).")
    labels = {name.removeprefix("y_"): _accepted(content, name) for name in content if name.startswith("y_")}
    z = content.get("z")
    return Generated(
        path=path,
        audio=x,
        rate=int(content["rate"]) if "rate" in content else 16000,
        latents=z if z is not None and z.ndim == 2 and len(z) == len(x) else None,
        labels={name: y for name, y in labels.items() if y.shape == (len(x),)},
        facts={name: str(content[name].item()) for name in FACTS if name in content},
    )


def _accepted(content: Arrays, name: str) -> NDArray[np.str_]:
    """The labels that a decoder gave, X where it was less sure than its threshold asks."""
    decoder = name.removeprefix("y_")
    labels: NDArray[np.str_] = content[name].astype(str)
    posteriors, threshold = content.get(f"posteriors_{decoder}"), content.get(f"threshold_{decoder}")
    if posteriors is None or threshold is None or posteriors.shape[:1] != labels.shape:
        return labels
    return np.where(posteriors.max(1) < float(threshold), X, labels)


def real(data_dir: Path | None, run: Manifest | None, rate: int | None) -> Clips:
    """The real clips: of a folder, with the options that the run had, or else those that the run learnt from.

    Args:
        data_dir: the folder, or None.
        run: the run, or None.
        rate: sampling rate of the generated sounds in Hz, taken where no run says one.

    Raises:
        CanaryganError: where there are none, or they cannot be read.
    """
    record = run.record["options"].get("dataset", {}) if run is not None else {}
    options = dict(record.get("options", {}))
    if data_dir is not None:
        known = {one.name for one in dataclasses.fields(Folder)} if record.get("name") == Folder.name else set()
        kept: dict[str, Any] = {key: value for key, value in options.items() if key in known}
        if not kept and rate is not None:
            kept = {"sampling_rate": rate}
        return Folder(**{**kept, "data_dir": data_dir}).load()
    if run is None or "name" not in record:
        raise CanaryganError("no run says which clips it learnt from")
    if options.get("data_dir") is not None:
        options["data_dir"] = Path(run.record.get("cwd", ""), options["data_dir"])
    try:
        dataset: Dataset = installed().get("dataset", record["name"])(**options)
    except TypeError as error:
        raise CanaryganError(f"dataset {record['name']} takes other options now ({error})") from None
    return dataset.load()


def unusable(sounds: NDArray[np.float32]) -> int:
    """How many sounds (n, samples) are silent or not finite."""
    return sum(int((~audible(sounds[start : start + 1000])).sum()) for start in range(0, len(sounds), 1000))


def same_clips(made: Layout, clips: Clips) -> bool:
    """Whether a map is of these clips, as far as their sources tell."""
    if made.sources is None or clips.sources is None:
        return len(made.points) == len(clips)
    return set(made.sources.tolist()) == set(clips.sources.tolist())


def real_map(folder: Path) -> Path | None:
    """The map of the real clips in a folder, or None."""
    path = folder / f"real{COORDINATES}" if folder.is_dir() else folder
    return path if path.is_file() else None


def layout(path: Path) -> Layout:
    """A map from its file.

    Raises:
        CanaryganError: where it holds none.
    """
    arrays = archives.read(path)
    points = arrays.get("coordinates")
    if points is None or points.ndim != 2 or points.shape[1] < 2:
        raise CanaryganError(f"{path} is no map: it has no coordinates (n, 2).")
    labels = _column(arrays, len(points), "label", "labels")
    clusters = _column(arrays, len(points), "cluster", "clusters")
    sources = _column(arrays, len(points), "sources")
    return Layout(
        points=np.asarray(points[:, :2], np.float32),
        labels=None if labels is None else labels.astype(str),
        clusters=None if clusters is None else clusters.astype(np.int64),
        sources=None if sources is None else sources.astype(str),
        facts={name: str(array.item()) for name, array in arrays.items() if array.shape == ()},
    )


def _column(arrays: Arrays, rows: int, *names: str) -> NDArray[Any] | None:
    return next((arrays[name] for name in names if name in arrays and arrays[name].shape == (rows,)), None)


def generated_map(path: Path, sounds: Generated) -> Layout:
    """The map of an archive's sounds.

    Raises:
        CanaryganError: where it is of another archive.
    """
    made = layout(path)
    told = made.facts.get("archive", "")
    if len(made.points) != len(sounds.audio) or (told.startswith("sha256:") and told != files.digest(sounds.path)):
        raise CanaryganError(f"{path} is the map of other sounds than those in {sounds.path.name}: make it again.")
    return made


def shares(labels: Mapping[str, NDArray[np.str_]]) -> dict[str, Any] | None:
    """Share of each class in several labellings; the classes in order, `X` at the end."""
    if not labels:
        return None
    found = {name: np.unique(given, return_counts=True) for name, given in labels.items()}
    classes = sorted({str(one) for names, _ in found.values() for one in names} - {X})
    if any(X in names for names, _ in found.values()):
        classes.append(X)
    sides = []
    for name, (names, counts) in found.items():
        by_class = dict(zip(names.tolist(), counts.tolist(), strict=True))
        sides.append({"name": name, "count": int(counts.sum()), "counts": [by_class.get(one, 0) for one in classes]})
    return {"classes": classes, "sides": sides}
