"""Options that several tasks share, as types of their parameters, which bring the flag and the help."""

import math
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from canarygan_core import Dataset, Slot
from canarygan_core.errors import UsageError

NEWEST = "Checkpoint, or the folder of a version, whose last one is taken; in a folder of runs, the newest version's."

Checkpoint = Annotated[Path, Parameter(alias="-x", help=NEWEST)]

LABELLING = "Folder of a trained decoder, or of several, that label the sounds; may be given again."

Decoders = Annotated[list[Path] | None, Parameter(alias="-y", help=LABELLING)]

Data = Annotated[Dataset | None, Slot(implied={"--data-dir": "folder", "-d": "folder"})]

SHOWN = "One to three coordinates, from 1, along which the space is shown first. [default: the first three]"

Axes = Annotated[list[int] | None, Parameter(consume_multiple=True, help=SHOWN)]

STAYING = "Where the other coordinates stay: a latent such as 0.1,-0.3,0.8. [default: the middle]"

Point = Annotated[str | None, Parameter(allow_leading_hyphen=True, help=STAYING)]

COMPUTING = "Where to compute: auto, cpu, cuda or mps."

Device = Annotated[str, Parameter(help=COMPUTING)]

BATCHES = (1, 10_000)
"""Sounds that may be computed at a time."""

SEEDS = (0, math.inf)
"""What a seed may be."""


def check_range(name: str, number: float, limits: tuple[int, float]) -> None:
    """Raise `UsageError` on a number of an option that is outside of its limits, both of which are allowed."""
    least, most = limits
    if not least <= number <= most:
        raise UsageError(f"--{name} is {number}: it may be {least} {'or more' if most == math.inf else f'to {most}'}.")
