"""What lies in a folder of clips: which files, under which labels, and which of them can be used."""

import math
import os
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from canarygan_core import audio
from canarygan_core.audio import NOTHING, Problem, Recording
from canarygan_core.audio.listing import list_folder, printable, resolve
from canarygan_core.audio.soundfiles import LONGEST
from canarygan_core.console import track
from canarygan_core.datasets.findings import format_count, shorten
from canarygan_core.errors import CanaryganError, did_you_mean

LAYOUT = "Sound files go into one folder a class, named by its label: DATA_DIR/label/*.wav (or .flac, .ogg, .mp3)."

REJECTED = "X"
"""What decoders and maps call a sound that is of no class, so that no class can have the name."""

CONVERTED = (".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64", ".opus", ".oga", ".m4a", ".aac", ".wma", ".mp4")
"""Endings of the names of sound files that are to be converted first."""

AHEAD = 32
"""Files that are read before the caller asks for them, at most."""


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


@dataclass(frozen=True, eq=False)
class Measured:
    """What is kept of a usable file.

    Attributes:
        source: which file.
        file: the recording, without its audio.
        length: of the clip before it is padded, samples.
        peak: of the clip, before gain.
        fit: -1 where the file is shorter than a clip and is padded, 1 where it is longer and is cut; one sample is
            rounding.
        sound: length of what sounds in the file, seconds; NaN where nobody asked.
        low: share of the clip's energy at low frequencies; NaN where nobody asked.
    """

    source: Source
    file: Recording
    length: int
    peak: float
    fit: int
    sound: float = math.nan
    low: float = math.nan

    @classmethod
    def of(cls, source: Source, recording: Recording, samples: int) -> "Measured":
        """What is kept of a recording, of which a clip takes so many samples."""
        clip, length = recording.audio[:samples], len(recording.audio)
        fit = int(length > samples + 1) - int(length < samples - 1)
        return cls(source, replace(recording, audio=clip[:0].copy()), len(clip), float(np.abs(clip).max()), fit)


@dataclass(frozen=True)
class Survey:
    """A folder of clips, files unopened.

    Attributes:
        folder: its absolute path.
        sources: the sound files by label, then name, whatever order the disk has them in.
        empty: labels of folders without a sound file.
        ignored: counts of what is no clip: `beside`, sound files beside the class folders, which have no label;
            `nested`, sound files in folders below the class folders; `other`, other files, hidden ones left out.
        endings: of the names of other files, in lower case, with how many there are of each.
        small: classes that are left out for their few files, with how many each has.
    """

    folder: Path
    sources: tuple[Source, ...]
    empty: tuple[str, ...]
    ignored: Mapping[str, int]
    endings: Mapping[str, int]
    small: Mapping[str, int]

    @property
    def labels(self) -> list[str]:
        """The names of all class folders, sorted."""
        return sorted({source.label for source in self.sources} | set(self.empty))

    @property
    def notes(self) -> list[str]:
        """What is ignored, one sentence each."""
        sentences = (
            ("beside", "sound file", "beside the class folders ignored: without a folder, no label."),
            ("nested", "sound file", "deeper than DATA_DIR/label/ ignored."),
            ("other", "other file", f"ignored: not .wav, .flac, .ogg or .mp3 ({_tally(self.endings)})."),
        )
        counts = self.ignored
        notes = [f"{format_count(counts[name], kind)} {reason}" for name, kind, reason in sentences if counts[name]]
        left_out = shorten([f"{label} ({size})" for label, size in self.small.items()], ", ", 8)
        return notes + ([f"left out for their few files: {left_out}."] if self.small else [])


def survey(data_dir: Path, least: int = 1) -> Survey:
    """List a folder of clips. Hidden files and folders are left out, and links to folders are followed.

    Args:
        data_dir: the folder.
        least: classes of fewer files are left out, and noted.

    Raises:
        CanaryganError: where there is no such folder, or nothing in it could be a clip.
    """
    folder = resolve(data_dir)
    _check_folder(folder, data_dir)
    sources: list[Source] = []
    empty: list[str] = []
    ignored = {"beside": 0, "nested": 0, "other": 0}
    top = list_folder(folder)
    ignored["beside"], ignored["other"] = len(top.sounds), len(top.others)
    others = list(top.others)
    for listing in (list_folder(inner) for inner in top.folders if resolve(inner) != folder):
        label = printable(listing.folder.name)
        others += listing.others
        sources += [Source(label, printable(path.name), path) for path in listing.sounds]
        empty += [] if listing.sounds else [label]
        ignored["nested"] += sum(map(_count_sounds, listing.folders))
        ignored["other"] += len(listing.others)
    endings = dict(Counter(printable(path.suffix.lower()) or "no ending" for path in others).most_common())
    if not sources:
        raise CanaryganError(f"{data_dir} {_explain_nothing(ignored, len(empty), endings)}")
    if REJECTED in {source.label for source in sources}:
        reason = f"{REJECTED} is what a sound is called that is of no class"
        raise CanaryganError(f"{data_dir} has a class folder named {REJECTED}, and {reason}: give it another name.")
    sources.sort(key=lambda source: (source.label, source.name, str(source.path)))
    sizes = Counter(source.label for source in sources)
    small = {label: size for label, size in sizes.items() if size < least}
    if len(small) == len(sizes):
        most = max(sizes, key=sizes.__getitem__)
        raise CanaryganError(f"--min-per-class {least}: no class in {data_dir} has so many; {most} has {sizes[most]}.")
    kept = tuple(source for source in sources if source.label not in small)
    return Survey(folder, kept, tuple(sorted(empty)), ignored, endings, small)


def examine(
    sources: Sequence[Source], rate: int, max_length: float, label: str = "Reading clips", **listening: Any
) -> Iterator[tuple[Source, Recording | Problem]]:
    """Decode files in threads, a few ahead of the caller, and give them in order: each as a sound or as what is wrong.

    Args:
        sources: the files.
        rate: sampling rate wanted, Hz.
        max_length: length of a clip in seconds; a longer recording keeps all of its `audio`.
        label: what the progress bar says.
        listening: further arguments of `audio.read`: `channel`, `filtering`, `inspect`.
    """
    read = partial(_read, rate=rate, max_length=max_length, listening=listening)
    with ThreadPoolExecutor(8) as pool:
        rest = iter(sources)
        ahead = deque(pool.submit(read, one) for one in islice(rest, AHEAD))
        for source in track(sources, label):
            result = ahead.popleft().result()
            ahead.extend(pool.submit(read, one) for one in islice(rest, 1))
            yield source, result


def _count_sounds(folder: Path) -> int:
    """Sound files below a folder; links to folders are not followed, and what cannot be read is left out."""
    count, waiting = 0, [] if folder.is_symlink() else [folder]
    while waiting:  # a folder may lie deeper than Python may call itself
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                else:
                    count += Path(entry.name).suffix.lower() in audio.SUFFIXES and not entry.name.startswith(".")
    return count


def _read(source: Source, rate: int, max_length: float, listening: Mapping[str, Any]) -> Recording | Problem:
    try:
        recording = audio.read(source.path, rate, longest=LONGEST * max_length, **listening)
    except audio.UnusableAudio as error:
        problem = replace(error.problems[0], path=str(source))
        if problem.kind == "too-long":
            return replace(problem, advice="Cut it into syllables, or raise --max-length.")
        return problem
    if not np.abs(recording.audio[: round(max_length * rate)]).max() >= audio.SILENT:
        flags = listening.get("filtering", NOTHING).flags
        filtered = f" with{flags}" if flags else ""
        what = f"is silent in its first {max_length:g} s at {rate} Hz{filtered}, which is all that is kept"
        return Problem(str(source), "silent", what, "Remove it, or cut the silence off its start.")
    return recording


def _check_folder(folder: Path, data_dir: Path) -> None:
    """Raise where there is no folder; `data_dir` is what the user called it."""
    try:
        if folder.is_dir():
            return
        is_file = folder.is_file()
    except PermissionError:
        raise CanaryganError(f"Cannot look into {folder.parent}. Check its permissions.") from None
    except OSError as error:
        raise CanaryganError(f"There is no folder {data_dir} ({error.strerror}).") from None
    if is_file:
        raise CanaryganError(f"{data_dir} is a file, not a folder. {LAYOUT}")
    beside = list_folder(folder.parent).folders if folder.parent.is_dir() else []
    hint = did_you_mean(folder.name, [path.name for path in beside])
    raise CanaryganError(f"There is no folder {data_dir}.{hint}")


def _tally(endings: Mapping[str, int]) -> str:
    """`12 .aiff, 3 .txt`, the commonest first."""
    return shorten([f"{count} {ending}" for ending, count in endings.items()], ", ", 4)


def _explain_nothing(ignored: Mapping[str, int], labels: int, endings: Mapping[str, int]) -> str:
    """Why a folder without clips has none, to be read after its name."""
    beside, nested = (format_count(ignored[name], "sound file") for name in ("beside", "nested"))
    if ignored["beside"]:
        reason = f"has {beside} directly in it and none in a class folder, so nothing says what they are"
        return f"{reason}. {LAYOUT} For one class, move them all into one folder."
    if ignored["nested"]:
        return f"has {nested} in folders too deep. {LAYOUT} Is a folder below it meant?"
    if endings:
        known = next((ending for ending in endings if ending in CONVERTED), "")
        advice = f" Convert them first, such as by ffmpeg -i NAME{known} NAME.wav." if known else ""
        if ".cbin" in endings:
            advice = " Files of evTAF (.cbin) hold recordings: cut their syllables out first, as canarygan cut does."
        return f"holds no file that is read as sound, but {_tally(endings)}.{advice} {LAYOUT}"
    if labels:
        return f"has {format_count(labels, 'folder')}, without a sound file in any. {LAYOUT}"
    return f"is empty. {LAYOUT}"
