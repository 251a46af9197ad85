"""In which order stimuli are played, and under which names."""

import itertools
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

LETTERS = "bcdfghjkmnpqrstvwxz"
"""Of which random names are made: no vowels, so that no word comes out, and none that is read as another."""

LENGTH = 6
"""Letters of a random name, of which there are 47 million."""


def draw_names(count: int, *seed: int) -> list[str]:
    """Distinct random names, the same for equal seeds."""
    rng, names = np.random.default_rng([1, *seed]), dict[str, None]()
    while len(names) < count:
        names["".join(rng.choice(list(LETTERS), LENGTH).tolist())] = None
    return list(names)


def tell_apart(names: Iterable[str]) -> list[str]:
    """Names, with a number behind each that is one before it, in any case of letters: on many disks they are one."""
    known: set[str] = set()
    apart = []
    for name in names:
        tries = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        apart.append(next(one for one in tries if _fold(one) not in known))
        known.add(_fold(apart[-1]))
    return apart


def _fold(name: str) -> str:
    """What a name is on a disk that tells neither the case of letters nor ways to write an accent."""
    return unicodedata.normalize("NFC", name.casefold())


def order_trials(count: int, repeats: int, *seed: int) -> list[list[int]]:
    """Stimuli by block, each once in every block, in an order that is drawn for it.

    So whenever one stops, no stimulus was played more than once more than another. Where there are two stimuli or
    more, a block does not begin with the one that the block before it ended with.
    """
    rng, blocks = np.random.default_rng([2, *seed]), list[list[int]]()
    for _ in range(repeats):
        block = rng.permutation(count).tolist()
        if blocks and count > 1 and block[0] == blocks[-1][-1]:
            other = int(rng.integers(1, count))
            block[0], block[other] = block[other], block[0]
        blocks.append(block)
    return blocks


def list_trials(files: Sequence[str], repeats: int, *seed: int) -> list[dict[str, Any]]:
    """The rows of trials.csv: number of the trial from 1, number of the block from 1, and the file that is played."""
    blocks = enumerate(order_trials(len(files), repeats, *seed), 1)
    played = [(block, files[row]) for block, rows in blocks for row in rows]
    return [{"trial": number, "block": block, "file": file} for number, (block, file) in enumerate(played, 1)]
