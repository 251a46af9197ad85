"""What a component leaves behind while it works: nothing on the terminal, in the working directory, in the process."""

import contextlib
import io
import os
import random
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np


@contextlib.contextmanager
def check_traces(name: str, is_movable: bool = True) -> Iterator[None]:
    """Assert that the block leaves no trace of itself; it runs in an empty folder where it may be moved there."""
    environment = dict(os.environ)
    before, home, printed = _read_process(), Path.cwd(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder if is_movable else home)
        try:
            with contextlib.redirect_stdout(printed), _watch_seeding() as seeded:
                yield
            left = sorted(path.name for path in Path(folder).iterdir())
        finally:
            os.chdir(home)
    assert not printed.getvalue(), f"{name} prints {printed.getvalue()[:60]!r}: log to the logger `canarygan` instead."
    assert not seeded, f"{name} changes the seed of random: draw from random.Random(seed)."
    where = "in the working directory: write into the folder that it is given"
    assert not left, f"{name} leaves {', '.join(left)} {where}."
    after = _read_process()
    for what, value in before.items():
        assert value == after[what], f"{name} changes {what}: {ADVICE.get(what, 'leave it as it was')}."
    kept = {key: os.environ.get(key) for key in environment}
    assert kept == environment, f"{name} changes the environment: pass what others need as arguments."


ADVICE = {
    "the seed of numpy": "draw from numpy.random.default_rng(seed)",
    "the seed of torch": "draw from a torch.Generator, or seed within torch.random.fork_rng",
}
"""What to do instead."""


@contextlib.contextmanager
def _watch_seeding() -> Iterator[list[Any]]:
    """What `random.seed` is called with meanwhile. Others draw from it, so its state tells nothing."""
    seeded: list[Any] = []
    seed = random.seed

    def note(*arguments: Any, **options: Any) -> None:
        seeded.append(arguments)
        seed(*arguments, **options)

    random.seed = note
    try:
        yield seeded
    finally:
        random.seed = seed


def _read_process() -> dict[str, Any]:
    """What belongs to the whole process, in a form that can be compared."""
    state: dict[str, Any] = {
        "the seed of numpy": repr(np.random.get_state(legacy=False)),  # noqa: NPY002 it is looked at, not drawn from
        "the handling of Ctrl-C": signal.getsignal(signal.SIGINT),
    }
    if "torch" in sys.modules:
        state["the seed of torch"] = sys.modules["torch"].initial_seed()
    return state
