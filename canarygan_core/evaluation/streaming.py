"""Clips streamed to metrics, batch by batch: only what a listener keeps of them takes memory."""

import logging
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from canarygan_core.clips import Clips, concatenate
from canarygan_core.components import Listener, Metric
from canarygan_core.console import log, show_bar
from canarygan_core.errors import CanaryganError
from canarygan_core.evaluation import accuracy

BATCH = 100
"""Clips in a batch."""

Listened = Mapping[Listener, Clips]
"""What each listener kept of the same clips."""


def listen(
    batches: Iterable[Clips], listeners: Iterable[Listener], failures: dict[Listener, str] | None = None
) -> dict[Listener, Clips]:
    """What each listener keeps of clips that come in batches, none of which is held.

    Args:
        batches: of clips.
        listeners: what hears them.
        failures: takes the listeners that fail, and why, so that the others are heard; where it is None, the first
            failure is raised.

    Raises:
        CanaryganError: where no clip comes, or a listener refuses them and failures are not taken.
    """
    parts: dict[Listener, list[Clips]] = {listener: [] for listener in listeners}
    for batch in batches:
        for listener in list(parts):
            try:
                parts[listener].append(listener(batch))
            except Exception as error:  # a stranger's listener may raise anything
                if failures is None:
                    raise
                failures[listener] = describe_failure(error)
                del parts[listener]
    return {listener: concatenate(part) for listener, part in parts.items()}


def describe_failure(error: Exception) -> str:
    """Why a metric says nothing: a message for people as it is, any other error with its kind and its place."""
    if isinstance(error, CanaryganError):
        return str(error)
    places = traceback.extract_tb(error.__traceback__)
    where = f" ({places[-1].filename}:{places[-1].lineno})" if places else ""
    return f"{type(error).__name__}: {error}{where}"


def iterate_batches(clips: Clips, label: str) -> Iterator[Clips]:
    """Clips, some at a time, with a progress bar."""
    with show_bar(label, len(clips)) as advance:
        for batch in clips.batches(BATCH):
            yield batch
            advance(len(batch))


def split_halves(clips: Clips, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Rows of two halves of clips, each class shared evenly where classes are known.

    Raises:
        CanaryganError: where there are fewer than two clips.
    """
    if len(clips) < 2:
        raise CanaryganError(f"{len(clips)} clip cannot be halved.")
    labels = clips.labels if clips.labels is not None else np.full(len(clips), "")
    return accuracy.split(labels, 0.5, seed)


@contextmanager
def collect_warnings(*, should_show: bool = True) -> Iterator[list[str]]:
    """The warnings that are logged within the block; they are shown as well unless `should_show` is false."""
    messages: list[str] = []
    collector = logging.Handler(logging.WARNING)  # a handler hears the loggers below `canarygan`, too
    collector.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    others = () if should_show else tuple(log.handlers)

    def is_shown(record: logging.LogRecord) -> bool:
        return record.levelno < logging.WARNING

    log.addHandler(collector)
    for handler in others:
        handler.addFilter(is_shown)
    try:
        yield messages
    finally:
        log.removeHandler(collector)
        for handler in others:
            handler.removeFilter(is_shown)


def find_listeners(metrics: Sequence[Metric]) -> tuple[dict[str, Listener], dict[str, list[str]]]:
    """By name, the listener of each metric; and by reason, the names of those that cannot listen."""
    listeners: dict[str, Listener] = {}
    refused: dict[str, list[str]] = {}
    for metric in metrics:
        try:
            listeners[metric.name] = metric.listener()
        except Exception as error:  # noqa: BLE001 a stranger's metric may raise anything
            refused.setdefault(describe_failure(error), []).append(metric.name)
    return listeners, refused
