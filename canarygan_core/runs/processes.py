"""The processes of one training: rank 0 opens the run, and the others join it."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files, locks
from canarygan_core.runs.manifest import Manifest
from canarygan_core.runs.run import PREFIX, Run

log = logging.getLogger("canarygan")

ANNOUNCED = "CANARYGAN_RUN_VERSION"
"""Environment variable by which rank 0 tells the processes that it starts which version they belong to."""

PATIENCE = 300.0
"""Seconds that a process of rank above 0 waits for rank 0 to open the run."""


def get_rank() -> int:
    """This process's number among those of one training, 0 where it is alone."""
    for name in ("SLURM_PROCID", "RANK"):
        if name in os.environ:
            return int(os.environ[name])
    return max(int(os.environ.get(name, "0")) for name in ("NODE_RANK", "LOCAL_RANK"))


@contextmanager
def announce(run: Run) -> Iterator[None]:
    """Tell the processes that this one starts, or that its job started, which version they belong to."""
    os.environ[ANNOUNCED] = run.version
    note = _locate_note(run.save_dir)
    with ExitStack() as stack:
        stack.callback(os.environ.pop, ANNOUNCED)
        if note is not None:
            for other in note.parent.glob(".job-*"):
                if locks.is_held(other) is False:  # of a job that was killed
                    other.unlink(missing_ok=True)
            files.write_text(note, run.version)
            stack.callback(note.unlink, missing_ok=True)
            stack.enter_context(locks.hold(note))
        yield


@contextmanager
def join(save_dir: Path, version: str | None) -> Iterator[Run]:
    """The run that rank 0 opened, found by what rank 0 announced, or by its name. Only warnings are logged meanwhile.

    Args:
        save_dir: the folder of all versions.
        version: the version's name, or None where it is to be inferred.

    Raises:
        CanaryganError: where rank 0 does not open a run in time.
    """
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield _wait_for_run(save_dir, version)
    finally:
        log.setLevel(level)


def _wait_for_run(save_dir: Path, version: str | None) -> Run:
    deadline = time.monotonic() + PATIENCE
    name = os.environ.get(ANNOUNCED) or version
    note = _locate_note(save_dir)
    while name is None and note is not None and time.monotonic() < deadline:
        if note.is_file() and locks.is_held(note) is not False:  # rank 0 lives
            name = note.read_text(encoding="utf-8")
        else:
            time.sleep(0.2)
    if name is None:
        advice = "give all of them the same --version NAME"
        raise CanaryganError(f"A process of rank above 0 cannot infer the version: {advice}.")
    path = save_dir / "checkpoints" / f"{PREFIX}{name}" / "manifest.json"
    while not path.is_file():
        if time.monotonic() > deadline:
            raise CanaryganError(f"Rank 0 did not open version {name!r} in {save_dir} within {PATIENCE:.0f} s.")
        time.sleep(0.2)
    run = Run(save_dir, name, Manifest(path, Manifest.read(path).record, writes=False))
    run.resume_from = run.last if run.last.is_file() else None
    return run


def _locate_note(save_dir: Path) -> Path | None:
    """The file by which the processes of one cluster job tell one another the version; None outside a job."""
    job = os.environ.get("SLURM_JOB_ID") or os.environ.get("TORCHELASTIC_RUN_ID")
    restart = os.environ.get("SLURM_RESTART_COUNT", "0")
    return save_dir / "checkpoints" / f".job-{job}-{restart}" if job else None
