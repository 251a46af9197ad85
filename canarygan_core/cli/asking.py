"""The options of one component, as the command line would take them, without a task that wants it."""

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from canarygan_core.cli.binding import HELP_FLAGS, Command, Layer
from canarygan_core.components import KINDS, Component, Slot, Task
from canarygan_core.hookspecs import hookimpl
from canarygan_core.plugins import Plugin, Registry
from canarygan_core.plugins.options import flags


@dataclass(frozen=True)
class _Asking(Task):
    """A task that takes one component of a kind."""

    kind: type[Component] = Component

    def load(self) -> Callable[..., None]:
        def ask(*, component: Any) -> None:
            """Take it."""

        ask.__annotations__["component"] = Annotated[self.kind, Slot()]
        return ask


class Asked(Command):
    """The command that takes one component, with the options that a manifest recorded or for its help alone."""

    def __init__(self, cls: type[Component], record: Mapping[str, Any] | None = None) -> None:
        self._layer = Layer("its record", flags(record or {"component": {"name": cls.name, "options": {}}}))
        kind = next(kind for kind in KINDS if issubclass(cls, kind))
        super().__init__(_Asking("check", "", "", kind), [] if record else HELP_FLAGS, registry_of(cls))

    def _recorded(self) -> list[Layer]:
        return [self._layer]


def registry_of(cls: type[Component]) -> Registry:
    """A registry that holds one class; its only plugin says why where the class is refused."""
    module = types.ModuleType(cls.__module__)
    kind = next(kind for kind in KINDS if issubclass(cls, kind))
    setattr(module, f"register_{kind.kind}s", hookimpl(lambda: [cls]))
    registry = Registry()
    registry.add(Plugin("checked", "checked", ""), module)
    return registry
