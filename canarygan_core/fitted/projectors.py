"""Fitted projectors on disk: folders whose `projector.json` names the component and the clips it was fitted on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import Filter, Hearing
from canarygan_core.clips import Clips
from canarygan_core.components import FittedProjector, Projector
from canarygan_core.console import show_bar
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.fitted.folders import FolderFormat
from canarygan_core.plugins import Registry
from canarygan_core.plugins.options import name_apart
from canarygan_core.runs import Request, files

FORMAT = FolderFormat(
    "projector",
    schema=1,
    facts={"rate": int, "samples": int},
    maker="project",
    remedy="fit anew",
    beside={"clips": int},
)

RECORD = FORMAT.record

BATCH = 512
"""Clips projected at a time."""

DRAWN = 1000
"""Clips of a set that a projector gets for figures of its own, at most; they are taken at equal steps."""


@dataclass(frozen=True, eq=False)
class SavedProjector:
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
        text = json.dumps(self.record["files"], sort_keys=True)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    @property
    def filtering(self) -> Filter:
        """What the clips that it was fitted on had taken out, and so is taken out of what it lays out."""
        return Filter.of(self.record.get("dataset", {}))

    @property
    def hearing(self) -> Hearing:
        """How it hears any sound: as the clips are that it was fitted on."""
        return Hearing(self.rate, int(self.record["samples"]), self.filtering)

    def project(self, clips: Clips) -> NDArray[np.float32]:
        """Coordinates (n, k) of clips, a few of which are in memory at a time; raises as `project_batch` does."""
        parts = []
        with show_bar("laying out", len(clips)) as advance:
            for part in clips.batches(BATCH):
                parts.append(self.project_batch(part))
                advance(len(part))
        if not parts:
            raise CanaryganError("There are no clips to project.")
        return np.concatenate(parts)

    def project_batch(self, clips: Clips) -> NDArray[np.float32]:
        """Coordinates (n, k) of clips of any rate and length, all at once, heard like those that it was fitted on.

        Raises:
            CanaryganError: where a clip is not finite, or the projector gives something else than coordinates.
        """
        broken = np.flatnonzero(~np.isfinite(clips.audio).all(1))
        if len(broken):
            source = f" ({clips.sources[broken[0]]})" if clips.sources is not None else ""
            what = f"{len(broken)} of {len(clips)} clips hold NaN or infinite samples{source}"
            raise CanaryganError(f"{what}, and cannot be projected.")
        points = np.asarray(self.fitted.project(self.hearing.hear(clips)), np.float32)
        is_finite = np.isfinite(points).all()
        if points.ndim != 2 or len(points) != len(clips) or not is_finite:
            what = f"{points.shape} coordinates" if is_finite else "coordinates that are not finite"
            raise CanaryganError(f"Projector {self.name} gave {what} for {len(clips)} clips.")
        return points

    def draw(self, sets: Mapping[str, Clips], folder: Path) -> list[Path]:
        """Draw the figures that the projector brings of its own; none where it brings none.

        Args:
            sets: clips by their title, the real ones first, labelled where labels are known.
            folder: where the figures go, each named NAME-FIGURE.png by the projector.

        Raises:
            CanaryganError: where the projector draws something else than PNG files in its folder.
        """
        draw = getattr(self.fitted, "draw", None)
        if draw is None:
            return []
        heard = {title: self.hearing.hear(_take_evenly(clips, DRAWN)) for title, clips in sets.items()}
        return files.collect_figures(partial(draw, heard), folder, self.name)


def _take_evenly(clips: Clips, count: int) -> Clips:
    return clips.select(np.unique(np.linspace(0, len(clips) - 1, min(count, len(clips))).round().astype(int)))


def fit(projector: Projector, clips: Clips, folder: Path, registry: Registry) -> SavedProjector:
    """Fit a projector on clips and keep it in a folder, which replaces one of the same name; gives what was kept.

    Raises:
        CanaryganError: where the clips do not do, or the folder is there and is something else.
    """
    known = {"rate": clips.rate, "samples": clips.samples, "clips": len(clips), "dataset": dict(clips.origin)}
    with show_bar(f"fitting {projector.name}", None):
        fitted = projector.fit(clips)
    FORMAT.save(folder, projector, fitted, known)
    return load(folder, registry)


def load(folder: Path, registry: Registry) -> SavedProjector:
    """A fitted projector from its folder; no code in it is run.

    Raises:
        CanaryganError: where it is missing, damaged, of a newer version, or of a projector that is not installed.
    """
    fitted, record = FORMAT.load(folder, registry)
    return SavedProjector(record["projector"]["name"], fitted, int(record["rate"]), folder, record)


def load_for(folder: Path, clips: Clips, registry: Registry) -> SavedProjector:
    """A fitted projector from its folder, as `load` gives it; `CanaryganError` where the clips are of another rate."""
    projector = load(folder, registry)
    if projector.rate != clips.rate:
        rates = f"{folder} was fitted on clips of {projector.rate} Hz, and these are of {clips.rate} Hz"
        raise CanaryganError(f"{rates}: load them with --sampling-rate {projector.rate}, or fit anew.")
    return projector


def check_not_refitting(projector: Projector, flag: str, folder: Path | None, request: Request) -> None:
    """Raise where a fitted projector is to be used and options are given that only fitting one could heed."""
    names = {field.name.replace("_", "-") for field in fields(projector)}
    given = request.given & {*names, *(name_apart(projector.kind, name) for name in names)}
    if given and folder is not None:
        problem = f"{flag} {folder} is fitted already, and --{min(given)} would be ignored"
        raise UsageError(f"{problem}: leave one of them out.")
