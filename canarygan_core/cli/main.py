"""The command line: `canarygan run TASK`, or `canarygan TASK`, and what is no task."""

import contextlib
import logging
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from types import FrameType, TracebackType
from typing import Annotated, Literal, TextIO

from cyclopts import App, CycloptsError, Parameter

from canarygan_core.cli.plugins import build_plugins_app, print_answer
from canarygan_core.components import Task
from canarygan_core.console import configure_logging, open_outlets, show_bar, write_line
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins import Registry, get_registry

SWITCHES = {"--json": "json", "-q": "quiet", "--quiet": "quiet", "-v": "verbose", "--verbose": "verbose"}
"""Flags that every task takes, wherever they stand."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit code: 0, 1 for an error of the user's to mend, 2 for misuse of the line.

    Nothing that cannot be shown changes it, except an answer that goes to a file which does not take it.
    """
    if argv is None:
        sys.excepthook = _show_bug
    words = list(sys.argv[1:] if argv is None else argv)
    with open_outlets() as (output, _), warnings.catch_warnings():
        warnings.showwarning = _show_warning
        code = _run_safely(words)
        output.flush()
        if output.failure is not None:
            write_line(f"canarygan: cannot write the answer: {output.failure.strerror}.", sys.stderr)
            code = code or 1
    return code


def _show_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show a traceback, which may quote the name of a file, as any text."""
    write_line("".join(traceback.format_exception(kind, error, trace)).rstrip(), sys.stderr)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a library's warning, which may quote a label, as any line."""
    write_line(warnings.formatwarning(message, category, filename, lineno).rstrip(), sys.stderr)


def _run_safely(words: list[str]) -> int:
    """Run one command; stops that come from outside, and errors of the user's, become exit codes."""
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]  # Windows has no SIGHUP
    before = {number: signal.getsignal(number) for number in (getattr(signal, name) for name in names)}
    for number in before:
        if before[number] != signal.SIG_IGN:  # nohup's
            signal.signal(number, _interrupt)
    try:
        if os.environ.get("CANARYGAN_COMPLETE"):
            from canarygan_core.cli.completion import complete

            write_line("\n".join(complete(words, get_registry())), sys.stdout)
            return 0
        return _run(words, get_registry())
    except CanaryganError as error:
        write_line(f"canarygan: {error}", sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        write_line("canarygan: interrupted.", sys.stderr)
        return 130
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP, taken like Ctrl-C, so that whatever is half-written is removed.

    A bare KeyboardInterrupt that comes while Python executes a string, as dataclasses do, makes it die of SIGINT later.
    """


def _interrupt(number: int, frame: FrameType | None) -> None:
    if number != signal.SIGTERM:  # a terminal that is closed sends more than one
        signal.signal(number, signal.SIG_IGN)
    raise Terminated


def _run(words: list[str], registry: Registry) -> int:
    spoken = words[1:] if words[:1] == ["run"] else words
    task = registry.task(spoken)
    if task is not None:
        return _run_task(task, spoken[len(task.name.split()) :], words, registry)
    try:
        result = _build_app(registry)(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        raise UsageError(f"{error}\nSee canarygan --help") from None
    return result if isinstance(result, int) else 0


def _run_task(task: Task, words: list[str], argv: list[str], registry: Registry) -> int:
    """Bind a task to its words, do it, and print the answer."""
    from canarygan_core.cli.binding import Command
    from canarygan_core.cli.choosing import HELP_FLAGS
    from canarygan_core.cli.memory import keep_freed

    switches = {SWITCHES[word] for word in words if word in SWITCHES}
    with contextlib.redirect_stdout(sys.stderr):  # what an import prints is no answer
        command = Command(task, [word for word in words if word not in SWITCHES], registry)
    if any(word in HELP_FLAGS for word in words):
        command.help()
        return 0
    bound = command.bind(argv)
    level = logging.DEBUG if "verbose" in switches else logging.INFO
    configure_logging(logging.WARNING if switches & {"quiet", "json"} else level)
    keep_freed()
    printed = sys.stderr if "json" in switches else sys.stdout
    # where nothing tells more of the work, a bar shows that there is some
    with contextlib.redirect_stdout(printed), show_bar(task.name, None):
        answer = bound()
    return 0 if answer is None else print_answer(answer, switches)


def _build_app(registry: Registry) -> App:
    """What is not a task: the list of tasks, `plugins`, `--version`, and the word for what cannot be found."""
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
                place.command(_stand_in, name=second or first, help=task.summary)
    app.command(run)
    app.command(build_plugins_app(registry))

    @app.command(name="completion")
    def completion(shell: Literal["bash", "zsh", "fish"]) -> int:
        """Print a completion script: canarygan completion bash > FILE, and source FILE from the shell's start-up file.

        The script asks `canarygan` for tasks, components and options, so it stays true when plugins are installed.

        Args:
            shell: Which shell.
        """
        from canarygan_core.cli.completion import SCRIPTS

        write_line(SCRIPTS[shell], sys.stdout)
        return 0

    return app


def _stand_in(*words: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]) -> None:
    """Stand in for a task in the list; tasks themselves are found before this list is asked."""
