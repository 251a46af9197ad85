"""Completion: what could come next on a command line, asked of what is installed at that moment."""

import typing
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from canarygan_core.cli.binding import Command
from canarygan_core.cli.choosing import HELP_FLAGS
from canarygan_core.components import KINDS, Task
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins import Registry

SCRIPTS = {
    "bash": """_canarygan() {
    local IFS=$'\\n'
    COMPREPLY=($(CANARYGAN_COMPLETE=1 "${COMP_WORDS[0]}" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _canarygan canarygan""",
    "zsh": """#compdef canarygan
_canarygan() {
    local -a found
    found=("${(@f)$(CANARYGAN_COMPLETE=1 "${words[1]}" "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "$found[1]" ]]; then compadd -a found; else _files; fi
}
compdef _canarygan canarygan""",
    "fish": """function __canarygan
    set -l words (commandline -opc) (commandline -ct)
    set -l found (env CANARYGAN_COMPLETE=1 $words 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c canarygan -f -a '(__canarygan)'""",
}
"""By shell, the script that asks `canarygan` itself, so that it is never older than what is installed."""

OWN = {"plugins": ("show", "new", "install", "check"), "completion": tuple(SCRIPTS), "run": ()}
"""Commands that are no tasks, and the words that follow them."""


def complete(words: Sequence[str], registry: Registry) -> list[str]:
    """What could stand in place of the last word, sorted; nothing where a file or a number belongs.

    Args:
        words: typed after the program's name; the last one is begun, and may be empty.
        registry: what is installed.
    """
    *before, begun = words or [""]
    spoken = before[1:] if before[:1] == ["run"] else before
    task = None
    with suppress(UsageError):
        task = registry.task(spoken)
    if task is None:
        found: Iterable[str] = _list_words(before, spoken, registry)
    else:
        found = _list_options(task, spoken[len(task.name.split()) :], begun, registry)
    return sorted({word for word in found if word.startswith(begun)})


def _list_words(before: Sequence[str], spoken: Sequence[str], registry: Registry) -> list[str]:
    """The words that lead to a command, and names after `plugins show` and `--kind`."""
    if not spoken:
        first = [task.name.split()[0] for task in registry.tasks()]
        return first if before else [*first, *OWN, "--help", "--version"]
    if list(spoken) == ["plugins", "show"]:
        return [name for plugin in registry.plugins for names in plugin.offers.values() for name in names]
    if spoken[-1] == "--kind":
        return [*(kind.kind for kind in KINDS), "task"]
    if len(spoken) == 1:
        groups = [task.name.split()[1:] for task in registry.tasks() if task.name.split()[0] == spoken[0]]
        return [*OWN.get(spoken[0], ()), *(word for rest in groups for word in rest)]
    return []


def _list_options(task: Task, words: Sequence[str], begun: str, registry: Registry) -> list[str]:
    """A task's flags with the components that are chosen so far, or the values of the flag before."""
    flag = words[-1] if words and words[-1].startswith("-") else ""
    command = _build(task, words[:-1] if flag else words, registry) or _build(task, [], registry)
    if command is None:
        return []
    arguments = [one for one in command.app.assemble_argument_collection() if one.names != ("*",)]
    for choice in command.choices if flag else ():
        if flag in (choice.flag, choice.slot.alias):
            return list(choice.known)
    for argument in arguments if flag else ():
        if flag in argument.names and argument.hint is not bool:
            return _list_values(argument.hint)
    takes_files = any(not name.startswith("-") for argument in arguments for name in argument.names)
    if takes_files and not begun.startswith("-"):
        return []
    flags = [name for argument in arguments for name in argument.names if name.startswith("--")]
    return [*flags, *HELP_FLAGS[:1], "--json", "--quiet", "--verbose"]


def _build(task: Task, words: Sequence[str], registry: Registry) -> Command | None:
    """The command line of these words, as far as they make sense."""
    with suppress(CanaryganError, ImportError):
        return Command(task, [*words, HELP_FLAGS[0]], registry)
    return None


def _list_values(hint: Any) -> list[str]:
    """The words that an option of a few values takes."""
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return list(map(str, parts))
    return [value for part in parts for value in _list_values(part)]
