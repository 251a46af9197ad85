"""The clips of every update: an endless stream of permutations of the data, cut into batches."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from canarygan_core.clips import check_whole, fit_length

AHEAD = 2
"""Updates whose clips a reading thread keeps ready."""


@dataclass(eq=False)
class ClipStream:
    """The clips of every update, as (critic updates, batch, samples) float32.

    The stream is a pure function of the seed and the number of the update: one permutation of the data follows another.
    So a training that resumes at any update sees the same clips as one without a stop, and sees each equally often.

    Args:
        audio: (clips, samples) float32, memory-mapped or not.
        samples: length to pad or cut clips to.
        shape: (critic updates, clips a batch).
        rows: of each batch, the clips of this process.
        seed: of the permutations.
        start: update to begin at.
        total: updates of the whole training.
        labels: (clips,) of the clips where every class is to be shown equally often, else None.
        ahead: whether a thread reads ahead.
        pinned: whether batches lie in pinned memory, which a GPU copies without the processor.

    Attributes:
        waited: seconds that the training has spent waiting for clips.
    """

    audio: NDArray[np.float32]
    samples: int
    shape: tuple[int, int]
    rows: slice
    seed: int
    start: int
    total: int
    labels: NDArray[np.str_] | None = None
    ahead: bool = True
    pinned: bool = False
    waited: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        names = None if self.labels is None else np.unique(self.labels)
        self._classes = None if names is None else [np.flatnonzero(self.labels == name) for name in names]
        self._passes: dict[int, NDArray[np.intp]] = {}

    def __len__(self) -> int:
        return max(0, self.total - self.start)

    def __iter__(self) -> Iterator[Tensor]:
        updates = range(self.start, self.total)
        batches = self._read_ahead(updates) if self.ahead else map(self.batch, updates)
        while True:
            began = time.perf_counter()
            batch = next(batches, None)
            self.waited += time.perf_counter() - began
            if batch is None:
                return
            yield batch

    def indices(self, update: int) -> NDArray[np.intp]:
        """Indices (critic updates, batch) of the clips of an update, for all processes together."""
        count = self.shape[0] * self.shape[1]
        numbers, places = np.divmod(np.arange(update * count, (update + 1) * count), len(self._permute(0)))
        indices = [self._permute(int(number))[place] for number, place in zip(numbers, places, strict=True)]
        return np.asarray(indices).reshape(self.shape)

    def _permute(self, number: int) -> NDArray[np.intp]:
        """The clips of one pass over the data."""
        if self._classes is None:
            return permute(len(self.audio), self.seed, number)
        if number not in self._passes:
            self._passes = {0: self._passes.get(0, permute_classes(self._classes, self.seed, 0))}
            self._passes[number] = permute_classes(self._classes, self.seed, number)
        return self._passes[number]

    def batch(self, update: int) -> Tensor:
        """This process's clips of an update, (critic updates, rows, samples)."""
        check_whole(self.audio)
        indices = self.indices(update)[:, self.rows]  # (critic updates, rows)
        audio = fit_length(np.asarray(self.audio[indices.ravel(), : self.samples]), self.samples)
        batch = torch.from_numpy(np.ascontiguousarray(audio)).view(*indices.shape, self.samples)
        return batch.pin_memory() if self.pinned else batch

    def _read_ahead(self, updates: range) -> Iterator[Tensor]:
        """Batches that a thread reads; its errors are raised here."""
        reader, pending = ThreadPoolExecutor(1), deque[Future[Tensor]]()
        try:
            for update in updates:
                pending.append(reader.submit(self.batch, update))
                if len(pending) > AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            reader.shutdown(cancel_futures=True)


@lru_cache(maxsize=2)
def permute(clips: int, seed: int, number: int) -> NDArray[np.intp]:
    """A permutation of the indices of clips, a function of the seed and its number."""
    return np.random.default_rng([seed, number]).permutation(clips)


def permute_classes(classes: Sequence[NDArray[np.intp]], seed: int, number: int) -> NDArray[np.intp]:
    """Indices of clips in random order, as many of each class, a function of the seed and a number.

    Over the numbers, each class goes through permutations of its own clips, so that it shows them equally often, too.

    Args:
        classes: indices of the clips of each.
        seed: of the permutations.
        number: which pass over the data it is.
    """
    share = -(-sum(map(len, classes)) // len(classes))
    chosen = []
    for place, members in enumerate(classes):
        turns, rest = np.divmod(np.arange(number * share, (number + 1) * share), len(members))
        orders = {turn: np.random.default_rng([seed, place, turn]).permutation(members) for turn in set(turns.tolist())}
        chosen += [orders[turn][one] for turn, one in zip(turns.tolist(), rest.tolist(), strict=True)]
    return np.asarray(chosen)[permute(len(chosen), seed, number)]
