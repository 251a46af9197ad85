"""The command `plugins`: what is installed, what a name is, what failed and why, and a plugin of one's own."""

import enum
import inspect
import json as jsons
import logging
import sys
import textwrap
import types
import typing
from collections.abc import Collection, Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter, default_name_transform

from canarygan_core.cli.parser import name_groups
from canarygan_core.components import Answer
from canarygan_core.console import configure_logging, write_line
from canarygan_core.errors import UsageError, did_you_mean
from canarygan_core.plugins import Plugin, Registry
from canarygan_core.plugins.index import suggest_distribution
from canarygan_core.plugins.options import build_app, to_json

WIDTH = 100
"""Columns of the text."""

ForPrograms = Annotated[bool, Parameter(name="--json", negative=(), help="For programs.")]


def build_plugins_app(registry: Registry) -> App:
    """The command `plugins` with its own commands `show`, `new`, `check` and `install`."""
    app = App(
        "plugins",
        help="List the installed plugins: what each offers, and what failed and why.",
        help_format="plaintext",
        version_flags=[],
    )

    @app.default
    def list_all(*, json: ForPrograms = False) -> int:
        return print_answer(list_plugins(registry), {"json"} if json else set())

    @app.command(name="show")
    def show(*name: str, json: ForPrograms = False) -> int:
        """Show what a component, a task or a plugin is: its options, where it comes from, why it was not loaded.

        Args:
            name: What to look up; a task of two words as two words.
        """
        return print_answer(show_name(registry, " ".join(name)), {"json"} if json else set())

    @app.command(name="new")
    def new(
        name: str,
        /,
        *,
        kind: Literal["metric", "decoder", "model", "dataset", "projector", "task"],
        save_dir: Annotated[Path, Parameter(alias="-s")] = Path("."),
        json: ForPrograms = False,
    ) -> int:
        """Write a plugin of your own that works as it stands: a package with one component or task and its test.

        Args:
            name: Of the component or task, as it will be typed: lower-case letters and digits joined by dashes.
            kind: What it is to be.
            save_dir: Folder in which the package's folder is made, path.
        """
        from canarygan_core.plugins.scaffold import write_plugin

        return print_answer(write_plugin(name, kind, save_dir, registry), {"json"} if json else set())

    @app.command(name="check")
    def check(
        name: str, /, *, set: Annotated[list[str] | None, Parameter(negative=())] = None, json: ForPrograms = False
    ) -> int:
        """Hold all that a plugin's distribution offers to the contract, as its own tests would; needs no pytest.

        Args:
            name: Of the distribution, or of the plugin.
            set: Option to check a component with, such as forest.trees=5; may be given again.
        """
        from canarygan_core.cli.checking import check_distribution

        configure_logging(logging.WARNING if json else logging.INFO)
        return print_answer(check_distribution(name, set or [], registry), {"json"} if json else frozenset())

    @app.command(name="install")
    def install(name: str, /, *, json: ForPrograms = False) -> int:
        """Install a plugin by pip in the environment of this command, and check it.

        Args:
            name: Of a component or task of this project, of a distribution, or the folder of a package.
        """
        from canarygan_core.cli import checking

        configure_logging(logging.WARNING if json else logging.INFO)
        return print_answer(checking.install(name, registry), {"json"} if json else frozenset())

    return app


def print_answer(answer: Answer, switches: Collection[str]) -> int:
    """Print an answer; gives its exit code."""
    if "json" in switches:
        write_line(jsons.dumps(answer.data, indent=2), sys.stdout)
    elif "quiet" not in switches and answer.text:
        write_line(answer.text, sys.stdout)
    return answer.exit_code


def list_plugins(registry: Registry) -> Answer:
    """Every plugin, what it offers, and why it does not; and names that several offer."""
    lines = []
    for plugin in registry.plugins:
        lines.append(f"{plugin.name}  ({plugin.distribution} {plugin.version})")
        lines += _describe_state(plugin)
    lines += [f"conflict: {conflict}" for conflict in registry.conflicts]
    data = {
        "plugins": [asdict(plugin) for plugin in registry.plugins],
        "conflicts": [asdict(conflict) for conflict in registry.conflicts],
    }
    return Answer("\n".join(lines), data)


def show_name(registry: Registry, name: str) -> Answer:
    """All that bears a name: plugins and distributions, components, tasks.

    Raises:
        UsageError: where nothing does, or several plugins offer it.
    """
    named = [plugin for plugin in registry.plugins if name in (plugin.name, plugin.distribution)]
    offers = [(kind, plugin) for plugin in registry.plugins for kind, names in plugin.offers.items() if name in names]
    if not named and not offers:
        known = {plugin.name for plugin in registry.plugins}
        known |= {word for plugin in registry.plugins for names in plugin.offers.values() for word in names}
        raise UsageError(
            f"Nothing that is installed is named {name!r}.{did_you_mean(name, known)}{suggest_distribution(name)}"
        )
    records = [_record_plugin(plugin) for plugin in named]
    records += [_record_offer(registry, kind, name, plugin) for kind, plugin in offers]
    return Answer("\n\n".join(map(_describe, records)), records)


def _describe_state(plugin: Plugin) -> list[str]:
    lines = [f"  not loaded: {plugin.failure}"] if plugin.failure else []
    lines += [f"  {kind + 's':<12} {', '.join(sorted(names))}" for kind, names in sorted(plugin.offers.items())]
    return lines + ([f"  {'import':<12} {plugin.seconds:.2f} s"] if plugin.seconds else [])


def _record_plugin(plugin: Plugin) -> dict[str, Any]:
    return {"kind": "plugin", **asdict(plugin), **_read_metadata(plugin.distribution)}


def _read_metadata(distribution: str) -> dict[str, str]:
    """What a distribution says of itself; empty where it does not."""
    try:
        fields = metadata(distribution).json
    except PackageNotFoundError:
        fields = {}
    urls = [one.partition(", ") for one in fields.get("project_url", [])]
    pages = {label.lower(): page for label, _, page in urls}
    homes = [pages[label] for label in ("homepage", "source", "repository", "documentation") if label in pages]
    licence = str(fields.get("license_expression") or fields.get("license") or "")
    return {
        "summary": str(fields.get("summary", "")),
        "licence": licence.partition("\n")[0],
        "homepage": str(fields.get("home_page") or (homes or [""])[0]),
    }


def _record_offer(registry: Registry, kind: str, name: str, plugin: Plugin) -> dict[str, Any]:
    """A component or a task, with its options."""
    from canarygan_core.cli.binding import Command
    from canarygan_core.cli.choosing import HELP_FLAGS

    offer = registry.get(kind, name)
    if kind == "task":
        command = Command(offer, HELP_FLAGS, registry)
        parts = [cls for choice in command.choices for cls in (*choice.classes, *choice.implied)]
        options = list(_record_options(command.app, without={f"{cls.kind} {cls.name}" for cls in parts}))
    else:
        options = list(_record_options(build_app(offer)))
    summary = offer.summary if kind == "task" else (inspect.getdoc(offer) or "").partition("\n\n")[0]
    return {
        "kind": kind,
        "name": name,
        "summary": " ".join(summary.split()),
        "plugin": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "options": options,
        **({"presets": to_json(_merge_presets(offer))} if getattr(offer, "presets", {}) else {}),
    }


def _merge_presets(model: Any) -> dict[str, dict[str, Any]]:
    """The presets of a model, with the options that they set of a dataset."""
    return {name: {**options, **model.preset_data.get(name, {})} for name, options in model.presets.items()}


def _record_options(app: App, without: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """The options that a command takes, but for those in groups of some names."""
    for argument in app.assemble_argument_collection(parse_docstring=True):
        is_left_out = not set(without).isdisjoint(name_groups(argument))
        if is_left_out or list(argument.children) or argument.names == ("*",):
            continue
        default = argument.field_info.default
        required = bool(argument.required or default is inspect.Parameter.empty)
        yield {
            "name": argument.name.removeprefix("--"),
            "type": spell_type(argument.hint),
            "required": required,
            "default": None if required else to_json(default),
            "help": argument.parameter.help or "",
        }


def spell_type(hint: Any) -> str:
    """A type as people read it: `int`, `auto | 4096`, `int or none`, `int, several`."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return spell_type(parts[0])
    if origin is Literal:
        return " | ".join(map(str, parts))
    if origin in (typing.Union, types.UnionType):
        return " or ".join("none" if part is type(None) else spell_type(part) for part in parts)
    if origin in (list, tuple) and (origin is list or parts[-1] is ...):
        return f"{spell_type(parts[0])}, several"
    if origin is tuple:
        return " and ".join(map(spell_type, parts))
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return " | ".join(default_name_transform(member.name) for member in hint)
    return getattr(hint, "__name__", str(hint)).lower()


def _describe(record: dict[str, Any]) -> str:
    """A record for people."""
    lines = [f"{record['kind']} {record['name']}"]
    lines += textwrap.wrap(record["summary"], WIDTH, initial_indent="  ", subsequent_indent="  ")
    if record["kind"] != "plugin":
        lines.append(f"  from {record['distribution']} {record['version']}, plugin {record['plugin']}")
        for option in record["options"]:
            default = "required" if option["required"] else f"default {_spell_value(option['default'])}"
            lines.append(f"  {option['name']}  {option['type']}  ({default})")
            lines += textwrap.wrap(option["help"], WIDTH, initial_indent="      ", subsequent_indent="      ")
        for preset, values in record.get("presets", {}).items():
            flags = " ".join(f"--{key} {_spell_value(value)}" for key, value in values.items())
            lines += textwrap.wrap(f"preset {preset}: {flags}", WIDTH, initial_indent="  ", subsequent_indent="      ")
        return "\n".join(lines)
    lines.append(f"  distribution {record['distribution']} {record['version']}")
    built = f"canarygan{record['requires']}" if record["requires"] else ""
    for label, value in {"licence": record["licence"], "homepage": record["homepage"], "built for": built}.items():
        lines += [f"  {label:<12} {value}"] if value else []
    known = Plugin(record["name"], "", "", "", record["failure"], record["offers"], record["seconds"])
    return "\n".join([*lines, *_describe_state(known)])


def _spell_value(value: Any) -> str:
    """A default as it would be typed."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(_spell_value, value)) or "none"
    return "none" if value is None else str(value)
