"""Measure which share of unseen real syllables lies outside of all clusters of a map, alone and with the real ones.

    python benchmarks/clusters.py DATA_DIR [--sizes 450 600 720 810] [--seeds 3] [--name clusters]

The map is fitted on so many of the clips, the same share of each class, and the others are placed on it as `umap`
places generated sounds. Alone, they are clustered without the clips that the map was fitted on, as version 0.2 did.
Writes NAME.json and NAME.md into benchmarks/results.
"""

import argparse
import logging
from pathlib import Path
from statistics import mean

import machine
import numpy as np
from canarygan_metrics.umap import clusters
from canarygan_metrics.umap.placements import Placement
from canarygan_metrics.umap.projector import UMAP

from canarygan_core.clips import Clips
from canarygan_core.datasets.folder import Folder
from canarygan_core.evaluation import accuracy
from canarygan_core.fitted.decoders import X

WAYS = {"alone": "clustered alone", "together": "clustered with the real ones"}
"""How the unseen clips are clustered."""


def measure(clips: Clips, size: int, seed: int) -> dict[str, float]:
    """Shares of X among the clips that a map of so many others has not seen."""
    assert clips.labels is not None
    known, unseen = accuracy.split(clips.labels, 1 - size / len(clips), seed)
    fitted = UMAP().fit(clips.select(known))
    real, placed = (np.asarray(fitted.project(clips.select(rows)), np.float32) for rows in (known, unseen))
    alone = clusters.find_clusters(placed, clusters.Scale.of(len(placed)))
    together = Placement.compute(placed, real, clips.labels[known]).label
    right = float(np.mean(together[together != X] == clips.labels[unseen][together != X]))
    return {
        "size": len(known),
        "unseen": len(unseen),
        "seed": seed,
        "alone": float(np.mean(alone == clusters.OUTSIDE)),
        "together": float(np.mean(together == X)),
        "right": right,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[450, 600, 720, 810])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--name", default="clusters")
    options = parser.parse_args()
    logging.getLogger("canarygan").setLevel(logging.ERROR)
    clips = Folder(data_dir=options.data_dir).load()
    rows = [measure(clips, size, seed) for size in options.sizes for seed in range(options.seeds)]
    result = {"machine": machine.described(), "rows": rows}
    machine.keep(options.name, result, text(options.name, rows, str(machine.line(result["machine"]))))  # type: ignore[arg-type]


def text(name: str, rows: list[dict[str, float]], about: str) -> str:
    """The table as Markdown."""
    sizes = list(dict.fromkeys(row["size"] for row in rows))
    lines = [
        f"# {name}: are unseen syllables in the clusters of a map?",
        "",
        f"Means over {len(rows) // len(sizes)} splits, least and most in brackets.",
        "",
        f"| fitted on | unseen | {' | '.join(f'X, {way}' for way in WAYS.values())} | right, of the others |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for size in sizes:
        some = [row for row in rows if row["size"] == size]
        cells = []
        for key in (*WAYS, "right"):
            values = [row[key] for row in some]
            cells.append(f"{mean(values):.3f} ({min(values):.3f} to {max(values):.3f})")
        lines.append(f"| {size} | {some[0]['unseen']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", about, ""])


if __name__ == "__main__":
    main()
