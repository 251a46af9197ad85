"""Plugins made on the spot for tests: their source, modules, entry points, and what they offer."""

import types
from dataclasses import dataclass
from typing import ClassVar

from canarygan_core import Metric, Task, hookimpl
from canarygan_core.plugins import Plugin


@dataclass(frozen=True)
class Loudness(Metric):
    """How loud."""

    name: ClassVar[str] = "loudness"
    floor: float = -60.0

    def score(self, generated, reference):
        return {"loudness": self.floor}


@dataclass(frozen=True)
class Louder(Metric):
    name: ClassVar[str] = "loudness"

    def score(self, generated, reference):
        return {}


HELLO = Task("hello", "toys:hello", "Say hello.")


def plugin(name="a", version="1.0", **facts):
    return Plugin(name, f"canarygan-{name}", version, **facts)


def module(**offered):
    """A plugin's module; its hooks return these, by kind."""
    made = types.ModuleType("made")
    for kind, these in offered.items():
        setattr(made, f"register_{kind}s", hookimpl(lambda these=these: these))
    return made


class Point:
    """An entry point that imports a module, or raises."""

    name, value, module, dist = "a", "toys", "toys", None

    def __init__(self, outcome):
        self.outcome, self.loaded = outcome, 0

    def load(self):
        self.loaded += 1
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


METRIC = """
from dataclasses import dataclass
from typing import ClassVar
from canarygan_core import Metric, hookimpl

@dataclass(frozen=True)
class Loudness(Metric):
    name: ClassVar[str] = "loudness"

    def score(self, generated, reference):
        return {"loudness": 1.0}

@hookimpl
def register_metrics():
    return [Loudness]
"""

TASK = """
from canarygan_core import Answer, Task, hookimpl

def hello():
    "Say hello."
    return Answer("hello from a plugin")

@hookimpl
def register_tasks():
    return [Task("NAME", "MODULE:hello", "Say hello.")]
"""


def require(site, requirement):
    """Let the newest distribution that was installed state a requirement."""
    path = max(site.folder.glob("*.dist-info"), key=lambda folder: folder.stat().st_mtime_ns) / "METADATA"
    path.write_text(path.read_text() + f"Requires-Dist: {requirement}\n")
