"""From a task and the components chosen on the line to a command, and from the words typed to its arguments.

Names first, then options: the words are searched for `--model` and its like, and the command is then built from the
classes that they name, so that its help and its errors speak of their options.
"""

import dataclasses
import inspect
import tomllib
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Group, Parameter
from cyclopts.config import Dict

from canarygan_core.components import Component
from canarygan_core.errors import CanaryganError, UsageError, did_you_mean
from canarygan_core.options import flags, jsonable, peek
from canarygan_core.plugins import Registry
from canarygan_core.task import Answer, Request, Slot, Task

HELP_FLAGS = ("--help", "-h")

EVERYWHERE = "With every task: --json gives the answer to a program, -q says less, -v more."

MOMENTARY = frozenset({"save-dir", "version", "resume", "dry-run", "preset", "config"})
"""Options that say how to run this time, and so are not taken over from the manifest when resuming."""


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


@dataclass(frozen=True)
class Layer:
    """Option values from elsewhere than the command line; `options` have dashes in their keys."""

    source: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Bound:
    """A task with all its arguments."""

    function: Callable[..., Answer | None]
    arguments: Mapping[str, Any]

    def __call__(self) -> Answer | None:
        bound = inspect.BoundArguments(inspect.signature(self.function), dict(self.arguments))
        return self.function(*bound.args, **bound.kwargs)


class Command:
    """The command line of one task, for the components that these words choose.

    Args:
        task: the verb.
        words: what was typed after its name.
        registry: where components are found.

    Raises:
        UsageError: on a component, preset or file that is not there, or components that cannot be used together.
    """

    def __init__(self, task: Task, words: Sequence[str], registry: Registry) -> None:
        self.task, self.words = task, tuple(words)
        self.function = task.load()
        hints = typing.get_type_hints(self.function, include_extras=True)
        self.signature = inspect.signature(self.function)
        self.helping = any(word in HELP_FLAGS for word in self.words)
        self.layers = self._file()
        self.recorded = self._recorded()
        self.layers += self.recorded
        found = [slot for name, hint in hints.items() if (slot := _slot(name, hint))]
        self.choices = [self._choose(name, kind, slot, several, registry) for name, kind, slot, several in found]
        self.layers += self._preset()
        self.given: set[str] = set()
        self.app = App(
            f"canarygan {task.name}",
            help_format="plaintext",
            help_epilogue=EVERYWHERE,
            version_flags=[],
            config=[*map(self._source, self.layers), self._note_given],
            default_parameter=Parameter(negative_iterable=()),
        )
        self.app["--help"].show = False
        self.app.default(self._command(hints))
        self._check(self.app.assemble_argument_collection())

    def help(self) -> None:
        """Print the task's options and those of the chosen components."""
        self.app(["--help"], exit_on_error=False, result_action="return_value")

    def bind(self, argv: Sequence[str] = ()) -> Bound:
        """Parse the words.

        Args:
            argv: everything typed, for the manifest.

        Raises:
            UsageError: on a flag or value that does not fit, in the words or in a file.
        """
        try:
            _, bound, _ = self.app.parse_args(list(self.words), exit_on_error=False, print_error=False)
        except (CycloptsError, CanaryganError) as error:
            raise UsageError(f"{error}\nSee canarygan run {self.task.name} --help") from None
        bound.apply_defaults()
        return self._assembled(bound.arguments, tuple(argv))

    def _assembled(self, values: Mapping[str, Any], argv: tuple[str, ...]) -> Bound:
        """The task's own arguments from the command's, and the request that they amount to."""
        arguments: dict[str, Any] = {}
        options: dict[str, Any] = {"task": {}}
        for choice in self.choices:
            parts = [values[_part(choice.parameter, cls)] for cls in choice.classes]
            records = [{"name": part.name, "options": jsonable(part)} for part in parts]
            arguments[choice.parameter] = parts if choice.several else parts[0]
            options[choice.parameter] = records if choice.several else records[0]
        for name, parameter in self.signature.parameters.items():
            if parameter.annotation is Request or name in arguments:
                continue
            arguments[name] = values[name]
            if dataclasses.is_dataclass(values[name]):
                options[name] = jsonable(values[name])
            else:
                options["task"][name] = jsonable(values[name])
        for name, parameter in self.signature.parameters.items():
            if parameter.annotation is Request:
                arguments[name] = Request(self.task.name, argv, options, frozenset(self.given))
        return Bound(self.function, arguments)

    def _source(self, layer: Layer) -> Dict:
        """A layer for the parser; what was recorded for a component that is no longer chosen is let go."""
        return Dict(dict(layer.options), source=layer.source, allow_unknown=layer in self.recorded)

    def _note_given(self, app: App, commands: tuple[str, ...], arguments: Any) -> None:
        recorded = {layer.source for layer in self.recorded}
        self.given = {
            argument.name.removeprefix("--")
            for argument in arguments
            if any(token.source not in recorded for token in argument.tokens)
        }

    def _check(self, arguments: Any) -> None:
        """Refuse one flag that two parts claim, and keys of a file that are no flag."""
        owners: dict[str, str] = {}
        for argument in arguments:
            groups = [group.name for group in argument.parameter.group if group.name != "Parameters"]
            owner = groups[0] if groups else self.task.name
            for name in argument.names if argument.names != ("*",) else ():
                if name in owners:
                    both = f"{owners[name]} and of {owner}"
                    raise UsageError(f"{name} is an option of {both}: they cannot be used together.")
                owners[name] = owner
        known = {name[2:].partition(".")[0] for name in owners if name.startswith("--")} - {"config"}
        for layer in self.layers:
            for key in layer.options:
                if key.partition(".")[0] not in known and layer not in self.recorded:
                    raise UsageError(f"{layer.source}: there is no option {key!r}.{did_you_mean(key, known)}")

    def _command(self, hints: Mapping[str, Any]) -> Callable[..., None]:
        """A function with the task's signature, its slots replaced by the classes chosen for them."""
        parameters: dict[str, Any] = {}
        slots = {choice.parameter: choice for choice in self.choices}
        for name, parameter in self.signature.parameters.items():
            if name in slots:
                parameters |= _slot_parameters(slots[name])
            elif parameter.annotation is not Request:
                parameters[name] = (_flattened(hints[name]), parameter.default)
        presets = self._presets()
        if presets:
            told = "; ".join(f"{name}: {_told(options)}" for name, options in presets.items())
            parameters["preset"] = (
                Annotated[Literal[tuple(presets)] | None, Parameter(help=f"Named set of options. {told}.")],
                None,
            )
        parameters["config"] = (Annotated[Path | None, Parameter(help="TOML file with options; the line wins.")], None)

        def command(**_: Any) -> None:
            raise AssertionError("only ever parsed")

        keyword = inspect.Parameter.KEYWORD_ONLY
        made = [
            inspect.Parameter(name, self._kind_of(name), default=default, annotation=annotation)
            for name, (annotation, default) in parameters.items()
        ]
        made.sort(key=lambda parameter: parameter.kind == keyword)
        command.__signature__ = inspect.Signature(made)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in made}
        command.__doc__ = inspect.getdoc(self.function)
        return command

    def _kind_of(self, name: str) -> Any:
        known = self.signature.parameters.get(name)
        several = known is not None and known.kind is known.VAR_POSITIONAL
        return inspect.Parameter.VAR_POSITIONAL if several else inspect.Parameter.KEYWORD_ONLY

    def _choose(self, parameter: str, kind: str, slot: Slot, several: bool, registry: Registry) -> Choice:
        flag = "--" + parameter.replace("_", "-")
        names = self._said(flag, *([slot.alias] if slot.alias else []))
        if not names:
            implied = [name for given, name in slot.implied.items() if self._said(given)]
            names = implied[:1] or slot.defaults
        if self.helping:  # help is there before anything to choose from is
            names = [name for name in names if name not in slot.defaults or name in registry.names(kind)]
        elif not names:
            raise UsageError(f"Choose with {flag}: {', '.join(registry.names(kind)) or f'no {kind} is installed'}.")
        classes = tuple(registry.get(kind, name) for name in dict.fromkeys(names if several else names[-1:]))
        return Choice(parameter, kind, slot, several, classes, tuple(registry.names(kind)))

    def _said(self, flag: str, *aliases: str) -> list[str]:
        """What the words, or else a file, say of a flag."""
        said = peek(self.words, flag, *aliases)
        for layer in self.layers:
            value = [] if said else layer.options.get(flag.removeprefix("--"), [])
            said = said or [str(item) for item in (value if isinstance(value, list) else [value])]
        return said

    def _presets(self) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        for choice in self.choices:
            for cls in choice.classes:
                found |= getattr(cls, "presets", {})
        return found

    def _preset(self) -> list[Layer]:
        """The options of the preset that the words, or else a file, name."""
        names = self._said("--preset")
        presets = self._presets()
        if not names or not presets:
            return []
        if names[-1] not in presets:
            near = did_you_mean(names[-1], presets)
            raise UsageError(f"No preset named {names[-1]!r}; there are {', '.join(presets)}.{near}")
        return [Layer(f"preset {names[-1]}", presets[names[-1]])]

    def _file(self) -> list[Layer]:
        """The options of `--config FILE`."""
        layers = []
        for name in peek(self.words, "--config")[-1:]:
            try:
                options = tomllib.loads(Path(name).read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
                raise UsageError(f"Cannot read --config {name}: {error}.") from None
            layers.append(Layer(name, {key.replace("_", "-"): value for key, value in options.items()}))
        return layers

    def _recorded(self) -> list[Layer]:
        """When resuming, the options that the run was started with."""
        filed = "--no-resume" not in self.words and any(layer.options.get("resume") is True for layer in self.layers)
        if "resume" not in self.signature.parameters or not ("--resume" in self.words or filed):
            return []
        from canarygan_core import runs
        from canarygan_core.manifest import Manifest

        default = self.signature.parameters["save_dir"].default
        save_dir = Path((self._said("--save-dir", "-s") or [default])[-1])
        version = (self._said("--version") or [runs.INFER])[-1]
        path = runs.latest(save_dir, version) / "manifest.json"
        record = runs.of_task(Manifest.read(path), self.task.name).record
        flat = {key: value for key, value in flags(record["options"]).items() if key not in MOMENTARY}
        return [Layer(str(path), flat)]


def _slot(name: str, hint: Any) -> tuple[str, str, Slot, bool] | None:
    """(parameter, kind, slot, several) where a parameter is a slot."""
    marks = [mark for mark in typing.get_args(hint)[1:] if isinstance(mark, Slot)]
    if not marks:
        return None
    wanted = typing.get_args(hint)[0]
    several = typing.get_origin(wanted) is list
    kind: type[Component] = typing.get_args(wanted)[0] if several else wanted
    return name, kind.kind, marks[0], several


def _slot_parameters(choice: Choice) -> dict[str, Any]:
    """The flag that chooses, and the options of the chosen: flat for one, `--name.option` where there may be more."""
    told = f"Which {choice.kind}. [installed: {', '.join(choice.known) or 'none'}]"
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
        parameters[_part(choice.parameter, cls)] = (Annotated[cls, flat], instance)
    return parameters


def _part(parameter: str, cls: type[Component]) -> str:
    """The command's parameter that holds a chosen component; cannot clash with a task's own."""
    return f"{parameter}__{cls.name.replace('-', '_')}"


def _flattened(hint: Any) -> Any:
    """A group of options, given as a dataclass, becomes flags of its own."""
    base = typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint
    if dataclasses.is_dataclass(base):
        return Annotated[base, Parameter(name="*", group=Group(typing.cast(type, base).__name__))]
    return hint


def _told(options: Mapping[str, Any]) -> str:
    return " ".join(f"--{key} {value}" for key, value in options.items())
