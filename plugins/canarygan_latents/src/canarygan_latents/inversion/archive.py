"""The archive of an inversion: written, and read back as clips. `generate -z`, `decode` and `score` read it, too."""

from pathlib import Path
from typing import Any

import numpy as np

from canarygan_core import runs
from canarygan_core.audio import archives
from canarygan_core.clips import Clips
from canarygan_latents.inversion.inverting import Inverted
from canarygan_latents.inversion.judging import Errors
from canarygan_latents.opening import Opened

COLUMNS = ("gain", "error", "noise_floor", "random_error", "nearest_error", "nearest")
"""What is told of each sound beside its latent."""

LAYOUT: archives.Layout = {
    **{"x": "f clips samples", "z": "f clips coordinates", "rate": "iu", "labels?": "U clips", "sources?": "U clips"},
    **dict.fromkeys(COLUMNS[:-1], "f clips"),
    **{"nearest": "U clips", "reachable": "f own", "version": "U", "epoch": "iu", "step": "iu", "checkpoint": "U"},
    **{"held_out?": "U held", "group_by?": "U"},
}
"""The arrays; docs/formats.md says what each is."""


def write(path: Path, opened: Opened, sounds: Clips, inverted: Inverted, errors: Errors) -> None:
    """Write what was found for sounds to an archive."""
    generator, run = opened.generator, runs.find_by_checkpoint(opened.checkpoint)
    held_out = {} if run is None else run.manifest.record.get("held_out", {})
    values: dict[str, Any] = {
        **{"x": inverted.x, "z": inverted.z, "gain": inverted.gain, "sources": sounds.sources, "labels": sounds.labels},
        **{"error": errors.error, "noise_floor": errors.noise_floor, "random_error": errors.random_error},
        **{"nearest_error": errors.nearest_error, "nearest": errors.nearest, "reachable": errors.reachable},
        **{"rate": generator.rate, "version": opened.version, "checkpoint": opened.digest},
        **{"epoch": generator.progress["epoch"], "step": generator.progress["step"]},
        "held_out": np.array(held_out["sources"]) if held_out else None,
        "group_by": held_out.get("group_by", "none") if held_out else None,
    }
    with archives.writing(path, 5 * inverted.x.nbytes // 4) as archive:
        for name, value in values.items():
            if value is not None:
                archive.add(name, value)


def load(path: Path, device: str = "cpu") -> Clips:
    """The sounds that were made of the latents that were found, with these, and the errors as facts.

    Raises:
        CanaryganError: where the file is no archive of an inversion.
    """
    content = archives.read(path, LAYOUT)
    facts = {name: np.asarray(content[name]) for name in COLUMNS}
    known: dict[str, Any] = {name: np.asarray(content[name]) for name in ("labels", "sources") if name in content}
    latents = np.asarray(content["z"], np.float32)
    return Clips(np.asarray(content["x"], np.float32), int(content["rate"]), latents=latents, facts=facts, **known)
