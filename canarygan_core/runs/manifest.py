"""Manifests: beside every output, what was asked for, with what, from what, and how it ended."""

import os
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from canarygan_core.errors import CanaryganError, Interrupted
from canarygan_core.runs import drafts, files, locks, seals
from canarygan_core.runs.distributions import collect_versions
from canarygan_core.runs.documents import Format, list_of, table_of
from canarygan_core.runs.request import Request

SCHEMA = 1
"""Version of the manifest's keys; raised when a reader of the old one would misread the new."""

COMPONENT = Format("the record of a component", {"name": str, "options": dict[str, Any]})

OPTIONS = Format(
    "the options of a task",
    {},
    {"model": (dict, list), "dataset": dict, "training": dict, "task": dict},
)

FILTER = Format("a filter", {}, {"highpass": float | None, "lowpass": float | None, "remove_mean": bool})

ORIGIN = Format(
    "what clips are",
    {},
    {
        **{"dataset": str, "options": dict, "fingerprint": str, "path": str, "filter": FILTER},
        **{"recordings": list[str], "context": list[float]},
    },
)
"""What is known of a set of clips, as `dataset` of a manifest or of another record."""

HELD_OUT = Format(
    "what was held out",
    {"sources": list[str]},
    {
        **{"share": float, "seed": int, "group_by": str, "groups": int | None, "clips": int, "fingerprint": str},
    },
)

TIMES: dict[str, Any] = {
    **{"argv": list[str], "options": OPTIONS, "status": str, "error": str | None},
    **{"started": str, "ended": str | None},
}
"""What is known of one time that work went on."""

TIME = Format("a time", TIMES)

FORMAT = Format(
    "a manifest of this system",
    {"schema": int, "task": str},
    {
        **TIMES,
        **{"cwd": str, "versions": dict[str, str], "seed": int | None, "history": list_of(TIME)},
        "inputs": table_of(Format("an input", {"path": str, "digest": str})),
        **{"outputs": dict[str, str], "logs": dict[str, str]},
        "warnings": list_of(Format("a warning", {"time": str, "message": str})),
        **{"dataset": ORIGIN, "held_out": HELD_OUT, "result": dict[str, Any], "test": dict[str, Any]},
        **{"recordings": list, "agreement": dict, "chain": dict, "seal": str},
    },
    schema=SCHEMA,
)
"""The keys of a manifest; docs/formats.md says what each means."""


class Manifest:
    """A record that is written at once and again whenever something is added.

    As a context manager it records how the block ends: `finished`, `interrupted`, or `failed` with the error, which
    goes on rising.

    Attributes:
        path: the JSON file.
        record: its content; see docs/formats.md for every key.
    """

    def __init__(self, path: Path, record: dict[str, Any], *, writes: bool = True) -> None:
        self.path, self.record, self._writes = path, record, writes
        self._reserved = ExitStack()

    @classmethod
    def begin(cls, path: Path, request: Request, *, absent: Iterable[Path] = (), **facts: Any) -> "Manifest":
        """Write the manifest of work that starts now. Until it ends, no other process can begin the same.

        Args:
            path: the JSON file.
            request: what was asked for.
            absent: outputs that may not be there; see `check_absent`.
            facts: further keys.

        Raises:
            CanaryganError: where another process is at it, or one of the outputs is there.
        """
        record = {
            "schema": SCHEMA,
            "task": request.task,
            "argv": list(request.argv),
            "options": request.options,
            "cwd": os.getcwd(),
            "status": "running",
            "error": None,
            "started": _now(),
            "ended": None,
            "versions": collect_versions(),
            "inputs": {},
            "outputs": {},
            "warnings": [],
            **facts,
        }
        manifest = cls(path, record)
        with ExitStack() as stack:
            stack.enter_context(drafts.reserve(path))
            files.check_absent(*absent)
            manifest.write()
            manifest._reserved = stack.pop_all()
        return manifest

    def begin_again(self, request: Request) -> "Manifest":
        """Record that the work goes on now; what the record says of the time before goes into its history."""
        keys = ("argv", "options", "status", "error", "started", "ended")
        earlier = {key: self.record[key] for key in keys}
        self.add(
            history=[*self.record.get("history", []), earlier],
            argv=list(request.argv),
            options=request.options,
            cwd=os.getcwd(),
            status="running",
            error=None,
            ended=None,
        )
        return self

    @property
    def status(self) -> str:
        """What the record says, but `killed` where it says `running` and no process is at it."""
        status = str(self.record.get("status", ""))
        locked = (drafts.name_reservation(self.path), self.path.with_name(".lock"))
        is_over = status == "running" and all(locks.is_held(lock) is False for lock in locked)
        return "killed" if is_over else status

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Read a manifest from its file.

        Raises:
            CanaryganError: where it is missing, is not one, or was written by a newer version.
        """
        if not path.exists():
            raise CanaryganError(f"There is no manifest at {path}.")
        record = FORMAT.read(path)
        return cls(path, record)

    def add(self, **facts: Any) -> None:
        """Set keys."""
        self.record.update(facts)
        self.write()

    def add_input(self, name: str, path: Path, digest: str | None = None) -> None:
        """Record a file that the work reads, with the digest of what was read where that is known."""
        self.record["inputs"][name] = {"path": str(path), "digest": digest or files.compute_digest(path)}
        self.write()

    def add_output(self, path: Path) -> None:
        """Record a finished file, by its path from the manifest's folder."""
        self.record["outputs"][os.path.relpath(path, self.path.parent)] = files.compute_digest(path)
        self.write()

    def remove_output(self, path: Path) -> None:
        """Forget a file that is no longer kept."""
        self.record["outputs"].pop(os.path.relpath(path, self.path.parent), None)
        self.write()

    def warn(self, message: str) -> None:
        """Record a warning."""
        self.record["warnings"].append({"time": _now(), "message": message})
        self.write()

    def __enter__(self) -> "Manifest":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.end("finished")
            return
        is_stopped = isinstance(error, Interrupted | KeyboardInterrupt)
        name = type(error).__name__
        message = str(error) or name
        if not is_stopped and not isinstance(error, CanaryganError):
            message = f"{name}: {error}"
        with suppress(CanaryganError):  # a disk that is full must not hide what filled it
            self.end("interrupted" if is_stopped else "failed", message)

    def end(self, status: str, error: str | None = None) -> None:
        """Record how the work ended."""
        with self._reserved:
            self.add(status=status, error=error, ended=_now(), versions=collect_versions())

    def write(self) -> None:
        """Write the file, atomically."""
        if self._writes:
            files.write_text(self.path, seals.dump(self.record), sync=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
