"""The kernel of CanaryGAN: hooks, components, runs and the command line. It knows nothing of audio models."""

import sys
from typing import TYPE_CHECKING, Any

from canarygan_core.components import (
    Answer,
    Dataset,
    Decoder,
    FittedDecoder,
    FittedMetric,
    FittedProjector,
    Generator,
    Metric,
    Model,
    Projector,
    Slot,
    Task,
)
from canarygan_core.errors import CanaryganError
from canarygan_core.plugins import hookimpl
from canarygan_core.plugins.api import MovedModules
from canarygan_core.runs import Request

if TYPE_CHECKING:
    from canarygan_core.tasks.notebook import conform, dataset, generate, get, load, score, train

__all__ = [
    "Answer",
    "CanaryganError",
    "Dataset",
    "Decoder",
    "FittedDecoder",
    "FittedMetric",
    "FittedProjector",
    "Generator",
    "Metric",
    "Model",
    "Projector",
    "Request",
    "Slot",
    "Task",
    "conform",
    "dataset",
    "generate",
    "get",
    "hookimpl",
    "load",
    "score",
    "train",
]

VERBS = frozenset({"dataset", "generate", "get", "conform", "load", "score", "train"})
"""What is imported when it is first used, from `canarygan_core.tasks.notebook`."""


def __getattr__(name: str) -> Any:
    if name in VERBS:
        from canarygan_core.tasks import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


sys.meta_path.append(MovedModules())
