"""The clips of every update: an endless stream of permutations of the data, cut into batches."""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from canarygan_core.clips import fit_length

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
    ahead: bool = True
    pinned: bool = False
    waited: float = field(default=0.0, init=False)

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
        count, clips = self.shape[0] * self.shape[1], len(self.audio)
        numbers, places = np.divmod(np.arange(update * count, (update + 1) * count), clips)
        indices = [permute(clips, self.seed, int(number))[place] for number, place in zip(numbers, places, strict=True)]
        return np.asarray(indices).reshape(self.shape)

    def batch(self, update: int) -> Tensor:
        """This process's clips of an update, (critic updates, rows, samples)."""
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
