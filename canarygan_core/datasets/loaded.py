"""Clips that a dataset has loaded, told in the terms in which the files of a folder are."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from canarygan_core.audio import SILENT, Problem, Recording
from canarygan_core.audio.inspection import inspect, stays_at
from canarygan_core.clips import Clips
from canarygan_core.console import track
from canarygan_core.datasets.survey import Source, Survey

UNLABELLED = "(no label)"
"""What stands in the place of labels that are not known."""

LOUD = 0.999
"""Sample at which a sound that stays there counts as clipped; full scale is 1."""


def survey_clips(clips: Clips, name: str) -> Survey:
    """The clips of a dataset as `survey` tells the files of a folder, in the order of the clips.

    Args:
        clips: what it loads.
        name: its own.
    """
    labels = [UNLABELLED] * len(clips) if clips.labels is None else clips.labels.tolist()
    names = [f"clip {row}" for row in range(len(clips))] if clips.sources is None else clips.sources.tolist()
    sources = [
        Source(label, one.removeprefix(f"{label}/"), Path(one)) for label, one in zip(labels, names, strict=True)
    ]
    folder = Path(str(clips.origin.get("path", name)))
    return Survey(folder, tuple(sources), (), {"beside": 0, "nested": 0, "other": 0}, {}, {})


def examine_clips(clips: Clips, found: Survey) -> Iterator[tuple[Source, Recording | Problem]]:
    """Each clip as a recording of its own, or as what is wrong with it, as `examine` gives those of files."""
    for row, source in enumerate(track(found.sources, "Checking clips")):
        sound = np.array(clips.audio[row])
        if not np.isfinite(sound).all():
            yield source, Problem(str(source), "not-finite", "holds NaN or infinite samples", "Mend the dataset.")
            continue
        peak = float(np.abs(sound).max())
        if peak < SILENT:
            yield source, Problem(str(source), "silent", "is silent", "Leave it out of the dataset.")
            continue
        data, digest = sound[:, None], hashlib.sha256(sound.tobytes()).hexdigest()
        rms, clipped = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))), stays_at(data, LOUD)
        looks = inspect(data, clips.rate, "FLOAT", clips.rate)
        about = (clips.rate, clips.rate, 1, len(sound), "clip", "FLOAT", peak, rms, clipped, digest, looks)
        yield source, Recording(sound, *about)
