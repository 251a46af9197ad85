"""Manifests: beside every output, what was asked for, with what, from what, and how it ended."""

import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from canarygan_core.errors import CanaryganError, Interrupted
from canarygan_core.runs import files
from canarygan_core.runs.request import Request

SCHEMA = 1
"""Version of the manifest's keys; raised when a reader of the old one would misread the new."""

LIBRARIES = (
    "torch",
    "torchaudio",
    "lightning",
    "numpy",
    "scipy",
    "scikit-learn",
    "reservoirpy",
    "umap-learn",
    "soundfile",
)
"""Distributions whose versions can change a result."""


class Manifest:
    """A record that is written at once and again whenever something is added.

    Attributes:
        path: the JSON file.
        record: its content; see docs/formats.md for every key.
    """

    def __init__(self, path: Path, record: dict[str, Any], *, writes: bool = True) -> None:
        self.path, self.record, self._writes = path, record, writes

    @classmethod
    def begin(cls, path: Path, request: Request, **facts: Any) -> "Manifest":
        """A manifest of work that starts now."""
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
            "versions": versions(),
            "inputs": {},
            "outputs": {},
            "warnings": [],
            **facts,
        }
        manifest = cls(path, record)
        manifest.write()
        return manifest

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """A manifest from its file.

        Raises:
            CanaryganError: where it is missing, is not one, or was written by a newer version.
        """
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            schema = int(record["schema"])
        except FileNotFoundError:
            raise CanaryganError(f"There is no manifest at {path}.") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CanaryganError(f"{path} is not a manifest of this system ({error}).") from None
        if schema > SCHEMA:
            newer = f"schema {schema}, this reads {SCHEMA}"
            raise CanaryganError(f"{path} was written by a newer CanaryGAN ({newer}): upgrade.")
        return cls(path, record)

    def add(self, **facts: Any) -> None:
        """Set keys."""
        self.record.update(facts)
        self.write()

    def add_input(self, name: str, path: Path) -> None:
        """Record a file that the work reads."""
        self.record["inputs"][name] = {"path": str(path), "digest": files.digest(path)}
        self.write()

    def add_output(self, path: Path) -> None:
        """Record a finished file, by its path from the manifest's folder."""
        self.record["outputs"][os.path.relpath(path, self.path.parent)] = files.digest(path)
        self.write()

    def remove_output(self, path: Path) -> None:
        """Forget a file that is no longer kept."""
        self.record["outputs"].pop(os.path.relpath(path, self.path.parent), None)
        self.write()

    def warn(self, message: str) -> None:
        """Record a warning."""
        self.record["warnings"].append({"time": _now(), "message": message})
        self.write()

    def end(self, status: str, error: str | None = None) -> None:
        """Record how the work ended."""
        self.add(status=status, error=error, ended=_now(), versions=versions())

    def write(self) -> None:
        """Write the file, atomically."""
        if self._writes:
            files.write_text(self.path, json.dumps(self.record, indent=2) + "\n")


@contextmanager
def ending(manifest: Manifest) -> Iterator[Manifest]:
    """Record the end of the block: `finished`, `interrupted`, or `failed` with its error, which goes on rising."""
    try:
        yield manifest
    except BaseException as error:
        stopped = isinstance(error, Interrupted | KeyboardInterrupt)
        name = type(error).__name__
        told = (str(error) or name) if stopped or isinstance(error, CanaryganError) else f"{name}: {error}"
        with suppress(CanaryganError):  # a disk that is full must not hide what filled it
            manifest.end("interrupted" if stopped else "failed", told)
        raise
    manifest.end("finished")


def versions() -> dict[str, str]:
    """Versions of Python, of this system and its plugins, and of those libraries that are loaded."""
    from canarygan_core.plugins import installed

    found = {"python": platform.python_version(), "platform": platform.platform()}
    found |= {plugin.distribution: plugin.version for plugin in installed().plugins if not plugin.failure}
    modules = {"scikit-learn": "sklearn", "umap-learn": "umap"}
    for name in LIBRARIES:
        if modules.get(name, name) in sys.modules:
            with suppress(metadata.PackageNotFoundError):  # installed by other means than a package
                found[name] = metadata.version(name)
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
