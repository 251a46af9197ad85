"""Run directories: numbered or named versions, claimed atomically, resumed, shared by the processes of one training.

SAVE_DIR/checkpoints/version_N/{manifest.json, all/*.ckpt, last/last.ckpt}
SAVE_DIR/logs/{tensorboard,csv}/version_N/
SAVE_DIR/previews/version_N/
"""

import itertools
import logging
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files
from canarygan_core.runs.manifest import Manifest, ending
from canarygan_core.runs.request import Request

log = logging.getLogger("canarygan")

INFER = "infer"
"""The version that stands for the next free number, or the latest when resuming."""

ANNOUNCED = "CANARYGAN_RUN_VERSION"
"""Environment variable by which the first process tells the ones it starts which version they belong to."""

PATIENCE = 300.0
"""Seconds that a process of rank above 0 waits for the first one to claim a version."""


class Run:
    """One version of one training.

    Attributes:
        save_dir: the folder that holds all versions.
        version: a number or a name, without `version_`.
        manifest: its record; only rank 0 writes it.
        resume_from: the checkpoint to go on from, or None to start afresh.
    """

    def __init__(self, save_dir: Path, version: str, manifest: Manifest, resume_from: Path | None = None) -> None:
        self.save_dir, self.version, self.manifest, self.resume_from = save_dir, version, manifest, resume_from

    @property
    def folder(self) -> str:
        return f"version_{self.version}"

    @property
    def checkpoints(self) -> Path:
        return self.save_dir / "checkpoints" / self.folder

    @property
    def last(self) -> Path:
        """The newest checkpoint."""
        return self.checkpoints / "last" / "last.ckpt"

    @property
    def previews(self) -> Path:
        """Where sounds and pictures made while training go."""
        return self.save_dir / "previews" / self.folder

    def logs(self, format: str) -> Path:
        """The folder of this version's `csv` or `tensorboard` log."""
        return self.save_dir / "logs" / format / self.folder

    def warn(self, message: str) -> None:
        """Tell the user, and the manifest."""
        log.warning(message)
        self.manifest.warn(message)


def rank() -> int:
    """This process's number among those of one training, 0 where it is alone."""
    for name in ("SLURM_PROCID", "RANK"):
        if name in os.environ:
            return int(os.environ[name])
    return max(int(os.environ.get(name, "0")) for name in ("NODE_RANK", "LOCAL_RANK"))


def versions(save_dir: Path) -> list[str]:
    """The versions in a folder, numbers in order, then names by age."""
    folders = [folder for folder in (save_dir / "checkpoints").glob("version_*") if folder.is_dir()]
    names = sorted(folders, key=lambda folder: (folder.stat().st_mtime, folder.name))
    found = [folder.name.removeprefix("version_") for folder in names]
    return sorted((name for name in found if name.isdigit()), key=int) + [name for name in found if not name.isdigit()]


def latest(save_dir: Path, version: str = INFER) -> Path:
    """The folder of a version, by default of the one whose manifest changed last.

    Raises:
        CanaryganError: where there is none.
    """
    known = versions(save_dir)
    if version == INFER and known:
        folders = [save_dir / "checkpoints" / f"version_{name}" for name in known]
        return max([folder for folder in folders if not _stillborn(folder)] or folders, key=_age)
    folder = save_dir / "checkpoints" / f"version_{version}"
    if version != INFER and folder.is_dir():
        return folder
    there = f"there: {', '.join(known)}" if known else "it holds no run yet"
    what = "any run" if version == INFER else f"version {version!r}"
    raise CanaryganError(f"Cannot find {what} to go on with in {save_dir} ({there}). Leave out --resume to start one.")


def manifest_of(checkpoint: Path) -> Manifest | None:
    """The manifest of the run that a checkpoint lies in, or None where it lies in none."""
    for folder in checkpoint.resolve().parents[:2]:
        if (folder / "manifest.json").is_file():
            return Manifest.read(folder / "manifest.json")
    return None


def of_task(manifest: Manifest, task: str) -> Manifest:
    """A run's manifest; `CanaryganError` where it is another task's."""
    if manifest.record["task"] != task:
        raise CanaryganError(f"{manifest.path.parent} is a run of {manifest.record['task']}, not of {task}.")
    return manifest


@contextmanager
def opened(
    save_dir: Path,
    request: Request,
    *,
    version: str = INFER,
    resume: bool = False,
    facts: Mapping[str, Any] | None = None,
) -> Iterator[Run]:
    """The run in which the block works; its manifest is begun before and ended after, whatever happens.

    Args:
        save_dir: folder of all versions.
        request: what was asked for.
        version: `infer`, a number or a name.
        resume: go on with a version that exists.
        facts: further keys of the manifest.

    Raises:
        CanaryganError: where the version exists already, is being trained now, or cannot be resumed.
    """
    if rank() > 0:
        with _speaking_less():
            yield _attached(save_dir, version)
        return
    folder = latest(save_dir, version) if resume else _claim(save_dir, version)
    with _locked(folder):
        manifest = _resumed(folder, request) if resume else Manifest.begin(folder / "manifest.json", request)
        manifest.add(**(facts or {}))
        run = Run(save_dir, folder.name.removeprefix("version_"), manifest)
        run.resume_from = run.last if run.last.is_file() else None
        if resume and run.resume_from is None:
            log.warning(f"Version {run.version} has no checkpoint yet: starting it anew.")
        with _announcing(run), ending(manifest):
            yield run


@contextmanager
def _speaking_less() -> Iterator[None]:
    """Only warnings: the first process speaks for all."""
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(before)


def _claim(save_dir: Path, version: str) -> Path:
    """Create the folder of a new version; creation is what claims it, so that two processes never share one."""
    if not re.fullmatch(r"[\w.-]+", version):
        raise CanaryganError(f"A version is a name of letters, digits, '.', '_' and '-', not {version!r}.")
    parent = save_dir / "checkpoints"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        numbers = [int(name) for name in versions(save_dir) if name.isdigit()]
        for number in itertools.count(max(numbers, default=-1) + 1):
            folder = parent / f"version_{number if version == INFER else version}"
            try:
                folder.mkdir()
            except FileExistsError:
                if version != INFER:
                    instead = "Go on with it by --resume, or choose another name."
                    raise CanaryganError(f"Version {version!r} is already in {save_dir}. {instead}") from None
            else:
                return folder
    except OSError as error:
        raise CanaryganError(f"Cannot write to --save-dir {save_dir}: {error.strerror}.") from None
    raise AssertionError("there is always another number")


def _resumed(folder: Path, request: Request) -> Manifest:
    """A version's manifest, begun again: what it said of the time before goes into its history."""
    manifest = of_task(Manifest.read(folder / "manifest.json"), request.task)
    earlier = {key: manifest.record[key] for key in ("argv", "options", "status", "error", "started", "ended")}
    manifest.add(
        history=[*manifest.record.get("history", []), earlier],
        argv=list(request.argv),
        options=request.options,
        cwd=os.getcwd(),
        status="running",
        error=None,
        ended=None,
    )
    return manifest


def _attached(save_dir: Path, version: str) -> Run:
    """The run that rank 0 opened, found by what it announced to its children or to its job, or by its name."""
    deadline = time.monotonic() + PATIENCE
    name = os.environ.get(ANNOUNCED) or (version if version != INFER else None)
    note = _job_note(save_dir)
    while name is None and note is not None and time.monotonic() < deadline:
        if note.is_file():
            name = note.read_text(encoding="utf-8")
        else:
            time.sleep(0.2)
    if name is None:
        told = "give all of them the same --version NAME"
        raise CanaryganError(f"A process of rank above 0 cannot infer the version: {told}.")
    path = save_dir / "checkpoints" / f"version_{name}" / "manifest.json"
    run = Run(save_dir, name, Manifest(path, {}, writes=False))
    while not run.manifest.path.is_file():
        if time.monotonic() > deadline:
            raise CanaryganError(f"Rank 0 did not open version {name!r} in {save_dir} within {PATIENCE:.0f} s.")
        time.sleep(0.2)
    run.manifest.record = Manifest.read(run.manifest.path).record
    run.resume_from = run.last if run.last.is_file() else None
    return run


def _job_note(save_dir: Path) -> Path | None:
    """Where the processes of one cluster job tell one another the version; None outside a job."""
    job = os.environ.get("SLURM_JOB_ID") or os.environ.get("TORCHELASTIC_RUN_ID")
    restart = os.environ.get("SLURM_RESTART_COUNT", "0")
    return save_dir / "checkpoints" / f".job-{job}-{restart}" if job else None


@contextmanager
def _announcing(run: Run) -> Iterator[None]:
    """Tell the processes that this one starts, or that its job started, which version they belong to."""
    os.environ[ANNOUNCED] = run.version
    note = _job_note(run.save_dir)
    if note is not None:
        files.write_text(note, run.version)
    try:
        yield
    finally:
        del os.environ[ANNOUNCED]
        if note is not None:
            note.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a version's lock; the system frees it when the process ends, however it ends."""
    stream: IO[str]
    with open(folder / ".lock", "w", encoding="utf-8") as stream:
        try:
            import fcntl
        except ImportError:  # not a POSIX system: nothing to lock with
            yield
            return
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CanaryganError(f"{folder} is being trained by another process.") from None
        yield


def _stillborn(folder: Path) -> bool:
    """Whether a version failed before its first checkpoint, so that there is nothing to go on with."""
    manifest, checkpoint = folder / "manifest.json", folder / "last" / "last.ckpt"
    return not checkpoint.is_file() and manifest.is_file() and Manifest.read(manifest).record["status"] == "failed"


def _age(folder: Path) -> float:
    manifest = folder / "manifest.json"
    return manifest.stat().st_mtime if manifest.is_file() else 0.0
