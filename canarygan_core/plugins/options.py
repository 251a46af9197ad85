"""A component's options: as a record of JSON values, as flags, and back from a record to the component."""

import enum
import inspect
import shlex
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field, fields, is_dataclass, make_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

from cyclopts import App, CycloptsError, Group, Parameter, default_name_transform
from cyclopts.config import Dict

from canarygan_core.components import Component
from canarygan_core.errors import CanaryganError
from canarygan_core.runs.manifest import COMPONENT

Chosen = TypeVar("Chosen", bound=Component)


def to_json(value: Any) -> Any:
    """An option's value, or a component's options, as JSON values; an enumeration's is the word that a user types."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, enum.Enum):
        return default_name_transform(value.name)
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def to_flags(options: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest's options as flags without dashes in front: component names and their options, then the rest.

    An option of a component is there in both its spellings, such as `width` and `dataset.width`. Of several parts that
    have an option of one name, the shorter spelling is the task's.
    """
    flags: dict[str, Any] = {}
    for name, record in options.items():
        if isinstance(record, list):
            parts = [part for part in record if COMPONENT.find_fault(part) == ""]
            flags[name] = [part["name"] for part in parts]
            for part in parts:
                flags |= {part["name"]: part["options"], name_apart(name, part["name"]): part["options"]}
        elif COMPONENT.find_fault(record) == "":
            own = record["options"]
            flags |= {name: record["name"], **own, **{name_apart(name, key): value for key, value in own.items()}}
    for record in options.values():
        if isinstance(record, Mapping) and COMPONENT.find_fault(record):
            flags |= record
    return {key.replace("_", "-"): value for key, value in _drop_unset(flags).items()}


def restore(cls: type[Chosen], options: Mapping[str, Any], folder: str | Path = "") -> Chosen:
    """The component that has these recorded options, typed as the command line types them.

    Args:
        cls: of the component.
        options: the record, as `to_json` gives it.
        folder: what relative paths among the options start from, empty for the working directory.

    Raises:
        CanaryganError: on an option that the class has not, or a value that the option cannot have.
    """
    options = {**cls.formerly, **options}
    flags = place_paths(cls, {key.replace("_", "-"): value for key, value in _drop_unset(options).items()}, folder)
    try:
        _, bound, _ = build_app(cls, flags).parse_args([], exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise CanaryganError(f"{cls.kind} {cls.name} cannot have the options {dict(options)}: {error}") from None
    bound.apply_defaults()
    component: Chosen = bound.arguments["component"]
    unset: dict[str, Any] = {
        key: value for key, value in options.items() if value in (None, {}) and getattr(component, key, value) != value
    }
    return replace(component, **unset) if unset else component


def parse_group(cls: type[Any], options: Mapping[str, Any], source: str) -> Any:
    """A dataclass of options that is no component, such as `Training`, typed as the command line types it.

    Args:
        cls: of the group.
        options: values, by field.
        source: where they are from, for messages.

    Raises:
        CanaryganError: on an option that the class has not, or a value that the option cannot have.
    """
    app = App(config=[Dict({key.replace("_", "-"): value for key, value in options.items()}, source=source)])
    app.default(make_command([make_parameter("group", Annotated[cls, Parameter(name="*")], cls())]))
    try:
        _, bound, _ = app.parse_args([], exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise CanaryganError(str(error)) from None
    bound.apply_defaults()
    return bound.arguments["group"]


def build_app(cls: type[Component], recorded: Mapping[str, Any] | None = None) -> App:
    """A command that takes the options of one component and nothing else.

    Args:
        cls: of the component.
        recorded: values of options, by flag, from a record.
    """
    config = [] if recorded is None else [Dict(dict(recorded), source="its record")]
    app = App(help_format="plaintext", config=config, default_parameter=Parameter(negative_iterable=()))
    app.default(make_command([make_parameter("component", *annotate(cls))]))
    return app


def make_parameter(name: str, annotation: Any, default: Any, kind: Any = inspect.Parameter.KEYWORD_ONLY) -> Any:
    """A parameter of a command."""
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def make_command(parameters: Sequence[inspect.Parameter], doc: str | None = None) -> Callable[..., None]:
    """A function that has these parameters, for the parser to take; it is never called."""

    def command(**_: Any) -> None:
        raise AssertionError("only ever parsed")

    ordered = sorted(parameters, key=lambda parameter: parameter.kind)
    command.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in ordered}
    command.__doc__ = doc
    return command


def annotate(
    cls: type[Component],
    prefix: str = "*",
    hidden: Collection[str] = (),
    parameter: str = "",
    clashing: Collection[str] = (),
) -> tuple[Any, Any]:
    """What makes a command's parameter take the options of a component: its annotation, and its default.

    Args:
        cls: of the component.
        prefix: `*` for flat flags, or `--name` for flags such as `--name.option`.
        hidden: options that are no flags.
        parameter: the task's, for the flags that clash with others.
        clashing: those, which become `--parameter.option`.
    """
    shown = _hide(cls, hidden) if hidden else cls
    try:
        default: Any = shown()
    except (CanaryganError, TypeError):  # an option without default
        default = inspect.Parameter.empty

    def spell(name: str) -> str:
        flag = default_name_transform(name)
        return name_apart(parameter, flag) if f"--{flag}" in clashing else flag

    group = Group(f"{cls.kind} {cls.name}")
    return Annotated[shown, Parameter(name=prefix, group=group, name_transform=spell)], default


def name_apart(parameter: str, flag: str) -> str:
    """The spelling of an option, without its leading dashes, where another part of the command has one of its name."""
    return f"{parameter.replace('_', '-')}.{flag}"


def spell_apart(
    cls: type[Component], parameter: str, options: Mapping[str, Any], flags: Collection[str]
) -> dict[str, Any]:
    """Options by flag, those of a component in the longer spelling where these flags of a command say so."""
    apart = {field.name.replace("_", "-") for field in fields(cls)}
    apart = {name for name in apart if f"--{name_apart(parameter, name)}" in flags}
    return {name_apart(parameter, key) if key in apart else key: value for key, value in options.items()}


def _hide(cls: type[Component], names: Collection[str]) -> type[Component]:
    """A class with the same options, some of which the parser does not read."""
    hints = typing.get_type_hints(cls, include_extras=True)
    made: type[Component] = make_dataclass(
        cls.__name__,
        [
            (one.name, Annotated[hints[one.name], Parameter(parse=False)], field(default=one.default))
            for one in fields(cls)
            if one.name in names
        ],
        bases=(cls,),
        frozen=True,
        namespace={"__doc__": cls.__doc__, "__module__": cls.__module__},
    )
    made.__module__ = cls.__module__
    return made


def find_paths(cls: type[Component]) -> frozenset[str]:
    """The names of a component's options that are paths."""
    hints = typing.get_type_hints(cls)
    names = [field.name for field in fields(cls)]
    return frozenset(name for name in names if _holds_path(hints[name]))


def _holds_path(hint: Any) -> bool:
    return hint is Path or any(map(_holds_path, typing.get_args(hint)))


def place_paths(
    cls: type[Component], flags: Mapping[str, Any], folder: str | Path, parameter: str = ""
) -> dict[str, Any]:
    """Options by flag, those that are paths made to start from the folder in which they were given.

    Args:
        cls: of the component whose options they are.
        flags: without their leading dashes.
        folder: where they were given.
        parameter: the task's, for options in their longer spelling.
    """
    placed = dict(flags)
    names = {name.replace("_", "-") for name in find_paths(cls)} if folder and Path(folder) != Path.cwd() else set()
    names |= {name_apart(parameter, name) for name in names}
    for name in names & placed.keys():
        value = placed[name]
        several = isinstance(value, list)
        placed[name] = [str(Path(folder, item)) for item in value] if several else str(Path(folder, value))
    return placed


def share_values(component: Chosen, given: Collection[str], **values: Any) -> Chosen:
    """A component with a task's own values for those options that it has and was not given for itself.

    Args:
        component: one of several that a task takes.
        given: the flags that the user gave; a component's own are `name.option`, or end so.
        values: by option.
    """
    own = {".".join(flag.replace("_", "-").split(".")[-2:]) for flag in given}
    names = {field.name for field in fields(component)}
    names = {name for name in names if f"{component.name}.{name.replace('_', '-')}" not in own}
    return replace(component, **{name: values[name] for name in names & values.keys()})


def fill_in(component: Chosen, given: Collection[str], values: Mapping[str, Any]) -> Chosen:
    """A component that a task takes alone, with these values for those of its options that were not given.

    Args:
        component: as the command line made it.
        given: the flags that the user gave.
        values: by option; those that the component has not are left.
    """
    own = {flag.removeprefix(f"{component.kind}.").replace("-", "_") for flag in given}
    names = {field.name for field in fields(component)} & values.keys() - own
    return replace(component, **{name: values[name] for name in names})


def spell(component: Component, flag: str = "") -> str:
    """The flags that would give a component its options, to be typed; those at their default are left out.

    Args:
        component: of a task.
        flag: what chooses the component, empty where its options do or it is what the task takes anyway.
    """
    default = annotate(type(component))[1]
    usual = _drop_unset(to_json(default)) if isinstance(default, Component) else {}
    words = [flag, component.name] if flag else []
    hints = typing.get_type_hints(type(component), include_extras=True)
    for name, value in _drop_unset(to_json(component)).items():
        marks = [one for one in typing.get_args(hints[name])[1:] if isinstance(one, Parameter)]
        short = [flag for mark in marks for flag in mark.alias or ()]
        words += (
            []
            if usual.get(name) == value
            else _spell_option(short[0] if short else f"--{name.replace('_', '-')}", value)
        )
    return shlex.join(words)


def _spell_option(flag: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    if isinstance(value, Mapping):
        return [word for name, item in value.items() for word in _spell_option(f"{flag}.{name}", item)]
    items = value if isinstance(value, list) else [value]
    words = [str(item).removesuffix(".0") if isinstance(item, float) else str(item) for item in items]
    return [word for item in words for word in (flag, item)]


def _drop_unset(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options without those that are None or empty groups, which no flag can express."""
    kept = {key: _drop_unset(value) if isinstance(value, Mapping) else value for key, value in options.items()}
    return {key: value for key, value in kept.items() if value is not None and value != {}}
