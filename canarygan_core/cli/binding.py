"""From a task and the components chosen on the line to a command, and from the words typed to its arguments.

Names first, then options: the words are searched for `--model` and its like, and the command is then built from the
classes that they name, so that its help and its errors speak of their options.
"""

import dataclasses
import inspect
import re
import tomllib
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Group, Parameter
from cyclopts.config import Dict

from canarygan_core.cli.slots import Choice, parameters_of, part_of, slot_of
from canarygan_core.cli.usage_errors import explained
from canarygan_core.components import Answer, Slot, Task
from canarygan_core.errors import CanaryganError, UsageError, did_you_mean
from canarygan_core.plugins import Registry
from canarygan_core.plugins.homes import HOMES, advice
from canarygan_core.plugins.options import flags, jsonable, peek
from canarygan_core.runs.request import Request

HELP_FLAGS = ("--help", "-h")

EVERYWHERE = "With every task: --json gives the answer to a program, -q says less, -v more."

MOMENTARY = frozenset({"save-dir", "version", "resume", "dry-run", "preset", "config"})
"""Options that say how to run this time, and so are not taken over from the manifest when resuming."""


@dataclass(frozen=True)
class Layer:
    """Option values from elsewhere than the command line.

    Attributes:
        source: where from, for messages.
        options: by flag, without its leading dashes.
        folder: what relative paths among them start from, empty for the working directory.
    """

    source: str
    options: Mapping[str, Any]
    folder: str = ""


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
        self.task, self.words, self.registry = task, tuple(words), registry
        self.function = task.load()
        hints = typing.get_type_hints(self.function, include_extras=True)
        self.signature = inspect.signature(self.function)
        self.helping = any(word in HELP_FLAGS for word in self.words)
        self.layers = self._file()
        self.recorded = self._recorded()
        if self.recorded and self._said("--preset"):
            raise UsageError("A training that goes on keeps the options it was started with: leave out --preset.")
        self.layers += self.recorded
        found = [slot for name, hint in hints.items() if (slot := slot_of(name, hint))]
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
            known = self.app.assemble_argument_collection(parse_docstring=True)
            helps = {argument.name: str(argument.parameter.help or "") for argument in known}
            told = explained(error, self.task.name, helps, self.choices, self.registry)
            raise UsageError(f"{told}\nSee canarygan run {self.task.name} --help") from None
        bound.apply_defaults()
        return self._assembled(bound.arguments, tuple(argv))

    def _assembled(self, values: Mapping[str, Any], argv: tuple[str, ...]) -> Bound:
        """The task's own arguments from the command's, and the request that they amount to."""
        arguments: dict[str, Any] = {}
        options: dict[str, Any] = {"task": {}}
        for choice in self.choices:
            parts = [values[part_of(choice.parameter, cls)] for cls in choice.classes]
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
        options, recorded = dict(layer.options), layer in self.recorded
        moved = layer.folder and Path(layer.folder) != Path.cwd()
        for name in self._paths() & options.keys() if moved else ():
            options[name] = _placed(options[name], Path(layer.folder))
        return Dict(options, source=layer.source, allow_unknown=recorded)

    def _paths(self) -> set[str]:
        """The options of the chosen components that are paths."""
        hints = {
            key: hint
            for choice in self.choices
            for cls in choice.classes
            for key, hint in typing.get_type_hints(cls).items()
        }
        return {key.replace("_", "-") for key, hint in hints.items() if Path in (hint, *typing.get_args(hint))}

    def _note_given(self, app: App, commands: tuple[str, ...], arguments: Any) -> None:
        """Remember what was said, and refuse fractions where whole numbers are wanted: the parser would round them."""
        for argument in arguments:
            kinds = {argument.hint, *typing.get_args(argument.hint)} - {type(None), list}
            for token in argument.tokens if kinds <= {int, argument.hint} and int in kinds else ():
                if re.fullmatch(r"[+-]?\d*\.\d*[1-9]\d*", token.value):
                    raise UsageError(f"{argument.name} takes a whole number, not {token.value}.")
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
                parameters |= parameters_of(slots[name])
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
            names = implied[:1] or (registry.names(kind) if slot.every else slot.defaults)
        if self.helping:  # help is there before anything to choose from is
            names = [name for name in names if name not in slot.defaults or name in registry.names(kind)]
        elif not names:
            raise UsageError(f"Choose with {flag}: {', '.join(registry.names(kind)) or _none_of(kind)}.")
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
        from canarygan_core.runs.manifest import Manifest

        default = self.signature.parameters["save_dir"].default
        save_dir = Path((self._said("--save-dir", "-s") or [default])[-1])
        version = (self._said("--version") or [runs.INFER])[-1]
        path = runs.latest(save_dir, version) / "manifest.json"
        record = runs.of_task(Manifest.read(path), self.task.name).record
        flat = {key: value for key, value in flags(record["options"]).items() if key not in MOMENTARY}
        return [Layer(str(path), flat, record.get("cwd", ""))]


def _none_of(kind: str) -> str:
    """That no component of a kind is installed, and what brings some."""
    ours = sorted(set(HOMES.get(kind, {}).values()))
    return f"no {kind} is installed" + (f"; {advice(*ours)}" if ours else "")


def _placed(value: Any, folder: Path) -> Any:
    """A recorded path, or several, from the folder that it was given in."""
    return [str(folder / item) for item in value] if isinstance(value, list) else str(folder / value)


def _flattened(hint: Any) -> Any:
    """A group of options, given as a dataclass, becomes flags of its own."""
    base = typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint
    if dataclasses.is_dataclass(base):
        return Annotated[base, Parameter(name="*", group=Group(typing.cast(type, base).__name__))]
    return hint


def _told(options: Mapping[str, Any]) -> str:
    return " ".join(f"--{key} {value}" for key, value in options.items())
