"""What was asked for, as it goes into the manifest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """What was asked for. A task that declares a parameter of this type is given it.

    Attributes:
        task: name of the task.
        argv: the words typed after the program's name.
        options: every option as resolved, by component kind or `task`: JSON values only.
        given: the flags that the user gave, on the command line or in a file, without their leading dashes.
        places: by part of the options, the names of those that say where something lies; when work goes on, they may
            differ.
    """

    task: str
    argv: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    places: Mapping[str, frozenset[str]] = field(default_factory=dict)
