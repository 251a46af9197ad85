"""Bugs planted in any class: in its options, and in what it leaves behind in the process."""

import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from specimens import Level, broken

from canarygan_core.components import Metric


def undocumented():
    @dataclass(frozen=True)
    class Plain(Level):
        name: ClassVar[str] = "plain"

    return Plain


def named_option():
    @dataclass(frozen=True)
    class Named(Metric):
        """Level."""

        name: str = "named"

        def score(self, generated, reference):
            return {"x": 1.0}

    return Named


@dataclass(frozen=True)
class Odd(Level):
    """Level."""

    name: ClassVar[str] = "odd"

    nFft: int = 8
    """Window, samples."""


@dataclass(frozen=True)
class Unitless(Level):
    """Level."""

    name: ClassVar[str] = "unitless"

    sharpness: float = 1.0
    """Sharpness."""


def scoring(work):
    def score(self, generated, reference):
        work()
        return {"level": 1.0}

    return lambda: broken(Level, score=score)


TRACES = {
    "no docstring": (undocumented, "Plain has no docstring"),
    "name is a field": (named_option, r"Named.name is an option of the command line: annotate it"),
    "odd option": (lambda: Odd, "nFft makes no flag"),
    "no unit": (lambda: Unitless, r"Unitless.sharpness does not tell its unit in 'Sharpness\.'"),
    "prints": (scoring(lambda: print("scoring")), "Broken prints 'scoring"),  # noqa: T201 planted
    "seeds random": (scoring(lambda: random.seed(0)), "changes the seed of random"),
    "seeds numpy": (scoring(lambda: np.random.seed(0)), "changes the seed of numpy"),  # noqa: NPY002 planted
    "draws from numpy": (scoring(lambda: np.random.random()), "changes the seed of numpy"),  # noqa: NPY002 planted
    "leaves a file": (scoring(lambda: Path("scores.txt").write_text("1")), "leaves scores.txt in the working dir"),
    "changes the environment": (scoring(lambda: os.environ.update(HOME="/elsewhere")), "changes the environment"),
}
