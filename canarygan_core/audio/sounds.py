"""Sounds to decode: files, folders, archives, and stretches of long recordings, read a few at a time."""

import csv
import itertools
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from canarygan_core import audio
from canarygan_core.audio import Problem, archives
from canarygan_core.clips import fit_length
from canarygan_core.console import bar
from canarygan_core.errors import CanaryganError

log = logging.getLogger("canarygan")

BATCH = 256
"""Sounds read at a time."""

COORDINATES = ".umap.npz"
"""How the names of archives end that hold where sounds lie, not sounds; they lie beside those that do."""

LONGEST = 10
"""A file of more clip lengths than this is a recording, to be cut before it is decoded."""

Cuts = Mapping[str, Sequence[tuple[float, float]]]
"""By recording, onset and offset of its sounds in seconds; under the empty name where the table names none."""


@dataclass(frozen=True)
class Sound:
    """One sound to decode.

    Attributes:
        file: the file that holds it, as it was found.
        row: its number in the file, from 0.
        onset: where it starts in the file, seconds; for an archive, as if its sounds were laid end to end.
        offset: where it ends; NaN until the file is read.
        whole: whether it is all of its file.
    """

    file: str
    row: int = 0
    onset: float = 0.0
    offset: float = math.nan
    whole: bool = True


def collect(paths: Sequence[Path], cuts: Cuts | None = None) -> list[Sound]:
    """The sounds in files, folders (searched to the bottom, in the order of names) and archives.

    Raises:
        CanaryganError: where there is none, or the table of cuts does not fit the recordings.
    """
    if absent := [str(path) for path in paths if not path.exists()]:
        raise CanaryganError(f"There is no file and no folder at {', '.join(absent)}.")
    found: list[Path] = []
    for path in paths:
        inside = _searched(path) if path.is_dir() else [path]
        found += [file for file in inside if file not in found]
    recordings = [path for path in found if path.suffix.lower() != ".npz"]
    named = _assigned(recordings, cuts) if cuts is not None else {}
    sounds = []
    for path in found:
        if path.suffix.lower() == ".npz":
            x, rate = archive(path)
            length = x.shape[1] / rate
            sounds += [Sound(str(path), row, row * length, (row + 1) * length, False) for row in range(len(x))]
        elif cuts is not None:
            sounds += [Sound(str(path), row, *cut, False) for row, cut in enumerate(named[path])]
        else:
            sounds.append(Sound(str(path)))
    return sounds


def _searched(folder: Path) -> list[Path]:
    known = (*audio.SUFFIXES, ".npz")
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in known
        and not path.name.endswith(COORDINATES)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not found:
        raise CanaryganError(f"{folder} holds no sound to decode: no {', '.join(known)} in it.")
    return found


def archive(path: Path, *, again: bool = False) -> tuple[NDArray[np.float32], int]:
    """The sounds (n, samples) of a generation archive, memory-mapped, and their rate in Hz.

    Args:
        path: the archive.
        again: whether it was opened before, and all has been said of it.
    """
    content = archives.read(path)
    if "x" not in content:
        there = ", ".join(sorted(content)) or "nothing"
        raise CanaryganError(f"{path} holds no sounds: an archive from generate has x, this has {there}.")
    x = content["x"]
    if x.ndim != 2 or x.dtype.kind != "f" or 0 in x.shape:
        raise CanaryganError(
            f"{path} holds no sounds: its x is {x.dtype} {x.shape}, not numbers of shape (n, samples)."
        )
    if "rate" not in content and not again:
        log.info(f"{path} does not say its sampling rate; taking 16000 Hz.")
    return x, int(content["rate"]) if "rate" in content else 16000


def read_cuts(path: Path) -> Cuts:
    """A CSV table with the columns onset and offset in seconds and, for several recordings, file.

    Raises:
        CanaryganError: naming the line that cannot be used.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise CanaryganError(f"Cannot read the table --onsets {path}: {error}.") from None
    separator = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.DictReader(text.splitlines(), delimiter=separator, skipinitialspace=True)
    columns = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = columns
    if not {"onset", "offset"} <= set(columns):
        raise CanaryganError(
            f"{path} must have the columns onset and offset, in seconds; it has {', '.join(columns) or 'none'}."
        )
    cuts: dict[str, list[tuple[float, float]]] = {}
    for line, row in enumerate(reader, 2):
        try:
            onset, offset = float(row["onset"]), float(row["offset"])
        except (TypeError, ValueError):
            raise CanaryganError(
                f"{path}, line {line}: onset and offset must be numbers of seconds, such as 1.25."
            ) from None
        if not 0 <= onset < offset < math.inf:
            raise CanaryganError(
                f"{path}, line {line}: the onset {onset} must be 0 or more and before the offset {offset}."
            )
        cuts.setdefault((row.get("file") or "").strip(), []).append((onset, offset))
    if not cuts:
        raise CanaryganError(f"{path} holds no line below its header.")
    return cuts


def _assigned(recordings: Sequence[Path], cuts: Cuts) -> dict[Path, Sequence[tuple[float, float]]]:
    """The cuts of each recording, found by its path, name or stem."""
    if "" in cuts:
        if len(recordings) != 1 or len(cuts) > 1:
            raise CanaryganError(
                f"The table of --onsets names no file for {len(recordings)} recordings: it needs the column file."
            )
        return {recordings[0]: cuts[""]}
    made: dict[Path, Sequence[tuple[float, float]]] = {}
    used = set()
    for path in recordings:
        names = [name for name in (str(path), path.name, path.stem) if name in cuts]
        if not names:
            raise CanaryganError(
                f"The table of --onsets has no line for {path.name}; it names {', '.join(list(cuts)[:5])}."
            )
        made[path] = cuts[names[0]]
        used.add(names[0])
    if missing := sorted(cuts.keys() - used):
        raise CanaryganError(f"The table of --onsets names {missing[0]}, which is not among the files to decode.")
    return made


def clips_of(
    sounds: Sequence[Sound], rate: int, seconds: float, label: str = "decoding"
) -> Iterator[tuple[list[Sound], NDArray[np.float32], list[Problem]]]:
    """Batches of sounds with where they end, their audio (n, samples) at `rate`, and what cannot be used.

    Args:
        sounds: as `collect` found them.
        rate: sampling rate wanted, Hz.
        seconds: length of a clip: shorter sounds are padded with zeros at the end, longer ones cut at the end.
        label: what is being done, for the progress bar.
    """
    samples, cut, resampled = round(seconds * rate), 0, set()
    with bar(label, len(sounds)) as advance, ThreadPoolExecutor(4) as pool:
        for batch in _batches(sounds):
            if batch[0].file.lower().endswith(".npz"):
                heard, clips, problems = _from_archive(batch, rate)
            else:
                heard, clips, problems = [], [], []
                for result in pool.map(lambda sound: _from_file(sound, rate, seconds), batch):
                    if isinstance(result, Problem):
                        problems.append(result)
                    else:
                        heard.append(result[0])
                        clips.append(result[1])
                        if result[2] != rate:
                            resampled.add(result[2])
            cut += sum(len(clip) > samples + 1 for clip in clips)
            fitted = [fit_length(clip[None], samples) for clip in clips]
            yield heard, np.concatenate(fitted) if fitted else np.empty((0, samples), np.float32), problems
            advance(len(batch))
    if resampled:
        log.info(f"Sounds of {', '.join(map(str, sorted(resampled)))} Hz were resampled to {rate} Hz.")
    if cut:
        log.warning(f"{cut} of {len(sounds)} sounds are longer than {seconds:g} s, and only their beginning was heard.")


def _batches(sounds: Sequence[Sound]) -> Iterator[Sequence[Sound]]:
    """At most `BATCH` sounds at a time, those of an archive never with others."""
    start = 0
    while start < len(sounds):
        end = start + 1
        kind = sounds[start].file if sounds[start].file.lower().endswith(".npz") else ""
        while end < min(len(sounds), start + BATCH):
            other = sounds[end].file if sounds[end].file.lower().endswith(".npz") else ""
            if other != kind:
                break
            end += 1
        yield sounds[start:end]
        start = end


def _from_archive(batch: Sequence[Sound], rate: int) -> tuple[list[Sound], list[NDArray[np.float32]], list[Problem]]:
    x, own = archive(Path(batch[0].file), again=True)
    clips = np.asarray(x[batch[0].row : batch[-1].row + 1], np.float32)
    finite = np.isfinite(clips.max(1)) & np.isfinite(clips.min(1))  # (sounds,)
    problems = [
        Problem(f"{sound.file}#{sound.row}", "not-finite", "holds NaN or infinite samples", "Generate it again.")
        for sound in itertools.compress(batch, ~finite)
    ]
    heard = list(itertools.compress(batch, finite))
    return heard, list(audio.resampled(clips[finite], own, rate)) if heard else [], problems


def _from_file(sound: Sound, rate: int, seconds: float) -> tuple[Sound, NDArray[np.float32], int] | Problem:
    """A sound, its audio at `rate` and the rate of its file; or why it cannot be used."""
    path = Path(sound.file)
    if not sound.whole:
        return _stretch(sound, rate)
    try:
        recording = audio.read(path, rate, longest=LONGEST * seconds)
    except audio.UnusableAudio as error:
        problem = error.problems[0]
        if problem.kind == "too-long":
            advice = "Give a table of its sounds by --onsets."
            return Problem(problem.path, problem.kind, f"{problem.what}; {advice[0].lower()}{advice[1:-1]}", advice)
        return problem
    return Sound(sound.file, 0, 0.0, recording.seconds), recording.audio, recording.native_rate


def _stretch(sound: Sound, rate: int) -> tuple[Sound, NDArray[np.float32], int] | Problem:
    """A stretch of a long recording, which is never read whole."""
    try:
        with soundfile.SoundFile(sound.file) as stream:
            total = stream.frames / stream.samplerate
            if sound.onset >= total or sound.offset > total + 0.05:
                what = f"lasts {total:.3f} s, and the table asks for {sound.onset:g} to {sound.offset:g} s"
                return Problem(sound.file, "too-short", what, "Mend the table, or give the recording it is of.")
            stream.seek(round(sound.onset * stream.samplerate))
            data = stream.read(round((sound.offset - sound.onset) * stream.samplerate), dtype="float32", always_2d=True)
            own = int(stream.samplerate)
    except (OSError, soundfile.LibsndfileError) as error:
        return Problem(sound.file, "unreadable", f"cannot be read ({error})", "Copy it again from its source.")
    mono = data.mean(1, dtype=np.float32)
    if len(mono) == 0:
        return Problem(
            sound.file, "empty", f"has no sample from {sound.onset:g} to {sound.offset:g} s", "Mend the table."
        )
    if own != rate:
        mono = soxr.resample(mono, own, rate, quality="HQ")
    return sound, np.ascontiguousarray(mono), own
