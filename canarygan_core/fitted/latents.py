"""Latent vectors: drawn from named distributions, or read from files."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import runs
from canarygan_core.audio import archives
from canarygan_core.components import Generator
from canarygan_core.errors import CanaryganError, UsageError, did_you_mean

DISTRIBUTIONS: dict[str, dict[str, float]] = {
    "uniform": {"low": -1.0, "high": 1.0},
    "normal": {"loc": 0.0, "scale": 1.0},
    "laplace": {"loc": 0.0, "scale": 1.0},
    "logistic": {"loc": 0.0, "scale": 1.0},
    "triangular": {"left": -1.0, "mode": 0.0, "right": 1.0},
    "beta": {"a": 0.5, "b": 0.5},
}
"""Common distributions by their name in numpy, with their parameters and what those are by default."""

OTHERS = (
    *("binomial", "chisquare", "exponential", "f", "gamma", "geometric", "gumbel", "hypergeometric", "integers"),
    *("lognormal", "logseries", "negative_binomial", "noncentral_chisquare", "noncentral_f", "pareto", "poisson"),
    *("power", "random", "rayleigh", "standard_cauchy", "standard_exponential", "standard_gamma", "standard_normal"),
    *("standard_t", "vonmises", "wald", "weibull", "zipf"),
)
"""The other distributions of numbers that `numpy.random.Generator` has; their parameters and defaults are numpy's."""

LAYOUT: archives.Layout = {"z": "fiu n coordinates"}
"""The latents of an archive."""

LARGEST = 1e30
"""Parameters stay below, so that float32 holds what is drawn."""


def check_flags(vec_file: Path | None, num_samples: int | None, **numbers: int) -> None:
    """Raise `UsageError` where latents are to be read and drawn as well, or one of the other numbers is below 1."""
    if vec_file is not None and num_samples is not None:
        raise UsageError("Give latents with -z or a number with -n, not both.")
    for name, number in numbers.items():
        if number < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be at least 1, not {number}.")


def draw(count: int, dim: int, *, dist: str = "uniform", params: str = "", seed: int = 0) -> NDArray[np.float32]:
    """Independent latents (count, dim).

    Args:
        count: vectors.
        dim: coordinates of each.
        dist: one of `DISTRIBUTIONS` or `OTHERS`.
        params: its parameters as a JSON object; those left out keep their default.
        seed: of the draw.

    Raises:
        UsageError: on an unknown distribution or parameter, values that it cannot have, or more than memory holds.
    """
    if count < 1 or dim < 1:
        raise UsageError(f"Draw at least 1 vector of at least 1 coordinate, not {count} of {dim}.")
    if dist not in (*DISTRIBUTIONS, *OTHERS):
        near = did_you_mean(dist, (*DISTRIBUTIONS, *OTHERS))
        others = "and any other distribution of numbers that numpy.random.Generator has"
        raise UsageError(f"No distribution named {dist!r}; there are {', '.join(DISTRIBUTIONS)}, {others}.{near}")
    values = DISTRIBUTIONS.get(dist, {}) | _parsed(dist, params)
    if seed < 0:
        raise UsageError(f"A seed is 0 or more, not {seed}.")
    try:
        drawn = getattr(np.random.default_rng(seed), dist)(size=(count, dim), **values)
    except MemoryError:
        raise UsageError(f"{count} vectors of {dim} coordinates do not fit in memory: draw fewer.") from None
    except (ValueError, TypeError, OverflowError) as error:
        raise UsageError(f"{dist} cannot have the parameters {values}: {error}.") from None
    with np.errstate(over="ignore"):
        latents = np.asarray(drawn, np.float32)
    if not np.isfinite(latents).all():
        raise UsageError(f"{dist} with the parameters {values} gives numbers beyond what float32 holds.")
    return latents


def draw_for(
    generator: Generator, count: int, *, dist: str | None = None, params: str = "", seed: int = 0
) -> NDArray[np.float32]:
    """Latents (count, d) for a generator: as its training drew them, where it says so, or from a named distribution.

    Args:
        generator: one that has `draw_latents` is asked; latents of others are uniform from -1 to 1.
        count: vectors.
        dist: a distribution to draw from instead.
        params: its parameters as a JSON object, or else those of `uniform`.
        seed: of the draw.

    Raises:
        UsageError: as by `draw`.
        CanaryganError: where the generator draws something else than finite latents of its size.
    """
    own = getattr(generator, "draw_latents", None)
    if own is None or dist is not None or params:
        return draw(count, generator.latent_dim, dist=dist or "uniform", params=params, seed=seed)
    if count < 1 or seed < 0:
        raise UsageError(f"Draw at least 1 vector, by a seed of at least 0; not {count} by {seed}.")
    latents = np.asarray(own(count, np.random.default_rng(seed)), np.float32)
    wanted = (count, generator.latent_dim)
    if latents.shape != wanted or not np.isfinite(latents).all():
        given = f"{latents.shape}" if latents.shape != wanted else "some that are not finite"
        raise CanaryganError(f"The model was asked for latents {wanted} and drew {given}: its draw_latents is wrong.")
    return latents


def _parsed(dist: str, params: str) -> dict[str, float]:
    known, example = DISTRIBUTIONS.get(dist), json.dumps(DISTRIBUTIONS.get(dist, {"scale": 2.0}))
    try:
        given: Any = json.loads(params or "{}")
    except json.JSONDecodeError as error:
        wanted = f"must be a JSON object such as {example}"
        raise UsageError(f"--dist-params {wanted}, not {params!r} ({error}).") from None
    is_known = known is None or set(given) <= known.keys()
    if not isinstance(given, dict) or not is_known or "size" in given:
        names = "those that numpy gives it" if known is None else ", ".join(known)
        raise UsageError(f"--dist-params of {dist} are {names}, such as {example}; not {params}.")
    if not all(isinstance(value, int | float) and abs(value) < LARGEST for value in given.values()):
        raise UsageError(f"--dist-params must be numbers below {LARGEST:g}, as in {example}; not {params}.")
    return given


def read(path: Path, dim: int) -> NDArray[np.float32]:
    """Latents (n, dim) from a `.npy` file, or from the `z` of an `.npz`.

    Raises:
        CanaryganError: where there are none, or none that a model of `dim` coordinates can take.
    """
    try:
        if path.exists() and not path.is_file():  # to open a pipe would wait for ever
            raise ValueError("it is a folder, a pipe or a device")
        is_archive = zipfile.is_zipfile(path)
        latents = archives.read(path, LAYOUT)["z"] if is_archive else archives.read_array(path)
    except FileNotFoundError:
        advice = f"`canarygan run sample -d {dim}` makes one of shape (n, {dim})"
        raise CanaryganError(f"There is no file of latents at {path}. {advice}.") from None
    except Exception as error:  # noqa: BLE001 a damaged file may break the readers of zip and numpy anywhere
        wanted = f"It should be a .npy of shape (n, {dim}), or an .npz with such a z"
        why = str(error).removeprefix(f"Cannot read the archive {path}: ").rstrip(".") or type(error).__name__
        raise CanaryganError(f"{path} holds no latents: {why}. {wanted}.") from None
    if not is_archive:  # which has a seal
        runs.check_recorded(path)
    if latents.dtype.kind not in "fiu":
        raise CanaryganError(f"{path} holds {latents.dtype} values; this checkpoint wants {dim} numbers a latent.")
    if latents.ndim != 2 or latents.shape[1] != dim:
        raise CanaryganError(f"This checkpoint wants latents of shape (n, {dim}); {path} holds {latents.shape}.")
    if len(latents) == 0:
        raise CanaryganError(f"{path} holds no vectors; this checkpoint wants (n, {dim}) with n at least 1.")
    if bad := int((~(np.abs(latents) <= np.finfo(np.float32).max)).any(1).sum()):
        what = "vectors with NaN or infinite coordinates, or such as float32 cannot hold"
        raise CanaryganError(f"{path} holds {bad} {what}; this checkpoint wants {dim} finite numbers a vector.")
    return np.ascontiguousarray(latents, np.float32)
