"""Sequences of syllables: a first-order Markov chain with its gaps, learnt from annotated songs."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from canarygan_core.components import Segment
from canarygan_core.errors import CanaryganError

REST = ""
"""The state before the first syllable of a phrase, and after its last."""


@dataclass(frozen=True)
class Chain:
    """How often a syllable follows another, and after what gaps.

    Attributes:
        counts: of each label, how often each label follows; `REST` stands for the beginning and the end of a phrase.
        gaps: of each pair of labels, the gaps between them, seconds.
    """

    counts: Mapping[str, Mapping[str, int]]
    gaps: Mapping[tuple[str, str], Sequence[float]]

    @property
    def labels(self) -> list[str]:
        """All labels that a song may have."""
        return sorted({label for label in self.counts if label})

    def keep(self, labels: Sequence[str]) -> "Chain":
        """The chain of these labels alone; what followed another does so no more.

        Raises:
            CanaryganError: where nothing is left to begin with.
        """
        known = {REST, *labels}
        counts = {
            one: {other: count for other, count in row.items() if other in known}
            for one, row in self.counts.items()
            if one in known
        }
        if not any(counts.get(REST, {})):
            raise CanaryganError(f"No song begins with one of {', '.join(labels)}.")
        return Chain(counts, {pair: gaps for pair, gaps in self.gaps.items() if known.issuperset(pair)})

    def draw(self, count: int, pause: float, seed: int) -> tuple[list[str], list[float]]:
        """So many labels, and the gap in seconds after each but the last; where a phrase ends, the next begins.

        Args:
            count: of syllables.
            pause: gap between two phrases, seconds.
            seed: of the draw.
        """
        drawn = np.random.default_rng(seed)
        labels: list[str] = []
        gaps: list[float] = []
        while len(labels) < count:
            before = labels[-1] if labels else REST
            label = _draw_next(self.counts.get(before, {}), drawn) if labels else REST
            if label == REST:
                begins = {one: number for one, number in self.counts[REST].items() if one != REST}
                label, gap = _draw_next(begins, drawn), pause
            else:
                gap = float(drawn.choice(self.gaps[before, label]))
            if labels:
                gaps.append(gap)
            labels.append(label)
        return labels, gaps

    def to_json(self) -> dict[str, Any]:
        """The same for programs; `` is the beginning and the end of a phrase."""
        return {one: dict(row) for one, row in self.counts.items()}


def _draw_next(counts: Mapping[str, int], drawn: np.random.Generator) -> str:
    """What follows, as often as it does; the end where nothing is known to."""
    names, weights = list(counts), np.array(list(counts.values()), float)
    return str(drawn.choice(names, p=weights / weights.sum())) if names else REST


def learn_chain(songs: Sequence[Sequence[Segment]], pause: float) -> Chain:
    """Learn from songs, each in the order of onsets; a gap longer than the pause, in seconds, ends a phrase.

    Raises:
        CanaryganError: where there is no syllable.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    gaps: dict[tuple[str, str], list[float]] = defaultdict(list)
    for song in songs:
        before, end = REST, 0.0
        for onset, offset, label in song:
            gap = max(0.0, onset - end)
            if before != REST and gap > pause:
                counts[before][REST] += 1
                before = REST
            counts[before][label] += 1
            if before != REST:
                gaps[before, label].append(gap)
            before, end = label, offset
        if before != REST:
            counts[before][REST] += 1
    if not counts:
        raise CanaryganError("There is no labelled syllable to learn a sequence from.")
    return Chain(counts, gaps)


def read_songs(data_dir: Path) -> list[list[Segment]]:
    """The labelled segments of each annotated recording in a folder, seconds."""
    from canarygan_recordings.annotations.checking import check
    from canarygan_recordings.annotations.pairing import pair_folder
    from canarygan_recordings.sounds import read_header

    songs = []
    for pair in pair_folder(data_dir).pairs:
        header = read_header(pair.recording)
        one = check(pair.annotation, pair.name, header.rate, header.frames).annotation
        songs.append(list(zip(one.onsets.tolist(), one.offsets.tolist(), one.labels.tolist(), strict=True)))
    return songs
