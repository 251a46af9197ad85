"""Writes any dataset as the folder of WAV files that the folder dataset reads."""

import os
import re
import secrets
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from canarygan_core.components import Answer, Dataset, Slot
from canarygan_core.console import track
from canarygan_core.errors import CanaryganError

if TYPE_CHECKING:
    from canarygan_core.clips import Clips


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
    names = _names(clips)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        draft.mkdir()
        try:
            clipped = _write(clips, names, draft)
            _check_target(target, save_dir)
            if target.exists():
                target.rmdir()
            os.rename(draft, target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise CanaryganError(f"Cannot write to {save_dir}: {error.strerror}.") from error
    text = f"Wrote {len(clips)} clips of {len(clips.classes)} classes, {clips.rate} Hz, to {save_dir}."
    if clipped:
        text += f" {clipped} exceed full scale and were clipped."
    data = {"path": str(target), "clips": len(clips), "classes": clips.classes, "rate": clips.rate, "clipped": clipped}
    return Answer(f"{text} Next: canarygan check-data -d {save_dir}", data)


def _check_target(target: Path, save_dir: Path) -> None:
    """Raise where writing to a folder would lose what is there."""
    if target.exists() and not target.is_dir():
        raise CanaryganError(f"--save-dir {save_dir} is a file. Name a folder that is not there yet.")
    if target.is_dir() and any(target.iterdir()):
        raise CanaryganError(f"--save-dir {save_dir} is not empty. Name a folder that is not there yet.")
    if target == Path.cwd():
        raise CanaryganError("--save-dir is the folder you are in. Name a folder that is not there yet.")


def _names(clips: "Clips") -> list[str]:
    """Where each clip goes, `label/NNNN.wav`, numbered from 0 in each class."""
    if clips.labels is None:
        raise CanaryganError("The dataset has no labels, and each clip goes into the folder of its label.")
    if not len(clips):
        raise CanaryganError("The dataset has no clips.")
    for label in clips.classes:
        if re.search(r'[/\\:*?"<>|\x00-\x1f]', label) or label != label.strip(" .") or not label:
            raise CanaryganError(f"The label {label!r} cannot be the name of a folder.")
    seen: Counter[str] = Counter()
    names = []
    for label in clips.labels.tolist():
        names.append(f"{label}/{seen[label]:04d}.wav")
        seen[label] += 1
    return names


def _write(clips: "Clips", names: list[str], draft: Path) -> int:
    """Write the clips below a folder; gives how many exceeded full scale."""
    import numpy as np

    from canarygan_core import audio

    clipped = 0
    for sound, name in zip(clips.audio, track(names, "Writing clips"), strict=True):
        audio.write(draft / name, sound, clips.rate)
        clipped += bool(np.abs(sound).max() > 1)
    return clipped
