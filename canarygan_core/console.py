"""What reaches the terminal: text, log lines, and the progress of long work."""

import errno
import logging
import os
import re
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager, suppress
from typing import Any, TextIO, TypeVar

Item = TypeVar("Item")

log = logging.getLogger("canarygan")
"""What all of the system logs to."""

EVERY_S = 30.0
"""Seconds between two lines of progress where the output is no terminal."""

WAIT_S = 1.0
"""Seconds after which a bar appears, so that short work shows none."""

GONE = frozenset({errno.EPIPE, errno.EIO, errno.ENXIO, errno.EBADF, errno.ECONNRESET})
"""What writing fails with where nobody reads any more: a pipe whose reader ended, a terminal that was closed."""

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_shown: list[Any] = []  # what shows progress now, the innermost last
_showing = threading.RLock()


class Outlet:
    """A stream of text whose reader may leave: what cannot be shown any more is dropped, and the work goes on.

    Letters that the stream's encoding lacks are replaced by question marks.

    Attributes:
        stream: the text stream itself.
        failure: why a file did not take all of the text, or None; a reader who left is no failure.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.failure: OSError | None = None

    def write(self, text: str) -> int:
        try:
            return self.stream.write(text)
        except UnicodeEncodeError:
            encoding = self.stream.encoding
            return self.write(text.encode(encoding, "replace").decode(encoding))
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            self._drop(error)
            return len(text)

    def flush(self) -> None:
        try:
            self.stream.flush()
        except (OSError, ValueError) as error:
            self._drop(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def _drop(self, error: Exception) -> None:
        """Send nowhere what is still to be written, and what waits to be."""
        try:
            number = self.stream.fileno()
        except (OSError, ValueError):
            return
        is_gone = isinstance(error, OSError) and error.errno in GONE and not stat.S_ISREG(os.fstat(number).st_mode)
        if isinstance(error, OSError) and not is_gone:
            self.failure = self.failure or error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
        with suppress(OSError, ValueError):
            self.stream.flush()


@contextmanager
def open_outlets() -> Iterator[tuple[Outlet, Outlet]]:
    """Standard output and standard error as outlets, for the block. One that was closed before leads nowhere."""
    before = sys.stdout, sys.stderr
    if None in before:  # else the next file that is opened would be written to as if it were the terminal
        while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(number)
    output, errors = (
        Outlet(stream if stream is not None else open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
        for number, stream in enumerate(before, 1)
    )
    outlets = output, errors
    sys.stdout, sys.stderr = outlets
    try:
        yield outlets
    finally:
        for outlet in outlets:
            outlet.flush()
        sys.stdout, sys.stderr = before


def write_line(text: str, stream: TextIO) -> None:
    """Print a line. Letters that the stream's encoding lacks are replaced by question marks.

    What would steer the terminal, such as an escape sequence in the name of a file, is shown as its code.
    """
    outlet = stream if isinstance(stream, Outlet) else Outlet(stream)
    outlet.write(f"{show_controls(text)}\n")


def show_controls(text: str) -> str:
    """The text with each character that steers a terminal, or turns the direction of writing, as its code."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def show_on_one_line(text: str) -> str:
    """A name, or what quotes one, with what `show_controls` shows, and line breaks and tabs, as their codes."""
    return show_controls(text).replace("\n", "\\n").replace("\t", "\\t")


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
        sys.stderr.flush()


@contextmanager
def show_bar(label: str, total: float | None) -> Iterator[Callable[..., None]]:
    """The progress of long work: on a terminal a bar with the time left, gone when the work is done; else a line now
    and then. Within the block of another one, it takes the other's place until it ends.

    Yields `advance(amount=1, note="")`.

    Args:
        label: what is being done.
        total: amount of work, None where unknown.
    """
    with (_draw_bar if sys.stderr.isatty() else _log_lines)(label, total) as advance:
        yield advance


def track(items: Iterable[Item], label: str, total: int | None = None) -> Iterator[Item]:
    """Pass items on, with a bar that counts them."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with show_bar(label, total) as advance:
        for item in items:
            yield item
            advance()


def format_duration(seconds: float) -> str:
    """Seconds in the unit that reads best."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


@contextmanager
def _draw_bar(label: str, total: float | None) -> Iterator[Callable[..., None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    timing = TimeElapsedColumn() if total is None else TimeLeft(elapsed_when_finished=True)
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), timing]
    progress = Progress(*columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True), transient=True)
    timer = threading.Timer(WAIT_S, lambda: _start(progress))
    timer.daemon = True
    with _showing:
        if _shown:
            _shown[-1].stop()
        _shown.append(progress)
    timer.start()
    try:
        task = progress.add_task(label, total=total, note="")

        def advance(amount: float = 1, note: str = "") -> None:
            progress.update(task, advance=amount, note=note)

        yield advance
    finally:
        timer.cancel()
        with _showing:
            _shown.remove(progress)
            progress.stop()
        if _shown:
            _start(_shown[-1])


def _start(progress: Any) -> None:
    """Show a bar, unless another one has taken its place, or the work is done."""
    with _showing:
        if _shown and _shown[-1] is progress:
            progress.start()


@contextmanager
def _log_lines(label: str, total: float | None) -> Iterator[Callable[..., None]]:
    progress, over = _Lines(label, total), threading.Event()

    def speak() -> None:
        while not over.wait(EVERY_S):
            if _shown and _shown[-1] is progress:
                log.info("%s", progress)

    _shown.append(progress)
    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    try:
        yield progress.advance
    finally:
        over.set()
        speaker.join()
        _shown.remove(progress)


class _Lines:
    """Work that is under way, as text."""

    def __init__(self, label: str, total: float | None) -> None:
        self.label, self.total, self.note = label, total, ""
        self.done, self.began = 0.0, time.monotonic()
        self._since: tuple[float, float] | None = None

    def start(self) -> None:
        """Like a bar's; lines come from a thread."""

    stop = start

    def advance(self, amount: float = 1, note: str = "") -> None:
        self.done, self.note = self.done + amount, note
        self._since = self._since or (self.done, time.monotonic())  # work that goes on begins with what was done before

    def __str__(self) -> str:
        now = time.monotonic()
        done, began = self._since or (0.0, self.began)
        counted = f"{self.done:,.0f}" if self.total is None else f"{self.done:,.0f} of {self.total:,.0f}"
        parts = [counted] if self.done else [f"{format_duration(now - self.began)} so far"]
        if self.total is not None and self.done > done:
            left = (self.total - self.done) * (now - began) / (self.done - done)
            parts.append(f"about {format_duration(left)} left")
        return f"{self.label}: {', '.join(parts)}{f' ({self.note})' if self.note else ''}"
