"""Which clips the critic sees when: an endless stream of shuffled passes over the data, addressed by update."""

import queue
import threading
import time
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from canarygan_core.clips import fit_length

AHEAD = 2
"""Updates' worth of clips that a reading thread keeps ready."""


class ClipStream:
    """The clips of every update, as (critic updates, batch, samples) float32.

    The stream is a pure function of the seed and the number of the update: one permutation of the data after another,
    cut into batches. So a training that resumes at any update sees what it would have seen, and every clip is seen
    equally often.

    Args:
        audio: (clips, samples) float32, memory-mapped or not.
        samples: length to pad or cut clips to.
        shape: (critic updates, clips a batch).
        rows: those of a batch's clips that belong to this process.
        seed: of the permutations.
        start: update to begin at.
        total: updates of the whole training.
        ahead: whether a thread reads ahead.
        pinned: whether batches lie in memory from which a GPU copies by itself.

    Attributes:
        waited: seconds that the training has spent waiting for clips.
    """

    def __init__(
        self,
        audio: NDArray[np.float32],
        *,
        samples: int,
        shape: tuple[int, int],
        rows: slice,
        seed: int,
        start: int,
        total: int,
        ahead: bool = True,
        pinned: bool = False,
    ) -> None:
        self.audio, self.samples, self.shape, self.rows = audio, samples, shape, rows
        self.seed, self.start, self.total, self.ahead, self.pinned = seed, start, total, ahead, pinned
        self.waited = 0.0
        self._permutations: dict[int, NDArray[np.intp]] = {}

    def __len__(self) -> int:
        return max(0, self.total - self.start)

    def __iter__(self) -> Iterator[Tensor]:
        updates = range(self.start, self.total)
        read = self._read_ahead(updates) if self.ahead else map(self.batch, updates)
        while True:
            asked = time.perf_counter()
            batch = next(read, None)
            self.waited += time.perf_counter() - asked
            if batch is None:
                return
            yield batch

    def clips(self, update: int) -> NDArray[np.intp]:
        """Indices (critic updates, batch) of the clips of an update, for all processes together."""
        count = self.shape[0] * self.shape[1]
        passes, places = np.divmod(np.arange(update * count, (update + 1) * count), len(self.audio))
        picked = [self._permutation(int(number))[place] for number, place in zip(passes, places, strict=True)]
        return np.asarray(picked).reshape(self.shape)

    def batch(self, update: int) -> Tensor:
        """This process's clips of an update, (critic updates, rows, samples)."""
        picked = self.clips(update)[:, self.rows]
        audio = fit_length(np.asarray(self.audio[picked.ravel(), : self.samples]), self.samples)
        batch = torch.from_numpy(np.ascontiguousarray(audio)).view(*picked.shape, self.samples)
        return batch.pin_memory() if self.pinned else batch

    def _permutation(self, number: int) -> NDArray[np.intp]:
        if number not in self._permutations:
            self._permutations = {key: value for key, value in self._permutations.items() if key == number - 1}
            self._permutations[number] = np.random.default_rng([self.seed, number]).permutation(len(self.audio))
        return self._permutations[number]

    def _read_ahead(self, updates: range) -> Iterator[Tensor]:
        """Batches read by a thread; what goes wrong there is raised here."""
        ready: queue.Queue[Tensor | BaseException | None] = queue.Queue(AHEAD)
        left = threading.Event()

        def put(item: Tensor | BaseException | None) -> None:
            while not left.is_set():
                try:
                    return ready.put(item, timeout=0.1)
                except queue.Full:
                    continue

        def read() -> None:
            try:
                for update in updates:
                    if left.is_set():
                        return
                    put(self.batch(update))
                put(None)
            except BaseException as error:  # noqa: BLE001 handed to the thread that trains
                put(error)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        try:
            while (item := ready.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            left.set()
            thread.join(timeout=1)
