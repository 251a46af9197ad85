"""Generation archives and what `umap` keeps beside each: where its sounds lie, in which cluster, and their labels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import archives
from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_metrics.umap import clusters
from canarygan_metrics.umap.clusters import Scale

COORDINATES = ".umap.npz"
"""How the names of the files end that `umap` leaves beside archives."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Generation:
    """A generation archive.

    Attributes:
        path: the file.
        clips: its sounds, memory-mapped.
        version: of the model, empty where the archive does not say.
        epoch: of the model, -1 where the archive does not say.
        step: updates of the model, -1 where the archive does not say.
        decoded: by decoder, the label of each sound.
    """

    path: Path
    clips: Clips
    version: str
    epoch: int
    step: int
    decoded: dict[str, NDArray[np.str_]]

    @classmethod
    def read(cls, path: Path) -> "Generation":
        """An archive; `CanaryganError` where it holds no sounds."""
        sounds, rate = archives.read_sounds(path)
        content = archives.read(path)
        version, epoch, step = (str(content.get(name, "")) for name in ("version", "epoch", "step"))
        decoded = {name[2:]: labels.astype(np.str_) for name, labels in content.items() if name.startswith("y_")}
        made = Clips(np.asarray(sounds, np.float32) if sounds.dtype != np.float32 else sounds, rate)
        return cls(path, made, version, int(epoch or -1), int(step or -1), decoded)

    @property
    def title(self) -> str:
        """What tells it from others of one model, such as `epoch 15`."""
        return f"epoch {self.epoch}" if self.epoch >= 0 else self.path.stem

    @property
    def target(self) -> Path:
        """Where its coordinates go."""
        return self.path.with_name(self.path.name.removesuffix(self.path.suffix) + COORDINATES)


@dataclass(frozen=True, eq=False)
class Mapped:
    """What is kept of an archive.

    Attributes:
        coordinates: (n, 2) where each sound lies.
        cluster: (n,) the cluster of each, -1 for none.
        label: (n,) the label of the nearest real sound, X outside of clusters.
        scale: how large clusters are.
    """

    coordinates: Floats
    cluster: NDArray[np.int64]
    label: NDArray[np.str_]
    scale: Scale

    @property
    def count(self) -> int:
        """Clusters."""
        return int(self.cluster.max(initial=clusters.OUTSIDE)) + 1


def matching(path: Path, version: str | None, epoch: int | None) -> list[Generation]:
    """The generation archives in a folder (searched to the bottom), or one, by version, epoch and step.

    Raises:
        CanaryganError: where there is none, or none of this version and epoch.
    """
    found = [path]
    if path.is_dir():
        inside = (one for one in path.rglob("*.npz") if not one.name.endswith(COORDINATES))
        visible = (one for one in inside if not any(part.startswith(".") for part in one.relative_to(path).parts))
        found = sorted(one for one in visible if "x" in archives.read(one))
    if not found:
        raise CanaryganError(f"{path} holds no generated sounds: no .npz archive with x in it. generate makes some.")
    read = [Generation.read(one) for one in found]
    kept = [one for one in read if version in (None, one.version) and epoch in (None, one.epoch)]
    if not kept:
        there = ", ".join(sorted({f"version {one.version} epoch {one.epoch}" for one in read})[:10])
        raise UsageError(f"No archive in {path} is of the --version and --epoch asked for; there are {there}.")
    return sorted(kept, key=lambda one: (one.version.zfill(9), one.epoch, one.step, str(one.path)))


def kept(generation: Generation, made_from: dict[str, str]) -> Mapped | None:
    """What is kept beside an archive, or None where there is nothing, or it was made from other things."""
    if not generation.target.is_file():
        return None
    try:
        content = archives.read(generation.target)
        if any(str(content[key]) != value for key, value in made_from.items()):
            return None
        scale = Scale(int(content["min_cluster_size"]), int(content["min_samples"]))
        found = Mapped(content["coordinates"], content["cluster"], content["label"], scale)
    except (CanaryganError, KeyError, ValueError):
        return None
    whole = len(found.coordinates) == len(found.cluster) == len(found.label) == len(generation.clips)
    return found if whole else None


def keep(generation: Generation, mapped: Mapped, made_from: dict[str, str]) -> None:
    """Write what is kept beside an archive."""
    write(
        generation.target,
        {
            "coordinates": mapped.coordinates,
            "cluster": mapped.cluster,
            "label": mapped.label,
            "min_cluster_size": np.asarray(mapped.scale.size),
            "min_samples": np.asarray(mapped.scale.density),
            **{name: np.asarray(value) for name, value in made_from.items()},
        },
    )


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to an archive."""
    with archives.writing(path, sum(array.nbytes for array in arrays.values())) as made:
        for name, array in arrays.items():
            made.add(name, array)


def laid_out(coordinates: Floats, real: Floats, labels: NDArray[np.str_]) -> Mapped:
    """The clusters and labels of generated sounds, by where they and the real ones lie.

    Args:
        coordinates: (n, 2) of the generated sounds.
        real: (m, 2) of the real ones.
        labels: (m,) what those are.
    """
    scale = Scale.of(len(coordinates))
    numbers = clusters.found(coordinates, scale)
    return Mapped(coordinates, numbers, clusters.relabelled(numbers, coordinates, real, labels), scale)


def means(spectrograms: Iterable[Floats], labels: NDArray[np.str_]) -> dict[str, Floats]:
    """By label, the mean of its spectrograms, which come batch by batch (any number, frames, bins)."""
    sums: dict[str, NDArray[np.float64]] = {}
    at = 0
    for part in spectrograms:
        mine = labels[at : at + len(part)]
        for label in np.unique(mine):
            summed = part[mine == label].sum(0, dtype=np.float64)
            sums[str(label)] = sums[str(label)] + summed if str(label) in sums else summed
        at += len(part)
    return {label: (summed / (labels == label).sum()).astype(np.float32) for label, summed in sums.items()}


def keep_out(folder: Path | None, outputs: Sequence[Path]) -> None:
    """Raise where an output would lie in the folder of the clips, where the next load would find it."""
    if folder is None:
        return
    home = folder.expanduser().resolve()
    for output in outputs:
        if output.expanduser().resolve().is_relative_to(home):
            raise UsageError(f"{output} lies in the data folder {folder}, where nothing may be written: move it out.")
