"""`plugins` and `plugins show`: what is installed, what each part of it is, and what failed and why."""

import enum
import inspect
import textwrap
import types
import typing
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, metadata
from typing import Annotated, Any, Literal

from cyclopts import default_name_transform

from canarygan_core.components import Answer
from canarygan_core.errors import UsageError, did_you_mean
from canarygan_core.plugins import Plugin, Registry
from canarygan_core.plugins.api import KERNEL
from canarygan_core.plugins.homes import home
from canarygan_core.plugins.options import jsonable

WIDTH = 100
"""Columns of the text."""


def listed(registry: Registry) -> Answer:
    """Every plugin, what it offers, and why it does not; and names that several offer."""
    lines = []
    for plugin in registry.plugins:
        lines.append(f"{plugin.name}  ({plugin.distribution} {plugin.version})")
        lines += _state(plugin)
    lines += [f"conflict: {conflict}" for conflict in registry.conflicts]
    data = {
        "plugins": [asdict(plugin) for plugin in registry.plugins],
        "conflicts": [asdict(conflict) for conflict in registry.conflicts],
    }
    return Answer("\n".join(lines), data)


def shown(registry: Registry, name: str) -> Answer:
    """All that bears a name: plugins and distributions, components, tasks.

    Raises:
        UsageError: where nothing does, or several plugins offer it.
    """
    named = [plugin for plugin in registry.plugins if name in (plugin.name, plugin.distribution)]
    offers = [(kind, plugin) for plugin in registry.plugins for kind, names in plugin.offers.items() if name in names]
    if not named and not offers:
        known = {plugin.name for plugin in registry.plugins}
        known |= {word for plugin in registry.plugins for names in plugin.offers.values() for word in names}
        raise UsageError(f"Nothing that is installed is named {name!r}.{did_you_mean(name, known)}{home(name)}")
    records = [_plugin(plugin) for plugin in named]
    records += [_offer(registry, kind, name, plugin) for kind, plugin in offers]
    return Answer("\n\n".join(map(_told, records)), records)


def _state(plugin: Plugin) -> list[str]:
    lines = [f"  not loaded: {plugin.failure}"] if plugin.failure else []
    return lines + [f"  {kind + 's':<12} {', '.join(sorted(names))}" for kind, names in sorted(plugin.offers.items())]


def _plugin(plugin: Plugin) -> dict[str, Any]:
    return {"kind": "plugin", **asdict(plugin), **_published(plugin.distribution)}


def _published(distribution: str) -> dict[str, str]:
    """What a distribution says of itself; empty where it does not."""
    try:
        found = metadata(distribution).json
    except PackageNotFoundError:
        found = {}
    stated = found.get("project_url", [])
    pages = {label.lower(): page for label, _, page in (one.partition(", ") for one in stated)}
    homes = [pages[label] for label in ("homepage", "source", "repository", "documentation") if label in pages]
    licence = str(found.get("license_expression") or found.get("license") or "")
    return {
        "summary": str(found.get("summary", "")),
        "licence": licence.partition("\n")[0],
        "homepage": str(found.get("home_page") or (homes or [""])[0]),
    }


def _offer(registry: Registry, kind: str, name: str, plugin: Plugin) -> dict[str, Any]:
    """A component or a task, with its options."""
    from canarygan_core.cli.asking import Asked
    from canarygan_core.cli.binding import HELP_FLAGS, Command

    offer = registry.get(kind, name)
    command = Command(offer, HELP_FLAGS, registry) if kind == "task" else Asked(offer)
    chosen = {f"{choice.kind} {cls.name}" for choice in command.choices for cls in choice.classes}
    summary = offer.summary if kind == "task" else (inspect.getdoc(offer) or "").partition("\n\n")[0]
    return {
        "kind": kind,
        "name": name,
        "summary": " ".join(summary.split()),
        "plugin": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "options": list(_options(command, chosen, of_task=kind == "task")),
    }


def _options(command: Any, chosen: set[str], *, of_task: bool) -> Iterator[dict[str, Any]]:
    """The options of a task, or else those of the component that its command takes."""
    for argument in command.app.assemble_argument_collection(parse_docstring=True):
        inside = bool(chosen & {group.name for group in argument.parameter.group})
        if inside == of_task or list(argument.children) or argument.names == ("*",):
            continue
        default = argument.field_info.default
        required = bool(argument.required or default is inspect.Parameter.empty)
        yield {
            "name": argument.name.removeprefix("--"),
            "type": spelt(argument.hint),
            "required": required,
            "default": None if required else jsonable(default),
            "help": argument.parameter.help or "",
        }


def spelt(hint: Any) -> str:
    """A type as people read it: `int`, `auto | 4096`, `int or none`, `int, several`."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return spelt(parts[0])
    if origin is Literal:
        return " | ".join(map(str, parts))
    if origin in (typing.Union, types.UnionType):
        return " or ".join("none" if part is type(None) else spelt(part) for part in parts)
    if origin in (list, tuple) and (origin is list or parts[-1] is ...):
        return f"{spelt(parts[0])}, several"
    if origin is tuple:
        return " and ".join(map(spelt, parts))
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return " | ".join(default_name_transform(member.name) for member in hint)
    return getattr(hint, "__name__", str(hint)).lower()


def _told(record: dict[str, Any]) -> str:
    """A record for people."""
    lines = [f"{record['kind']} {record['name']}"]
    lines += textwrap.wrap(record["summary"], WIDTH, initial_indent="  ", subsequent_indent="  ")
    if record["kind"] != "plugin":
        lines.append(f"  from {record['distribution']} {record['version']}, plugin {record['plugin']}")
        for option in record["options"]:
            default = "required" if option["required"] else f"default {_word(option['default'])}"
            lines.append(f"  {option['name']}  {option['type']}  ({default})")
            lines += textwrap.wrap(option["help"], WIDTH, initial_indent="      ", subsequent_indent="      ")
        return "\n".join(lines)
    lines.append(f"  distribution {record['distribution']} {record['version']}")
    built = f"{KERNEL}{record['requires']}" if record["requires"] else ""
    for label, value in {"licence": record["licence"], "homepage": record["homepage"], "built for": built}.items():
        lines += [f"  {label:<12} {value}"] if value else []
    known = Plugin(record["name"], "", "", failure=record["failure"], offers=record["offers"])
    return "\n".join([*lines, *_state(known)])


def _word(value: Any) -> str:
    """A default as it would be typed."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(_word, value)) or "none"
    return "none" if value is None else str(value)
