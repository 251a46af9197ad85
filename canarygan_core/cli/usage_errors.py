"""Usage errors: what was wrong with the words typed, and what would have worked."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from cyclopts.exceptions import MissingArgumentError, UnknownOptionError, UnusedCliTokensError

from canarygan_core.cli.choosing import Choice
from canarygan_core.errors import UsageError, did_you_mean
from canarygan_core.plugins import Registry

ALIKE = 0.75
"""How alike a flag must be to be suggested, 0 to 1: all begin with two dashes, and --overwrite is no --version."""


def explain(
    error: Exception, task: str, helps: Mapping[str, str], choices: Sequence[Choice], registry: Registry
) -> str:
    """An error of the parser in the words of a task.

    Args:
        error: the parser's, or one of an option's own.
        task: its name.
        helps: what its options are for, by their flags.
        choices: the components chosen.
        registry: where components that were not chosen are looked up.
    """
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        return _missing(error, task, helps)
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        return f"{task} takes options alone, and {' '.join(error.unused_tokens)} belongs to none."
    if isinstance(error, UnknownOptionError) and error.token.source == "cli":
        return _unknown(error, task, choices, registry)
    return str(error)


def _missing(error: MissingArgumentError, task: str, helps: Mapping[str, str]) -> str:
    argument: Any = error.argument
    flags = [name for name in argument.names if name.startswith("-")]
    what = helps.get(argument.name, "").strip().removesuffix(".")
    purpose = f": {what[:1].lower()}{what[1:]}" if what else ""
    if not argument.tokens and error.keyword is None:
        return f"{task} needs {' or '.join(flags) or argument.name}{purpose}."
    return f"{error.keyword or argument.tokens[-1].keyword or argument.name} needs a value{purpose}."


def _unknown(error: UnknownOptionError, task: str, choices: Sequence[Choice], registry: Registry) -> str:
    flag = str(error.token.keyword or error.token.value).partition("=")[0]
    known = [name for argument in error.argument_collection for name in argument.names]
    longer = [name for name in known if name.startswith("--") and name.partition(".")[2] == flag.removeprefix("--")]
    if longer:
        return f"Unknown option: {flag}. Did you mean {' or '.join(longer)}?"
    if flag == "--preset":
        chosen = [f"{choice.kind} {cls.name}" for choice in choices for cls in choice.classes]
        return f"--preset names options of a component, and {' and '.join(chosen)} has none: leave it out."
    owners = [
        f"{choice.kind} {name}" for choice in choices for name in choice.known if flag in _flags(registry, choice, name)
    ]
    if owners:
        here = [cls.name for choice in choices for cls in choice.classes if owners[0].startswith(f"{choice.kind} ")]
        return f"{flag} is an option of {' and of '.join(owners)}, not of {' or '.join(here)} as in this {task}."
    return f"Unknown option: {flag}.{did_you_mean(flag, known, ALIKE)}"


def _flags(registry: Registry, choice: Choice, name: str) -> set[str]:
    """The flags of a component that could have been chosen; none where it cannot be had."""
    if name in {cls.name for cls in choice.classes}:
        return set()
    try:
        own = {field.name.replace("_", "-") for field in dataclasses.fields(registry.get(choice.kind, name))}
    except UsageError:  # two plugins claim the name
        return set()
    return {f"--{name}.{flag}" for flag in own} if choice.is_several else {f"--{flag}" for flag in own}
