"""A fitted map: how it is made, saved, loaded, and how clips are placed on it."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import CanaryganError
from canarygan_core.audio import archives
from canarygan_core.clips import Clips
from canarygan_core.plugins.options import to_json
from canarygan_core.runs import files
from canarygan_core.runs.documents import Format
from canarygan_metrics.umap import layout
from canarygan_metrics.umap.layout import Layout
from canarygan_metrics.umap.options import MapOptions
from canarygan_metrics.umap.placements import write_arrays
from canarygan_metrics.umap.vectors import Floats, Reduction, Spectrograms

log = logging.getLogger("canarygan")

STATE, ABOUT = "state.npz", "component.json"

LAYOUT: archives.Layout = {
    **{"mean": "f values", "basis": "f values components"},
    **{"vectors": "f clips vector", "coordinates": "f clips k"},
}
"""What `STATE` holds."""

FORMAT = Format(
    "the record of a map",
    {"options": dict[str, Any], "rate": int, "step": float, "neighbours": int, "a": float, "b": float},
)
"""What `ABOUT` holds."""

COMPONENTS = 256
"""Principal components that stand for a spectrogram."""

COMPONENTS_FROM = 2000
"""Most clips that they are computed from."""


@dataclass(frozen=True, eq=False)
class FittedUMAP:
    """A map that clips can be placed on; see `canarygan_core.FittedProjector`.

    Attributes:
        options: how it was fitted.
        spectrograms: clips to spectrograms.
        reduction: spectrograms to vectors.
        layout: the map of vectors.
    """

    options: MapOptions
    spectrograms: Spectrograms
    reduction: Reduction
    layout: Layout

    def project(self, clips: Clips) -> Floats:
        """Coordinates (n, k) of clips of any rate and length, each as if it were alone.

        A clip that the map was fitted to keeps its coordinates.
        """
        vectors = [self.reduction.of(part) for part in self.spectrograms.of(clips)]
        if not vectors:
            return np.empty((0, self.options.dimensions), np.float32)
        return self.layout.place(np.concatenate(vectors))

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that was learnt, by name."""
        learnt: dict[str, NDArray[Any]] = {"mean": self.reduction.mean, "basis": self.reduction.basis}
        return {**learnt, "vectors": self.layout.vectors, "coordinates": self.layout.coordinates}

    def check(self) -> None:
        """Raise `ValueError` where the arrays do not fit together."""
        count, size = self.layout.vectors.shape
        frames, bins = self.spectrograms.shape
        basis, coordinates = (frames * bins, size - 1), (count, self.options.dimensions)
        for name, shape in {"mean": basis[:1], "basis": basis, "coordinates": coordinates}.items():
            if self.arrays[name].shape != shape:
                raise ValueError(f"{name} has shape {self.arrays[name].shape}, not {shape}")
        if not 1 <= self.layout.neighbours <= count:
            raise ValueError(f"{self.layout.neighbours} neighbours among {count} clips")

    def save(self, folder: Path) -> None:
        """Write the map into a folder, as numbers alone."""
        write_arrays(folder / STATE, self.arrays)
        about = {"options": to_json(self.options), "rate": self.spectrograms.rate, "step": self.reduction.step}
        about |= {"neighbours": self.layout.neighbours, "a": self.layout.a, "b": self.layout.b}
        files.write_text(folder / ABOUT, json.dumps(about, indent=2) + "\n")


def fit(options: MapOptions, clips: Clips) -> FittedUMAP:
    """Fit a map to clips.

    Raises:
        CanaryganError: where they are too few, or all alike.
    """
    if len(clips) < options.least:
        raise CanaryganError(f"A map takes {options.least} clips or more, not {len(clips)}.")
    spectrograms = Spectrograms(options.seconds, options.floor, clips.rate)
    rows = sample_rows(clips.labels, len(clips), options.fit_at_most, options.map_seed)
    if len(rows) < len(clips):
        log.info(f"The map is made of {len(rows)} of {len(clips)} clips; the rest is placed on it.")
    some = rows[sample_rows(None, len(rows), COMPONENTS_FROM, options.map_seed)]
    sample = np.concatenate(list(spectrograms.of(clips.select(some))))
    reduction = Reduction.fit(sample, COMPONENTS, options.floor)
    vectors = np.concatenate([reduction.of(part) for part in spectrograms.of(clips.select(rows))])
    if len(np.unique(vectors, axis=0)) < options.least:
        raise CanaryganError(f"A map takes {options.least} clips that differ; these are nearly all the same.")
    return FittedUMAP(options, spectrograms, reduction, layout.fit(vectors, options))


def load(folder: Path) -> FittedUMAP:
    """The map from its folder; no code in it is run.

    Raises:
        CanaryganError: where a file is damaged, or the files contradict one another.
    """
    state = {name: np.array(array) for name, array in archives.read(folder / STATE, LAYOUT).items()}
    about = FORMAT.read(folder / ABOUT)
    try:
        options = MapOptions(**about["options"])
        spectrograms = Spectrograms(options.seconds, options.floor, about["rate"])
        reduction = Reduction(state["mean"], state["basis"], float(about["step"]))
        numbers = about["neighbours"], float(about["a"]), float(about["b"])
        places = Layout(state["vectors"], state["coordinates"], *numbers, options.map_seed)
        fitted = FittedUMAP(options, spectrograms, reduction, places)
        fitted.check()
    except (TypeError, ValueError, OverflowError) as error:
        raise CanaryganError(f"{folder} holds no map that this version can read ({error}): fit it anew.") from None
    return fitted


def sample_rows(labels: NDArray[np.str_] | None, count: int, most: int, seed: int) -> NDArray[np.intp]:
    """At most `most` rows of `count` clips, in order, the same share of each class."""
    if count <= most:
        return np.arange(count)
    groups = np.zeros(count, int) if labels is None else np.unique(labels, return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(count)
    order = order[np.argsort(groups[order], kind="stable")]  # class by class, shuffled within
    return np.sort(order[np.arange(most) * count // most])
