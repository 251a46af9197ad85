"""`plugins new`: write a plugin that works as it stands, from the templates beside this module."""

import re
import shlex
from importlib.resources import files
from pathlib import Path

from canarygan_core.components import Answer
from canarygan_core.distributions import KERNEL, UNKNOWN
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins import SPELLING, WORD, Registry
from canarygan_core.plugins.index import read_index
from canarygan_core.runs.files import replace_folder

RUNS = {
    "metric": "canarygan score --metric {name} -d DATA GENERATED",
    "decoder": "canarygan train-decoders -m {name} -d DATA",
    "model": "canarygan train-gan --model {name}",
    "dataset": "canarygan write-dataset --dataset {name} -s sounds",
    "projector": "canarygan project --projector {name}",
}
"""A command that uses a component, by kind."""

LONGEST = 32
"""Letters of a name, so that the lines it stands in stay short."""


def write_plugin(name: str, kind: str, save_dir: Path, registry: Registry) -> Answer:
    """Write the package of a new plugin, whole or not at all; the answer says what to type next.

    Args:
        name: of the plugin and its component.
        kind: the component's.
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
    content = {path: _fill(text, name, kind, kernel) for path, text in _read_templates(name, kind).items()}
    with replace_folder(folder) as draft:
        for path, text in content.items():
            (draft / path).write_text(text, encoding="utf-8")
    message = "\n".join(
        ["Wrote " + ", ".join(sorted(content)) + f" to {folder}. Next:", *(f"  {one}" for one in commands)]
    )
    return Answer(message, {"path": str(folder), "files": sorted(content), "next": commands})


def _check_name(name: str, kind: str, registry: Registry) -> None:
    """Refuse what cannot be a plugin's name, or is one already."""
    if not WORD.fullmatch(name) or not name[0].isalpha() or len(name) > LONGEST:
        near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:LONGEST].strip("-")
        advice = f" Did you mean {near}?" if near else ""
        raise UsageError(
            f"A plugin cannot be named {name!r}: give it a name {SPELLING}, which starts with a letter and has at most "
            f"{LONGEST} of them.{advice}"
        )
    distributions = {one for names in read_index().values() for one in names.values()} | {"canarygan-core"}
    distributions |= {plugin.distribution for plugin in registry.plugins}
    plugins = {plugin.name for plugin in registry.plugins}
    if name in plugins or f"canarygan-{name}" in distributions:
        raise UsageError(f"There is a plugin named {name!r} already: take another name.")
    if name in registry.names(kind):
        owner = registry.provider(kind, name).distribution
        raise UsageError(f"{owner} offers a {kind} named {name!r} already: take another name.")


def _read_templates(name: str, kind: str) -> dict[str, str]:
    """What the package holds, by path, with the placeholders still in it."""
    folder = files("canarygan_core.plugins") / "templates"
    module = "canarygan_" + name.replace("-", "_")
    sources = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        f"{module}.py": f"{kind}.py",
        f"test_{module}.py": "contract.txt",
    }
    return {path: (folder / source).read_text(encoding="utf-8") for path, source in sources.items()}


def _fill(text: str, name: str, kind: str, kernel: str) -> str:
    """A template with its placeholders replaced."""
    numbers = re.match(r"(\d+)\.(\d+)", kernel) if kernel != UNKNOWN else None
    major, minor = map(int, numbers.groups()) if numbers else (0, 0)
    following = f"0.{minor + 1}" if major == 0 else str(major + 1)
    words = [word.capitalize() for word in name.split("-")]
    named = words[:-1] if len(words) > 1 and words[-1] == kind.capitalize() else words
    replacements = {
        "canarygan_placeholder": "canarygan_" + name.replace("-", "_"),
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
