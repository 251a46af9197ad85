"""From a checkpoint to the model that made it."""

from pathlib import Path

from canarygan_core import runs
from canarygan_core.components import Generator
from canarygan_core.errors import CanaryganError
from canarygan_core.manifest import Manifest
from canarygan_core.plugins import Registry


def resolve(path: Path) -> Path:
    """A checkpoint file: the path itself, or the last one of a version's folder or of the newest in a folder of runs.

    Raises:
        CanaryganError: where there is none.
    """
    if path.is_dir():
        known = runs.versions(path)
        folder = runs.latest(path) if known and not (path / "manifest.json").is_file() else path
        path = folder / "last" / "last.ckpt"
    if not path.is_file():
        raise CanaryganError(
            f"There is no checkpoint at {path}. Give a .ckpt file, or a version's folder that has one."
        )
    return path


def load(checkpoint: Path, registry: Registry, *, model: str | None, device: str) -> tuple[Generator, Manifest | None]:
    """The generator in a checkpoint, and the manifest of the run that made it where that is known.

    Args:
        checkpoint: a file.
        registry: where models are found.
        model: the model's name; None takes it from the manifest, or else asks each installed one.
        device: where to compute, as torch spells it.

    Raises:
        CanaryganError: where no model can read it.
    """
    manifest = runs.manifest_of(checkpoint)
    if model is None and manifest is not None:
        model = manifest.record["options"].get("model", {}).get("name")
    names = [model] if model is not None else registry.names("model")
    refusals = []
    for name in names:
        try:
            return registry.get("model", name).load(checkpoint, device=device), manifest
        except CanaryganError as error:
            if model is not None:
                raise
            refusals.append(f"{name}: {error}")
    raise CanaryganError("\n".join(refusals) or "No model is installed; pip install canarygan-wavegan brings one.")
