"""One version of one training, and where everything of it lies.

SAVE_DIR/checkpoints/version_N/{manifest.json, all/*.ckpt, last/last.ckpt, best/best.ckpt}
SAVE_DIR/logs/{tensorboard,csv}/version_N/
SAVE_DIR/previews/version_N/
"""

import logging
import os
import re
from pathlib import Path

from canarygan_core.runs.files import compute_digest
from canarygan_core.runs.manifest import Manifest

log = logging.getLogger("canarygan")

PREFIX = "version_"
"""What the folder of a version is called, before the version's number or name."""


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

    @classmethod
    def read(cls, folder: Path) -> "Run":
        """The run in the folder of a version, to look at and not to write; its record is empty without a manifest.

        Raises:
            CanaryganError: where the manifest is damaged.
        """
        path = folder / "manifest.json"
        record = Manifest.read(path).record if path.is_file() else {}
        parents = folder.absolute().parents
        save_dir = folder.parents[1] if len(folder.parents) > 1 else parents[1]
        return cls(save_dir, folder.absolute().name.removeprefix(PREFIX), Manifest(path, record, writes=False))

    @property
    def folder(self) -> str:
        """Name of the version's folders."""
        return f"{PREFIX}{self.version}"

    @property
    def checkpoints(self) -> Path:
        """The folder of this version's checkpoints and manifest."""
        return self.manifest.path.parent

    @property
    def last(self) -> Path:
        """The newest checkpoint."""
        return self.checkpoints / "last" / "last.ckpt"

    @property
    def best(self) -> Path:
        """The best checkpoint, of a training that judges its own."""
        return self.checkpoints / "best" / "best.ckpt"

    @property
    def previews(self) -> Path:
        """The folder of sounds and pictures made while training."""
        return self.save_dir / "previews" / self.folder

    def logs(self, format: str) -> Path:
        """The folder of this version's `csv` or `tensorboard` log."""
        return self.save_dir / "logs" / format / self.folder

    def list_checkpoints(self) -> list[Path]:
        """The checkpoints in `all/`, in the order of the numbers in their names."""
        return sorted((self.checkpoints / "all").glob("*.ckpt"), key=_read_numbers)

    def record_files(self) -> None:
        """Record the digests of what grew while the run went on: its logs, its previews, and the losses in `all/`."""
        folders = (self.logs("csv"), self.logs("tensorboard"), self.previews)
        grown = [*(self.checkpoints / "all").glob("*.json"), *(one for folder in folders for one in folder.rglob("*"))]
        digests = {
            os.path.relpath(one, self.checkpoints): compute_digest(one) for one in sorted(grown) if one.is_file()
        }
        self.manifest.add(logs=digests)

    def warn(self, message: str) -> None:
        """Tell the user, and the manifest."""
        log.warning(message)
        self.manifest.warn(message)


def _read_numbers(path: Path) -> tuple[list[int], str]:
    """The numbers in a file's name, such as epoch and step, then the name."""
    return [int(digits) for digits in re.findall(r"\d+", path.stem)], path.name
