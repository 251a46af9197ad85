"""The reservoir: its matrices, and its states for all clips of a batch at once.

    x[t+1] = (1 - leak) x[t] + leak tanh(W x[t] + Win u[t+1] + b),  x[0] = 0 before every clip        (Jaeger, 2001)

reservoirpy draws the matrices; its own step takes one frame of one clip at a time.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from canarygan_core.audio import archives
from canarygan_core.errors import CanaryganError


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

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The matrices by name in their precision, which is that of the states, and the leak."""
        matrices = {"recurrent": self.recurrent, "inputs": self.inputs, "bias": self.bias}
        return {name: matrix.numpy() for name, matrix in matrices.items()} | {"leak": np.asarray(self.leak)}

    def compute_states(self, features: NDArray[np.floating[Any]]) -> Tensor:
        """States (frames, n, units) for features (n, frames, inputs), in the precision of the matrices.

        numpy computes the recurrent product: its BLAS is twice as fast as torch's on some processors, and elsewhere as
        fast.
        """
        inputs = torch.tensor(np.asarray(features)).to(self.bias.dtype).transpose(0, 1)  # (frames, n, inputs)
        drive = torch.addmm(self.bias, inputs.reshape(-1, inputs.shape[2]), self.inputs.T)
        states = drive.view(*inputs.shape[:2], self.units)
        weights, product = self.recurrent.T.numpy(), torch.empty_like(states[0])
        state = states[0].tanh_().mul_(self.leak)  # from a state of zero
        # The drive of each frame becomes its state, in place.
        for frame in states[1:]:
            np.matmul(state.numpy(), weights, out=product.numpy())
            state = torch.lerp(state, frame.add_(product).tanh_(), self.leak, out=frame)
        return states


def draw_reservoir(
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
        bias_scaling: factor of the bias, whose values are drawn from -1 and 1.
        input_connectivity: share of Win that is not zero.
        rc_connectivity: share of W that is not zero.
        seed: of all three.
    """
    reservoirpy = _import_reservoirpy()
    node = reservoirpy.nodes.Reservoir(
        units,
        lr=leak,
        sr=spectral_radius,
        input_scaling=scaling,
        bias=reservoirpy.mat_gen.bernoulli,
        input_connectivity=input_connectivity,
        rc_connectivity=rc_connectivity,
        input_dim=len(scaling),
        seed=seed,
    )
    node.initialize(np.zeros((1, len(scaling))))
    return Reservoir(_to_dense(node.W), _to_dense(node.Win), bias_scaling * _to_dense(node.bias).view(-1), leak)


def _import_reservoirpy() -> Any:
    """reservoirpy, without the folder for temporary files that it makes where it is imported and never removes."""
    before, tempfile.tempdir = tempfile.tempdir, os.devnull
    try:
        import reservoirpy
    finally:
        tempfile.tempdir = before
    if not os.path.isdir(reservoirpy._TEMPDIR):
        reservoirpy._TEMPDIR = tempfile.gettempdir()
    return reservoirpy


def _to_dense(matrix: Any) -> Tensor:
    return torch.tensor(matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix), dtype=torch.float64)


def read_reservoir(path: Path, scaling: NDArray[np.float64], leak: float) -> Reservoir:
    """A reservoir from an `.npz` with W (units, units), Win (units, inputs), unscaled, and bias (units,), float64.

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
