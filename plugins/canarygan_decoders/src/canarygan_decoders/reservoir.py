"""A reservoir stepped for all clips of a batch at once, and the ridge solution from sums of products alone.

    x[t+1] = (1 - leak) x[t] + leak tanh(W x[t] + Win u[t+1] + b),  x[0] = 0 before every clip        (Jaeger, 2001)
    Wout = (X'X + ridge I)^-1 X'Y, X and Y centred                                                   (Tikhonov)

Matrices are drawn by reservoirpy, whose own step takes one frame of one clip at a time.
"""

import functools
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from canarygan_core.audio import archives
from canarygan_core.errors import CanaryganError

BATCH = 128
"""Clips stepped together."""

FIRST = 16
"""Clips whose mean state is taken off all states."""

BLOCK = 250
"""Rows of a symmetric product computed together."""


@dataclass(frozen=True, eq=False)
class Reservoir:
    """The matrices of a reservoir.

    Attributes:
        recurrent: W, (units, units).
        inputs: Win, (units, inputs), scaling included.
        bias: b, (units,).
        leak: share of a state that is new at each step.
    """

    recurrent: Tensor
    inputs: Tensor
    bias: Tensor
    leak: float

    @property
    def units(self) -> int:
        return len(self.bias)

    def to(self, dtype: torch.dtype) -> "Reservoir":
        """The same in another precision."""
        return Reservoir(self.recurrent.to(dtype), self.inputs.to(dtype), self.bias.to(dtype), self.leak)


def drawn(
    units: int,
    scaling: NDArray[np.float64],
    *,
    leak: float,
    spectral_radius: float,
    bias_scaling: float,
    input_connectivity: float,
    rc_connectivity: float,
    seed: int,
) -> Reservoir:
    """A reservoir from reservoirpy's initialisers, float64.

    Args:
        units: neurons.
        scaling: (inputs,) factor of each input.
        leak: leak rate.
        spectral_radius: largest absolute eigenvalue of W.
        bias_scaling: factor of the bias, drawn from -1 and 1.
        input_connectivity: share of Win that is not zero.
        rc_connectivity: share of W that is not zero.
        seed: of all three.
    """
    from reservoirpy.mat_gen import bernoulli
    from reservoirpy.nodes import Reservoir as Node

    node = Node(
        units,
        lr=leak,
        sr=spectral_radius,
        input_scaling=scaling,
        bias=bernoulli,
        input_connectivity=input_connectivity,
        rc_connectivity=rc_connectivity,
        input_dim=len(scaling),
        seed=seed,
    )
    node.initialize(np.zeros((1, len(scaling))))
    return Reservoir(_dense(node.W), _dense(node.Win), bias_scaling * _dense(node.bias).view(-1), leak)


def given(path: Path, scaling: NDArray[np.float64], leak: float) -> Reservoir:
    """A reservoir from an `.npz` with W (units, units), Win (units, inputs), unscaled, and bias (units,).

    Raises:
        CanaryganError: where the file holds none, or one for other inputs.
    """
    arrays = archives.read(path)
    missing = [name for name in ("W", "Win", "bias") if name not in arrays]
    if missing:
        raise CanaryganError(f"{path} holds no reservoir: {', '.join(missing)} is missing beside {', '.join(arrays)}.")
    recurrent, inputs, bias = (np.asarray(arrays[name], np.float64) for name in ("W", "Win", "bias"))
    bias = bias.reshape(-1)
    if recurrent.shape != (len(bias), len(bias)) or inputs.shape != (len(bias), len(scaling)):
        raise CanaryganError(
            f"{path} holds W {recurrent.shape}, Win {inputs.shape} and bias {bias.shape}; these features need "
            f"(units, units), (units, {len(scaling)}) and (units,)."
        )
    return Reservoir(torch.tensor(recurrent), torch.tensor(inputs * scaling), torch.tensor(bias), leak)


def _dense(matrix: Any) -> Tensor:
    return torch.tensor(matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix), dtype=torch.float64)


def states(reservoir: Reservoir, features: Tensor) -> Tensor:
    """States (frames, n, units) of clips' features (n, frames, inputs), each clip from a state of zero.

    The recurrent product is numpy's: its BLAS is twice as fast as torch's on some processors, and no slower elsewhere.
    """
    clips, frames, _ = features.shape
    drive = torch.addmm(reservoir.bias, features.transpose(0, 1).reshape(frames * clips, -1), reservoir.inputs.T)
    made = drive.view(frames, clips, reservoir.units)
    weights, product = reservoir.recurrent.T.numpy(), torch.empty_like(made[0])
    state = made[0].tanh_().mul_(reservoir.leak)  # from zero
    for frame in made[1:]:  # each frame's drive becomes its state, in place
        np.matmul(state.numpy(), weights, out=product.numpy())
        state = torch.lerp(state, frame.add_(product).tanh_(), reservoir.leak, out=frame)
    return made


@dataclass
class Sums:
    """Sums over all frames, float64: what the ridge solution needs of any number of clips.

    Attributes:
        count: frames.
        state: (units,) sum of states, less `centre`.
        target: (classes,) sum of targets.
        products: (units, units) sum of products of states; its upper half holds.
        crossed: (units, classes) sum of products of states and targets.
        centre: (units,) taken off every state, so that float32 products keep what varies.
    """

    count: int
    state: NDArray[np.float64]
    target: NDArray[np.float64]
    products: NDArray[np.float64]
    crossed: NDArray[np.float64]
    centre: Tensor

    @classmethod
    def zero(cls, units: int, classes: int, centre: Tensor) -> "Sums":
        return cls(0, np.zeros(units), np.zeros(classes), np.zeros((units, units)), np.zeros((units, classes)), centre)

    def add(self, states: Tensor, targets: NDArray[np.intp]) -> None:
        """Take in states (frames, n, units) of clips of these classes (n,); the states are changed."""
        frames, clips, units = states.shape
        rows = states.sub_(self.centre).reshape(frames * clips, units)
        for start in range(0, units, BLOCK):  # only the upper half: the product is symmetric
            block = rows[:, start : start + BLOCK].T @ rows[:, start:]
            self.products[start : start + BLOCK, start:] += block.numpy()
        sums = states.sum(0, dtype=torch.float64).numpy()  # (n, units)
        hot = np.eye(len(self.target))[targets]  # (n, classes)
        self.count += frames * clips
        self.state += sums.sum(0)
        self.target += frames * hot.sum(0)
        self.crossed += sums.T @ hot

    def solve(self, ridge: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Readout weights (units, classes) and bias (classes,) for states as they are."""
        from scipy.linalg import LinAlgError, solve

        state, target = self.state / self.count, self.target / self.count
        products = self.products - self.count * np.outer(state, state)
        products[np.diag_indices_from(products)] += ridge
        crossed = self.crossed - self.count * np.outer(state, target)
        try:
            weights = solve(products, crossed, assume_a="pos", lower=False)
        except LinAlgError:
            raise CanaryganError(f"The ridge {ridge:g} is too small for these features: take a larger one.") from None
        return weights, target - (state + self.centre.double().numpy()) @ weights


def accumulated(
    reservoir: Reservoir,
    features: NDArray[np.float32],
    targets: NDArray[np.intp],
    classes: int,
    rows: NDArray[np.intp],
    centre: Tensor | None = None,
) -> Sums:
    """Sums over the clips of these rows, `BATCH` of them in memory at a time, in the reservoir's precision.

    Args:
        reservoir: its matrices.
        features: (n, frames, inputs).
        targets: (n,) number of each clip's class.
        classes: how many there are.
        rows: which clips.
        centre: (units,) what to take off every state; by default the mean state of the first few clips.
    """
    if centre is None:
        centre = states(reservoir, _batch(reservoir, features, rows[:FIRST])).mean((0, 1))
    start = Sums.zero(reservoir.units, classes, centre)

    def summed(part: NDArray[np.intp]) -> Sums:
        sums = Sums.zero(reservoir.units, classes, centre)
        sums.add(states(reservoir, _batch(reservoir, features, part)), targets[part])
        return sums

    with _workers() as pool:
        return functools.reduce(joined, pool.map(summed, _parts(rows)), start)


def _batch(reservoir: Reservoir, features: NDArray[np.float32], rows: NDArray[np.intp]) -> Tensor:
    return torch.tensor(np.asarray(features[rows])).to(reservoir.bias.dtype)


def _parts(rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]


@contextmanager
def _workers() -> Iterator[ThreadPoolExecutor]:
    """Threads that take a batch each; a product shared out over threads would wait for the slowest at every frame."""
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


def joined(one: Sums, other: Sums) -> Sums:
    """The sums over the clips of both, which must share their centre."""
    return Sums(
        one.count + other.count,
        one.state + other.state,
        one.target + other.target,
        one.products + other.products,
        one.crossed + other.crossed,
        one.centre,
    )


def outputs(
    reservoir: Reservoir, features: NDArray[np.float32], weights: Tensor, bias: Tensor, policy: str
) -> NDArray[np.float64]:
    """Scores (n, classes) of clips from the readout's outputs at all their frames.

    Args:
        reservoir: its matrices.
        features: (n, frames, inputs).
        weights: (units, classes).
        bias: (classes,).
        policy: `argmax` takes the frame of the highest output of all, `max` each class's highest output, `mean` and
            `sum` the average and the sum over frames.
    """

    def judged(part: NDArray[np.intp]) -> NDArray[np.float64]:
        made = states(reservoir, _batch(reservoir, features, part))
        if policy in ("mean", "sum"):
            scores = made.mean(0).double() @ weights + bias
            return (scores * len(made) if policy == "sum" else scores).numpy()
        return reduced(made.double() @ weights + bias, policy).numpy()

    with _workers() as pool:
        return np.concatenate([*pool.map(judged, _parts(np.arange(len(features))))])


def reduced(readout: Tensor, policy: str) -> Tensor:
    """Scores (n, classes) of outputs (frames, n, classes) by `argmax`, `max`, `mean` or `sum`."""
    if policy == "mean":
        return readout.mean(0)
    if policy == "sum":
        return readout.sum(0)
    if policy == "max":
        return readout.amax(0)
    peak = readout.amax(2).argmax(0)  # (n,) frame of the global peak
    return readout[peak, torch.arange(readout.shape[1])]


def arrays(reservoir: Reservoir) -> Mapping[str, NDArray[Any]]:
    """The matrices to keep, float32."""
    return {
        "recurrent": reservoir.recurrent.float().numpy(),
        "inputs": reservoir.inputs.float().numpy(),
        "bias": reservoir.bias.float().numpy(),
        "leak": np.asarray(reservoir.leak),
    }
