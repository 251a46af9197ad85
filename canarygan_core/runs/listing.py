"""What lies below a folder: the records of work, whatever task it was of, and what nobody needs any more."""

import os
from collections.abc import Iterator
from pathlib import Path

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import drafts
from canarygan_core.runs.files import suggest_near
from canarygan_core.runs.manifest import Manifest
from canarygan_core.runs.run import PREFIX, Run
from canarygan_core.runs.verification import find_manifest

MANIFEST = "manifest.json"
"""The name of a manifest, or how it ends."""


def list_manifests(path: Path) -> list[Path]:
    """The manifests in a folder and below it, hidden folders left out, or the one of a file.

    Raises:
        CanaryganError: where a file has none.
    """
    if path.is_dir():
        return sorted(
            folder / name
            for folder, names in _walk(path)
            for name in names
            if name == MANIFEST or (name.endswith(f".{MANIFEST}") and not name.startswith("."))
        )
    above = [folder / MANIFEST for folder in (path.parent, path.absolute().parent.parent)]
    for candidate in (path, path.with_suffix(f".{MANIFEST}"), *above):
        if candidate.is_file() and candidate.name.endswith(MANIFEST):
            return [candidate]
    if found := find_manifest(path):
        return [found]
    near = "" if path.exists() else suggest_near(path)
    raise CanaryganError(f"There is no manifest of {path}.{near or ' Give a file that a task left, or a folder.'}")


def list_outputs(manifest: Manifest) -> list[Path]:
    """The files and folders that work left: what its manifest names, and of a training all its folders."""
    folder = manifest.path.parent
    if manifest.path.name == MANIFEST and folder.name.startswith(PREFIX):
        run = Run.read(folder)
        return [folder, run.previews, run.logs("csv"), run.logs("tensorboard")]
    return [manifest.path, *(folder / name for name in manifest.record.get("outputs", {}))]


def measure_size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; 0 where there is none."""
    if path.is_dir():
        return sum(measure_size(folder / name) for folder, names in _walk(path, hidden=True) for name in names)
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def list_left(path: Path) -> list[Path]:
    """The drafts below a folder that killed processes left."""
    folders = [folder for folder, _ in _walk(path, hidden=True)]
    left = [draft for folder in folders for draft in drafts.list_drafts(folder) if drafts.is_left(draft)]
    return [draft for draft in left if not any(other in draft.parents for other in left)]


def _walk(path: Path, *, hidden: bool = False) -> Iterator[tuple[Path, list[str]]]:
    """Each folder below a path with the names of its files; links are not followed."""
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if hidden or not name.startswith("."))
        yield Path(folder), names
