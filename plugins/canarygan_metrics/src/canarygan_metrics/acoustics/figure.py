"""The figure of `acoustics`: how each measure is distributed over generated and over real sounds."""

from pathlib import Path

import numpy as np

from canarygan_core.clips import Clips
from canarygan_metrics.figures import saved_figure
from canarygan_metrics.units import ACOUSTIC_UNITS

BINS = 40
"""Bins of a histogram."""


def draw(generated: Clips, reference: Clips, path: Path) -> None:
    """Draw a histogram of each measure, of equal area for both sides; sounds without the measure are left out."""
    with saved_figure(path, (10, 5)) as figure:
        for axes, (name, unit) in zip(figure.subplots(2, 3).flat, ACOUSTIC_UNITS.items(), strict=True):
            sides = {"real": reference.facts[name], "generated": generated.facts[name]}
            known = {side: values[np.isfinite(values)] for side, values in sides.items()}
            edges = np.histogram_bin_edges(np.concatenate(list(known.values())), BINS)
            for side, values in known.items():
                if len(values):
                    axes.hist(values, edges, density=True, histtype="step", label=side)
            axes.set(xlabel=f"{name.replace('_', ' ')}{f' ({unit})' if unit else ''}", yticks=[])
        axes.legend()
