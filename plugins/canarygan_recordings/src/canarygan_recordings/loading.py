"""A set of recordings as clips: surveyed, cut stretch by stretch, and kept in the cache."""

import hashlib
import json
import logging
import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import SILENT, Filter, Problem, archives
from canarygan_core.clips import Clips, count_labels, fit_length
from canarygan_core.console import log, track
from canarygan_core.datasets import cache
from canarygan_core.errors import CanaryganError
from canarygan_core.plugins.options import to_json
from canarygan_recordings.sounds import Ear, read_stretches
from canarygan_recordings.survey import Notes, Segments, refuse, survey

if TYPE_CHECKING:
    from canarygan_recordings.dataset import Recordings

PEAK = 0.95
"""What a gain brings the peak of a clip, or of the set, to; full scale is 1."""

FORMAT = 1
"""Version of the cache's format and of how sounds are cut: another number, another key."""

CHUNK = 32
"""Stretches that are read from one opened recording before others have their turn."""

AHEAD = 8
"""Chunks that are read before they are asked for."""


def load(dataset: "Recordings") -> Clips:
    """The clips of a set, from the cache where they are in it.

    Raises:
        CanaryganError: where nothing is there to load, or the cache cannot be written.
        UnusableAudio: where something cannot be used.
    """
    segments = survey(dataset)
    place = cache.find_folder()
    if place.is_relative_to(segments.folder):
        raise CanaryganError(f"The cache {place} lies among the data: set CANARYGAN_CACHE to another folder.")
    options = {key: value for key, value in to_json(dataset).items() if key != "data_dir"}
    path = place / "recordings" / _compute_key(segments, options)
    entry = cache.read(path) or cache.build(path, lambda draft: _cut(draft, segments, dataset))
    for level, note in entry.about["notes"]:
        log.log(level, "%s: %s", dataset.data_dir, note)
    columns = ("recording", "onset", "offset", "start", "gain", "length", "peak")
    origin: dict[str, Any] = {"dataset": "recordings", "path": str(segments.folder), "options": options}
    origin |= dataset.origin
    origin["recordings"] = np.unique(entry.table["recording"]).tolist()
    origin["context"] = [dataset.before / 1000, dataset.after / 1000]
    return Clips(
        audio=entry.audio,
        rate=dataset.sampling_rate,
        labels=entry.table["labels"],
        sources=entry.table["sources"],
        facts={name: entry.table[name] for name in columns} | {"group": entry.table["recording"]},
        origin=origin | {"fingerprint": entry.about["fingerprint"]},
    )


def read_clips(segments: Segments, dataset: "Recordings") -> Iterator[tuple[int, NDArray[np.float32], float]]:
    """Each segment's number, its sound with the context asked for (samples,), and where that begins, seconds.

    A few stretches are read ahead of the caller, so that memory does not grow with the set.
    """
    filtering = Filter(dataset.highpass, dataset.lowpass, dataset.remove_mean)
    ear = Ear(dataset.sampling_rate, dataset.channel, filtering)
    starts = np.maximum(segments.onsets - dataset.before / 1000, 0)
    ends = segments.offsets + dataset.after / 1000
    bounds = [0, *(np.flatnonzero(np.diff(segments.which)) + 1).tolist(), len(segments)]
    chunks = [
        (first, min(first + CHUNK, stop)) for start, stop in pairwise(bounds) for first in range(start, stop, CHUNK)
    ]

    def read(chunk: tuple[int, int]) -> list[NDArray[np.float32]]:
        rows = slice(*chunk)
        spans = list(zip(starts[rows].tolist(), ends[rows].tolist(), strict=True))
        return read_stretches(segments.recordings[segments.which[chunk[0]]], spans, ear)

    with ThreadPoolExecutor(2) as pool:
        rest = iter(chunks)
        ahead = deque(pool.submit(read, one) for one in islice(rest, AHEAD))
        for chunk in track(chunks, "Cutting recordings"):
            sounds = ahead.popleft().result()
            ahead.extend(pool.submit(read, one) for one in islice(rest, 1))
            yield from zip(range(*chunk), sounds, starts[slice(*chunk)].tolist(), strict=True)


def name_sources(segments: Segments) -> list[str]:
    """What each segment is called: its recording, and its onset and offset in milliseconds."""
    columns = (segments.which.tolist(), (1000 * segments.onsets).tolist(), (1000 * segments.offsets).tolist())
    return [f"{segments.names[one]}@{onset:.1f}-{offset:.1f}" for one, onset, offset in zip(*columns, strict=True)]


def _cut(draft: Path, segments: Segments, dataset: "Recordings") -> None:
    """Write the three files of a cache entry."""
    samples = round(dataset.max_length * dataset.sampling_rate)
    archives.check_room(draft, 4 * samples * len(segments) * (2 if dataset.gain == "set" else 1), cache.ADVICE)
    rows: list[int] = []
    peaks: list[float] = []
    lengths: list[int] = []
    begins: list[float] = []
    problems: list[Problem] = []
    cut, digest = 0, hashlib.sha256()
    names = name_sources(segments)
    path = draft / "audio.npy"
    with cache.write_array(path, len(segments), samples) as stream:
        for row, sound, start in read_clips(segments, dataset):
            peak = float(np.abs(sound[:samples]).max()) if len(sound) else 0.0
            if not SILENT <= peak < math.inf:
                problems.append(Problem(names[row], "silent", "is silent", "Look at its annotation and --channel."))
                continue
            cut += len(sound) > samples + 1
            rows.append(row)
            peaks.append(peak)
            lengths.append(min(len(sound), samples))
            begins.append(start)
            clip = fit_length(sound[None], samples)
            content = (clip * np.float32(PEAK / peak) if dataset.gain == "clip" else clip).tobytes()
            digest.update(content)
            stream.write(content)
    refuse(problems, dataset, len(rows))
    measured = np.array(peaks)
    factors = np.ones_like(measured)
    if dataset.gain != "none":
        factors = PEAK / (measured if dataset.gain == "clip" else np.full_like(measured, measured.max()))
    if problems or dataset.gain == "set":
        cache.rewrite_array(path, len(rows), samples, factors[0] if dataset.gain == "set" else 1.0)
    recordings = np.array(segments.names)[segments.which[rows]]
    table: dict[str, NDArray[Any]] = {
        "labels": segments.labels[rows],
        "sources": np.array(names)[rows],
        "recording": recordings,
        "onset": segments.onsets[rows],
        "offset": segments.offsets[rows],
        "start": np.array(begins),
        "gain": factors.astype(np.float32),
        "length": np.array(lengths, np.int64),
        "peak": measured.astype(np.float32),
    }
    digest.update("\n".join([*table["labels"].tolist(), *table["sources"].tolist()]).encode())
    notes = [*segments.notes, *_note_clips(table["labels"], len(np.unique(recordings)), cut, len(problems), dataset)]
    cache.write_table(draft, table, fingerprint=digest.hexdigest(), notes=notes)


def _compute_key(segments: Segments, options: dict[str, Any]) -> str:
    """Name of a cache entry, from the options, the files' names, sizes and times, and the segments."""
    key = hashlib.sha256(json.dumps([FORMAT, str(segments.folder), options], sort_keys=True).encode())
    key.update(json.dumps([*segments.notes, *segments.labels.tolist()]).encode())
    key.update(segments.which.tobytes() + segments.onsets.tobytes() + segments.offsets.tobytes())
    for file in segments.files:
        for path in (file, file.with_suffix(".rec")):
            if path.is_file():
                stat = path.stat()
                key.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return key.hexdigest()


def _note_clips(labels: NDArray[np.str_], recordings: int, cut: int, unusable: int, dataset: "Recordings") -> Notes:
    """What is told of the clips that were cut."""
    counts = count_labels(labels)
    told = f"{len(labels)} clips of {len(counts)} classes from {recordings} recordings."
    notes = [
        (logging.INFO, 1, told),
        (logging.WARNING, cut, f"{cut} of {len(labels)} longer than {dataset.max_length:g} s: cut at the end."),
        (logging.WARNING, unusable, f"{unusable} silent segments left out."),
    ]
    return [(level, text) for level, count, text in notes if count]
