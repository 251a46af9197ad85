"""The hooks: what a plugin may offer. A hook declares and does nothing else, so none takes an argument."""

# mypy: disable-error-code="empty-body"

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from canarygan_core.components import Annotator, Dataset, Decoder, Metric, Model, Projector, Task

PROJECT = "canarygan"
"""What pluggy calls the hooks of this system by."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_models() -> "list[type[Model]]":
    """Models that learn to generate clips."""


@hookspec
def register_datasets() -> "list[type[Dataset]]":
    """Datasets that bring clips."""


@hookspec
def register_decoders() -> "list[type[Decoder]]":
    """Decoders that tell which class a clip belongs to."""


@hookspec
def register_metrics() -> "list[type[Metric]]":
    """Metrics that score generated clips."""


@hookspec
def register_projectors() -> "list[type[Projector]]":
    """Projectors that lay clips out in few dimensions."""


@hookspec
def register_annotators() -> "list[type[Annotator]]":
    """Annotators that read, find, write and compare annotations of recordings."""


@hookspec
def register_tasks() -> "list[Task]":
    """Tasks, the verbs of the command line."""
