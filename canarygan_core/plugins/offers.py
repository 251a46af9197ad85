"""What a plugin offers: checked when it is loaded, and known without loading it from then on.

The cache has a file `plugins.json` with the names, kinds and summaries that each plugin offered when it was last
imported. An entry holds as long as the files of the plugin's package are those of then.
"""

import importlib.util
import inspect
import json
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from canarygan_core.components import KINDS, Annotator, Component, Task
from canarygan_core.datasets.location import find_folder
from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files
from canarygan_core.runs.distributions import KERNEL, find_version

WORD = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""What a name looks like: it is typed, and is part of flags."""

SPELLING = "of lower-case letters and digits joined by dashes"
"""The same for people."""

OFFERED: tuple[type[Component], ...] = (*KINDS, Annotator)
"""What has a hook, beside tasks."""

RESERVED = frozenset({"run", "plugins", "completion"})
"""Commands that no task can take."""


SCHEMA = 1
"""Version of the cache's file; another one is not read."""

MOST_FILES = 500
"""Files of a package that are looked at; a larger one is told apart by these."""


@dataclass(frozen=True)
class Known:
    """An offer of a plugin that is not imported yet.

    Attributes:
        kind: of the component, or `task`.
        name: what a user types.
        summary: the first sentence of its docstring, or the task's.
        target: of a task, what to import.
        reads: of a task, what gives back what it left.
    """

    kind: str
    name: str
    summary: str
    target: str = ""
    reads: str = ""

    @classmethod
    def of(cls, kind: str, name: str, offer: Any) -> "Known":
        """What is worth knowing of a class or a task."""
        if isinstance(offer, Task):
            return cls(kind, name, offer.summary, offer.target, offer.reads)
        return cls(kind, name, " ".join((inspect.getdoc(offer) or "").partition("\n\n")[0].split()))

    def restore(self) -> "Known | Task":
        """A task is whole without its plugin; a component is not."""
        return Task(self.name, self.target, self.summary, self.reads) if self.kind == "task" else self


def check_offer(kind: str, offer: Any) -> str:
    """The name of what a hook returned; `TypeError` where it is not of that kind or has no name."""
    if kind == "task":
        if not isinstance(offer, Task):
            raise TypeError(f"register_tasks must return Task objects, not {offer!r}.")
        words = offer.name.split(" ")
        if len(words) > 2 or not all(map(WORD.fullmatch, words)) or words[0] in RESERVED:
            advice = f"give it one word or two, {SPELLING}, not run or plugins"
            raise TypeError(f"a task cannot be named {offer.name!r}: {advice}.")
        return offer.name
    wanted = next(base for base in OFFERED if base.kind == kind)
    if not (isinstance(offer, type) and issubclass(offer, wanted)):
        raise TypeError(f"register_{kind}s must return subclasses of {wanted.__name__}, not {offer!r}.")
    name = getattr(offer, "name", None)
    if not isinstance(name, str) or not name:
        raise TypeError(f"{offer.__name__} has no name: give it `name: ClassVar[str] = ...`.")
    if not WORD.fullmatch(name):
        raise TypeError(f"{offer.__name__} cannot be named {name!r}: give it a name {SPELLING}.")
    if inspect.isabstract(offer):
        raise TypeError(f"{offer.__name__} does not define {', '.join(sorted(offer.__abstractmethods__))}.")
    return name


class KnownOffers:
    """The cache of what plugins offer, by entry point."""

    def __init__(self) -> None:
        self.path = find_folder() / "plugins.json"
        self._entries: dict[str, Any] = {}
        with suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
            content = json.loads(self.path.read_text(encoding="utf-8"))
            if content.get("schema") == SCHEMA:
                self._entries = dict(content["plugins"])

    def find(self, point: EntryPoint) -> tuple[list[Known], float] | None:
        """What a plugin offers and how many seconds its import took, or None where that is not known any more."""
        entry = self._entries.get(_identify(point))
        try:
            if entry is not None and entry["state"] == _read_state(point):
                return [Known(**offer) for offer in entry["offers"]], float(entry["seconds"])
        except (KeyError, TypeError, ValueError):  # of another hand than ours
            return None
        return None

    def keep(self, point: EntryPoint, offers: Iterable[Known], seconds: float) -> None:
        """Remember what a plugin offered when it was imported. A cache that cannot be written is no reason to stop."""
        entry = {"state": _read_state(point), "offers": [asdict(one) for one in offers], "seconds": round(seconds, 3)}
        self._entries[_identify(point)] = entry
        there = {key: one for key, one in self._entries.items() if Path(key.partition("@")[2]).exists()}
        with suppress(CanaryganError, OSError):
            files.write_text(self.path, json.dumps({"schema": SCHEMA, "plugins": there}) + "\n")


def _find_origin(point: EntryPoint) -> Path:
    """The file or folder of the top package that an entry point names; nothing is imported."""
    with suppress(ImportError, ValueError, AttributeError):
        spec = importlib.util.find_spec(point.module.partition(".")[0])
        if spec is not None and spec.submodule_search_locations:
            return Path(next(iter(spec.submodule_search_locations)))
        if spec is not None and spec.origin:
            return Path(spec.origin)
    return Path(os.devnull)


def _identify(point: EntryPoint) -> str:
    return f"{point.name}={point.value}@{_find_origin(point)}"


def _read_state(point: EntryPoint) -> Mapping[str, Any]:
    """What changes where a plugin does: versions, and the number, size and time of its Python files."""
    origin, sizes, times = _find_origin(point), 0, [0]
    paths = [origin] if origin.is_file() else []
    for folder, _, names in os.walk(origin) if origin.is_dir() else ():
        paths += [Path(folder, name) for name in names if name.endswith(".py")]
        if len(paths) > MOST_FILES:
            break
    for path in paths:
        with suppress(OSError):
            state = path.stat()
            sizes, times = sizes + state.st_size, [*times, state.st_mtime_ns]
    version = point.dist.version if point.dist else ""
    return {
        "version": version,
        "kernel": find_version(KERNEL),
        "files": [len(paths), sizes, max(times)],
    }
