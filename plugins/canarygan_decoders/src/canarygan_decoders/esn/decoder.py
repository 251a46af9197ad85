"""The echo state network as a decoder: its options, how it is fitted and how it scores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from canarygan_core.errors import CanaryganError
from canarygan_decoders.feature_decoder import FeatureDecoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canarygan_decoders.dataset.examples import Examples
    from canarygan_decoders.esn.readout import StateSums
    from canarygan_decoders.esn.reservoir import Reservoir
    from canarygan_decoders.feature_decoder import FeatureArray, Scores, State

Result = TypeVar("Result")

SINGLE = 1e-3
"""Least ridge for which float32 states are tried: it must be well above the rounding of the sums of their products."""


@dataclass(frozen=True)
class ESN(FeatureDecoder):
    """Echo state network (Jaeger, 2001) with the reservoir of Pagliarini et al. (2021).

    Inputs are divided by their root mean square over the training frames that are not silent, so that the scalings mean
    the same for all features. The ridge is larger than the paper's 1e-8, for which states must be float64.
    """

    name: ClassVar[str] = "esn"
    is_calibrated: ClassVar[bool] = True
    search_ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        "spectral_radius": (0.002, 1.0),
        "leak": (0.02, 0.5),
        "delta_scaling": (0.05, 5.0),
        "delta2_scaling": (0.05, 5.0),
        "ridge": (0.001, 10.0),
    }

    units: int = 1000
    """Neurons, count."""
    spectral_radius: float = 0.5
    """Largest absolute eigenvalue of the recurrent weights, number."""
    leak: float = 0.05
    """Share of a neuron's state that is new at each frame, above 0 to 1."""
    delta_scaling: float = 0.3
    """Scaling of the first derivatives, and of features that are no derivatives, number."""
    delta2_scaling: float = 0.21
    """Scaling of the second derivatives, number."""
    bias_scaling: float = 1.0
    """Scaling of the neurons' bias, number."""
    input_connectivity: float = 0.1
    """Share of input weights that are not zero, above 0 to 1."""
    rc_connectivity: float = 0.1
    """Share of recurrent weights that are not zero, above 0 to 1."""
    ridge: float = 0.03
    """Penalty on the readout's weights, number."""
    precision: Literal["auto", "32", "64"] = "auto"
    """Arithmetic of the states: float32, or float64; auto is float64 where the ridge is too small for float32, bits."""
    policy: Literal["argmax", "max", "mean", "sum"] = "mean"
    """A clip's scores: outputs at the frame of the global peak, or their maximum, mean or sum over frames, word."""
    reservoirs: Path | None = None
    """An .npz with W (units, units), Win (units, inputs) and bias (units,) instead of drawn ones, path."""
    seed: int = 0
    """Seed of the reservoir, an integer from 0."""

    def __post_init__(self) -> None:
        for name in ("leak", "input_connectivity", "rc_connectivity"):
            if not 0 < getattr(self, name) <= 1:
                raise CanaryganError(
                    f"--esn.{name.replace('_', '-')} may be above 0 to 1, not {getattr(self, name):g}."
                )
        for name in ("spectral_radius", "delta_scaling", "delta2_scaling", "ridge"):
            if getattr(self, name) <= 0:
                raise CanaryganError(f"--esn.{name.replace('_', '-')} must be above 0, not {getattr(self, name):g}.")
        if self.precision not in ("auto", "32", "64"):
            raise CanaryganError(f"--esn.precision is {self.precision!r}: it may be auto, 32 or 64.")
        if self.units < 1 or self.seed < 0:
            raise CanaryganError(f"--esn.units must be at least 1 and --esn.seed 0, not {self.units} and {self.seed}.")

    def learn(self, examples: "Examples") -> "State":
        import numpy as np

        everything = np.arange(len(examples))

        def fit(reservoir: "Reservoir") -> "State":
            return self._solve(reservoir, self._sum_states(reservoir, examples, everything))

        return self._fit(examples, fit)

    def learn_and_score(
        self, examples: "Examples", test: "NDArray[np.intp]", train: "NDArray[np.intp]"
    ) -> "tuple[State, Scores]":
        """As in the base, but each clip passes the reservoir once: the sums of the other clips are added afterwards."""
        import numpy as np

        others = np.setdiff1d(np.arange(len(examples)), train)

        def fit(reservoir: "Reservoir") -> "tuple[State, Scores]":
            sums = self._sum_states(reservoir, examples, train)
            scores = self.predict(self.prepare(self._solve(reservoir, sums)), examples.features[test])
            sums += self._sum_states(reservoir, examples, others, sums.centre)
            return self._solve(reservoir, sums), scores

        return self._fit(examples, fit)

    def _fit(self, examples: "Examples", fit: "Callable[[Reservoir], Result]") -> Result:
        """Fit in the precision asked for; auto takes float64 where the ridge is too small for float32."""
        import torch

        from canarygan_decoders.esn.readout import SmallRidgeError

        if self.precision == "32" or (self.precision == "auto" and self.ridge >= SINGLE):
            try:
                return fit(self.make_reservoir(examples).to(torch.float32))
            except SmallRidgeError:
                if self.precision == "32":
                    raise
        return fit(self.make_reservoir(examples))

    def make_reservoir(self, examples: "Examples") -> "Reservoir":
        """The drawn or given reservoir for the features of these examples, float64."""
        import numpy as np

        from canarygan_decoders.esn.reservoir import draw_reservoir, read_reservoir

        scaling = np.full(examples.parameters.size, self.delta_scaling)
        if examples.parameters.has_derivatives:
            scaling[-examples.parameters.n_mfcc :] = self.delta2_scaling
        scaling /= root_mean_square(examples.features)
        if self.reservoirs is not None:
            return read_reservoir(self.reservoirs, scaling, self.leak)
        return draw_reservoir(
            self.units,
            scaling,
            leak=self.leak,
            spectral_radius=self.spectral_radius,
            bias_scaling=self.bias_scaling,
            input_connectivity=self.input_connectivity,
            rc_connectivity=self.rc_connectivity,
            seed=self.seed,
        )

    def _sum_states(
        self, reservoir: "Reservoir", examples: "Examples", rows: "NDArray[np.intp]", centre: Any = None
    ) -> "StateSums":
        """Sums over the states and targets of some examples; only here the labels enter the fit."""
        from canarygan_decoders.esn.readout import sum_states

        return sum_states(reservoir, examples.features, examples.one_hot, rows, centre)

    def _solve(self, reservoir: "Reservoir", sums: "StateSums") -> "State":
        weights, bias = sums.solve(self.ridge)
        return {**reservoir.arrays(), "readout": weights, "readout_bias": bias}

    def prepare(self, state: "State") -> Any:
        import numpy as np
        import torch

        from canarygan_decoders.esn.reservoir import Reservoir

        names = ("recurrent", "inputs", "bias", "readout", "readout_bias")
        recurrent, inputs, bias, *readout = (torch.tensor(np.asarray(state[name])) for name in names)
        return Reservoir(recurrent, inputs, bias, float(state["leak"])), *readout

    def predict(self, state: Any, features: "FeatureArray") -> "Scores":
        from canarygan_decoders.esn.readout import compute_scores

        reservoir, weights, bias = state
        return compute_scores(reservoir, weights, bias, features, self.policy)


def root_mean_square(features: "FeatureArray", limit: int = 2000) -> float:
    """Root mean square of features (n, frames, size) over frames that are not silent, of about `limit` clips."""
    import numpy as np

    step = max(1, len(features) // limit)
    frames = np.asarray(features[::step])
    frames = frames[frames.any(2)]
    return float(np.sqrt(np.square(frames, dtype=np.float64).mean())) if len(frames) else 1.0
