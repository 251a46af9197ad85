"""Which distribution brings a name, from `index.toml`: what to install where the name is missing."""

import functools
import shlex
import tomllib
from importlib.resources import files

from canarygan_core.runs.distributions import find_clone


@functools.cache
def read_index() -> dict[str, dict[str, str]]:
    """By kind, the distribution of each name."""
    content = files(__package__).joinpath("index.toml").read_text(encoding="utf-8")
    return tomllib.loads(content)


def is_task(name: str) -> bool:
    """Whether a name is a task's, or the first word of one of two words."""
    return any(name in (task, task.split()[0]) for task in read_index()["task"])


def suggest_distribution(name: str, kind: str = "") -> str:
    """A closing sentence on what to install for a name of one kind, or of any; empty where the name is unknown."""
    for one, names in read_index().items():
        for known, distribution in names.items():
            if kind in ("", one) and name in (known, known.split()[0]):
                return f" It comes with {distribution}: {advise_installing(distribution)}."
    return ""


def advise_installing(*distributions: str) -> str:
    """How to install one of these distributions: from the clone that this system comes from, or else from an index."""
    clone = find_clone()
    folders = [clone and clone / "plugins" / name.replace("-", "_") for name in distributions]
    words = [f"-e {shlex.quote(str(folder))}" if folder and folder.is_dir() else "" for folder in folders]
    commands = [f"pip install {word or name}" for word, name in zip(words, distributions, strict=True)]
    return " or ".join(commands) + ("" if all(words) else ", or in a clone pip install -e .")


def advise_kind(kind: str) -> str:
    """That no component of a kind is installed, and what brings some."""
    distributions = sorted(set(read_index().get(kind, {}).values()))
    return f"no {kind} is installed" + (f"; {advise_installing(*distributions)}" if distributions else "")
