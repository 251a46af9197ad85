"""Songs to work on: recordings taken apart by a table, by an annotation, or else by how they sound."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from canarygan_core.audio.sounds import Sound, collect_sounds, list_recordings, split_long
from canarygan_core.audio.stretches import Stretches, is_table, read_stretches
from canarygan_core.console import log
from canarygan_core.errors import CanaryganError


def collect_songs(
    paths: Sequence[Path],
    onsets: Path | None,
    annotator: Any,
    *,
    seconds: float,
    context: tuple[float, float] = (0.0, 0.0),
    channel: int | None = None,
) -> list[Sound]:
    """The sounds in files, folders and archives, recordings taken apart.

    Args:
        paths: as `collect_sounds` takes them.
        onsets: a table of stretches, or an annotation that the annotator reads; None finds the sounds in what is
            longer than a clip, where there is an annotator.
        annotator: knows annotations, or None.
        seconds: length of a clip.
        context: sound that is read before an onset and after an offset, seconds.
        channel: in which sounds are found, from 1; None leaves it to the annotator.

    Raises:
        CanaryganError: where there is no sound, or the table does not fit the recordings.
    """
    if onsets is not None:
        sounds = collect_sounds(paths, _read_onsets(paths, onsets, annotator))
    else:
        sounds = collect_sounds(paths)
        if annotator is not None:
            sounds, split, empty = split_long(sounds, seconds, partial(annotator.find, channel=channel))
            if split:
                _tell(sounds, split, empty)
    before, after = context
    return [sound if sound.whole else replace(sound, before=before, after=after) for sound in sounds]


def _read_onsets(paths: Sequence[Path], onsets: Path, annotator: Any) -> Stretches:
    """The stretches in a table, or in an annotation of another format."""
    if annotator is None or is_table(onsets):
        return read_stretches(onsets)
    recordings = list_recordings(collect_sounds(paths))
    segments = annotator.read(onsets, recordings)
    return {str(path): [(onset, offset) for onset, offset, _ in found] for path, found in segments.items()}


def _tell(sounds: Sequence[Sound], split: Sequence[Path], empty: Sequence[Path]) -> None:
    """Say which recordings were taken apart, and that nothing sounds in some."""
    names = ", ".join([*(path.name for path in split[:3]), *(["..."] if len(split) > 3 else [])])
    count = sum(Path(sound.file) in set(split) for sound in sounds)
    log.info(f"{names}: longer than a clip, so {count} syllables were found in it first; --onsets takes your own.")
    if empty:
        log.warning(f"Nothing was found in {', '.join(str(path) for path in empty[:5])}.")
    if not sounds:
        raise CanaryganError(f"No syllable was found in {names}: give an annotation by --onsets.")
