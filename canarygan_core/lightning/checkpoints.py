"""Checkpoints as torch writes them, read without running code, and the processes that train one together.

What every Lightning plugin shares; nothing here imports torch or Lightning before it is used.
"""

import pickletools
import zipfile
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files

if TYPE_CHECKING:
    from torch import nn

    from canarygan_core.lightning.training import Training


def read(path: Path) -> dict[str, Any]:
    """A checkpoint's content. Classes that torch does not vouch for are replaced by inert stand-ins, never imported.

    Raises:
        CanaryganError: where it is missing, damaged, no checkpoint, or asks for code to be run.
    """
    import torch

    if not path.is_file():
        raise CanaryganError(f"There is no checkpoint at {path}.")
    if not zipfile.is_zipfile(path):
        raise CanaryganError(f"{path} is not a checkpoint, or was cut short while it was copied.")
    try:
        files.check_zip(path)
        inert: list[Any] = [type(name, (Inert,), {"__module__": module}) for module, name in _imports(path)]
        with torch.serialization.safe_globals(inert):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        reason = "asks for code to be run when it is read, which is refused; it was not run"
        raise CanaryganError(f"{path} {reason}.") from None
    except Exception as error:  # noqa: BLE001 a damaged file may break the reader anywhere
        raise CanaryganError(f"{path} is damaged: {str(error).splitlines()[0]}") from None
    if not isinstance(content, dict):
        raise CanaryganError(f"{path} holds no checkpoint, but a {type(content).__name__}.")
    return content


def _imports(path: Path) -> set[tuple[str, str]]:
    """Modules and names of what a checkpoint asks to import; its pickles are looked through, not run."""
    imports = set()
    with zipfile.ZipFile(path) as archive:
        for pickle in (name for name in archive.namelist() if name.endswith("data.pkl")):
            for operation, argument, _ in pickletools.genops(archive.read(pickle)):
                if operation.name == "GLOBAL" and argument is not None:
                    module, name = argument.split(" ", maxsplit=1)
                    renamed = IMPORT_MAPPING.get(module, module), name
                    imports.add(NAME_MAPPING.get((module, name), renamed))
    return imports


class Inert:
    """Stands in for an object of a class that must not be imported; keeps what it would have been built from."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state


def create_writer() -> Any:
    """How Lightning writes a checkpoint: straight into the file.

    Its own way goes through a copy in memory and a file in the folder of temporary files, which may be small.
    """
    import torch
    from lightning.fabric.plugins.io import TorchCheckpointIO

    class Writer(TorchCheckpointIO):
        def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with open(path, "wb") as stream:
                torch.save(checkpoint, stream)

    return Writer()


def create_strategy(training: "Training") -> Any:
    """Lightning's strategy for a module that averages its gradients itself: several processes without a wrapper.

    Lightning's own wrapper expects one backward pass a step, and our modules make many.
    """
    if training.devices * training.num_nodes == 1:
        return "auto"
    import torch
    from lightning.pytorch.strategies import DDPStrategy

    class SyncedByModule(DDPStrategy):
        def configure_ddp(self) -> None:
            for weight in self.model.state_dict().values():  # type: ignore[union-attr]
                first = weight.contiguous()
                torch.distributed.broadcast(first, src=0)
                weight.copy_(first)

    return SyncedByModule()


def average_gradients(weights: "list[nn.Parameter]") -> None:
    """Replace gradients by their mean over all processes, in one exchange."""
    import torch

    gradients = [weight.grad for weight in weights if weight.grad is not None]
    with torch.no_grad():
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        torch.distributed.all_reduce(flat)
        flat /= torch.distributed.get_world_size()
        means = torch.split(flat, [gradient.numel() for gradient in gradients])
        for gradient, mean in zip(gradients, means, strict=True):
            gradient.copy_(mean.view_as(gradient))
