"""Options as words, as a manifest's record and as flags again."""

import dataclasses
import enum
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from cyclopts import default_name_transform

from canarygan_core.components import Component

Chosen = TypeVar("Chosen", bound=Component)


def peek(words: Sequence[str], *flags: str) -> list[str]:
    """The values given for a flag: `--flag value`, `--flag=value`, or with underscores; `-f value` or `-fvalue`."""
    found = []
    for word, following in zip(words, [*words[1:], ""], strict=False):
        flag, equals, value = word.partition("=")
        if flag.replace("_", "-") in flags:
            found.append(value if equals else following)
        elif word[:2] in flags and word[:2] != "--":
            found.append(word[2:])
    return found


def flags(options: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest's options as flags without dashes in front: component names and their options, then the rest."""
    flat: dict[str, Any] = {}
    for name, record in options.items():
        if isinstance(record, list):
            flat[name] = [part["name"] for part in record]
            for part in record:
                flat[part["name"]] = _stated(part["options"])
        elif record.keys() == {"name", "options"}:
            flat[name] = record["name"]
            flat |= record["options"]
        else:
            flat |= record
    return {key.replace("_", "-"): value for key, value in _stated(flat).items()}


def _stated(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options without those that are None or empty groups, which no flag can say."""
    stated = {key: _stated(value) if isinstance(value, Mapping) else value for key, value in options.items()}
    return {key: value for key, value in stated.items() if value is not None and value != {}}


def jsonable(value: Any) -> Any:
    """An option's value, or a component's, as JSON values; an enumeration's is the word that a user types."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return default_name_transform(value.name)
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def shared(component: Chosen, given: Collection[str], **values: Any) -> Chosen:
    """A component with a task's own values for those options that it has and was not given for itself.

    Args:
        component: one of several that a task takes.
        given: the flags that the user gave; a component's own are `name.option`.
        values: by option.
    """
    named = {field.name for field in dataclasses.fields(component)}
    own = {flag.replace("_", "-") for flag in given}
    mine = {
        name: value
        for name, value in values.items()
        if name in named and f"{component.name}.{name.replace('_', '-')}" not in own
    }
    return dataclasses.replace(component, **mine)
