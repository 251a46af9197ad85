"""Sounds to work on: files, folders, archives, and stretches of long recordings, read a few at a time."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import audio
from canarygan_core.audio import Filter, Hearing, Problem, UnusableAudio, archives, evtaf
from canarygan_core.audio.listing import is_there
from canarygan_core.audio.opening import open_recording
from canarygan_core.audio.soundfiles import LONGEST, read_stretch
from canarygan_core.audio.stretches import Stretches, assign_stretches
from canarygan_core.clips import Clips, fit_length
from canarygan_core.console import log, show_bar
from canarygan_core.errors import CanaryganError
from canarygan_core.runs.files import suggest_near

BATCH = 256
"""Sounds read at a time."""

ARCHIVE = ".npz"
"""How the names of generation archives end, in lower case."""

SUFFIXES = (*audio.SUFFIXES, evtaf.SUFFIX)
"""How the names of files that are read as sounds end, in lower case."""


@dataclass(frozen=True)
class Sound:
    """One sound.

    Attributes:
        file: the file that holds it, as it was given or listed.
        row: its number in the file, from 0.
        onset: where it starts in the file, seconds; for an archive, as if its sounds were laid end to end.
        offset: where it ends, seconds; NaN until the file is read.
        whole: whether it is all of its file.
        before: sound of the file that is read before its onset, seconds.
        after: sound of the file that is read after its offset, seconds.
    """

    file: str
    row: int = 0
    onset: float = 0.0
    offset: float = math.nan
    whole: bool = True
    before: float = 0.0
    after: float = 0.0


Clip = tuple[Sound, NDArray[np.float32], int]
"""A sound with its end, its audio (samples,) and the sampling rate of its file in Hz."""


def collect_sounds(paths: Sequence[Path], stretches: Stretches | None = None) -> list[Sound]:
    """The sounds in files, folders (searched to the bottom, in the order of names) and generation archives.

    An archive of coordinates and no sounds, as `umap` leaves beside that of a generation, is passed over where it is
    not the only path.

    Raises:
        CanaryganError: where there is none, or the table of stretches does not fit the recordings.
    """
    if absent := [path for path in paths if not is_there(path)]:
        near = suggest_near(absent[0]) if len(absent) == 1 else ""
        advice = near or f" Give sound files ({', '.join(SUFFIXES)}), folders of them, or {ARCHIVE} archives."
        raise CanaryganError(f"There is no file and no folder at {', '.join(map(str, absent))}.{advice}")
    files = list(dict.fromkeys(file for path in paths for file in _list_files(path)))
    if len(paths) > 1 or paths[0].is_dir():
        archived = {file: set(archives.read(file)) for file in files if is_archive(file)}
        passed = [file for file, names in archived.items() if "coordinates" in names and "x" not in names]
        files = [file for file in files if file not in passed]
        if passed:
            log.info(f"Passed over, for they hold coordinates and no sounds: {', '.join(map(str, passed))}.")
        if not files:
            raise CanaryganError(f"{', '.join(map(str, paths))} holds no sound, only coordinates.")
    files = _drop_copies(files)
    recordings = [file for file in files if not is_archive(file)]
    assigned = assign_stretches(recordings, stretches) if stretches is not None else {}
    sounds = []
    for file in files:
        if is_archive(file):
            x, rate = archives.read_sounds(file)
            length = x.shape[1] / rate
            sounds += [Sound(str(file), row, row * length, (row + 1) * length, False) for row in range(len(x))]
        elif stretches is not None:
            sounds += [Sound(str(file), row, *stretch, False) for row, stretch in enumerate(assigned[file])]
        else:
            sounds.append(Sound(str(file)))
    return sounds


def list_recordings(sounds: Iterable[Sound]) -> list[Path]:
    """The files of sounds that are no archives, each once."""
    return [Path(file) for file in dict.fromkeys(sound.file for sound in sounds) if not is_archive(file)]


def split_long(
    sounds: Sequence[Sound], seconds: float, find: Callable[[Path], Sequence[tuple[float, float, str]]]
) -> tuple[list[Sound], list[Path], list[Path]]:
    """Put, in place of each file that lasts longer than a clip, what sounds in it.

    Args:
        sounds: as `collect_sounds` gives them.
        seconds: length of a clip.
        find: gives the segments of a recording: onset and offset in seconds, and a label that is not looked at.

    Returns:
        The sounds; the recordings that were split; and those of them in which nothing sounds, which bring none.
    """
    result: list[Sound] = []
    split: list[Path] = []
    empty: list[Path] = []
    for sound in sounds:
        path = Path(sound.file)
        if not sound.whole or is_archive(path) or not _is_longer(path, seconds):
            result.append(sound)
            continue
        found = find(path)
        split.append(path)
        empty += [] if found else [path]
        result += [Sound(sound.file, row, onset, offset, False) for row, (onset, offset, _) in enumerate(found)]
    return result, split, empty


def _is_longer(path: Path, seconds: float) -> bool:
    """Whether a file lasts longer than so many seconds; what cannot be read is told of when it is."""
    try:
        with open_recording(path) as sound:
            return bool(sound.frames > round(seconds * sound.samplerate) + 1)
    except UnusableAudio:
        return False


def _drop_copies(files: Sequence[Path]) -> list[Path]:
    """The files without those that `generate --wav` wrote of an archive among them: its sounds would count twice."""
    archived = {file.with_suffix("").absolute() for file in files if is_archive(file)}
    copies = [file for file in files if file.absolute().parent in archived]
    if copies:
        log.info(f"{len(copies)} WAV files passed over: they are the sounds of an archive beside their folder.")
    return [file for file in files if file not in set(copies)]


def _list_files(path: Path) -> list[Path]:
    """The sound files and archives in a folder; a file alone."""
    if not path.is_dir():
        return [path]
    suffixes = (*SUFFIXES, ARCHIVE)
    files = audio.list_sounds(path, suffixes)
    if not files:
        raise CanaryganError(f"{path} holds no sound: no {', '.join(suffixes)} in it.")
    return files


def is_archive(file: Path | str) -> bool:
    """Whether a file is an archive, by its name."""
    return str(file).lower().endswith(ARCHIVE)


def read_clips(
    sounds: Sequence[Sound],
    hearing: Hearing,
    label: str = "decoding",
    *,
    strict: bool = False,
    channel: int | None = None,
    longest: float | None = None,
) -> Iterator[tuple[list[Sound], Clips, list[Problem]]]:
    """Batches of sounds with where they end, as clips that are heard, and what cannot be used.

    Args:
        sounds: as `collect_sounds` gives them.
        hearing: of what hears them.
        label: what is being done, for the progress bar.
        strict: whether what cannot be used is raised, batch by batch, by a task that takes no stretches.
        channel: the channel of each file to take, from 1; None averages all.
        longest: a longer file is a recording that cannot be used, seconds; None is `LONGEST` clips.

    Raises:
        UnusableAudio: where `strict` is set.
    """
    rate, samples, cut, rates = hearing.rate, hearing.samples, 0, set[int]()
    longest = LONGEST * hearing.seconds if longest is None else longest
    listening: dict[str, Any] = {"channel": channel, "filtering": hearing.filtering}
    remedy = "cut its sounds out first, as `canarygan cut` does" if strict else "give a table of its sounds by --onsets"
    with show_bar(label, len(sounds)) as advance, ThreadPoolExecutor(4) as pool:
        for batch in _split(sounds):
            if is_archive(batch[0].file):
                results = _read_rows(batch, rate, hearing.filtering)
            else:
                read = partial(_read_file, rate=rate, longest=longest, remedy=remedy, **listening)
                results = list(pool.map(read, batch))
            problems = [result for result in results if isinstance(result, Problem)]
            if strict and problems:
                raise UnusableAudio(problems, "", "Mend or remove them.")
            clips = [result for result in results if not isinstance(result, Problem)]
            cut += sum(len(clip) > samples + 1 for _, clip, _ in clips)
            rates.update(native for sound, _, native in clips if not is_archive(sound.file))
            fitted = [fit_length(clip[None], samples) for _, clip, _ in clips]
            batched = np.concatenate(fitted) if fitted else np.empty((0, samples), np.float32)
            found = [sound for sound, _, _ in clips]
            sources = np.array([f"{sound.file}#{sound.row}" for sound in found], np.str_)
            yield found, Clips(batched, rate, sources=sources, origin=hearing.filtering.origin), problems
            advance(len(batch))
    if others := sorted(rates - {rate}):
        log.info(f"Sounds of {', '.join(map(str, others))} Hz were resampled to {rate} Hz.")
    if cut:
        length = f"longer than {hearing.seconds:g} s"
        log.warning(f"{cut} of {len(sounds)} sounds are {length}, and only their beginning was read.")


def _split(sounds: Sequence[Sound]) -> Iterator[list[Sound]]:
    """At most `BATCH` sounds at a time, those of an archive never with others."""
    for _, group in itertools.groupby(sounds, lambda sound: sound.file if is_archive(sound.file) else ""):
        members = list(group)
        for start in range(0, len(members), BATCH):
            yield members[start : start + BATCH]


def _read_rows(batch: Sequence[Sound], rate: int, filtering: Filter) -> list[Clip | Problem]:
    """Consecutive rows of an archive, at `rate`, or why they cannot be used."""
    x, native = archives.read_sounds(Path(batch[0].file), should_log=False)
    rows = np.asarray(x[batch[0].row : batch[-1].row + 1], np.float32)
    finite = np.isfinite(rows.max(1)) & np.isfinite(rows.min(1))  # (sounds,)
    clips = iter(audio.convert(rows[finite], native, rate, filtering))
    return [
        (sound, next(clips), native)
        if usable
        else Problem(f"{sound.file}#{sound.row}", "not-finite", "holds NaN or infinite samples", "Generate it again.")
        for sound, usable in zip(batch, finite, strict=True)
    ]


def _read_file(sound: Sound, rate: int, longest: float, remedy: str, **listening: Any) -> Clip | Problem:
    """A file, or a stretch of one, at `rate`; or why it cannot be used, with the remedy for one that is too long."""
    path = Path(sound.file)
    try:
        if not sound.whole:
            onset, offset = max(0.0, sound.onset - sound.before), sound.offset + sound.after
            return sound, *read_stretch(path, rate, onset, offset, **listening)
        recording = audio.read(path, rate, longest=longest, **listening)
    except UnusableAudio as error:
        (problem,) = error.problems
        if problem.kind == "too-long":
            return replace(problem, what=f"{problem.what}; {remedy}", advice="")
        return problem
    return replace(sound, offset=recording.seconds), recording.audio, recording.native_rate
