"""The kernel of CanaryGAN: hooks, components, runs and the command line. It knows nothing of audio models."""

from canarygan_core.components import (
    Dataset,
    Decoder,
    FittedDecoder,
    FittedProjector,
    Generator,
    Metric,
    Model,
    Projector,
)
from canarygan_core.errors import CanaryganError
from canarygan_core.hookspecs import hookimpl
from canarygan_core.task import Answer, Request, Slot, Task

__all__ = [
    "Answer",
    "CanaryganError",
    "Dataset",
    "Decoder",
    "FittedDecoder",
    "FittedProjector",
    "Generator",
    "Metric",
    "Model",
    "Projector",
    "Request",
    "Slot",
    "Task",
    "hookimpl",
]
