"""Figures without a screen, saved whole or not at all."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from canarygan_core.runs import files

log = logging.getLogger("canarygan")


@contextmanager
def saved_figure(path: Path, size: tuple[float, float], dpi: int = 120) -> Iterator[Figure]:
    """A figure of a size in inches, saved as a PNG file when the block ends without an error."""
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    yield figure
    with files.replace_file(path) as partial, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        figure.savefig(partial, format="png", dpi=dpi)
    if any("Glyph" in str(one.message) for one in caught):
        log.warning(f"{path.name} shows boxes for letters that its font lacks; labels are whole in all other files.")


def plain(label: str) -> str:
    """A label as plain text to matplotlib, which takes dollar signs for formulae."""
    return label.replace("$", r"\$")
