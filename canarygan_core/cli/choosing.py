"""Names first: which components the words typed, or a file, choose for the slots of a task."""

import logging
import typing
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from canarygan_core.cli.layers import Layer, read_flags
from canarygan_core.components import Component, Dataset, Slot
from canarygan_core.errors import UsageError
from canarygan_core.plugins import Registry
from canarygan_core.plugins.index import advise_kind

log = logging.getLogger("canarygan")

HELP_FLAGS = ("--help", "-h")


@dataclass(frozen=True)
class Choice:
    """A slot of a task and the classes chosen for it.

    Attributes:
        parameter: the task's.
        kind: of the components.
        slot: the mark that the parameter carries.
        is_several: whether the flag may be given more than once.
        is_optional: whether there may be none.
        classes: those chosen.
        known: names of all that could be chosen.
        implied: further classes that a flag of theirs would choose; help shows their options, too.
    """

    parameter: str
    kind: str
    slot: Slot
    is_several: bool
    is_optional: bool = False
    classes: tuple[type[Component], ...] = ()
    known: tuple[str, ...] = ()
    implied: tuple[type[Component], ...] = ()

    @property
    def flag(self) -> str:
        return "--" + self.parameter.replace("_", "-")


def find_slots(function: Callable[..., Any]) -> list[Choice]:
    """The slots of a task's function, nothing chosen yet."""
    slots = []
    for name, hint in typing.get_type_hints(function, include_extras=True).items():
        for mark in typing.get_args(hint)[1:]:
            if isinstance(mark, Slot):
                wanted = typing.get_args(hint)[0]
                is_several, is_optional = typing.get_origin(wanted) is list, type(None) in typing.get_args(wanted)
                base: type[Component] = typing.get_args(wanted)[0] if is_several or is_optional else wanted
                slots.append(Choice(name, base.kind, mark, is_several, is_optional))
    return slots


def choose(slot: Choice, words: Sequence[str], layers: Sequence[Layer], registry: Registry) -> Choice:
    """Choose the classes of one slot.

    Raises:
        UsageError: where nothing is chosen, or a name is not installed.
    """
    mark, kind = slot.slot, slot.kind
    installed = registry.names(kind)
    own = (slot.flag, mark.alias) if mark.alias else (slot.flag,)
    names, *given = read_flags(words, layers, own, *((flag,) for flag in mark.implied))
    is_help = any(word in HELP_FLAGS for word in words)
    implied = [name for name in dict.fromkeys(mark.implied.values()) if is_help and not names and name in installed]
    if not names:
        meant = [name for name, values in zip(mark.implied.values(), given, strict=True) if values]
        names = meant[:1] or (_list_undisputed(kind, registry) if mark.every else mark.defaults)
        names = _find_claimant(words, layers, registry) or names if kind == Dataset.kind else names
    if is_help:  # help is there before anything to choose from is
        names = [name for name in names if name not in mark.defaults or name in installed]
    elif not names and not slot.is_optional:
        raise UsageError(f"Choose with {slot.flag}: {', '.join(installed) or advise_kind(kind)}.")
    chosen = dict.fromkeys(names if slot.is_several else names[-1:])
    return replace(
        slot,
        classes=tuple(registry.get(kind, name) for name in chosen),
        known=tuple(installed),
        implied=tuple(registry.get(kind, name) for name in implied if name not in chosen),
    )


def _find_claimant(words: Sequence[str], layers: Sequence[Layer], registry: Registry) -> list[str]:
    """The name of the one dataset that claims the folder of `--data-dir`; none where none does, or several do."""
    (folders,) = read_flags(words, layers, ("--data-dir", "-d"))
    names = []
    for name in registry.names(Dataset.kind) if folders else []:
        with suppress(UsageError):  # a name that two plugins offer
            if registry.get(Dataset.kind, name).claims(Path(folders[-1]).expanduser()):
                names.append(name)
    return names if len(names) == 1 else []


def _list_undisputed(kind: str, registry: Registry) -> list[str]:
    """Every name of a kind but those that several plugins claim, which are told."""
    disputed = {conflict.name: conflict for conflict in registry.conflicts if conflict.kind == kind}
    for conflict in disputed.values():
        log.warning(f"Left out: {conflict}")
    return [name for name in registry.names(kind) if name not in disputed]
