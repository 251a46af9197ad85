"""Checkpoints as torch writes them, read without running code, and the processes that train one together.

What every Lightning plugin shares; nothing here imports torch or Lightning before it is used.
"""

import pickletools
import zipfile
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, TypeVar

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import seals

if TYPE_CHECKING:
    from torch import Tensor, nn

    from canarygan_core.lightning.training import Training

Network = TypeVar("Network", bound="nn.Module")


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
        _check_bounds(path)
        seals.check_zip(path)
        inert: list[Any] = [type(name, (Inert,), {"__module__": module}) for module, name in _imports(path)]
        with torch.serialization.safe_globals(inert):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        reason = "asks for code to be run when it is read, which is refused; it was not run"
        raise CanaryganError(f"{path} {reason}.") from None
    except Exception as error:  # noqa: BLE001 a damaged file may break the reader anywhere
        reason = " ".join(str(error).split())[:160].rstrip(" :") or type(error).__name__
        raise CanaryganError(f"{path} is damaged: {reason}") from None
    if not isinstance(content, dict):
        raise CanaryganError(f"{path} holds no checkpoint, but a {type(content).__name__}.")
    return content


def take_weights(path: Path, content: Mapping[str, Any], prefix: str) -> "dict[str, Tensor]":
    """The weights in a checkpoint's `state_dict` whose names begin so, by the rest of their names.

    Raises:
        CanaryganError: where it has no such part, or there is something else in it.
    """
    import torch

    state = content.get("state_dict")
    if not isinstance(state, Mapping):
        raise CanaryganError(f"{path} holds no weights: it has no state_dict.")
    weights = {str(name): part for name, part in state.items() if str(name).startswith(prefix)}
    for name, part in weights.items():
        if not isinstance(part, torch.Tensor) or part.layout != torch.strided or part.device.type != "cpu":
            raise CanaryganError(f"{path} holds no weights under {name}, but a {type(part).__name__}.")
    return {name.removeprefix(prefix): part for name, part in weights.items()}


def load_weights(path: Path, build: "Callable[[], Network]", weights: "Mapping[str, Tensor]") -> "Network":
    """A network with these weights. It takes memory only once its shapes are known to be those of the weights.

    Args:
        path: the checkpoint, for messages.
        build: makes the network.
        weights: by name.

    Raises:
        CanaryganError: where the weights are not those of the network.
    """
    import torch

    try:
        with torch.device("meta"):
            network = build()
    except (RuntimeError, ValueError, TypeError, ArithmeticError, LookupError, AssertionError) as error:
        if "meta" not in str(error).lower():
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise CanaryganError(f"{path} describes no network that can be: {reason}.") from None
        network = build()  # one that computes while it is built
    wanted = {name: part.shape for name, part in network.state_dict().items()}
    problem = f"The weights in {path} do not fit its own description"
    if wrong := sorted(wanted.keys() ^ weights.keys()):
        raise CanaryganError(f"{problem}: {wrong[0]} is {'missing' if wrong[0] in wanted else 'not part of it'}.")
    for name, shape in wanted.items():
        if weights[name].shape != shape:
            raise CanaryganError(f"{problem}: {name} has shape {tuple(weights[name].shape)}, not {tuple(shape)}.")
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, and replaced at once
        network = build()
    network.load_state_dict(dict(weights))
    return network


def _check_bounds(path: Path) -> None:
    """Raise `BadZipFile` where a member is compressed: torch compresses none, and one may unfold to any size."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if any(info.compress_type != zipfile.ZIP_STORED for info in members):
        raise zipfile.BadZipFile("it is compressed, which no checkpoint is")
    if sum(info.file_size for info in members) > path.stat().st_size:
        raise zipfile.BadZipFile("its parts are larger than it is")


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
            seals.seal_zip(Path(path))

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
