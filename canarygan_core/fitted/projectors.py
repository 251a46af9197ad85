"""Fitted projectors on disk: folders whose `projector.json` says of which component they are, and of which clips."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips
from canarygan_core.components import FittedProjector, Projector
from canarygan_core.console import bar
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted.folders import Shelf
from canarygan_core.plugins import Registry

SHELF = Shelf("projector", schema=1, facts={"rate": int}, maker="project", again="fit anew")

RECORD = SHELF.record

BATCH = 512
"""Clips projected at a time."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """A projector that was fitted, with what is known of it.

    Attributes:
        name: the component's.
        fitted: lays clips out.
        rate: sampling rate of the clips it was fitted on, Hz.
        folder: where it lies.
        record: all of `projector.json`.
    """

    name: str
    fitted: FittedProjector
    rate: int
    folder: Path
    record: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """What it has learnt, by the digests of its files: the same however and wherever it was fitted."""
        told = json.dumps(self.record["files"], sort_keys=True)
        return f"sha256:{hashlib.sha256(told.encode()).hexdigest()}"

    def project(self, clips: Clips) -> NDArray[np.float32]:
        """Coordinates (n, k) of clips, a few of which are in memory at a time; raises as `project_few` does."""
        made = []
        with bar("laying out", len(clips)) as advance:
            for part in clips.batches(BATCH):
                made.append(self.project_few(part))
                advance(len(part))
        if not made:
            raise CanaryganError("There are no clips to project.")
        return np.concatenate(made)

    def project_few(self, clips: Clips) -> NDArray[np.float32]:
        """Coordinates (n, k) of clips, all at once.

        Raises:
            CanaryganError: where a clip is not finite, or the projector gives something else than coordinates.
        """
        broken = np.flatnonzero(~np.isfinite(clips.audio).all(1))
        if len(broken):
            source = f" ({clips.sources[broken[0]]})" if clips.sources is not None else ""
            raise CanaryganError(
                f"{len(broken)} of {len(clips)} clips hold NaN or infinite samples{source}, and cannot be projected."
            )
        laid = np.asarray(self.fitted.project(clips), np.float32)
        if laid.ndim != 2 or len(laid) != len(clips) or not np.isfinite(laid).all():
            what = f"{laid.shape} coordinates" if np.isfinite(laid).all() else "coordinates that are not finite"
            raise CanaryganError(f"Projector {self.name} gave {what} for {len(clips)} clips.")
        return laid


def fit(projector: Projector, clips: Clips, folder: Path, registry: Registry) -> Fitted:
    """Fit a projector on clips and keep it in a folder, which replaces one of the same name; gives what was kept.

    Raises:
        CanaryganError: where the clips do not do, or the folder is there and is something else.
    """
    known = {"rate": clips.rate, "samples": clips.samples, "clips": len(clips), "dataset": dict(clips.origin)}
    SHELF.save(folder, projector, projector.fit(clips), known)
    return load(folder, registry)


def load(folder: Path, registry: Registry) -> Fitted:
    """A fitted projector from its folder; no code in it is run.

    Raises:
        CanaryganError: where it is missing, damaged, of a newer version, or of a projector that is not installed.
    """
    fitted, record = SHELF.load(folder, registry)
    return Fitted(record["projector"]["name"], fitted, int(record["rate"]), folder, record)


def load_for(folder: Path, clips: Clips, registry: Registry) -> Fitted:
    """A fitted projector from its folder, as `load` gives it; `CanaryganError` where the clips are of another rate."""
    found = load(folder, registry)
    if found.rate != clips.rate:
        raise CanaryganError(
            f"{folder} was fitted on clips of {found.rate} Hz, and these are of {clips.rate} Hz: "
            f"load them with --sampling-rate {found.rate}, or fit anew."
        )
    return found
