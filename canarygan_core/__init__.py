"""The kernel of CanaryGAN: hooks, components, runs and the command line. It knows nothing of audio models."""

from canarygan_core.components import (
    Answer,
    Dataset,
    Decoder,
    FittedDecoder,
    FittedProjector,
    Generator,
    Metric,
    Model,
    Projector,
    Slot,
    Task,
)
from canarygan_core.errors import CanaryganError
from canarygan_core.hookspecs import hookimpl
from canarygan_core.runs.request import Request

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
