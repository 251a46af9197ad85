"""Whether what is on disk is what was written: seals, digests, and what each thing was made from."""

import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files, seals
from canarygan_core.runs.documents import read_json
from canarygan_core.runs.manifest import Manifest

NAME = "manifest.json"
"""How the names of manifests end."""

Clips = Callable[[Mapping[str, Any], Path], Iterator[str]]
"""A function of a manifest's record and path that gives what is wrong with the clips that it was made from."""


@dataclass(eq=False)
class Verification:
    """Checks files and what they were made from, the oldest first.

    Attributes:
        check_clips: checks the clips of a manifest.
        checked: the files that were compared with a digest or a seal.
        notes: what could not be checked, a sentence each.
        folders: those of clips that were compared as a whole.
    """

    check_clips: Clips
    checked: set[Path] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    folders: set[Path] = field(default_factory=set)
    _faults: dict[str, str] = field(default_factory=dict)
    _seen: set[Path] = field(default_factory=set)

    @property
    def faults(self) -> list[str]:
        """What is not as it was written, a sentence a file, those that others were made from first."""
        return list(self._faults.values())

    def verify(self, path: Path) -> None:
        """Check a file with its manifest, or all that lies in a folder.

        Raises:
            CanaryganError: where there is nothing, or nothing that can be checked.
        """
        if not path.exists():
            raise CanaryganError(f"There is nothing at {path}.{files.suggest_near(path)}")
        before = len(self.checked) + len(self._faults)
        if path.is_file():
            record = path if path.name.endswith(NAME) else find_manifest(path)
            if record is not None:
                self._verify_manifest(record)
            self._verify_file(path)
        else:
            inside = [one for one in sorted(path.rglob("*")) if not _is_hidden(one.relative_to(path))]
            records = [one for one in inside if one.name.endswith(NAME) and one.is_file()]
            if not records:
                first = next(filter(Path.is_file, inside), None)
                records = [*filter(None, [first and find_manifest(first)])]
            for one in records:
                self._verify_manifest(one)
            for one in inside:
                if one.is_file():
                    self._verify_file(one)
            self._tell_unknown(path, inside)
        if before == len(self.checked) + len(self._faults) and not self._knows(path.resolve()):
            raise CanaryganError(f"{path} holds nothing that says what it was: no manifest, no seal.")

    def _knows(self, path: Path) -> bool:
        """Whether a file, or something in a folder, was compared already."""
        return any(path in (one, *one.parents) for one in (*self.checked, *map(Path, self._faults)))

    def _verify_manifest(self, path: Path) -> None:
        """Check what a manifest says: first what its work read, then what it left."""
        if path.resolve() in self._seen:
            return
        self._seen.add(path.resolve())
        try:
            record = Manifest.read(path).record
        except CanaryganError as error:
            self._add(path, "", str(error))
            return
        for told in record.get("inputs", {}).values():
            self._verify_input(Path(record.get("cwd", ""), told["path"]), told["digest"], path, record["task"])
        for fault in self.check_clips(record, path):
            self._add(Path(fault), "", fault)
        self._verify_file(path)
        grown = {} if record.get("status") == "running" else record.get("logs", {})
        for name, digest in {**record.get("outputs", {}), **grown}.items():
            place = Path(os.path.normpath(path.parent / name))
            self._compare(place, digest, f"is not the file that {record['task']} wrote")

    def _verify_input(self, path: Path, digest: str, manifest: Path, task: str) -> None:
        source = find_manifest(path) if path.exists() else None
        if source is not None:
            self._verify_manifest(source)
        if not path.is_file():
            self.notes.append(f"{path}, from which {manifest} was made, is no longer there.")
            return
        self._verify_file(path)
        outputs = {} if source is None else _read_outputs(source)
        if digest not in outputs.values():  # a last checkpoint goes on, and the one that was read is among the others
            self._compare(path, digest, f"is not the file that {task} read for {manifest}")

    def _compare(self, path: Path, digest: str, fault: str) -> None:
        """Compare a file with its digest."""
        self.checked.add(path.resolve())
        if not path.is_file():
            self._add(path, "is missing.")
        elif _compute_alike(path, digest) != digest:
            self._add(path, f"{fault}.")

    def _verify_file(self, path: Path) -> None:
        """Compare a file with its seal, where it has one, and a folder that its record describes with that."""
        if path.resolve() in self._seen and not path.name.endswith(NAME):
            return
        self._seen.add(path.resolve())
        try:
            if path.suffix == ".json":
                self._verify_record(path)
            elif zipfile.is_zipfile(path) or path.suffix in (".ckpt", ".npz"):
                self.checked.add(path.resolve())
                seals.check_zip(path)
        except (CanaryganError, OSError, zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError) as error:
            self._add(path, f"is damaged: {error or type(error).__name__}.")

    def _verify_record(self, path: Path) -> None:
        is_whole = seals.is_whole(path.read_bytes())
        if is_whole is None:
            return
        self.checked.add(path.resolve())
        if not is_whole:
            self._add(path, "has changed since it was written.")
            return
        told = read_json(path).get("files", {})
        for name, digest in told.items() if isinstance(told, dict) else ():
            if Path(name).name == name and isinstance(digest, str):
                self._compare(path.parent / name, digest, f"is not the file that {path.name} tells of")

    def _add(self, path: Path, what: str, sentence: str = "") -> None:
        """Keep what is wrong with a file, its first fault alone."""
        self._faults.setdefault(str(path.resolve()), sentence or f"{path} {what}")

    def _tell_unknown(self, folder: Path, inside: list[Path]) -> None:
        places = [path.resolve() for path in inside if path.is_file()]
        unknown = [path for path in places if path not in self.checked and not self.folders.intersection(path.parents)]
        if unknown:
            names = ", ".join(str(path.relative_to(folder.resolve())) for path in unknown[:5])
            rest = ", ..." if len(unknown) > 5 else ""
            self.notes.append(f"{len(unknown)} files that no manifest tells of were not checked: {names}{rest}.")


def check_recorded(path: Path) -> None:
    """Raise `CanaryganError` where a small file is not the one of which the manifest beside it has the digest.

    For files that have no place for a seal.
    """
    manifest = find_manifest(path)
    for name, digest in ({} if manifest is None else _read_outputs(manifest)).items():
        if manifest and (manifest.parent / name).resolve() == path.resolve() and files.compute_digest(path) != digest:
            raise CanaryganError(f"{path} is not the file that was written, as {manifest.name} tells: make it again.")


def find_manifest(path: Path) -> Path | None:
    """The manifest of the work that left a file, or a folder; None where none tells of it."""
    above = path.absolute().parents[1:3]
    near = [path, path.parent, *above] if path.is_dir() else [path.absolute().parent, *above]
    around = [path.parent] if path.is_dir() else [path.parent, *above]
    own = [path.with_suffix(f".{NAME}"), *(folder / NAME for folder in near)]
    for one in [*own, *(one for folder in around for one in sorted(folder.glob(f"*.{NAME}")))]:
        if one.is_file() and (path.is_dir() or _tells_of(one, path)):
            return one
    return None


def _tells_of(manifest: Path, path: Path) -> bool:
    if path.suffix == ".ckpt" and manifest.name == NAME:  # `last` is no output, for it goes on
        return True
    place = path.resolve()
    alike = (name for name in _read_outputs(manifest) if os.path.basename(name) in (path.name, place.name))
    return any((manifest.parent / name).resolve() == place for name in alike)


def _read_outputs(manifest: Path) -> Mapping[str, str]:
    """By name, the digests of what a manifest tells of; nothing where it is damaged."""
    try:
        outputs: Mapping[str, str] = Manifest.read(manifest).record.get("outputs", {})
    except CanaryganError:
        return {}
    return outputs


def _compute_alike(path: Path, digest: str) -> str:
    """The digest of a file, or its hash where that is what is known."""
    return f"xxh3:{seals.compute_hash(path)}" if digest.startswith("xxh3:") else files.compute_digest(path)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
