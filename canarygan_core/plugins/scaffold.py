"""`plugins new`: write a plugin that works as it stands, from the templates beside this module."""

import re
import shlex
from importlib.resources import files
from pathlib import Path

from canarygan_core.components import Answer
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins import SPELLING, WORD, Registry
from canarygan_core.plugins.index import read_index
from canarygan_core.runs.distributions import KERNEL
from canarygan_core.runs.files import replace_folder

RUNS = {
    "metric": "canarygan score --metric {name} -d DATA GENERATED",
    "decoder": "canarygan train-decoders -m {name} -d DATA",
    "model": "canarygan train-gan --model {name}",
    "dataset": "canarygan write-dataset --dataset {name} -s sounds",
    "projector": "canarygan project --projector {name}",
    "task": "canarygan {name} -d DATA",
}
"""A command that uses a component or task, by kind."""

TESTS = {"task": "task.txt"}
"""The template of a test, by kind, where it is not that of components."""

LONGEST = 32
"""Letters of a name, so that the lines it stands in stay short."""


def write_plugin(name: str, kind: str, save_dir: Path, registry: Registry) -> Answer:
    """Write the package of a new plugin, whole or not at all; the answer says what to type next.

    Args:
        name: of the plugin and its component or task.
        kind: the component's, or `task`.
        save_dir: folder in which the package's folder is made.
        registry: what is installed, whose names are taken.

    Raises:
        UsageError: on a name that no plugin can have.
        CanaryganError: where the folder is there already, or cannot be written.
    """
    _check_name(name, kind, registry)
    folder = save_dir / f"canarygan-{name}"
    if folder.exists():
        raise CanaryganError(f"{folder} is there already: take another name, or another folder with -s.")
    place = shlex.quote(str(folder))
    if not folder.is_absolute() and not place.startswith((".", "'")):
        place = f"./{place}"  # pip takes a bare word for the name of a distribution
    commands = [f"pip install -e {place}", f"pytest {place}", RUNS[kind].format(name=name)]
    kernel = registry.plugins[0].version
    templates = files("canarygan_core.plugins") / "templates"
    module = "canarygan_" + name.replace("-", "_")
    sources = {"README.md": "README.md", "pyproject.toml": "pyproject.toml"}
    sources |= {f"{module}.py": f"{kind}.py", f"test_{module}.py": TESTS.get(kind, "contract.txt")}
    with replace_folder(folder) as draft:
        for path, source in sources.items():
            text = (templates / source).read_text(encoding="utf-8")
            (draft / path).write_text(_fill(text, name, kind, kernel), encoding="utf-8")
    lines = [f"Wrote {', '.join(sorted(sources))} to {folder}. Next:", *(f"  {command}" for command in commands)]
    return Answer("\n".join(lines), {"path": str(folder), "files": sorted(sources), "next": commands})


def _check_name(name: str, kind: str, registry: Registry) -> None:
    """Refuse what cannot be a plugin's name, or is one already."""
    if not WORD.fullmatch(name) or not name[0].isalpha() or len(name) > LONGEST:
        near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:LONGEST].strip("-")
        rules = f"give it a name {SPELLING}, which starts with a letter and has at most {LONGEST} of them."
        raise UsageError(f"A plugin cannot be named {name!r}: {rules}{f' Did you mean {near}?' if near else ''}")
    taken = {"canarygan-core"}.union(*(names.values() for names in read_index().values()))
    for plugin in registry.plugins:
        taken |= {plugin.distribution, f"canarygan-{plugin.name}"}
    if f"canarygan-{name}" in taken:
        raise UsageError(f"There is a plugin named {name!r} already: take another name.")
    if name in registry.names(kind):
        owner = registry.provider(kind, name).distribution
        raise UsageError(f"{owner} offers a {kind} named {name!r} already: take another name.")


def _fill(text: str, name: str, kind: str, kernel: str) -> str:
    """A template with its placeholders replaced."""
    numbers = re.match(r"(\d+)\.(\d+)", kernel)
    major, minor = map(int, numbers.groups()) if numbers else (0, 0)
    following = f"0.{minor + 1}" if major == 0 else str(major + 1)
    words = [word.capitalize() for word in name.split("-")]
    named = words[:-1] if len(words) > 1 and words[-1] == kind.capitalize() else words
    replacements = {
        "canarygan_placeholder": "canarygan_" + name.replace("-", "_"),
        "placeholder_task": name.replace("-", "_"),
        "placeholder.npz": "state.npz",
        "PlaceholderCLASS": "".join(named) + kind.capitalize(),
        "Placeholder": "".join(named),
        "placeholder": name,
        f"{KERNEL}REQUIRED": f"{KERNEL}>={major}.{minor},<{following}" if numbers else KERNEL,
        "KIND": kind,
        "COMMANDS": "\n".join(["pip install -e .", "pytest", RUNS[kind].format(name=name)]),
    }
    for old, new in replacements.items():
        text = text.replace(old, new)
    return text
