"""A folder of clips, decoded once: fitted to one length, brought to a level, and kept in the cache."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import Problem, Recording, UnusableAudio, listed
from canarygan_core.clips import Clips
from canarygan_core.datasets import cache
from canarygan_core.datasets.survey import (
    LAYOUT,
    Source,
    Survey,
    duplicates,
    examine,
    needs_cut,
    needs_padding,
    survey,
    unit,
)
from canarygan_core.errors import CanaryganError

log = logging.getLogger("canarygan")

PEAK = 0.95
"""What a gain brings the peak of a clip, or of the set, to; full scale is 1."""

FORMAT = 1
"""Version of the cache's format and of how sounds are decoded: another number, another key."""


def load(data_dir: Path, *, rate: int, max_length: float, gain: str, skip_unusable: bool) -> Clips:
    """The clips of a folder, from the cache where they are in it.

    Args:
        data_dir: holds one folder of sound files a class.
        rate: sampling rate wanted, Hz.
        max_length: length of a clip, seconds.
        gain: `none`, `set` or `clip`.
        skip_unusable: leave out what cannot be used instead of raising.

    Raises:
        CanaryganError: where the folder holds nothing to load, or the cache cannot be written.
        UnusableAudio: where files cannot be used.
    """
    found = survey(data_dir)
    options = {"sampling_rate": rate, "max_length": max_length, "gain": gain, "skip_unusable": skip_unusable}
    entry = cache.folder() / "folder" / _key(found, options)
    if entry.is_relative_to(found.folder):
        raise CanaryganError(f"The cache {cache.folder()} lies among the data: set CANARYGAN_CACHE to another folder.")
    kept = cache.kept(entry) or cache.build(entry, lambda draft: _decode(draft, found, options))
    for level, note in kept.about["notes"]:
        log.log(level, "%s: %s", data_dir, note)
    return Clips(
        audio=kept.audio,
        rate=rate,
        labels=kept.table["labels"],
        sources=kept.table["sources"],
        facts={name: kept.table[name] for name in ("gain", "length", "peak")},
        origin={
            "dataset": "folder",
            "path": str(found.folder),
            "options": options,
            "fingerprint": kept.about["fingerprint"],
        },
    )


def _key(found: Survey, options: Mapping[str, Any]) -> str:
    """Name of a cache entry, from the folder's place, its files' names, sizes, rights and times, and the options."""
    key = hashlib.sha256(json.dumps([FORMAT, str(found.folder), options, found.empty], sort_keys=True).encode())
    key.update(json.dumps(found.ignored).encode())
    for source in found.sources:
        try:
            stat = source.path.stat()
            key.update(f"{source}\0{stat.st_size}\0{stat.st_mode}\0{stat.st_mtime_ns}\n".encode())
        except OSError:
            key.update(f"{source}\0missing\n".encode())
    return key.hexdigest()


@dataclass
class _Columns:
    """What is known of each clip so far."""

    sources: list[Source] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    padded: int = 0
    cut: int = 0

    def add(self, source: Source, recording: Recording, samples: int) -> NDArray[np.float32]:
        """Take a recording in; gives its clip (samples,), padded or cut, before gain."""
        kept = recording.audio[:samples]
        self.sources.append(source)
        self.peaks.append(float(np.abs(kept).max()))
        self.lengths.append(len(kept))
        self.digests[str(source)] = recording.digest
        self.padded += needs_padding(recording, samples)
        self.cut += needs_cut(recording, samples)
        return np.pad(kept, (0, samples - len(kept)))


def _decode(draft: Path, found: Survey, options: Mapping[str, Any]) -> None:
    """Write the three files of a cache entry."""
    rate, max_length, gain = options["sampling_rate"], options["max_length"], options["gain"]
    samples = round(max_length * rate)
    cache.check_room(draft, 4 * samples * len(found.sources) * (2 if gain == "set" else 1))
    columns, problems = _Columns(), []
    path = draft / "audio.npy"
    start = cache.blank(path, len(found.sources), samples)
    # plain writes: a memory map would count as this process's memory, and a full disk would kill it without a word
    with open(path, "r+b") as stream:
        stream.seek(start)
        for source, result in examine(found.sources, rate, max_length, "Decoding clips"):
            if isinstance(result, Problem):
                problems.append(result)
                continue
            clip = columns.add(source, result, samples)
            stream.write((clip * np.float32(PEAK / columns.peaks[-1]) if gain == "clip" else clip).tobytes())
    _refuse(problems, found, skip=options["skip_unusable"])
    peaks = np.array(columns.peaks)
    factors = {"none": np.ones_like(peaks), "clip": PEAK / peaks, "set": np.full_like(peaks, PEAK / peaks.max())}[gain]
    if problems or gain == "set":
        cache.rewrite(path, start, len(peaks), samples, factors[0] if gain == "set" else 1.0)
    labels = [source.label for source in columns.sources]
    table = {
        "labels": np.array(labels),
        "sources": np.array([str(source) for source in columns.sources]),
        "gain": factors.astype(np.float32),
        "length": np.array(columns.lengths, dtype=np.int64),
        "peak": peaks.astype(np.float32),
    }
    notes = _notes(found, columns, problems, options)
    cache.write(draft, table, fingerprint=_fingerprint(columns.digests), notes=notes)


def _refuse(problems: Sequence[Problem], found: Survey, *, skip: bool) -> None:
    """Raise for files that cannot be used, where they are not to be left out or nothing else is there."""
    empty = ""
    if found.empty and not skip:
        folders = unit(len(found.empty), "class folder")
        empty = f"{found.folder} has {folders} without a sound file: {', '.join(found.empty)}. "
    if empty and not problems:
        raise CanaryganError(f"{empty}{LAYOUT} Fill or remove them, or leave them out with --skip-unusable.")
    if not problems or (skip and len(problems) < len(found.sources)):
        return
    heading = f"{empty}{len(problems)} of {unit(len(found.sources), 'file')} in {found.folder} cannot be used:"
    if len(problems) == len(found.sources):
        advice = "None is left to load."
    else:
        advice = "Mend or remove them, or leave them out with --skip-unusable."
    raise UnusableAudio(problems, heading, f"{advice} For a full report: canarygan check-data -d {found.folder}")


def _notes(
    found: Survey, columns: _Columns, problems: Sequence[Problem], options: Mapping[str, Any]
) -> list[tuple[int, str]]:
    """What the user should hear of a set at each load: a level of `logging`, and a sentence."""
    total, length = len(columns.sources), f"{options['max_length']:g} s"
    labels = {source.label for source in columns.sources}
    notes = [(logging.INFO, f"{unit(total, 'clip')} of {unit(len(labels), 'class', 'classes')}.")]
    if columns.padded:
        notes.append(
            (logging.INFO, f"{columns.padded} of {total} shorter than {length}: padded with zeros at the end.")
        )
    if columns.cut:
        notes.append((logging.WARNING, f"{columns.cut} of {total} longer than {length}: cut at the end."))
    if options["gain"] == "none" and (over := sum(peak > 1 for peak in columns.peaks)):
        notes.append((logging.WARNING, f"{over} of {total} exceed full scale, as --gain none leaves them."))
    notes += [(logging.INFO, said) for said in found.ignored]
    if problems:
        lines = "\n".join([f"{unit(len(problems), 'file')} left out as unusable:", *listed(problems)])
        notes.append((logging.WARNING, lines))
    without = sorted(({source.label for source in found.sources} | set(found.empty)) - labels)
    if without:
        notes.append((logging.WARNING, f"no clip, so no class: {', '.join(without)}."))
    across, within = duplicates(columns.digests)
    for groups, where in ((across, "in more than one class, so one label is wrong"), (within, "within a class")):
        if groups:
            lines = "\n".join([f"{unit(len(groups), 'sound')} found more than once {where}:", *pairs(groups)])
            notes.append((logging.WARNING, lines))
    return notes


def pairs(groups: Sequence[Sequence[str]], shown: int = 5) -> list[str]:
    """One indented line a group of equal files, for the first of them, and a count of the rest."""
    lines = ["  " + " = ".join(group[:4]) + (" = ..." if len(group) > 4 else "") for group in groups[:shown]]
    return lines + ([f"  ... and {len(groups) - shown} more"] if len(groups) > shown else [])


def _fingerprint(digests: Mapping[str, str]) -> str:
    """SHA-256 over the names and contents of the files: the same wherever, whenever and in whatever order they lie."""
    lines = "".join(f"{name}\0{digest}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
