"""What a task is: a function whose signature is its command line, and the marks that such a signature may carry."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Task:
    """A verb of the command line, named without importing what does the work.

    Attributes:
        name: what a user types; two words where tasks form a group, such as `inception gan`.
        target: `module:function`, imported when the task is asked for.
        summary: one line for the list of tasks.
    """

    name: str
    target: str
    summary: str

    def load(self) -> Callable[..., "Answer | None"]:
        """The function that does the work."""
        module, _, function = self.target.partition(":")
        loaded: Callable[..., Answer | None] = getattr(importlib.import_module(module), function)
        return loaded


@dataclass(frozen=True)
class Slot:
    """Marks a task's parameter, `Annotated[Model, Slot("wavegan")]`, as a component that the user chooses by name.

    The parameter's name is the flag. `Annotated[list[Metric], Slot()]` takes the flag more than once.

    Attributes:
        default: the name taken where the user gives none, or the names where the flag may be given more than once.
        implied: names taken instead where one of these flags is given, such as `{"--data-dir": "folder"}`.
        alias: short flag.
        every: whether all that are installed are taken where the user names none.
    """

    default: str | tuple[str, ...] | None = None
    implied: Mapping[str, str] = field(default_factory=dict)
    alias: str | None = None
    every: bool = False

    @property
    def defaults(self) -> list[str]:
        """The default as a list of names, empty where there is none."""
        return [self.default] if isinstance(self.default, str) else list(self.default or ())


@dataclass(frozen=True)
class Request:
    """What was asked for, as it goes into the manifest; a task that declares a parameter of this type is given it.

    Attributes:
        task: its name.
        argv: the words typed after the program's name.
        options: every option as resolved, by component kind or `task`: JSON values only.
        given: the flags that the user gave, on the command line or in a file, without their leading dashes.
    """

    task: str
    argv: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    given: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Answer:
    """What a task tells its user in the end.

    Attributes:
        text: for people.
        data: the same for programs, JSON values only; shown instead with `--json`.
        exit_code: 0, or 1 where the answer is bad news.
    """

    text: str
    data: Any = None
    exit_code: int = 0
