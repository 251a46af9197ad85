"""Which annotation is of which recording: by the name that the annotation states, or else by its own."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import soundfile

from canarygan_core.audio import Problem
from canarygan_core.audio.listing import printable, walk_folder
from canarygan_core.errors import CanaryganError
from canarygan_recordings.annotations.reading import find_format, read
from canarygan_recordings.annotations.segments import Annotation

SUFFIXES = tuple(
    sorted({f".{name.lower()}" for name in soundfile.available_formats()} | {".aif", ".cbin", ".oga"} - {".raw"})
)
"""Endings of the names of recordings, in lower case: those that libsndfile reads, and evTAF's."""

ENDINGS = {
    "aud-bbox": (".txt",),
    "aud-seq": (".txt",),
    "birdsong-recognition-dataset": (".xml",),
    "generic-seq": (".csv",),
    "notmat": (".not.mat",),
    "raven": (".txt",),
    "simple-seq": (".csv",),
    "textgrid": (".textgrid",),
    "timit": (".phn", ".wrd"),
    "yarden": (".mat",),
}
"""How the names of files of each format end, in lower case."""


NAMING = frozenset({"birdsong-recognition-dataset", "generic-seq", "yarden"})
"""Formats whose files name the recordings that they are of."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A recording and what is annotated in it.

    Attributes:
        recording: its file.
        name: its path below the data's folder, which is what it is called in tables.
        annotation: its segments.
    """

    recording: Path
    name: str
    annotation: Annotation


@dataclass(frozen=True, eq=False)
class Collection:
    """The recordings of a folder and their annotations.

    Attributes:
        folder: the data's absolute path.
        pairs: in the order of names.
        lonely: names of recordings without annotation.
        problems: what is wrong.
        notes: what the user is told, a level of `logging` and a sentence each.
    """

    folder: Path
    pairs: tuple[Pair, ...]
    lonely: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[tuple[int, str], ...] = field(default=())


def pair_folder(data_dir: Path, annotations: Path | None = None, format: str = "", tier: str = "") -> Collection:
    """Find the recordings in a folder, to the bottom, and the annotations beside them or elsewhere.

    Args:
        data_dir: holds the recordings.
        annotations: a file, or a folder of files; None looks in `data_dir`.
        format: of the annotations; empty finds that of each.
        tier: see `reading.read`.

    Raises:
        CanaryganError: where there is no recording, or no annotation.
    """
    folder = data_dir.expanduser().resolve()
    if not folder.is_dir():
        raise CanaryganError(f"There is no folder {data_dir}.")
    sounds, others, forks = list_files(folder)
    if not sounds:
        raise CanaryganError(
            f"{data_dir} holds no recording: no file whose name ends in .wav, .flac, .cbin or the like."
        )
    files = _list_annotations(others, annotations, format)
    if not files:
        where = annotations or data_dir
        raise CanaryganError(
            f"{where} holds no annotation of its {len(sounds)} recordings: give it by --annotations, and its --format "
            "where that cannot be told. Without one, canarygan segment finds the syllables."
        )
    found: list[Annotation] = []
    problems: list[Problem] = []
    for path in files:
        try:
            found += read(path, format, tier)
        except CanaryganError as error:
            what = str(error).removeprefix(str(path)).strip().rstrip(".")
            problems.append(Problem(_name(path, folder), "unreadable", what, "Mend it, or take it away."))
    return _assign(folder, sounds, found, problems, forks)


def holds_annotations(data_dir: Path) -> bool:
    """Whether a folder holds recordings and annotations rather than a folder of clips for each class.

    That is: a recording and an annotation lie directly in it, or recordings lie below and an annotation that names them
    does.
    """
    try:
        entries = [path for path in data_dir.expanduser().iterdir() if not path.name.startswith((".", "__MACOSX"))]
        listed = [path for path in entries if path.is_file() and path.suffix.lower() not in SUFFIXES]
        formats = {*map(find_format, listed)} - {""}
        if not formats:
            return False
        if any(path.suffix.lower() in SUFFIXES for path in entries):
            return True
        if formats.isdisjoint(NAMING):
            return False
        below = (inner for path in entries if path.is_dir() for inner in path.iterdir())
        return any(path.suffix.lower() in SUFFIXES for path in below)
    except OSError:
        return False


def list_files(folder: Path) -> tuple[list[Path], list[Path], int]:
    """The recordings in a folder, its other files, and how many files `._NAME` macOS has left, which are neither."""
    sounds: list[Path] = []
    others: list[Path] = []
    forks = 0
    for listing in walk_folder(folder, SUFFIXES):
        sounds += listing.sounds
        others += listing.others
        forks += sum(path.name.startswith("._") for path in listing.folder.iterdir())
    return sorted(sounds), sorted(others), forks


def _list_annotations(others: Sequence[Path], place: Path | None, format: str) -> list[Path]:
    """The files that are annotations, of the format where one is given."""
    if place is not None:
        home = place.expanduser().resolve()
        if not home.exists():
            raise CanaryganError(f"There is no annotation at --annotations {place}.")
        if home.is_file():
            return [home]
        others = list_files(home)[1]
    if format:
        return [path for path in others if path.name.lower().endswith(ENDINGS[format])]
    return [path for path in others if find_format(path)]


def _assign(
    folder: Path, sounds: Sequence[Path], found: Sequence[Annotation], problems: list[Problem], forks: int
) -> Collection:
    """Give each recording its annotation, and note what is left over."""
    names = {path: _name(path, folder) for path in sounds}
    index = _index(sounds)
    assigned: dict[Path, list[Annotation]] = defaultdict(list)
    strays: list[str] = []
    for one in found:
        matches = find_recordings(one, index)
        if len(matches) > 1:
            which = ", ".join(names[path] for path in matches[:3])
            what = f"may be of {which}: its name does not tell which"
            problems.append(Problem(_name(one.path, folder), "missing", what, "Put it beside its recording."))
        elif matches:
            assigned[matches[0]].append(one)
        else:
            strays.append(f"{_name(one.path, folder)} ({one.recording})" if one.recording else _name(one.path, folder))
    pairs = []
    for path in sounds:
        several = assigned.get(path, [])
        if len(several) > 1:
            files = " and ".join(dict.fromkeys(_name(one.path, folder) for one in several))
            what = f"has {len(several)} annotations, in {files}"
            problems.append(Problem(names[path], "missing", what, "Choose by --format or --annotations."))
        elif several:
            pairs.append(Pair(path, names[path], several[0]))
    lonely = tuple(names[path] for path in sounds if path not in assigned)
    notes = (
        (logging.WARNING, len(lonely), f"{_count(lonely, 'recording')} without annotation left out"),
        (logging.WARNING, len(strays), f"{_count(strays, 'annotation')} without recording left out"),
    )
    told = [(level, text) for level, count, text in notes if count]
    if forks:
        told.append((logging.INFO, f"{forks} files ._NAME ignored, which macOS leaves and which hold no sound."))
    if not pairs and not problems:
        recordings, annotations = _count(lonely, "recording"), _count(strays, "annotation")
        advice = "An annotation belongs to the recording that it names, or whose name it has: song.wav and song.txt."
        raise CanaryganError(
            f"{folder} has no recording with its annotation; left over: {recordings}; {annotations}. {advice}"
        )
    return Collection(folder, tuple(pairs), lonely, tuple(problems), tuple(told))


Index = Mapping[str, Sequence[Path]]
"""Recordings by their name and by their stem, in lower case."""


def _index(sounds: Iterable[Path]) -> Index:
    index: dict[str, list[Path]] = defaultdict(list)
    for path in sounds:
        for key in dict.fromkeys((path.name.lower(), path.stem.lower())):
            index[key].append(path)
    return index


def find_recordings(one: Annotation, index: Index) -> Sequence[Path]:
    """The recordings that an annotation may be of: those in its own folder, or else all of the name.

    `song.wav.txt`, `song.txt` and `song.Table.1.selections.txt` may all be of `song.wav`.
    """
    name = (one.recording.replace("\\", "/").rpartition("/")[2] or one.path.name).lower()
    while name:
        if name in index:
            near = [path for path in index[name] if path.parent == one.path.parent]
            return near or index[name]
        name = name.rpartition(".")[0]
    return []


def index_recordings(sounds: Iterable[Path]) -> Index:
    """What `find_recordings` looks in."""
    return _index(sounds)


def _name(path: Path, folder: Path) -> str:
    """A path as it is told: from the folder where it lies in it."""
    return printable(path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path))


def _count(names: Sequence[str], noun: str) -> str:
    """How many there are, and the first of them."""
    shown = ", ".join([*names[:3], *(["..."] if len(names) > 3 else [])])
    return f"{len(names)} {noun}{'' if len(names) == 1 else 's'}" + (f" ({shown})" if names else "")
