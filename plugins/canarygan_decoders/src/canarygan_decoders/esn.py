"""The echo state network: a fixed random reservoir and a linear readout."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from canarygan_core.errors import CanaryganError
from canarygan_decoders.feature_decoder import FeatureDecoder
from canarygan_decoders.features import Features

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canarygan_decoders.reservoir import Reservoir, Sums


@dataclass(frozen=True)
class ESN(FeatureDecoder):
    """Echo state network (Jaeger, 2001) with the reservoir of Pagliarini et al. (2021).

    Inputs are divided by their root mean square over the training frames that are not silent, so that the scalings mean
    the same for all features; the ridge is larger than the paper's, which float32 states cannot bear.
    """

    name: ClassVar[str] = "esn"
    calibrates: ClassVar[bool] = True
    searched: ClassVar[Mapping[str, tuple[float, float]]] = {
        "spectral_radius": (0.002, 1.0),
        "leak": (0.02, 0.5),
        "delta_scaling": (0.05, 5.0),
        "delta2_scaling": (0.05, 5.0),
        "ridge": (0.001, 10.0),
    }
    """Ranges in which `train-decoders --search` draws options, each on a logarithmic scale."""

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
        if self.units < 1 or self.seed < 0:
            raise CanaryganError(f"--esn.units must be at least 1 and --esn.seed 0, not {self.units} and {self.seed}.")

    def learn(
        self, features: "NDArray[np.float32]", targets: "NDArray[np.intp]", *, classes: int, parameters: Features
    ) -> "Mapping[str, NDArray[Any]]":
        import numpy as np

        from canarygan_decoders import reservoir

        pool = self.reservoir(features, parameters)
        return self._solved(pool, reservoir.accumulated(pool, features, targets, classes, np.arange(len(targets))))

    def try_out(
        self,
        features: "NDArray[np.float32]",
        targets: "NDArray[np.intp]",
        held: "NDArray[np.intp]",
        rest: "NDArray[np.intp]",
        *,
        classes: int,
        parameters: Features,
    ) -> "tuple[Mapping[str, NDArray[Any]], NDArray[np.floating[Any]]]":
        """As in the base, at the cost of one pass: the sums of what is held out are added afterwards."""
        import numpy as np

        from canarygan_decoders import reservoir

        pool = self.reservoir(features, parameters)
        sums = reservoir.accumulated(pool, features, targets, classes, rest)
        scores = self.judge(self.prepare(self._solved(pool, sums)), features[held])
        others = np.setdiff1d(np.arange(len(targets)), rest)
        more = reservoir.accumulated(pool, features, targets, classes, others, centre=sums.centre)
        return self._solved(pool, reservoir.joined(sums, more)), scores

    def reservoir(self, features: "NDArray[np.float32]", parameters: Features) -> "Reservoir":
        """The reservoir for such features, float32."""
        import torch

        from canarygan_decoders import reservoir

        scaling = self.scaling(parameters) / loudness(features)
        if self.reservoirs is not None:
            return reservoir.given(self.reservoirs, scaling, self.leak).to(torch.float32)
        pool = reservoir.drawn(
            self.units,
            scaling,
            leak=self.leak,
            spectral_radius=self.spectral_radius,
            bias_scaling=self.bias_scaling,
            input_connectivity=self.input_connectivity,
            rc_connectivity=self.rc_connectivity,
            seed=self.seed,
        )
        return pool.to(torch.float32)

    def scaling(self, parameters: Features) -> "NDArray[np.float64]":
        """The factor of each of a frame's numbers."""
        import numpy as np

        made = np.full(parameters.size, self.delta_scaling)
        if parameters.differentiates:
            made[-parameters.n_mfcc :] = self.delta2_scaling
        return made

    def _solved(self, pool: "Reservoir", sums: "Sums") -> "Mapping[str, NDArray[Any]]":
        from canarygan_decoders import reservoir

        weights, bias = sums.solve(self.ridge)
        return {**reservoir.arrays(pool), "readout": weights, "readout_bias": bias}

    def prepare(self, state: "Mapping[str, NDArray[Any]]") -> Any:
        import numpy as np
        import torch

        from canarygan_decoders.reservoir import Reservoir

        kept = {name: torch.tensor(np.asarray(state[name])) for name in ("recurrent", "inputs", "bias")}
        pool = Reservoir(**kept, leak=float(state["leak"]))
        return pool, torch.tensor(np.asarray(state["readout"])), torch.tensor(np.asarray(state["readout_bias"]))

    def judge(self, state: Any, features: "NDArray[np.float32]") -> "NDArray[np.floating[Any]]":
        import torch

        from canarygan_decoders import reservoir

        pool, weights, bias = state
        with torch.inference_mode():
            return reservoir.outputs(pool, features, weights, bias, self.policy)


def loudness(features: "NDArray[np.float32]", most: int = 2000) -> float:
    """Root mean square of features (n, frames, size) over the frames that are not silent, of at most so many clips."""
    import numpy as np

    step = max(1, len(features) // most)
    some = np.asarray(features[::step])
    heard = some[some.any(2)]
    return float(np.sqrt(np.square(heard, dtype=np.float64).mean())) if len(heard) else 1.0
