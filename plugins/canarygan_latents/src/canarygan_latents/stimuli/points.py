"""The ends of a bridge, however they are given: as numbers, as a row of a file, as a label, or as a sound."""

import os.path
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import SUFFIXES
from canarygan_core.console import log, track
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.fitted import latents
from canarygan_core.fitted.decoders import TrainedDecoder
from canarygan_core.runs import files, tables
from canarygan_latents.opening import Opened
from canarygan_latents.stimuli.judging import check_labels, make_judge

DRAWN, BATCH = 2000, 100
"""Latents drawn to find the surest one of a label, and how many at a time."""

AT_ONCE = 16
"""Sounds whose latents are looked for side by side, at most."""

LONGEST = 40
"""Characters of a point's name."""

_ROW = re.compile(r"(.+):(\d{1,18})")


@dataclass(frozen=True, eq=False)
class Point:
    """One end of a bridge.

    Attributes:
        name: as it was given, or the end of that where it is long.
        latent: (d,).
    """

    name: str
    latent: NDArray[np.float32]


def pair(starts: Sequence[str], ends: Sequence[str], table: Path | None) -> list[tuple[str, str]]:
    """The two ends of each bridge, as they were given one by one, or in a table.

    Raises:
        UsageError: where they do not pair.
        CanaryganError: where there is no such table.
    """
    if table is not None:
        if starts or ends:
            raise UsageError("Give the ends of bridges by --from and --to, or by --pairs: one of the two.")
        return read_table(table)
    if not starts or len(starts) != len(ends):
        told = f"--from was given {len(starts)} and --to {len(ends)} times"
        raise UsageError(f"A bridge has two ends: {told}. Give as many of both, such as --from syll_1 --to syll_2.")
    return list(zip(starts, ends, strict=True))


def read_table(path: Path) -> list[tuple[str, str]]:
    """The ends of bridges in a CSV table of the columns `from` and `to`.

    Raises:
        CanaryganError: where it is no such table.
    """
    columns, rows = tables.parse_table(files.read_text(path), path)
    if not {"from", "to"} <= {*columns}:
        raise CanaryganError(f"{path} needs the columns from and to; it has {', '.join(columns) or 'none'}.")
    pairs = [(row["from"].strip(), row["to"].strip()) for row in rows]
    for number, pair in enumerate(pairs, 2):
        if not all(pair):
            raise CanaryganError(f"{path}, row {number}: one end is empty; each row needs from and to.")
    if not pairs:
        raise CanaryganError(f"{path} has no rows: each names the two ends of a bridge.")
    return pairs


class Reader:
    """Reads the ends of bridges of one model; equal words give equal points.

    Args:
        opened: the model.
        trained: decoders, for ends that are labels.
        seed: of the latents among which the surest one of a label is found.

    Attributes:
        files: by a name for the manifest, those that were read.
    """

    def __init__(self, opened: Opened, trained: Sequence[TrainedDecoder], seed: int) -> None:
        self.opened, self.trained, self.seed = opened, trained, seed
        self.files: dict[str, Path] = {}

    def read_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[Point, Point]]:
        """The two ends of each bridge.

        Raises:
            CanaryganError: on a word that means nothing here, or a bridge whose ends are one latent.
        """
        points = self.read([word for pair in pairs for word in pair])
        both = list(zip(points[::2], points[1::2], strict=True))
        for (start, end), words in zip(both, pairs, strict=True):
            if np.array_equal(start.latent, end.latent):
                raise CanaryganError(f"{words[0]} and {words[1]} are one latent: a bridge has two ends.")
        return both

    def read(self, words: Sequence[str]) -> list[Point]:
        """The points that these words mean.

        A word of as many numbers as the model has coordinates is a latent. The name of a file that is there is one of
        latents, with the row after a colon, or else a sound, whose latent is found. Any other word is a label.

        Raises:
            CanaryganError: on a word that means nothing here.
        """
        sounds = [word for word in dict.fromkeys(words) if _is_sound(word)]
        others = {word: self._read_one(word) for word in dict.fromkeys(words) if word not in sounds}
        known = {word: latent for word, latent in others.items() if latent is not None}
        known |= self._find_surest([word for word in others if word not in known])
        if sounds:
            known |= zip(sounds, self._invert([Path(word) for word in sounds]), strict=True)
            self.files |= {f"sound {word}": Path(word) for word in sounds}
        return [Point(_shorten(word), known[word]) for word in words]

    def _read_one(self, word: str) -> NDArray[np.float32] | None:
        """The latent that numbers or a row of a file give; None where the word is a label of the decoders."""
        dim = self.opened.generator.latent_dim
        is_label = any(word in one.classes for one in self.trained)
        if (numbers := _parse_numbers(word)) is not None and not os.path.exists(word):
            if len(numbers) == dim and np.isfinite(numbers).all():
                return numbers
            if not is_label:  # classes may be numbered
                raise UsageError(f"{word}: this checkpoint wants {dim} finite numbers joined by commas.")
        found = _ROW.fullmatch(word)
        path, row = (Path(found[1]), int(found[2])) if found and not os.path.exists(word) else (Path(word), None)
        if path.suffix.lower() in (".npy", ".npz"):
            return self._read_row(path, row)
        if path.suffix.lower() in SUFFIXES and not is_label:
            raise CanaryganError(f"There is no sound file {word}.")
        if not self.trained:
            ways = f"{dim} numbers joined by commas, FILE.npy:ROW, a sound file, or with decoders (-y) a label"
            raise UsageError(f"{word!r} names no latent: give {ways}.")
        check_labels([word], self.trained)
        return None

    def _read_row(self, path: Path, row: int | None) -> NDArray[np.float32]:
        rows = latents.read(path, self.opened.generator.latent_dim)
        if row is None and len(rows) > 1:
            raise UsageError(f"{path} holds {len(rows)} latents: name one by its row, such as {path}:0.")
        if (row or 0) >= len(rows):
            raise UsageError(f"{path}:{row} is not there: it holds {len(rows)} latents, numbered from 0.")
        self.files[f"latents {path}"] = path
        latent: NDArray[np.float32] = rows[row or 0]
        return latent

    def _find_surest(self, labels: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """For each label, the latent of those drawn whose sound decoders are surest of."""
        best = self._search() if labels else {}
        if absent := [label for label in labels if label not in best]:
            raise CanaryganError(
                f"{absent[0]} has no region in the latent space: of {DRAWN} latents decoders call no sound so. "
                "Give another --seed, or train the model for longer."
            )
        return {label: best[label][1] for label in labels}

    def _search(self) -> dict[str, tuple[float, NDArray[np.float32]]]:
        generator, best = self.opened.generator, dict[str, tuple[float, NDArray[np.float32]]]()
        judge = make_judge(self.trained, generator.rate)
        drawn = latents.draw_for(generator, DRAWN, seed=self.seed)
        for start in track(range(0, DRAWN, BATCH), "finding the surest latents"):
            part = drawn[start : start + BATCH]
            verdict = judge(generator.generate(part))
            given, likeness = verdict.labels.tolist(), verdict.likeness.tolist()
            for latent, label, certain in zip(part, given, likeness, strict=True):
                if certain > best.get(label, (0.0, latent))[0]:
                    best[label] = (certain, latent)
        return best

    def _invert(self, paths: Sequence[Path]) -> list[NDArray[np.float32]]:
        """The latents whose sounds are nearest to those of files, as `invert` finds them; how near is logged."""
        from canarygan_latents.inversion import inverting, listening
        from canarygan_latents.inversion.measuring import Measure

        learning = listening.find_learning(self.opened, None)
        sounds = np.concatenate([listening.collect([path], learning).audio for path in paths])
        measure = Measure(self.opened.generator.rate, learning.is_level_free)
        search = inverting.Search(batch_size=min(len(sounds), AT_ONCE), seed=self.seed)
        found = inverting.invert(self.opened.generator, sounds, measure, search)
        for path, error, blind in zip(paths, found.error, found.random_error, strict=True):
            log.info(f"{path}: the nearest latent is {error:.2f} dB from it; one drawn blindly {blind:.2f} dB.")
        return list(found.z)


def _is_sound(word: str) -> bool:
    return Path(word).suffix.lower() in SUFFIXES and os.path.isfile(word)


def _parse_numbers(word: str) -> NDArray[np.float32] | None:
    """The numbers in a word, joined by commas; None where it is something else."""
    try:
        return np.array([float(part) for part in word.split(",")], np.float32)
    except ValueError:
        return None


def _shorten(word: str) -> str:
    """A word, or the end of a long one, which tells files of one folder apart."""
    return word if len(word) <= LONGEST else f"...{word[3 - LONGEST :]}"
