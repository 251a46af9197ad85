"""The readout: ridge regression from sums over states, which are never held for all clips, and the scores of clips.

Wout = (X'X + ridge I)^-1 X'Y, X and Y centred                                                      (Tikhonov)
"""

import functools
import operator
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from canarygan_core.errors import CanaryganError
from canarygan_decoders.esn.reservoir import Reservoir

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

BATCH = 128
"""Clips that go through the reservoir together."""

FIRST = 16
"""Clips whose mean state is subtracted from all states."""

BLOCK = 250
"""Rows of a symmetric product computed together."""


class SmallRidgeError(CanaryganError):
    """A ridge that the rounding of the states exceeds."""


@dataclass(frozen=True, eq=False)
class StateSums:
    """Sums over all frames, float64: what ridge regression needs of any number of clips.

    Attributes:
        count: frames.
        state: (units,) sum of states, less `centre`.
        target: (outputs,) sum of targets.
        products: (units, units) sum of products of states; only its upper half is computed.
        crossed: (units, outputs) sum of products of states and targets.
        centre: (units,) subtracted from every state, so that float32 products keep what varies.
    """

    count: int
    state: Floats
    target: Floats
    products: Floats
    crossed: Floats
    centre: Tensor

    @classmethod
    def of(cls, states: Tensor, targets: Floats, centre: Tensor) -> "StateSums":
        """Sums over states (frames, n, units), which are changed in place, of clips with targets (n, outputs)."""
        frames, clips, units = states.shape
        rows = states.sub_(centre).reshape(frames * clips, units)
        products = np.zeros((units, units))
        for start in range(0, units, BLOCK):
            products[start : start + BLOCK, start:] = (rows[:, start : start + BLOCK].T @ rows[:, start:]).numpy()
        sums = states.sum(0, dtype=torch.float64).numpy()  # (n, units)
        return cls(frames * clips, sums.sum(0), frames * targets.sum(0), products, sums.T @ targets, centre)

    def __add__(self, other: "StateSums") -> "StateSums":
        """The sums over the clips of both, which must share their centre."""
        return StateSums(
            self.count + other.count,
            self.state + other.state,
            self.target + other.target,
            self.products + other.products,
            self.crossed + other.crossed,
            self.centre,
        )

    def solve(self, ridge: float) -> tuple[Floats, Floats]:
        """Readout weights (units, outputs) and bias (outputs,), for states from which nothing is subtracted.

        Raises:
            SmallRidgeError: where the ridge is too small.
        """
        from scipy.linalg import LinAlgError, solve

        state, target = self.state / self.count, self.target / self.count
        products = self.products - self.count * np.outer(state, state)
        products[np.diag_indices_from(products)] += ridge
        crossed = self.crossed - self.count * np.outer(state, target)
        try:
            weights = solve(products, crossed, assume_a="pos", lower=False)
        except LinAlgError:
            advice = "take a larger one" if self.centre.dtype is torch.float64 else "take --esn.precision 64"
            raise SmallRidgeError(f"The ridge {ridge:g} is too small for these features: {advice}.") from None
        return weights, target - (state + self.centre.double().numpy()) @ weights


def sum_states(
    reservoir: Reservoir,
    features: NDArray[np.floating[Any]],
    targets: Floats,
    rows: Rows,
    centre: Tensor | None = None,
) -> StateSums:
    """Sums over the states of some clips, of which `BATCH` are in memory at a time, in the reservoir's precision.

    Args:
        reservoir: its matrices.
        features: (n, frames, inputs).
        targets: (n, outputs) of each clip at every frame, such as 1 for its class and 0 for the others.
        rows: which clips.
        centre: (units,) what to subtract from every state; by default the mean state of the first clips.
    """
    first = reservoir.compute_states(features[rows[:FIRST]]).mean((0, 1)) if centre is None else centre

    def sum_batch(part: Rows) -> StateSums:
        return StateSums.of(reservoir.compute_states(features[part]), targets[part], first)

    with _workers() as pool:
        return functools.reduce(operator.add, pool.map(sum_batch, _split(rows)))


def compute_scores(
    reservoir: Reservoir, weights: Tensor, bias: Tensor, features: NDArray[np.floating[Any]], policy: str
) -> Floats:
    """Scores (n, outputs) of clips from the outputs at all their frames.

    Args:
        reservoir: its matrices.
        weights: (units, outputs) of the readout.
        bias: (outputs,) of the readout.
        features: (n, frames, inputs).
        policy: see `reduce_frames`.
    """

    def score_batch(rows: Rows) -> Floats:
        states = reservoir.compute_states(features[rows])
        # These are linear in the states, so the states are reduced first.
        if policy in ("mean", "sum"):
            scores = states.mean(0).double() @ weights + bias
            return (scores * len(states) if policy == "sum" else scores).numpy()
        return reduce_frames(states.double() @ weights + bias, policy).numpy()

    with _workers() as pool:
        return np.concatenate([*pool.map(score_batch, _split(np.arange(len(features))))])


def reduce_frames(outputs: Tensor, policy: str) -> Tensor:
    """Scores (n, outputs) of a clip's outputs (frames, n, outputs).

    `mean`, `sum` and `max` are over frames; `argmax` takes the frame of the highest output of all.
    """
    if policy == "mean":
        return outputs.mean(0)
    if policy == "sum":
        return outputs.sum(0)
    if policy == "max":
        return outputs.amax(0)
    peak = outputs.amax(2).argmax(0)  # (n,) frame of the global peak
    return outputs[peak, torch.arange(outputs.shape[1])]


def _split(rows: Rows) -> list[Rows]:
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]


@contextmanager
def _workers() -> Iterator[ThreadPoolExecutor]:
    """Threads of which each computes a batch alone; a product that they share waits for the slowest at every frame."""
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with (
            threadpool_limits(1, user_api="blas"),
            ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool,
        ):
            yield pool
    finally:
        torch.set_num_threads(threads)
