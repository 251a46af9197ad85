"""Slots of a task: which classes are chosen for them, and what that puts on the command line."""

import inspect
import typing
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Group, Parameter

from canarygan_core.components import Component, Slot
from canarygan_core.errors import CanaryganError


@dataclass(frozen=True)
class Choice:
    """A slot of a task and the classes chosen for it."""

    parameter: str
    kind: str
    slot: Slot
    several: bool
    classes: tuple[type[Component], ...]
    known: tuple[str, ...]

    @property
    def flag(self) -> str:
        return "--" + self.parameter.replace("_", "-")


def slot_of(name: str, hint: Any) -> tuple[str, str, Slot, bool] | None:
    """(parameter, kind, slot, several) where a parameter is a slot."""
    marks = [mark for mark in typing.get_args(hint)[1:] if isinstance(mark, Slot)]
    if not marks:
        return None
    wanted = typing.get_args(hint)[0]
    several = typing.get_origin(wanted) is list
    kind: type[Component] = typing.get_args(wanted)[0] if several else wanted
    return name, kind.kind, marks[0], several


def parameters_of(choice: Choice) -> dict[str, Any]:
    """The flag that chooses, and the options of the chosen: flat for one, `--name.option` where there may be more."""
    told = f"Which {choice.kind}. [installed: {', '.join(choice.known) or 'none'}]"
    if choice.slot.every:
        told += " [default: every one]"
    chooser = Parameter(name=choice.flag, alias=choice.slot.alias or (), help=told)
    names = choice.slot.defaults
    kind = (list[str] if choice.several else str) if names else (list[str] | None if choice.several else str | None)
    parameters: dict[str, Any] = {
        choice.parameter: (Annotated[kind, chooser], (names if choice.several else names[0]) if names else None)
    }
    for cls in choice.classes:
        try:
            instance = cls()
        except (CanaryganError, TypeError):  # an option without default
            instance = inspect.Parameter.empty  # type: ignore[assignment]
        flat = Parameter(name=f"--{cls.name}" if choice.several else "*", group=Group(f"{choice.kind} {cls.name}"))
        parameters[part_of(choice.parameter, cls)] = (Annotated[cls, flat], instance)
    return parameters


def part_of(parameter: str, cls: type[Component]) -> str:
    """The command's parameter that holds a chosen component; cannot clash with a task's own."""
    return f"{parameter}__{cls.name.replace('-', '_')}"
