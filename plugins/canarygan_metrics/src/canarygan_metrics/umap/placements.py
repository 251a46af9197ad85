"""Archives of generated sounds, and the file beside each with the coordinates, clusters and labels of its sounds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import CanaryganError
from canarygan_core.audio import archives, list_sounds
from canarygan_core.clips import Clips
from canarygan_core.errors import UsageError
from canarygan_metrics.umap import clusters
from canarygan_metrics.umap.clusters import Floats, Labels, Scale

LAYOUT: archives.Layout = {
    **{"coordinates": "f clips 2", "cluster": "iu clips", "label": "U clips", "real_clips": "iu"},
    **{"min_cluster_size": "iu", "min_samples": "iu", "archive?": "U", "reducer?": "U", "reference?": "U"},
}
"""What the file of a placement holds."""

COORDINATES = ".umap.npz"
"""How the name of the file with coordinates ends, beside that of the archive."""


@dataclass(frozen=True, eq=False)
class Generation:
    """An archive of generated sounds.

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
    decoded: dict[str, Labels]

    @classmethod
    def read(cls, path: Path) -> "Generation":
        """An archive; `CanaryganError` where it holds no sounds."""
        sounds, rate = archives.read_sounds(path)
        content = archives.read(path, archives.GENERATION)
        version, epoch, step = (str(content.get(name, "")) for name in ("version", "epoch", "step"))
        decoded = {name[2:]: labels.astype(np.str_) for name, labels in content.items() if name.startswith("y_")}
        clips = Clips(np.asarray(sounds, np.float32), rate)
        epoch, step = (number if number.isdecimal() else "-1" for number in (epoch, step))  # the original's may be None
        return cls(path, clips, "" if version == "None" else version, int(epoch), int(step), decoded)

    @property
    def title(self) -> str:
        """The words that distinguish it from others of one model, such as `epoch 15`."""
        return f"epoch {self.epoch}" if self.epoch >= 0 else self.path.stem

    @property
    def target(self) -> Path:
        """The file of its placement."""
        return self.path.with_name(self.path.stem + COORDINATES)


@dataclass(frozen=True, eq=False)
class Placement:
    """Where the sounds of an archive lie on a map.

    Attributes:
        coordinates: (n, 2) of each sound.
        cluster: (n,) the cluster of each among real and generated sounds, -1 for none.
        label: (n,) the label of the nearest real sound, X outside of clusters and far from all real sounds.
        scale: how large clusters are.
        real_clips: real sounds that were clustered together with these.
    """

    coordinates: Floats
    cluster: NDArray[np.int64]
    label: Labels
    scale: Scale
    real_clips: int

    @classmethod
    def compute(cls, coordinates: Floats, real: Floats, labels: Labels) -> "Placement":
        """The clusters and labels of generated sounds by their coordinates.

        Args:
            coordinates: (n, 2) of the generated sounds.
            real: (m, 2) of the real ones.
            labels: (m,) of the real ones.
        """
        scale = Scale.of(len(real) + len(coordinates))
        numbers = clusters.find_clusters(np.concatenate([real, coordinates]), scale)
        own = numbers[len(real) :]
        return cls(coordinates, own, clusters.label_clusters(own, coordinates, real, labels), scale, len(real))

    @classmethod
    def read(cls, generation: Generation, made_from: Mapping[str, str]) -> "Placement | None":
        """The placement beside an archive, or None where there is none, or it was made from other things.

        An older one, whose sounds were clustered without the real ones, does not say how many these are.
        """
        if not generation.target.is_file():
            return None
        try:
            content = archives.read(generation.target, LAYOUT)
            scale = Scale(int(content["min_cluster_size"]), int(content["min_samples"]))
            result = cls(
                content["coordinates"], content["cluster"], content["label"], scale, int(content["real_clips"])
            )
            is_current = all(str(content[key]) == value for key, value in made_from.items())
        except (CanaryganError, KeyError, ValueError):
            return None
        is_whole = len(result.coordinates) == len(result.cluster) == len(result.label) == len(generation.clips)
        return result if is_current and is_whole else None

    def write(self, generation: Generation, made_from: Mapping[str, str]) -> None:
        """Write the placement beside its archive."""
        arrays = {"coordinates": self.coordinates, "cluster": self.cluster, "label": self.label}
        scalars = {**self.scale.record(), "real_clips": self.real_clips}
        write_arrays(generation.target, {**arrays, **scalars, **made_from})


def find_generations(path: Path, version: str | None, epoch: int | None) -> list[Generation]:
    """The generation archives in a folder (searched to the bottom), or one, by version, epoch and step.

    Raises:
        CanaryganError: where there is none, or none of this version and epoch.
    """
    paths = [path]
    if path.is_dir():
        others = (one for one in list_sounds(path, (".npz",)) if not one.name.endswith(COORDINATES))
        paths = [one for one in others if "x" in archives.read(one)]
    if not paths:
        raise CanaryganError(f"{path} holds no generated sounds: no .npz archive with x in it. generate makes some.")
    generations = [Generation.read(one) for one in paths]
    chosen = [one for one in generations if version in (None, one.version) and epoch in (None, one.epoch)]
    if not chosen:
        known = ", ".join(sorted({f"version {one.version} epoch {one.epoch}" for one in generations})[:10])
        raise UsageError(f"No archive in {path} is of the --version and --epoch given; there are {known}.")
    return sorted(chosen, key=lambda one: (one.version.zfill(9), one.epoch, one.step, str(one.path)))


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays and scalars to an archive."""
    content = {name: np.asarray(array) for name, array in arrays.items()}
    with archives.writing(path, sum(array.nbytes for array in content.values())) as writer:
        for name, array in content.items():
            writer.add(name, array)


def mean_spectrograms(spectrograms: Iterable[Floats], labels: Labels) -> dict[str, Floats]:
    """By label, the mean of its spectrograms, which come batch by batch (any number, frames, bins)."""
    sums: defaultdict[str, Any] = defaultdict(float)
    start = 0
    for part in spectrograms:
        mine = labels[start : start + len(part)]
        for label in np.unique(mine):
            sums[str(label)] += part[mine == label].sum(0, dtype=np.float64)
        start += len(part)
    return {label: (summed / (labels == label).sum()).astype(np.float32) for label, summed in sums.items()}
