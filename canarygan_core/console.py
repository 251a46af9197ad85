"""What reaches the terminal: text, log lines, and the progress of long work."""

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TextIO, TypeVar

Item = TypeVar("Item")

log = logging.getLogger("canarygan")
"""What all of the system logs to."""


def write_line(text: str, stream: TextIO) -> None:
    """Print a line. Letters that the stream's encoding lacks are replaced by question marks."""
    try:
        stream.write(f"{text}\n")
    except UnicodeEncodeError:
        stream.write(f"{text.encode(stream.encoding, 'replace').decode(stream.encoding)}\n")


def drop_output(stream: TextIO) -> None:
    """Send nowhere what is still to be written to a stream whose reader has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def configure_logging(level: int) -> None:
    """Send what the system logs to standard error, a line a message."""
    log.setLevel(level)
    log.propagate = False
    if not log.handlers:
        log.addHandler(LineHandler())


class LineHandler(logging.Handler):
    """One line a message, on the standard error of the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        mark = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        write_line(f"{mark}{record.getMessage()}", sys.stderr)


@contextmanager
def show_bar(label: str, total: float | None) -> Iterator[Callable[..., None]]:
    """A progress bar with the time left, on a terminal only, gone when the work is done.

    Yields `advance(amount=1, note="")`.

    Args:
        label: what is being done.
        total: amount of work, None where unknown.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with progress:
        task = progress.add_task(label, total=total, note="")

        def advance(amount: float = 1, note: str = "") -> None:
            progress.update(task, advance=amount, note=note)

        yield advance


def track(items: Iterable[Item], label: str, total: int | None = None) -> Iterator[Item]:
    """Pass items on, with a bar that counts them."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with show_bar(label, total) as advance:
        for item in items:
            yield item
            advance()
