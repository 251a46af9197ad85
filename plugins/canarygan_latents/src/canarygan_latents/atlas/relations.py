"""What each coordinate does to each measure: curves with their spread, correlation and mutual information."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_latents.atlas.measures import UNITS, Measures

SPREAD = (0.1, 0.5, 0.9)
"""Quantiles over the other coordinates: the band's edges and the curve."""

BINS = 20
"""Parts of an axis in which latents that lie on no grid are counted."""

FEW = 10
"""Sounds with a measure that a part of an axis, or a relation, needs; a place of a small grid, half of its sounds."""

Floats = NDArray[np.floating[Any]]
Json = dict[str, Any]


def relate(z: Floats, measures: Measures, axes: tuple[int, ...], *, seed: int = 0) -> list[Json]:
    """How measures depend on coordinates, by axis and measure, as JSON values.

    Args:
        z: latents (n, d), on a grid or drawn as in training.
        measures: by name, (n,); sounds without the measure are left out of it.
        axes: the coordinates that are looked at, from 0.
        seed: of the noise that tells equal values apart in the mutual information.
    """
    return [
        {"axis": axis, "measure": name, "unit": unit, **_relate(z[:, axis], measures[name], z.shape[1] == 1, seed)}
        for axis in axes
        for name, unit in UNITS.items()
    ]


def _relate(coordinate: Floats, values: Floats, is_line: bool, seed: int) -> Json:
    known = np.isfinite(values)
    x, y = np.asarray(coordinate[known], np.float64), values[known]
    places = np.unique(coordinate)
    each = len(coordinate) // len(places)  # of a grid, how many sounds are at a place
    fewest = FEW
    ends = (coordinate.min(), coordinate.max())
    if is_line or each > 1:
        fewest = min(FEW, max(1, each // 2))
    else:
        places = ends[0] + (np.arange(BINS) + 0.5) / BINS * (ends[1] - ends[0])
    groups = np.abs(x[:, None] - places[None]).argmin(1)
    curve = []
    for group, place in enumerate(places):
        inside = y[groups == group]
        if len(inside) >= fewest:
            low, middle, high = np.quantile(inside, SPREAD)
            curve.append({"x": float(place), "y": float(middle), "low": float(low), "high": float(high)})
    return {"curve": curve, "count": len(y), **_correlate(x, y, each >= FEW, seed)}


def _correlate(x: Floats, y: Floats, is_discrete: bool, seed: int) -> Json:
    """Pearson's and Spearman's correlation, and the mutual information in bits (Ross, 2014; Kraskov et al., 2004)."""
    if len(y) < FEW or np.ptp(x) == 0 or np.ptp(y) == 0:
        return {"pearson": None, "spearman": None, "information": None}
    from scipy import stats
    from sklearn.feature_selection import mutual_info_regression

    nats = mutual_info_regression(x[:, None], y, discrete_features=is_discrete, random_state=seed)[0]
    pearson, spearman = stats.pearsonr(x, y).statistic, stats.spearmanr(x, y).statistic
    return {"pearson": float(pearson), "spearman": float(spearman), "information": float(nats / np.log(2))}
