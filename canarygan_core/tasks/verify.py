"""`verify`: tell whether files are what was written, and what they were made from still is."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from canarygan_core.audio.problems import list_items
from canarygan_core.components import Answer, Dataset
from canarygan_core.datasets import cache, decoding
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins import get_registry
from canarygan_core.runs.verification import Verification


def verify(*paths: Path, data: bool = True) -> Answer:
    """Tell whether files are as they were written, and follow what they were made from back to the clips.

    Seals and digests are compared with the files; clips are read again and compared with their fingerprint. What was
    made first is told first.

    Args:
        paths: Checkpoints, archives, latents, tables, decoders, and folders that hold some, such as a version's.
        data: Compare the clips, too.
    """
    if not paths:
        raise UsageError("Give files or folders to verify.")
    verification = Verification(lambda record, path: iter(()))
    if data:
        verification.check_clips = _ClipsCheck(verification.folders).check
    for path in paths:
        verification.verify(path)
    faults, checked = verification.faults, len(verification.checked)
    lines = [*faults, *(f"Not checked: {note}" for note in list_items(verification.notes, 10, indent=""))]
    verdict = f"{len(faults)} differ." if faults else f"Whole: {checked} files are as they were written."
    facts = {"faults": faults, "notes": verification.notes, "checked": sorted(map(str, verification.checked))}
    return Answer("\n".join([*lines, verdict]), facts, exit_code=int(bool(faults)))


class _ClipsCheck:
    """Compares the clips that manifests name with their fingerprints, each set once."""

    def __init__(self, folders: set[Path]) -> None:
        self._folders = folders
        self._known: dict[str, tuple[list[str], str | None]] = {}

    def check(self, record: Mapping[str, Any], path: Path) -> Iterator[str]:
        """What is wrong with the clips of a manifest, a sentence each."""
        wanted = record.get("dataset", {}).get("fingerprint")
        if wanted is None or "dataset" not in record.get("options", {}):
            return
        try:
            dataset = get_registry().restore("dataset", path, record)
        except CanaryganError as error:
            yield str(error)
            return
        if (key := repr(dataset)) not in self._known:
            self._known[key] = self._check_set(dataset)
        faults, fingerprint = self._known[key]
        yield from faults
        if fingerprint not in (None, wanted):
            yield f"{path} was made from other clips than {dataset.name} {getattr(dataset, 'data_dir', '')} holds now."

    def _check_set(self, dataset: Dataset) -> tuple[list[str], str | None]:
        """What is wrong with a set, and its fingerprint where it can be loaded."""
        cache.faults.clear()
        try:
            clips = dataset.load()
        except CanaryganError as error:
            return [*cache.faults, str(error)], None
        faults = list(cache.faults)
        if isinstance(dataset, Folder):
            self._folders.add(Path(clips.origin["path"]))
            faults += filter(None, [decoding.check_files(clips)])
        return faults, clips.origin.get("fingerprint")
