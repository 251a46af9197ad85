"""The command line: `canarygan run TASK`, or `canarygan TASK`, and what is no task. All printing is here."""

import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from canarygan_core.components import Answer, Task
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins import Registry, installed

ForPrograms = Annotated[bool, Parameter(name="--json", negative=(), help="For programs.")]

SWITCHES = {"--json": "json", "-q": "quiet", "--quiet": "quiet", "-v": "verbose", "--verbose": "verbose"}
"""Flags that every task takes, wherever they stand."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit code: 0, 1 for an error of the user's to mend, 2 for misuse of the line."""
    words = list(sys.argv[1:] if argv is None else argv)
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        code = _run(words, installed())
        sys.stdout.flush()
        return code
    except CanaryganError as error:
        print(f"canarygan: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("canarygan: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output left; what is still in the buffer goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    """Take SIGTERM like Ctrl-C, so that whatever is half-written is removed."""
    raise KeyboardInterrupt


def _run(words: list[str], registry: Registry) -> int:
    spoken = words[1:] if words[:1] == ["run"] else words
    task = registry.task(spoken)
    if task is not None:
        return _perform(task, spoken[len(task.name.split()) :], words, registry)
    try:
        result = _catalogue(registry)(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        raise UsageError(f"{error}\nSee canarygan --help") from None
    return result if isinstance(result, int) else 0


def _perform(task: Task, words: list[str], argv: list[str], registry: Registry) -> int:
    """Bind a task to its words, do it, and tell the answer."""
    from canarygan_core.cli.binding import HELP_FLAGS, Command
    from canarygan_core.cli.memory import keep_freed

    switches = {SWITCHES[word] for word in words if word in SWITCHES}
    command = Command(task, [word for word in words if word not in SWITCHES], registry)
    if any(word in HELP_FLAGS for word in words):
        command.help()
        return 0
    bound = command.bind(argv)
    _speak(switches)
    keep_freed()
    answer = bound()
    return 0 if answer is None else _tell(answer, switches)


def _tell(answer: Answer, switches: set[str]) -> int:
    """Print an answer; gives its exit code."""
    if "json" in switches:
        print(json.dumps(answer.data, indent=2))
    elif "quiet" not in switches and answer.text:
        print(answer.text)
    return answer.exit_code


def _speak(switches: set[str]) -> None:
    """Send what the system has to say while it works to standard error."""
    level = logging.DEBUG if "verbose" in switches else logging.INFO
    if switches & {"quiet", "json"}:
        level = logging.WARNING
    log = logging.getLogger("canarygan")
    log.setLevel(level)
    log.propagate = False
    if not log.handlers:
        log.addHandler(_Lines())


class _Lines(logging.Handler):
    """One line a message, on the standard error of the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        mark = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        print(f"{mark}{record.getMessage()}", file=sys.stderr)


def _catalogue(registry: Registry, *, whole: bool = False) -> App:
    """What is not a task: the list of tasks, `plugins`, `--version`, and the word for what cannot be found.

    With `whole`, every task is there with its options, which costs the import of what does the work.
    """
    app = App(
        "canarygan",
        help="Learn a bird's syllables, generate new ones, tell which is which, and measure how good they are.",
        help_format="plaintext",
        version=lambda: version("canarygan"),
    )
    run = App("run", help="Run a task; `canarygan TASK` does the same.", help_format="plaintext", version_flags=[])
    pairs = [(*task.name.split(), "")[:2] for task in registry.tasks()]
    for parent in (run, app):
        groups = {
            first: App(first, help=f"Tasks of {first}.", help_format="plaintext", version_flags=[])
            for first, second in pairs
            if second
        }
        for group in groups.values():
            parent.command(group)
        for task, (first, second) in zip(registry.tasks(), pairs, strict=True):
            if second or first not in groups:
                place = groups[first] if second else parent
                if whole:
                    from canarygan_core.cli.binding import HELP_FLAGS, Command

                    place.command(Command(task, HELP_FLAGS, registry).app, name=second or first)
                else:
                    place.command(_shim, name=second or first, help=task.summary)
    app.command(run)

    app.command(_plugins(registry))

    @app.command(name="completion")
    def completion(shell: Literal["bash", "zsh", "fish"]) -> int:
        """Print a completion script: canarygan completion bash > FILE, and source FILE from the shell's start-up file.

        Args:
            shell: Which shell.
        """
        print(_catalogue(registry, whole=True).generate_completion(prog_name="canarygan", shell=shell))
        return 0

    return app


def _shim(*words: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]) -> None:
    """Stand in for a task in the list; tasks themselves are found before this list is asked."""


def _plugins(registry: Registry) -> App:
    """The command `plugins`: what is installed, what a name is, and a plugin of one's own."""
    app = App(
        "plugins",
        help="List the installed plugins: what each offers, and what failed and why.",
        help_format="plaintext",
        version_flags=[],
    )

    @app.default
    def listed(*, json: ForPrograms = False) -> int:
        from canarygan_core.cli import plugins

        return _tell(plugins.listed(registry), {"json"} if json else set())

    @app.command(name="show")
    def show(*name: str, json: ForPrograms = False) -> int:
        """Tell what a component, a task or a plugin is: its options, where it comes from, why it was not loaded.

        Args:
            name: What to look up; a task of two words as two words.
        """
        from canarygan_core.cli import plugins

        return _tell(plugins.shown(registry, " ".join(name)), {"json"} if json else set())

    @app.command(name="new")
    def new(
        name: str,
        /,
        *,
        kind: Literal["metric", "decoder", "model", "dataset", "projector"],
        save_dir: Annotated[Path, Parameter(alias="-s")] = Path("."),
        json: ForPrograms = False,
    ) -> int:
        """Write a plugin of your own that works as it stands: a package with one component and its test.

        Args:
            name: Of the component, as it will be typed: lower-case letters and digits joined by dashes.
            kind: What it is to be.
            save_dir: Folder in which the package's own is made, path.
        """
        from canarygan_core.plugins import scaffold

        return _tell(scaffold.written(name, kind, save_dir, registry), {"json"} if json else set())

    return app
