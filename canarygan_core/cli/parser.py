"""The parser of one task's command line, built from the task's signature and the classes chosen for its slots."""

import dataclasses
import inspect
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Group, Parameter

from canarygan_core.cli.choosing import Choice
from canarygan_core.components import Component, Task
from canarygan_core.errors import UsageError
from canarygan_core.plugins.options import annotate, make_command, make_parameter, name_apart
from canarygan_core.runs import Request

EVERYWHERE = "With every task: --json gives the answer to a program, -q says less, -v more."


def build_parser(
    task: Task, function: Callable[..., Any], choices: Sequence[Choice], config: Sequence[Callable[..., Any]]
) -> App:
    """A parser that takes the task's own options and those of the chosen classes.

    Args:
        task: the verb.
        function: what does the work.
        choices: the slots and their classes.
        config: what fills in values beside the line's, in the order of precedence.

    An option of a component whose flag another part has, too, becomes `--parameter.option`. What a flag would choose is
    left out of the help where it shares a flag with what is chosen.

    Raises:
        UsageError: where two parts claim one flag all the same, such as a short one.
    """
    app = _build(task, function, choices, config, frozenset())
    clashing = frozenset(name for name, owners in list_owners(app, task) if len(owners) > 1)
    if clashing and any(choice.implied for choice in choices):
        return build_parser(task, function, [dataclasses.replace(one, implied=()) for one in choices], config)
    if clashing:
        app = _build(task, function, choices, config, clashing)
        find_owners(app, task)
    return app


def _build(
    task: Task,
    function: Callable[..., Any],
    choices: Sequence[Choice],
    config: Sequence[Callable[..., Any]],
    clashing: frozenset[str],
) -> App:
    """A parser as `build_parser` gives it, with the flags that clash known."""
    app = App(
        f"canarygan {task.name}",
        help_format="plaintext",
        help_epilogue=EVERYWHERE,
        version_flags=[],
        config=config,
        default_parameter=Parameter(negative_iterable=()),
    )
    app["--help"].show = False
    app.default(_build_command(function, choices, clashing))
    return app


def name_parameter(parameter: str, cls: type[Component]) -> str:
    """The command's parameter that holds a chosen component; cannot clash with a task's own."""
    return f"{parameter}__{cls.name.replace('-', '_')}"


def collect_presets(choices: Sequence[Choice]) -> dict[str, Mapping[str, Any]]:
    """The presets of the chosen classes, by name, with those options for datasets that the chosen dataset has."""
    presets: dict[str, Mapping[str, Any]] = {}
    chosen = [cls for choice in choices for cls in choice.classes]
    datasets = [cls for cls in chosen if cls.kind == "dataset"]
    known = {field.name.replace("_", "-") for cls in datasets for field in dataclasses.fields(cls)}
    for cls in chosen:
        for name, options in getattr(cls, "presets", {}).items():
            data = getattr(cls, "preset_data", {}).get(name, {})
            presets[name] = {**options, **{key: value for key, value in data.items() if key in known}}
    return presets


def find_owners(app: App, task: Task) -> dict[str, str]:
    """By flag, the part that it is an option of.

    Raises:
        UsageError: where two parts claim one flag.
    """
    found = {}
    for name, owners in list_owners(app, task):
        if len(owners) > 1:
            raise UsageError(f"{name} is an option of {' and of '.join(owners)}: they cannot be used together.")
        found[name] = owners[0]
    return found


def list_owners(app: App, task: Task) -> list[tuple[str, list[str]]]:
    """Each flag with the parts that it is an option of, of which there should be one."""
    flags: dict[str, list[str]] = {}
    for argument in app.assemble_argument_collection():
        groups = [name for name in name_groups(argument) if name != "Parameters"]
        for name in argument.names if argument.parse and argument.names != ("*",) else ():
            flags.setdefault(name, []).append(groups[0] if groups else task.name)
    return list(flags.items())


def name_groups(argument: Any) -> list[str]:
    """The names of the groups that an option of the parser is in."""
    return [group.name for group in argument.parameter.group]


def refuse_fractions(arguments: Any) -> None:
    """Raise `UsageError` on fractions where whole numbers are wanted, which the parser would round."""
    for argument in arguments:
        kinds = {argument.hint, *typing.get_args(argument.hint)} - {type(None), list}
        for token in argument.tokens if kinds <= {int, argument.hint} and int in kinds else ():
            if re.fullmatch(r"[+-]?\d*\.\d*[1-9]\d*", token.value):
                raise UsageError(f"{argument.name} takes a whole number, not {token.value}.")


def _build_command(
    function: Callable[..., Any], choices: Sequence[Choice], clashing: frozenset[str]
) -> Callable[..., None]:
    """A function with the task's signature, its slots replaced by the classes chosen for them."""
    hints = typing.get_type_hints(function, include_extras=True)
    slots = {choice.parameter: choice for choice in choices}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in slots:
            parameters += _expand_slot(slots[name], clashing)
        elif parameter.annotation is not Request:
            kind = max(parameter.kind, parameter.VAR_POSITIONAL)
            parameters.append(make_parameter(name, _flatten(hints[name]), parameter.default, kind))
    if presets := collect_presets(choices):
        lines = "\n".join(f"{name}: {_find_purpose(name, choices)}".rstrip(": ") for name in presets)
        owners = " and ".join(cls.name for choice in choices for cls in choice.classes if getattr(cls, "presets", {}))
        text = f"Named set of options; `canarygan plugins show {owners}` lists them.\n{lines}"
        mark: Any = Annotated[Literal[tuple(presets)] | None, Parameter(help=text)]
        parameters.append(make_parameter("preset", mark, None))
    file = Annotated[Path | None, Parameter(help="TOML file with options; the line wins.")]
    parameters.append(make_parameter("config", file, None))
    return make_command(parameters, unfold(inspect.getdoc(function) or ""))


def unfold(doc: str) -> str:
    """A docstring with each paragraph, and the text of each argument, on one line, which the help wraps anew."""
    return re.sub(r"(?<=\S)\n(?:(?=[^\s-])| {8,})", " ", doc)


def _find_purpose(preset: str, choices: Sequence[Choice]) -> str:
    """What a preset of the chosen classes is for."""
    purposes = [getattr(cls, "preset_purposes", {}).get(preset) for choice in choices for cls in choice.classes]
    return next(filter(None, purposes), "")


def _expand_slot(choice: Choice, clashing: frozenset[str]) -> list[inspect.Parameter]:
    """The flag that chooses, and the options of the classes: flat for one, `--name.option` for several."""

    def spell(cls: type[Component]) -> str:
        flag = f"--{cls.name}"
        return f"--{name_apart(choice.parameter, cls.name)}" if flag in clashing else flag

    text = f"Which {choice.kind}. [installed: {', '.join(choice.known) or 'none'}]"
    if choice.slot.every:
        text += " [default: every one]"
    names = choice.slot.defaults
    hint: Any = list[str] if choice.is_several else str
    default = (names if choice.is_several else names[0]) if names else None
    mark = Parameter(name=choice.flag, alias=choice.slot.alias or (), help=text)
    flag = make_parameter(choice.parameter, Annotated[hint if names else hint | None, mark], default)
    parts = []
    for cls in (*choice.classes, *choice.implied):
        taken = {field.name for field in dataclasses.fields(cls)} & set(choice.slot.supplied)
        if choice.is_several:
            annotated = annotate(cls, spell(cls), taken)
        else:
            annotated = annotate(cls, "*", taken, choice.parameter, clashing)
        parts.append(make_parameter(name_parameter(choice.parameter, cls), *annotated))
    return [flag, *parts]


def _flatten(hint: Any) -> Any:
    """A group of options, given as a dataclass, becomes flags of its own."""
    base = typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint
    if dataclasses.is_dataclass(base):
        return Annotated[base, Parameter(name="*", group=Group(typing.cast(type, base).__name__))]
    return hint
