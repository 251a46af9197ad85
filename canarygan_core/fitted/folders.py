"""What a component has learnt, as a folder: whole or absent, described by a JSON record, and never run.

The record names the component and its options, and holds the digest of every other file. Those files are the
component's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import Any

from canarygan_core.components import Component
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted.generators import choose_device
from canarygan_core.plugins import Registry
from canarygan_core.plugins.options import to_json
from canarygan_core.runs import collect_versions, drafts, files, seals
from canarygan_core.runs.documents import Format
from canarygan_core.runs.manifest import ORIGIN

Record = Mapping[str, Any]

BOUNDS = {"rate": (1, 10**7), "seconds": (0, 600), "samples": (1, 1 << 28)}
"""What clips may be that a component listens to: their rate in Hz, and their length."""

NAMED = Format("the record of a component", {"name": str}, {"options": dict[str, Any]})


@dataclass(frozen=True)
class FolderFormat:
    """How the folders of one kind of component are written and read.

    Attributes:
        kind: the component's, such as `decoder`; also the record's key for its name and options.
        schema: version of the record; raised when a reader of the old one would misread the new.
        facts: keys that the record must have besides, and the types of their values.
        maker: the command that makes such a folder, such as `train-decoders`.
        remedy: what to do where a folder is damaged, such as `train anew`.
        beside: keys that the record may have, and the types of their values.
    """

    kind: str
    schema: int
    facts: Mapping[str, Any]
    maker: str
    remedy: str
    beside: Mapping[str, Any] = field(default_factory=dict)

    @property
    def format(self) -> Format:
        """The keys of the record."""
        required = {"schema": int, self.kind: NAMED, **self.facts, "files": dict[str, str]}
        beside = {"versions": dict[str, str], "dataset": ORIGIN, "seal": str, **self.beside}
        return Format(f"the record of a {self.kind}", required, beside, schema=self.schema, bounds=BOUNDS)

    @property
    def record(self) -> str:
        """Name of the file that describes a folder."""
        return f"{self.kind}.json"

    def find(self, path: Path) -> list[Path]:
        """The folders of this kind in a folder, or that folder itself where it is one, in the order of names.

        Drafts are none; one that a killed process had only set aside is put back.
        """
        if (path / self.record).is_file():
            return [path]
        drafts.sweep(path)
        found = (entry.parent for entry in path.glob(f"*/{self.record}"))
        return sorted(folder for folder in found if not folder.name.startswith("."))

    def save(self, folder: Path, component: Component, fitted: Any, facts: Record) -> None:
        """Write what was learnt to a folder, which is whole or absent, and replaces one of the same name.

        Args:
            folder: where it goes.
            component: with its options.
            fitted: has `save(folder)`, which writes files into an empty folder.
            facts: what else is known, JSON values.

        Raises:
            CanaryganError: where the folder exists and is something else, or cannot be written.
        """
        if folder.is_dir() and not (folder / self.record).is_file() and any(folder.iterdir()):
            raise CanaryganError(f"{folder} is there and is no {self.kind}: give another --save-dir.")
        with files.replace_folder(folder) as draft:
            fitted.save(draft)
            record = {
                "schema": self.schema,
                self.kind: {"name": component.name, "options": to_json(component)},
                "files": {path.name: files.compute_digest(path) for path in sorted(draft.iterdir())},
                "versions": collect_versions(),
                **facts,
            }
            files.write_text(draft / self.record, seals.dump(record))

    def load(self, folder: Path, registry: Registry, device: str = "cpu", index: int = 0) -> tuple[Any, dict[str, Any]]:
        """What was learnt, and the record; no code in the folder is run.

        Args:
            folder: where it lies.
            registry: where components are looked up.
            device: auto, cpu, cuda or mps; for components that can be loaded to a device, by `load(..., device=)`.
            index: which GPU.

        Raises:
            CanaryganError: where it is missing, damaged, of a newer version, or of a component that is not installed.
        """
        record = self.read(folder)
        for name, digest in record["files"].items():
            if Path(name).name != name or not (folder / name).is_file():
                problem = f"{folder} is no whole {self.kind}: its {name} is missing. Copy the folder again"
            elif files.compute_digest(folder / name) != digest:
                problem = f"{folder / name} is not the file that was written: cut short or changed. Copy it again"
            else:
                continue
            raise CanaryganError(f"{problem}, or {self.remedy}.")
        cls = registry.get_recorded(self.kind, record[self.kind]["name"], folder, record)
        place = {"device": choose_device(device, index)} if "device" in signature(cls.load).parameters else {}
        return cls.load(folder, **place), record

    def read(self, folder: Path) -> dict[str, Any]:
        """The record of a folder, checked; raises as `load` does."""
        path = folder / self.record
        if not path.is_file():
            reason = f"there is no {self.record} in it. {self.maker} makes one"
            raise CanaryganError(f"{folder} holds no trained {self.kind}: {reason}.")
        if seals.is_whole(path.read_bytes()) is False:
            problem = f"{path} is not the file that was written: cut short or changed. Copy it again"
            raise CanaryganError(f"{problem}, or {self.remedy}.")
        return self.format.read(path)
