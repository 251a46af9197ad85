"""What lies in a folder of clips: which files, under which labels, and which of them can be used."""

import os
import unicodedata
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from canarygan_core import audio
from canarygan_core.audio import Problem, Recording
from canarygan_core.console import track
from canarygan_core.errors import CanaryganError, did_you_mean

LAYOUT = "Sound files go into one folder a class, named by its label: DATA_DIR/label/*.wav (or .flac, .ogg, .mp3)."

LONGEST = 10
"""A file of more clip lengths than this is a recording and not a syllable."""


@dataclass(frozen=True)
class Source:
    """One sound file.

    Attributes:
        label: the folder that it lies in.
        name: the file's own.
        path: where it is.
    """

    label: str
    name: str
    path: Path

    def __str__(self) -> str:
        return f"{self.label}/{self.name}"


@dataclass(frozen=True)
class Survey:
    """A folder of clips, files unopened.

    Attributes:
        folder: its absolute path.
        sources: the sound files by label, then name, whatever order the disk has them in.
        empty: labels of folders without a sound file.
        loose: count of sound files beside the class folders, which have no label.
        nested: count of sound files in folders below the class folders.
        others: count of other files, hidden ones left aside.
    """

    folder: Path
    sources: tuple[Source, ...]
    empty: tuple[str, ...]
    loose: int
    nested: int
    others: int

    @property
    def ignored(self) -> list[str]:
        """What was found and is not used, one sentence each."""
        said = []
        if self.loose:
            said.append(f"{_files(self.loose, 'sound')} beside the class folders ignored: without a folder, no label.")
        if self.nested:
            said.append(f"{_files(self.nested, 'sound')} deeper than DATA_DIR/label/ ignored.")
        if self.others:
            said.append(f"{_files(self.others, 'other')} ignored: not .wav, .flac, .ogg or .mp3.")
        return said


def survey(data_dir: Path) -> Survey:
    """List a folder of clips. Hidden files and folders count for nothing.

    Raises:
        CanaryganError: where there is no such folder, or nothing in it could be a clip.
    """
    folder = data_dir.expanduser().resolve()
    try:
        is_folder, is_file = folder.is_dir(), folder.is_file()
    except PermissionError:
        raise CanaryganError(f"Cannot look into {folder.parent}. Check its permissions.") from None
    if is_file:
        raise CanaryganError(f"{data_dir} is a file, not a folder. {LAYOUT}")
    if not is_folder:
        beside = _listing(folder.parent)[0] if folder.parent.is_dir() else []
        raise CanaryganError(
            f"There is no folder {data_dir}.{did_you_mean(folder.name, [near.name for near in beside])}"
        )
    sources: list[Source] = []
    empty: list[str] = []
    labels, loose, rest = _listing(folder)
    nested, others = 0, len(rest)
    for label in labels:
        deeper, found, rest = _listing(label)
        sources += [Source(_plain(label.name), _plain(path.name), path) for path in found]
        if not found:
            empty.append(_plain(label.name))
        others += len(rest)
        nested += sum(_count(path) for path in deeper)
    if not sources:
        raise CanaryganError(_nothing(data_dir, len(loose), nested, len(labels)))
    sources.sort(key=lambda source: (source.label, source.name, str(source.path)))
    return Survey(folder, tuple(sources), tuple(sorted(empty)), len(loose), nested, others)


def examine(
    sources: Sequence[Source], rate: int, max_length: float, label: str = "Reading clips"
) -> Iterator[tuple[Source, Recording | Problem]]:
    """Decode files in threads, a few ahead of the caller, and give them in order: each as a sound or as what is wrong.

    Args:
        sources: the files.
        rate: sampling rate wanted, Hz.
        max_length: length of a clip in seconds; of its `audio`, a recording keeps all.
        label: what the progress bar says.
    """
    workers = min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    ahead: deque[tuple[Source, Future[Recording | Problem]]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for source in track(sources, label):
            ahead.append((source, pool.submit(_examined, source, rate, max_length)))
            if len(ahead) >= 4 * workers:
                first, result = ahead.popleft()
                yield first, result.result()
        for first, result in ahead:
            yield first, result.result()
    finally:
        pool.shutdown(cancel_futures=True)


def needs_padding(recording: Recording, samples: int) -> bool:
    """Whether a recording is shorter than a clip; one sample is rounding."""
    return len(recording.audio) < samples - 1


def needs_cut(recording: Recording, samples: int) -> bool:
    """Whether a recording is longer than a clip; one sample is rounding."""
    return len(recording.audio) > samples + 1


def duplicates(digests: Mapping[str, str]) -> tuple[list[list[str]], list[list[str]]]:
    """Groups of files with the same bytes: those that lie in more than one class, and those within one.

    Args:
        digests: of each file, `label/name`, the digest of its bytes.
    """
    groups: dict[str, list[str]] = {}
    for name, digest in digests.items():
        groups.setdefault(digest, []).append(name)
    same = [group for group in groups.values() if len(group) > 1]
    across: list[list[str]] = []
    within: list[list[str]] = []
    for group in same:
        (across if len({name.partition("/")[0] for name in group}) > 1 else within).append(group)
    return across, within


def unit(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def _examined(source: Source, rate: int, max_length: float) -> Recording | Problem:
    try:
        recording = audio.read(source.path, rate, longest=LONGEST * max_length)
    except audio.UnusableAudio as error:
        problem = replace(error.problems[0], path=str(source))
        if problem.kind == "too-long":
            return replace(problem, advice="Cut it into syllables, or raise --max-length.")
        return problem
    kept = recording.audio[: round(max_length * rate)]
    if not np.abs(kept).max() >= audio.SILENT:
        what = f"is silent in its first {max_length:g} s at {rate} Hz, which is all that is kept"
        return Problem(str(source), "silent", what, "Remove it, or cut the silence off its start.")
    return recording


def _listing(folder: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """The folders, the sound files and the other files in a folder, hidden ones left out."""
    folders, sounds, others = [], [], []
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise CanaryganError(f"Cannot look into {folder}: {error.strerror}. Check its permissions.") from None
    for entry in entries:
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            continue
        if entry.is_dir():
            folders.append(entry)
        elif entry.suffix.lower() in audio.SUFFIXES and (entry.is_file() or not entry.exists()):
            sounds.append(entry)
        else:
            others.append(entry)
    return folders, sounds, others


def _count(folder: Path) -> int:
    """Sound files anywhere below a folder; links to folders are not followed."""
    return sum(
        Path(name).suffix.lower() in audio.SUFFIXES and not name.startswith(".")
        for _, _, names in os.walk(folder)
        for name in names
    )


def _plain(name: str) -> str:
    """A file's name as text that is the same on every system, and can be printed."""
    return unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "replace"))


def _files(count: int, kind: str) -> str:
    return unit(count, f"{kind} file")


def _nothing(data_dir: Path, loose: int, nested: int, labels: int) -> str:
    """Why a folder without clips has none."""
    if loose:
        why = f"{_files(loose, 'sound')} directly in it and none in a class folder, so nothing says what they are"
        return f"{data_dir} has {why}. {LAYOUT} For one class, move them all into one folder."
    if nested:
        return f"{data_dir} has {_files(nested, 'sound')} in folders too deep. {LAYOUT} Is a folder below it meant?"
    if labels:
        return f"{data_dir} has {unit(labels, 'folder')}, without a sound file in any. {LAYOUT}"
    return f"{data_dir} is empty. {LAYOUT}"
