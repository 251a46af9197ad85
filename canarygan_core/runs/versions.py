"""Versions of a training: listed, found, claimed by one process alone, and opened to work in."""

import itertools
import logging
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from canarygan_core.errors import CanaryganError, Interrupted
from canarygan_core.runs import locks
from canarygan_core.runs.manifest import TIME, Manifest
from canarygan_core.runs.processes import announce, get_rank, join
from canarygan_core.runs.request import Request
from canarygan_core.runs.run import PREFIX, Run

log = logging.getLogger("canarygan")

INFER = "infer"
"""The version that stands for the next free number, or the newest when resuming."""


def list_versions(save_dir: Path) -> list[str]:
    """The versions in a folder: numbers in order, then names by the start of their training."""
    names = [folder.name.removeprefix(PREFIX) for folder in _list_folders(save_dir)]
    return sorted(filter(str.isdigit, names), key=int) + [name for name in names if not name.isdigit()]


def find(path: Path, version: str = INFER) -> Run:
    """The run that a path means: a version's folder, a folder of runs, or a checkpoint in a run.

    In a folder of runs it is the named version, or else the newest: the one that was started last by its manifest,
    those that failed before their first checkpoint left aside.

    Raises:
        CanaryganError: where there is none.
    """
    if path.is_file():
        run = find_by_checkpoint(path)
        if run is None:
            raise CanaryganError(f"{path} lies in no run: there is no manifest.json in its folder or the one above.")
        return run
    is_version = any((path / name).exists() for name in ("manifest.json", "last", "all")) and not _list_folders(path)
    return Run.read(path) if is_version else _find_version(path, version)


def find_by_checkpoint(path: Path) -> Run | None:
    """The run that a checkpoint's file lies in, or None where it lies in none."""
    folders = [folder for folder in path.resolve().parents[:2] if (folder / "manifest.json").is_file()]
    return Run.read(folders[0]) if folders else None


def name_version(checkpoint: Path) -> str:
    """The version that a checkpoint is of: its run's, or by a folder `version_N` that it lies in, or else its stem."""
    run = find_by_checkpoint(checkpoint)
    folders = [folder.name for folder in checkpoint.absolute().parents if folder.name.startswith(PREFIX)]
    return run.version if run is not None else next(iter(folders), checkpoint.stem).removeprefix(PREFIX)


def find_checkpoint(path: Path, *, best: bool = False) -> Path:
    """A checkpoint: the file itself, or the last one, or the best, of the run that a folder means.

    Raises:
        CanaryganError: where there is none.
    """
    if path.is_dir():
        run = find(path)
        path = run.best if best and run.best.is_file() else run.last
    if not path.is_file():
        advice = "Give a .ckpt file, or a version's folder that has one."
        raise CanaryganError(f"There is no checkpoint at {path}. {advice}")
    return path


def find_to_resume(save_dir: Path, version: str, task: str) -> Run:
    """The run of a task to go on with; raises as `find` does, and where it is a run of another task.

    The folder of runs may be given as a version's own, as that of the versions, or as a checkpoint.
    """
    try:
        if not _list_folders(save_dir) and version == INFER and save_dir.name == "checkpoints":
            save_dir = save_dir.parent
        run = find(save_dir, version) if version == INFER else _find_version(save_dir, version)
    except CanaryganError as error:
        raise CanaryganError(f"{error} Leave out --resume to start one.") from None
    if not run.manifest.path.is_file():
        raise CanaryganError(f"{run.checkpoints} was never trained in. Leave out --resume to start there.")
    record = Manifest.read(run.manifest.path).record
    if record["task"] != task:
        raise CanaryganError(f"{run.checkpoints} is a run of {record['task']}, not of {task}.")
    if fault := TIME.find_fault(record):
        raise CanaryganError(f"{run.manifest.path} does not say how the run was started: {fault}.")
    return run


@contextmanager
def open_run(
    save_dir: Path,
    request: Request,
    *,
    version: str = INFER,
    resume: bool = False,
    facts: Mapping[str, Any] | None = None,
) -> Iterator[Run]:
    """The run in which the block works. Its manifest is begun before and ended after, whatever happens.

    Args:
        save_dir: folder of all versions.
        request: what was asked for.
        version: `infer`, a number or a name.
        resume: go on with a version that exists.
        facts: further keys of the manifest.

    Raises:
        CanaryganError: where the version exists already, is being trained now, or cannot be resumed.
    """
    if get_rank() > 0:
        with join(save_dir, None if version == INFER else version) as run:
            yield run
        return
    run = find_to_resume(save_dir, version, request.task) if resume else Run.read(_claim(save_dir, version))
    path = run.manifest.path
    with _remove_empty(run.checkpoints, path), _lock(run.checkpoints):
        if not resume:
            _clear(run)
        run.manifest = Manifest.read(path).begin_again(request) if resume else Manifest.begin(path, request)
        run.manifest.add(**(facts or {}))
        run.resume_from = run.last if run.last.is_file() else None
        if resume and run.resume_from is None:
            log.warning(f"Version {run.version} has no checkpoint yet: starting it anew.")
        with announce(run), run.manifest:
            try:
                yield run
            except Interrupted:
                run.record_files()
                raise
            run.record_files()


def _find_version(save_dir: Path, version: str) -> Run:
    """The named version in a folder of runs, or else the newest that got as far as a checkpoint."""
    folders = _list_folders(save_dir)
    named = [folder for folder in folders if version in (INFER, folder.name.removeprefix(PREFIX))]
    if not named:
        there = f"there: {', '.join(list_versions(save_dir))}" if folders else "it holds no run yet"
        what = "any run" if version == INFER else f"version {version!r}"
        raise CanaryganError(f"Cannot find {what} in {save_dir} ({there}).")
    return Run.read(next((folder for folder in reversed(named) if not _is_stillborn(folder)), named[-1]))


def _list_folders(save_dir: Path) -> list[Path]:
    """The folders of all versions, the one that was started first by its manifest first."""
    folders = [folder for folder in (save_dir / "checkpoints").glob(f"{PREFIX}*") if folder.is_dir()]
    return sorted(folders, key=lambda folder: (_read_start(folder), _sort_key(folder)))


def _sort_key(folder: Path) -> tuple[int, str]:
    """Order of versions that started in the same second: numbers by size, then names."""
    name = folder.name.removeprefix(PREFIX)
    return int(name) if name.isdigit() else 0, name


def _read_start(folder: Path) -> str:
    """When a version was started, ISO 8601 in UTC; empty where nothing tells."""
    try:
        return str(Manifest.read(folder / "manifest.json").record.get("started", ""))
    except CanaryganError:
        return ""


def _is_stillborn(folder: Path) -> bool:
    """Whether a version failed before its first checkpoint, so that there is nothing to go on with."""
    if (folder / "last" / "last.ckpt").is_file():
        return False
    return Run.read(folder).manifest.record.get("status") == "failed"


def _claim(save_dir: Path, version: str) -> Path:
    """Create the folder of a new version; creation is what claims it, so that two processes never share one.

    A named one that is there is taken over where the process that made it ended before it could save anything.
    """
    if not re.fullmatch(r"[\w.-]+", version):
        raise CanaryganError(f"A version is a name of letters, digits, '.', '_' and '-', not {version!r}.")
    parent = save_dir / "checkpoints"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        numbers = [int(name) for name in list_versions(save_dir) if name.isdigit()]
        for number in itertools.count(max(numbers, default=-1) + 1):
            folder = parent / f"{PREFIX}{number if version == INFER else version}"
            try:
                folder.mkdir()
            except FileExistsError:
                if version != INFER and _is_unused(folder):
                    return folder
                if version != INFER:
                    instead = "Go on with it by --resume, or choose another name."
                    raise CanaryganError(f"Version {version!r} is already in {save_dir}. {instead}") from None
            else:
                return folder
    except OSError as error:
        raise CanaryganError(f"Cannot write to --save-dir {save_dir}: {error.strerror}.") from None
    raise AssertionError("there is always another number")


def _is_unused(folder: Path) -> bool:
    """Whether a version holds nothing, as its training was killed or failed before its first checkpoint."""
    if (folder / "manifest.json").is_file() and Run.read(folder).manifest.record.get("status") == "finished":
        return False
    return not any(not path.name.startswith(".") for path in folder.glob("*/*"))


def _clear(run: Run) -> None:
    """Remove what an earlier training left of a version, which held no checkpoint.

    Raises:
        CanaryganError: where another process has saved one meanwhile.
    """
    if not _is_unused(run.checkpoints):
        raise CanaryganError(f"{run.checkpoints} was trained by another process meanwhile: choose another name.")
    if run.manifest.path.is_file():
        for folder in (run.previews, run.logs("csv"), run.logs("tensorboard")):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _remove_empty(folder: Path, manifest: Path) -> Iterator[None]:
    """Leave no folder of a version whose manifest could not even be begun."""
    try:
        yield
    finally:
        if not manifest.exists():
            (folder / ".lock").unlink(missing_ok=True)
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold a version's lock; the system frees it when the process ends, however it ends.

    Where the file system has no locks, as many a cluster's, say so and go on without.
    """
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(open(folder / ".lock", "ab"))
        except OSError as error:
            raise CanaryganError(f"Cannot write to {folder}: {error.strerror}.") from None
        try:
            locks.take(stream.fileno())
        except OSError as error:
            if error.errno in locks.HELD:
                raise CanaryganError(f"{folder} is being trained by another process.") from None
            reason = f"the file system of {folder} has no locks ({error.strerror})"
            log.warning(f"{reason}: nothing keeps another process from training this version, too.")
        yield
