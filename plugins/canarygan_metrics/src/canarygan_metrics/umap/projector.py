"""UMAP of spectrograms, as a projector."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from canarygan_core.components import Projector
from canarygan_core.errors import CanaryganError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from canarygan_core.clips import Clips
    from canarygan_metrics.umap.layout import Layout
    from canarygan_metrics.umap.spectra import Reduction

log = logging.getLogger("canarygan")

STATE, ABOUT = "state.npz", "component.json"

COMPONENTS = 256
"""Principal components that stand for a spectrogram."""

LEARNT_FROM = 2000
"""Clips that they are learnt from at most."""

BATCH = 128
"""Clips turned into spectrograms at a time."""


@dataclass(frozen=True)
class UMAP(Projector):
    """A map in which sounds with like spectrograms are near (McInnes, Healy & Melville, 2018).

    Spectrograms in dB below each clip's loudest bin, compared by Euclidean distance; 1024-point transforms of 256
    samples every 128.
    """

    name: ClassVar[str] = "umap"

    seconds: float = 0.3
    """How much of each clip is compared, from its start; shorter ones are padded with zeros, seconds."""
    floor: float = 40.0
    """Depth below a clip's loudest bin at which all is alike, so that how silent the silence is does not matter, dB."""
    neighbors: int = 100
    """Near clips that say where one belongs, itself among them; at most one less than there are, clips."""
    min_dist: float = 0.9
    """Least distance of two points of the map, in its units."""
    spread: float = 1.0
    """Scale of the map; at least the least distance, in its units."""
    dimensions: int = 2
    """Coordinates of a point, count."""
    fit_at_most: int = 20000
    """The map is made of at most so many clips, drawn from each class alike, and the rest laid out on it, clips."""
    map_seed: int = 42
    """Seed of the map, an integer from 0."""

    def __post_init__(self) -> None:
        if not 0.01 <= self.seconds <= 600:
            raise CanaryganError(f"--seconds is {self.seconds:g}: it may be 0.01 to 600 s.")
        if not 1 <= self.floor <= 200:
            raise CanaryganError(f"--floor is {self.floor:g}: it may be 1 to 200 dB.")
        if self.neighbors < 2:
            raise CanaryganError(f"--neighbors must be at least 2, not {self.neighbors}.")
        if not 0 <= self.min_dist <= self.spread or self.spread <= 0:
            raise CanaryganError(
                f"--min-dist {self.min_dist:g} and --spread {self.spread:g}: it takes 0 <= min-dist <= spread, not 0."
            )
        if not 1 <= self.dimensions <= 100:
            raise CanaryganError(f"--dimensions is {self.dimensions}: it may be 1 to 100.")
        if self.fit_at_most < self.least:
            raise CanaryganError(f"--fit-at-most must be at least {self.least}, not {self.fit_at_most}.")
        if not 0 <= self.map_seed < 2**32:
            raise CanaryganError(f"--map-seed is {self.map_seed}: it may be 0 to {2**32 - 1}.")

    @property
    def least(self) -> int:
        """Clips that a map needs."""
        return max(4, self.dimensions + 2)

    def fit(self, clips: "Clips") -> "FittedUMAP":
        """Make the map of clips.

        Raises:
            CanaryganError: where they are too few, or all alike.
        """
        import numpy as np

        from canarygan_metrics.umap import layout
        from canarygan_metrics.umap.spectra import Reduction

        if len(clips) < self.least:
            raise CanaryganError(
                f"A map in {self.dimensions} dimensions takes {self.least} clips or more, not {len(clips)}."
            )
        rows = sampled(clips.labels, len(clips), self.fit_at_most, self.map_seed)
        if len(rows) < len(clips):
            log.info(f"The map is made of {len(rows)} of {len(clips)} clips; the rest is laid out on it.")
        some = rows[sampled(None, len(rows), LEARNT_FROM, self.map_seed)]
        heard = np.concatenate(list(_flat(clips.select(some), self, clips.rate)))
        reduction = Reduction.fitted(heard, COMPONENTS, self.floor)
        vectors = np.concatenate([reduction.of(part) for part in _flat(clips.select(rows), self, clips.rate)])
        if len(np.unique(vectors, axis=0)) < self.least:
            raise CanaryganError(f"A map takes {self.least} clips that differ; these are nearly all the same.")
        made = layout.fitted(
            vectors,
            neighbours=self.neighbors,
            min_dist=self.min_dist,
            spread=self.spread,
            dimensions=self.dimensions,
            seed=self.map_seed,
        )
        return FittedUMAP(self, clips.rate, reduction, made)

    @classmethod
    def load(cls, folder: Path) -> "FittedUMAP":
        """The map from its folder; numbers alone, nothing that runs.

        Raises:
            CanaryganError: where a file is damaged, or they contradict one another.
        """
        import numpy as np

        from canarygan_core.audio import archives
        from canarygan_metrics.umap.layout import Layout
        from canarygan_metrics.umap.spectra import Reduction

        try:
            state = {name: np.array(array) for name, array in archives.read(folder / STATE).items()}
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            projector = cls(**about["options"])
            reduction = Reduction(state["mean"], state["basis"], float(about["step"]))
            made = Layout(
                state["vectors"],
                state["coordinates"],
                int(about["neighbours"]),
                float(about["a"]),
                float(about["b"]),
                projector.map_seed,
            )
            fitted = FittedUMAP(projector, int(about["rate"]), reduction, made)
            fitted.check()
        except (OSError, KeyError, TypeError, ValueError, IndexError) as error:
            raise CanaryganError(
                f"{folder} is no map that this version of {cls.name} can read ({error}). Copy it again, or fit anew."
            ) from None
        return fitted


@dataclass(frozen=True, eq=False)
class FittedUMAP:
    """A map that clips can be laid out on; see `canarygan_core.FittedProjector`.

    Attributes:
        projector: with its options.
        rate: sampling rate that clips are brought to, Hz.
        reduction: spectrograms to vectors.
        layout: the map.
    """

    projector: UMAP
    rate: int
    reduction: "Reduction"
    layout: "Layout"

    def project(self, clips: "Clips") -> "NDArray[np.float32]":
        """Coordinates (n, k) of clips of any rate and length, each as if it were alone.

        One that the map was made of keeps its place.
        """
        import numpy as np

        vectors = [self.reduction.of(part) for part in _flat(clips, self.projector, self.rate)]
        if not vectors:
            return np.empty((0, self.projector.dimensions), np.float32)
        return self.layout.place(np.concatenate(vectors))

    def levels(self, clips: "Clips") -> "Iterator[NDArray[np.float32]]":
        """Spectrograms (at most `BATCH`, frames, bins) in dB below the loudest bin, as they are compared."""
        from canarygan_metrics.umap import spectra

        for part in _flat(clips, self.projector, self.rate):
            yield part.reshape(len(part), -1, spectra.N_FFT // 2 + 1)

    def check(self) -> None:
        """`ValueError` where the arrays do not fit together."""
        mean, basis, made = self.reduction.mean, self.reduction.basis, self.layout
        count, size = made.vectors.shape
        expected = {
            "mean": (mean.shape, (_values(self.projector, self.rate),)),
            "basis": (basis.shape, (len(mean), size - 1)),
            "coordinates": (made.coordinates.shape, (count, self.projector.dimensions)),
        }
        for name, (shape, wanted) in expected.items():
            if shape != wanted:
                raise ValueError(f"{name} has shape {shape}, not {wanted}")
        if not 1 <= made.neighbours <= count:
            raise ValueError(f"{made.neighbours} neighbours among {count} clips")

    def save(self, folder: Path) -> None:
        from canarygan_core.audio import archives
        from canarygan_core.plugins.options import jsonable
        from canarygan_core.runs import files

        state: dict[str, NDArray[Any]] = {
            "mean": self.reduction.mean,
            "basis": self.reduction.basis,
            "vectors": self.layout.vectors,
            "coordinates": self.layout.coordinates,
        }
        with archives.writing(folder / STATE, sum(array.nbytes for array in state.values())) as archive:
            for name, array in state.items():
                archive.add(name, array)
        about: dict[str, Any] = {
            "options": jsonable(self.projector),
            "rate": self.rate,
            "step": self.reduction.step,
            "neighbours": self.layout.neighbours,
            "a": self.layout.a,
            "b": self.layout.b,
        }
        files.write_text(folder / ABOUT, json.dumps(about, indent=2) + "\n")


def sampled(labels: "NDArray[np.str_] | None", count: int, most: int, seed: int) -> "NDArray[np.intp]":
    """Rows of at most so many of `count` clips, in order, of each class (or of all) the same share."""
    import numpy as np

    if count <= most:
        return np.arange(count)
    groups = np.zeros(count, int) if labels is None else np.unique(labels, return_inverse=True)[1]
    drawn = np.random.default_rng(seed).permutation(count)
    drawn = drawn[np.argsort(groups[drawn], kind="stable")]  # class by class, shuffled within
    return np.sort(drawn[np.arange(most) * count // most])


def _samples(projector: UMAP, rate: int) -> int:
    """Samples of a clip that are compared, one window at least."""
    from canarygan_metrics.umap import spectra

    return max(round(projector.seconds * rate), spectra.WINDOW)


def _values(projector: UMAP, rate: int) -> int:
    """Numbers of a spectrogram."""
    from canarygan_metrics.umap import spectra

    return spectra.frames(_samples(projector, rate)) * (spectra.N_FFT // 2 + 1)


def _flat(clips: "Clips", projector: UMAP, rate: int) -> "Iterator[NDArray[np.float32]]":
    """Spectrograms (at most `BATCH`, values) of clips, batch by batch; `CanaryganError` where one is not finite."""
    import numpy as np

    from canarygan_core import audio
    from canarygan_core.clips import fit_length
    from canarygan_metrics.umap import spectra

    samples = _samples(projector, rate)
    needed = samples if clips.rate == rate else clips.samples
    for part in clips.batches(BATCH):
        given = np.asarray(part.audio[:, :needed])
        if not np.isfinite(given).all():
            raise CanaryganError("Some clips hold NaN or infinite samples, and cannot be laid out.")
        heard = fit_length(audio.resample(given, clips.rate, rate), samples)
        made = spectra.levels(heard, projector.floor)
        yield made.reshape(len(made), -1)
