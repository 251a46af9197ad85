"""The kernel of CanaryGAN: hooks, components, runs and the command line. It knows nothing of audio models."""

import sys

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
from canarygan_core.plugins.api import MovedModules
from canarygan_core.runs import Request

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

sys.meta_path.append(MovedModules())
