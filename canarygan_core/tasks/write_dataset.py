"""Writes any dataset as the folder of WAV files that the folder dataset reads."""

import itertools
import re
from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import Parameter

from canarygan_core import audio
from canarygan_core.clips import Clips
from canarygan_core.components import Answer, Dataset, Slot
from canarygan_core.console import track
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError
from canarygan_core.plugins.options import spell
from canarygan_core.runs.files import replace_folder


def write_dataset(
    *,
    dataset: Annotated[Dataset, Slot("synthetic")],
    save_dir: Annotated[Path, Parameter(alias="-s")],
) -> Answer:
    """Write a dataset as a folder of 16-bit WAV files.

    Args:
        dataset: The dataset, name.
        save_dir: Folder to make, which gets one folder a class: SAVE_DIR/label/NNNN.wav, path.
    """
    target = save_dir.expanduser().resolve()
    _check_target(target, save_dir)
    clips = dataset.load()
    names = _choose_names(clips)
    with replace_folder(target) as draft:
        for clip, name in zip(clips.audio, track(names, "Writing clips"), strict=True):
            audio.write(draft / name, clip, clips.rate)
        _check_target(target, save_dir)
    clipped = int(sum((np.abs(batch.audio).max(1) > 1).sum() for batch in clips.batches(256)))
    text = f"Wrote {len(clips)} clips of {len(clips.classes)} classes, {clips.rate} Hz, to {save_dir}."
    if clipped:
        text += f" {clipped} exceed full scale and were clipped."
    data = {"path": str(target), "clips": len(clips), "classes": clips.classes, "rate": clips.rate, "clipped": clipped}
    heard = {"sampling_rate": clips.rate, "max_length": clips.samples / clips.rate, **clips.origin.get("filter", {})}
    written = Folder(data_dir=save_dir, **heard)
    return Answer(f"{text} Next: canarygan check-data {spell(written)}", data)


def _check_target(target: Path, save_dir: Path) -> None:
    """Raise where writing to a folder would lose what is there."""
    reason = ""
    if target.is_dir():
        reason = "the folder you are in" if target == Path.cwd() else "not empty" if any(target.iterdir()) else ""
    elif target.exists():
        reason = "a file"
    if reason:
        raise CanaryganError(f"--save-dir {save_dir} is {reason}. Name a folder that is not there yet.")


def _choose_names(clips: Clips) -> list[str]:
    """Where each clip goes, `label/NNNN.wav`, numbered from 0 in each class."""
    if clips.labels is None:
        raise CanaryganError("The dataset has no labels, and each clip goes into the folder of its label.")
    if not len(clips):
        raise CanaryganError("The dataset has no clips.")
    for label in clips.classes:
        if re.search(r'[/\\:*?"<>|\x00-\x1f]', label) or label != label.strip(" .") or not label:
            raise CanaryganError(f"The label {label!r} cannot be the name of a folder.")
    numbers = {label: itertools.count() for label in clips.classes}
    return [f"{label}/{next(numbers[label]):04d}.wav" for label in clips.labels.tolist()]
