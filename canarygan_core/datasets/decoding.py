"""A folder of clips, decoded once: fitted to one length, brought to a level, and kept in the cache."""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import Filter, Problem, UnusableAudio, archives
from canarygan_core.audio.problems import list_items
from canarygan_core.clips import Clips, fit_length
from canarygan_core.console import log, track
from canarygan_core.datasets import cache
from canarygan_core.datasets.findings import describe_duplicates, describe_few, find_duplicates, format_count
from canarygan_core.datasets.location import find_folder
from canarygan_core.datasets.survey import LAYOUT, Measured, Survey, examine, survey
from canarygan_core.errors import CanaryganError

PEAK = 0.95
"""What a gain brings the peak of a clip, or of the set, to; full scale is 1."""

FORMAT = 1
"""Version of the cache's format and of how sounds are decoded: another number, another key."""

Options = Mapping[str, Any]
"""Those of the folder dataset but for the folder: `sampling_rate` (Hz), `max_length` (s), `gain`, `channel`,
`min_per_class`, `skip_unusable`, and those of `Filter`."""


def load(data_dir: Path, options: Options, check: str) -> Clips:
    """The clips of a folder, from the cache where they are in it.

    Args:
        data_dir: holds one folder of sound files a class.
        options: of the dataset.
        check: the command that reports on the folder.

    Raises:
        CanaryganError: where the folder holds nothing to load, or the cache cannot be written.
        UnusableAudio: where files cannot be used.
    """
    files = survey(data_dir, options["min_per_class"])
    place = find_folder()
    if place.is_relative_to(files.folder):
        raise CanaryganError(f"The cache {place} lies among the data: set CANARYGAN_CACHE to another folder.")
    path = place / "folder" / _compute_key(files, options)
    entry = cache.read(path) or cache.build(path, lambda draft: _decode(draft, files, options, check))
    for level, note in entry.about["notes"]:
        log.log(level, "%s: %s", data_dir, note)
    about = {"path": str(files.folder), "options": options, "fingerprint": entry.about["fingerprint"]}
    return Clips(
        audio=entry.audio,
        rate=options["sampling_rate"],
        labels=entry.table["labels"],
        sources=entry.table["sources"],
        facts={name: entry.table[name] for name in ("gain", "length", "peak")},
        origin={"dataset": "folder", **about, **_get_filter(options).origin},
    )


def check_files(clips: Clips) -> str:
    """What is wrong with the files of loaded clips, whose contents are read again; empty where nothing is.

    A load knows a file by its size and time, so that it does not see a bit that the disk lost.
    """
    folder, sources = Path(clips.origin["path"]), set(() if clips.sources is None else clips.sources.tolist())
    digests = {}
    for source in track(survey(folder).sources, "reading files"):
        if str(source) in sources:
            with open(source.path, "rb") as stream:
                digests[str(source)] = hashlib.file_digest(stream, "sha256").hexdigest()
    if _compute_fingerprint(digests) == clips.origin["fingerprint"]:
        return ""
    return f"The sound files in {folder} are not those that were decoded, though their sizes and times are."


def _compute_fingerprint(digests: Mapping[str, str]) -> str:
    """The fingerprint of files, from the digests of their contents by name."""
    lines = "".join(f"{name}\0{digest}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _get_filter(options: Options) -> Filter:
    return Filter(options["highpass"], options["lowpass"], options["remove_mean"])


def _compute_key(files: Survey, options: Options) -> str:
    """Name of a cache entry, from the folder's place, its files' names, sizes, rights and times, and the options."""
    key = hashlib.sha256(json.dumps([FORMAT, str(files.folder), options, files.empty], sort_keys=True).encode())
    key.update(json.dumps(files.notes).encode())
    for source in files.sources:
        try:
            stat = source.path.stat()
            key.update(f"{source}\0{stat.st_size}\0{stat.st_mode}\0{stat.st_mtime_ns}\n".encode())
        except OSError:
            key.update(f"{source}\0missing\n".encode())
    return key.hexdigest()


def _decode(draft: Path, files: Survey, options: Options, check: str) -> None:
    """Write the three files of a cache entry."""
    rate, max_length, gain = options["sampling_rate"], options["max_length"], options["gain"]
    samples = round(max_length * rate)
    archives.check_room(draft, 4 * samples * len(files.sources) * (2 if gain == "set" else 1), cache.ADVICE)
    decoded: list[Measured] = []
    problems: list[Problem] = []
    path = draft / "audio.npy"
    listening: dict[str, Any] = {"channel": options["channel"], "filtering": _get_filter(options)}
    with cache.write_array(path, len(files.sources), samples) as stream:
        for source, result in examine(files.sources, rate, max_length, "Decoding clips", **listening):
            if isinstance(result, Problem):
                problems.append(result)
                continue
            decoded.append(Measured.of(source, result, samples))
            clip = fit_length(result.audio[None], samples)
            stream.write((clip * np.float32(PEAK / decoded[-1].peak) if gain == "clip" else clip).tobytes())
    _check_problems(problems, files, check, skip=options["skip_unusable"])
    peaks = np.array([one.peak for one in decoded])
    factors = {"none": np.ones_like(peaks), "clip": PEAK / peaks, "set": np.full_like(peaks, PEAK / peaks.max())}[gain]
    if problems or gain == "set":
        cache.rewrite_array(path, len(peaks), samples, factors[0] if gain == "set" else 1.0)
    table: dict[str, NDArray[Any]] = {
        "labels": np.array([one.source.label for one in decoded]),
        "sources": np.array([str(one.source) for one in decoded]),
        "gain": factors.astype(np.float32),
        "length": np.array([one.length for one in decoded], np.int64),
        "peak": peaks.astype(np.float32),
    }
    digests = {str(one.source): one.file.digest for one in decoded}
    notes = _describe(files, decoded, problems, options)
    notes += [(logging.WARNING, warning) for warning in describe_duplicates(*find_duplicates(digests))]
    cache.write_table(draft, table, fingerprint=_compute_fingerprint(digests), notes=notes)


def _check_problems(problems: Sequence[Problem], files: Survey, check: str, *, skip: bool) -> None:
    """Raise for files that cannot be used, where they are not to be left out or nothing else is there."""
    total, remedy = len(files.sources), "remove them, or leave them out with --skip-unusable."
    if (skip or not (problems or files.empty)) and len(problems) < total:
        return
    empty = ""
    if files.empty and not skip:
        folders = format_count(len(files.empty), "class folder")
        empty = f"{files.folder} has {folders} without a sound file: {', '.join(files.empty)}. "
    if not problems:
        raise CanaryganError(f"{empty}{LAYOUT} Fill or {remedy}")
    heading = f"{empty}{len(problems)} of {format_count(total, 'file')} in {files.folder} cannot be used:"
    advice = f"Mend or {remedy}" if len(problems) < total else "None is left to load."
    raise UnusableAudio(problems, heading, f"{advice} For a full report: {check}")


def _describe(
    files: Survey, decoded: Sequence[Measured], problems: Sequence[Problem], options: Options
) -> list[tuple[int, str]]:
    """What the user is told of a set at each load: a level of `logging`, and a sentence."""
    total, length = len(decoded), f"{options['max_length']:g} s"
    labels = {one.source.label for one in decoded}
    few = describe_few(Counter(one.source.label for one in decoded))
    padded, cut = (sum(one.fit == fit for one in decoded) for fit in (-1, 1))
    over = sum(one.peak > 1 for one in decoded) if options["gain"] == "none" else 0
    left_out = "\n".join([f"{format_count(len(problems), 'file')} left out as unusable:", *list_items(problems)])
    without = ", ".join(label for label in files.labels if label not in labels)
    notes = (
        (logging.INFO, total, f"{format_count(total, 'clip')} of {format_count(len(labels), 'class', 'classes')}."),
        (logging.INFO, padded, f"{padded} of {total} shorter than {length}: padded with zeros at the end."),
        (logging.WARNING, cut, f"{cut} of {total} longer than {length}: cut at the end."),
        (logging.WARNING, over, f"{over} of {total} exceed full scale, as --gain none leaves them."),
        *((logging.INFO, 1, note) for note in files.notes),
        (logging.WARNING, len(few), f"{few}."),
        (logging.WARNING, len(problems), left_out),
        (logging.WARNING, len(without), f"no clip, so no class: {without}."),
    )
    return [(level, sentence) for level, count, sentence in notes if count]
