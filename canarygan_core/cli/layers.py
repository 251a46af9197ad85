"""Option values from elsewhere than the line typed: a file, the record of the run that goes on, a preset."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, MissingArgumentError, Parameter
from cyclopts.config import Dict

from canarygan_core import runs
from canarygan_core.errors import CanaryganError, UsageError, did_you_mean
from canarygan_core.plugins.options import make_command, make_parameter, to_flags
from canarygan_core.runs.documents import read_toml

SWITCHES = frozenset({"--resume"})
"""Flags among those that are read first which take no value."""

BACKSLASHES = "In double quotes a backslash begins a code: write paths in single quotes, or with slashes."
"""What helps where a path of Windows was written in double quotes."""

MOMENTARY = frozenset({"save-dir", "version", "resume", "dry-run", "preset", "config"})
"""Options that say how to run this time, and so are not taken over from the manifest when resuming."""


@dataclass(frozen=True)
class Layer:
    """Option values of one source.

    Attributes:
        source: where from, for messages.
        options: by flag, without its leading dashes.
        folder: what relative paths among them start from, empty for the working directory.
        is_record: whether they are those that a run was started with.
        preset: the name of the preset that they are, or empty.
    """

    source: str
    options: Mapping[str, Any]
    folder: str = ""
    is_record: bool = False
    preset: str = ""


def read_flags(words: Sequence[str], layers: Sequence[Layer], *flags: tuple[str, ...]) -> list[list[str]]:
    """What the words, or else the layers, say of some flags, each with its aliases; of a switch that is on, `yes`.

    Raises:
        UsageError: where a flag has no value.
    """
    parameters = []
    for number, names in enumerate(flags):
        is_switch = names[0] in SWITCHES
        hint: Any = bool | None if is_switch else list[str] | None
        mark = Annotated[hint, Parameter(name=names, negative=None if is_switch else ())]
        parameters.append(make_parameter(f"flag{number}", mark, None))
    config = [Dict(dict(layer.options), source=layer.source, allow_unknown=True) for layer in layers]
    app = App(help_flags=[], version_flags=[], config=config)
    app.default(make_command(parameters))
    try:
        _, bound, _, _ = app.parse_known_args(list(words))
    except MissingArgumentError as error:
        flag = getattr(error.argument, "name", "A flag")
        raise UsageError(f"{flag} needs a value.") from None
    except CycloptsError as error:
        raise UsageError(str(error).splitlines()[-1]) from None
    values = [bound.arguments.get(parameter.name) for parameter in parameters]
    return [["yes"] if value is True else list(value or []) for value in values]


def read_file(words: Sequence[str], task: str) -> list[Layer]:
    """The options of `--config FILE`: those for every task, and those in the table `task.NAME` of this one.

    Raises:
        UsageError: where the file cannot be read.
    """
    layers = []
    for name in read_flags(words, [], ("--config",))[0][-1:]:
        try:
            options = read_toml(Path(name))
        except CanaryganError as error:
            reason = str(error).removeprefix(f"Cannot read {Path(name)}: ").rstrip(".")
            reason = reason.removeprefix(f"{Path(name)} is not TOML that can be read: ")
            advice = f" {BACKSLASHES}" if "escape" in reason or "hex" in reason else ""
            raise UsageError(f"Cannot read --config {name}: {reason}.{advice}") from None
        for key, value in _list_texts(options):
            if any(letter < " " for letter in value):
                raise UsageError(f"{name}: {key} = {value!r} holds a control character. {BACKSLASHES}")
        tables = options.pop("task", {})
        own = tables.get(task, {}) if isinstance(tables, dict) else {}
        if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
            raise UsageError(f"{name}: task holds one table of options a task, such as [task.{task}].")
        layers.append(Layer(name, {key.replace("_", "-"): value for key, value in (options | own).items()}))
    return layers


def _list_texts(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts among options, in tables and lists too, each with its key."""
    for key, value in options.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Mapping):
                yield from _list_texts(item)
            elif isinstance(item, str):
                yield key, item


def read_record(
    words: Sequence[str], layers: Sequence[Layer], task: str, parameters: Mapping[str, inspect.Parameter]
) -> list[Layer]:
    """When resuming, the options that the run was started with.

    Args:
        words: what was typed after the task's name.
        layers: of a file.
        task: its name.
        parameters: of its function.

    Raises:
        CanaryganError: where there is no such run.
    """
    flags = [("--resume",), ("--save-dir", "-s"), ("--version",), ("--preset",)]
    resume, save_dirs, versions, presets = read_flags(words, layers, *flags)
    if "resume" not in parameters or not resume:
        return []
    if presets:
        raise UsageError("A training that goes on keeps the options it was started with: leave out --preset.")
    save_dir = Path([str(parameters["save_dir"].default), *save_dirs][-1])
    manifest = runs.find_to_resume(save_dir, [runs.INFER, *versions][-1], task).manifest
    options = {key: value for key, value in to_flags(manifest.record["options"]).items() if key not in MOMENTARY}
    return [Layer(str(manifest.path), options, manifest.record.get("cwd", ""), is_record=True)]


def read_preset(words: Sequence[str], layers: Sequence[Layer], presets: Mapping[str, Mapping[str, Any]]) -> list[Layer]:
    """The options of the preset that the words, or else a layer, name.

    Raises:
        UsageError: where there is no preset of that name.
    """
    names = read_flags(words, layers, ("--preset",))[0] if presets else []
    if names and names[-1] not in presets:
        near = did_you_mean(names[-1], presets)
        raise UsageError(f"No preset named {names[-1]!r}; there are {', '.join(presets)}.{near}")
    if not names:
        return []
    options = {key.replace("_", "-"): value for key, value in presets[names[-1]].items()}
    return [Layer(f"preset {names[-1]}", options, preset=names[-1])]
