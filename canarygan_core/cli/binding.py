"""From the words typed to a task's arguments: the line first, then a file, the record of a run, and a preset."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cyclopts import App, CycloptsError
from cyclopts.config import Dict

from canarygan_core.cli.choosing import choose, find_slots
from canarygan_core.cli.layers import Layer, read_file, read_preset, read_record
from canarygan_core.cli.parser import build_parser, collect_presets, find_owners, name_parameter, refuse_fractions
from canarygan_core.cli.usage_errors import explain
from canarygan_core.components import Answer, Component, Task
from canarygan_core.errors import CanaryganError, UsageError, did_you_mean
from canarygan_core.plugins import Registry
from canarygan_core.plugins.options import find_paths, name_apart, place_paths, spell_apart, to_json
from canarygan_core.runs import Request


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
        registry: where components are looked up.

    Raises:
        UsageError: on a component, preset or file that is not there, or components that cannot be used together.
    """

    def __init__(self, task: Task, words: Sequence[str], registry: Registry) -> None:
        self.task, self.words, self.registry = task, tuple(words), registry
        self.function = task.load()
        self.signature = inspect.signature(self.function)
        self.layers = read_file(self.words, task.name)
        self.layers += read_record(self.words, self.layers, task.name, self.signature.parameters)
        self.choices = [choose(slot, self.words, self.layers, registry) for slot in find_slots(self.function)]
        self.layers += read_preset(self.words, self.layers, collect_presets(self.choices))
        self.given: set[str] = set()
        config: list[Any] = [*map(self._make_source, self.layers), self._note_given]
        self.app = build_parser(task, self.function, self.choices, config)
        self._check_keys()

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
            arguments = self.app.assemble_argument_collection(parse_docstring=True)
            helps = {argument.name: str(argument.parameter.help or "") for argument in arguments}
            message = explain(error, self.task.name, helps, self.choices, self.registry)
            raise UsageError(f"{message}\nSee canarygan run {self.task.name} --help") from None
        bound.apply_defaults()
        return self._assemble(bound.arguments, tuple(argv))

    def _assemble(self, values: Mapping[str, Any], argv: tuple[str, ...]) -> Bound:
        """The task's own arguments from the command's, and the request that they amount to."""
        arguments: dict[str, Any] = {}
        options: dict[str, Any] = {"task": {}}
        for choice in self.choices:
            parts = [_rebuild(cls, values[name_parameter(choice.parameter, cls)]) for cls in choice.classes]
            records = [{"name": part.name, "options": to_json(part)} for part in parts]
            arguments[choice.parameter] = parts if choice.is_several else next(iter(parts), None)
            if records or choice.is_several:
                options[choice.parameter] = records if choice.is_several else records[0]
        requests = [name for name, one in self.signature.parameters.items() if one.annotation is Request]
        for name in self.signature.parameters.keys() - arguments.keys() - set(requests):
            arguments[name] = values[name]
        for name in self.signature.parameters:  # the record keeps the order of the signature
            if name not in requests and name not in options:
                is_group = dataclasses.is_dataclass(arguments[name])
                (options if is_group else options["task"])[name] = to_json(arguments[name])
        places = {choice.parameter: find_paths(choice.classes[0]) for choice in self.choices if choice.classes}
        for name in requests:
            arguments[name] = Request(self.task.name, argv, options, frozenset(self.given), places)
        return Bound(self.function, arguments)

    def _make_source(self, layer: Layer) -> Callable[[App, tuple[str, ...], Any], None]:
        """A layer for the parser; what was recorded for a component that is no longer chosen is let go."""

        def source(app: App, commands: tuple[str, ...], arguments: Any) -> None:
            options, flags = dict(layer.options), {name for argument in arguments for name in argument.names}
            for choice in self.choices:
                for cls in choice.classes if layer.is_record else ():
                    former = {name.replace("_", "-"): value for name, value in cls.formerly.items()}
                    apart = {name_apart(choice.parameter, name): value for name, value in former.items()}
                    options = former | apart | options
                for cls in choice.classes if not choice.is_several else ():
                    if layer.folder:
                        options = place_paths(cls, options, layer.folder, choice.parameter)
                    if layer.preset in getattr(cls, "presets", {}):
                        options = spell_apart(cls, choice.parameter, options, flags)
            Dict(options, source=layer.source, allow_unknown=layer.is_record)(app, commands, arguments)

        return source

    def _note_given(self, app: App, commands: tuple[str, ...], arguments: Any) -> None:
        """Remember which flags were given on the line or in a file."""
        refuse_fractions(arguments)
        records = {layer.source for layer in self.layers if layer.is_record}
        self.given = {
            argument.name.removeprefix("--")
            for argument in arguments
            if any(token.source not in records for token in argument.tokens)
        }

    def _check_keys(self) -> None:
        """Refuse keys of a file that are no flag."""
        flags = [name for name in find_owners(self.app, self.task) if name.startswith("--")]
        known = {name[2:].partition(".")[0] for name in flags} - {"config"}
        for layer in self.layers:
            for key in layer.options if not layer.is_record else ():
                apart = [name[2:] for name in flags if name.partition(".")[2] == key]
                if key.partition(".")[0] not in known and not (apart and layer.preset):
                    near = f" Did you mean {' or '.join(apart)}?" if apart else did_you_mean(key, known)
                    raise UsageError(f"{layer.source}: there is no option {key!r}.{near}")


def _rebuild(cls: type[Component], parsed: Component) -> Component:
    """A component of its own class; the parser may have read one that hides some of its options."""
    if type(parsed) is cls:
        return parsed
    return cls(**{field.name: getattr(parsed, field.name) for field in dataclasses.fields(cls)})
