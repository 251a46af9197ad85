"""Progress of long work: a bar with the time left, on a terminal only."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


@contextmanager
def bar(label: str, total: float | None) -> Iterator[Callable[..., None]]:
    """A progress bar, gone when the work is done; yields `advance(amount=1, note="")`.

    Args:
        label: what is being done.
        total: amount of work, None where unknown.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
        console=console,
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with shown:
        task = shown.add_task(label, total=total, note="")

        def advance(amount: float = 1, note: str = "") -> None:
            shown.update(task, advance=amount, note=note)

        yield advance


def track(items: Iterable[Item], label: str, total: int | None = None) -> Iterator[Item]:
    """Pass items on, with a bar that counts them."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with bar(label, total) as advance:
        for item in items:
            yield item
            advance()
