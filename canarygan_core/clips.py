"""Clips: the one type that crosses plugins."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.errors import CanaryganError

FloatArray = NDArray[np.floating[Any]]
Strings = NDArray[np.str_]

COLUMNS = ("labels", "latents", "sources")
"""What may be known of each clip beside posteriors and facts."""


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Clips:
    """Sounds of one length and rate, with what is known of each.

    Attributes:
        audio: (clips, samples) float32, full scale at -1 and 1; memory-mapped where the set is large.
        rate: sampling rate in Hz.
        labels: (clips,) class of each clip, or None where unknown.
        latents: (clips, d) float32, what a model generated them from, or None.
        posteriors: by decoder, (clips, classes), rows summing to 1.
        sources: (clips,) where each came from, such as a file's path below its folder, or None.
        facts: further arrays with one row a clip, such as `gain` (linear factor applied) or `length` (samples of
            sound before padding).
        origin: what the set as a whole is: dataset, options, `fingerprint`; JSON values only.

    Raises:
        CanaryganError: on shapes or types that contradict one another.
    """

    audio: NDArray[np.float32]
    rate: int
    labels: Strings | None = None
    latents: NDArray[np.float32] | None = None
    posteriors: Mapping[str, FloatArray] = field(default_factory=_nothing)
    sources: Strings | None = None
    facts: Mapping[str, NDArray[Any]] = field(default_factory=_nothing)
    origin: Mapping[str, Any] = field(default_factory=_nothing)

    def __post_init__(self) -> None:
        if self.audio.ndim != 2 or self.audio.dtype != np.float32:
            what = f"{self.audio.dtype} {self.audio.shape}"
            raise CanaryganError(f"audio must be float32 of shape (clips, samples), not {what}.")
        columns = {name: getattr(self, name) for name in COLUMNS} | {**self.posteriors, **self.facts}
        for name, rows in columns.items():
            if rows is not None and len(rows) != len(self.audio):
                raise CanaryganError(f"{name} has {len(rows)} rows for {len(self.audio)} clips.")

    def __len__(self) -> int:
        return len(self.audio)

    @property
    def samples(self) -> int:
        """Samples a clip."""
        return int(self.audio.shape[1])

    @property
    def classes(self) -> list[str]:
        """The distinct labels, sorted; empty where there are none."""
        return [] if self.labels is None else [str(label) for label in np.unique(self.labels)]

    def select(self, rows: NDArray[Any] | slice) -> "Clips":
        """The clips of these rows (indices, a mask or a slice), in that order; raises as `check_whole` does."""
        check_whole(self.audio)

        def pick(arrays: Iterable[NDArray[Any] | None]) -> Any:
            (array,) = arrays
            return None if array is None else array[rows]

        return _combine([self], pick)

    def batches(self, size: int) -> Iterator["Clips"]:
        """The clips in order, at most `size` at a time, so that a large set is never held whole."""
        for start in range(0, len(self), size):
            yield self.select(slice(start, start + size))


def check_whole(audio: NDArray[Any]) -> None:
    """Raise where the file that an array is mapped from was cut short, as to read on would end the process at once.

    Raises:
        CanaryganError: with the file's name.
    """
    mapped = getattr(audio, "_mmap", None)
    if mapped is not None and mapped.size() < len(mapped):
        name = getattr(audio, "filename", None) or "A file of sounds"
        raise CanaryganError(f"{name} was cut short while it was read: delete it, and start again.")


def fit_length(audio: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    """Zero-pad at the end, or cut at the end, to (clips, samples); no copy where the length already fits."""
    missing = samples - audio.shape[1]
    if missing <= 0:
        return audio[:, :samples]
    return np.pad(audio, ((0, 0), (0, missing)))


def count_labels(labels: Iterable[str]) -> dict[str, int]:
    """How often there is each label, in the order of labels."""
    return dict(sorted(Counter(map(str, labels)).items()))


def concatenate(parts: Iterable[Clips]) -> Clips:
    """Clips of several parts, one after the other. What is true of the set as a whole comes from the first.

    Raises:
        CanaryganError: where there is no part, or they know different things of their clips.
    """
    listed = list(parts)
    if not listed:
        raise CanaryganError("There are no clips.")

    def join(columns: Iterable[NDArray[Any] | None]) -> Any:
        arrays = [column for column in columns if column is not None]
        if 0 < len(arrays) < len(listed):
            raise CanaryganError("Some of the clips have labels, latents or sources, and some have none.")
        return np.concatenate(arrays) if arrays else None

    try:
        return _combine(listed, join)
    except (KeyError, ValueError) as error:
        raise CanaryganError(f"The clips cannot be joined: {error}.") from None


def _combine(parts: Sequence[Clips], combine: Callable[[Iterable[NDArray[Any] | None]], Any]) -> Clips:
    """Clips each of whose arrays is combined from those of all parts."""
    arrays = {name: combine(getattr(part, name) for part in parts) for name in ("audio", *COLUMNS)}
    for group in ("posteriors", "facts"):
        names = getattr(parts[0], group)
        arrays[group] = {name: combine(getattr(part, group)[name] for part in parts) for name in names}
    return replace(parts[0], **arrays)


def __getattr__(name: str) -> Any:
    if name == "concatenated":
        warnings.warn("concatenated is now concatenate. The old name goes in 0.3.", DeprecationWarning, stacklevel=2)
        return concatenate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
