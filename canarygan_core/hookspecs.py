"""The hooks: what a plugin may offer. A hook declares and does nothing else, so none takes an argument."""

from typing import TYPE_CHECKING

import pluggy

from canarygan_core.distributions import GROUP

if TYPE_CHECKING:
    from canarygan_core.components import Dataset, Decoder, Metric, Model, Projector, Task

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def register_models() -> "list[type[Model]]":  # type: ignore[empty-body]
    """Models that learn to generate clips."""


@hookspec
def register_datasets() -> "list[type[Dataset]]":  # type: ignore[empty-body]
    """Datasets that bring clips."""


@hookspec
def register_decoders() -> "list[type[Decoder]]":  # type: ignore[empty-body]
    """Decoders that tell which class a clip belongs to."""


@hookspec
def register_metrics() -> "list[type[Metric]]":  # type: ignore[empty-body]
    """Metrics that score generated clips."""


@hookspec
def register_projectors() -> "list[type[Projector]]":  # type: ignore[empty-body]
    """Projectors that lay clips out in few dimensions."""


@hookspec
def register_tasks() -> "list[Task]":  # type: ignore[empty-body]
    """Tasks, the verbs of the command line."""
