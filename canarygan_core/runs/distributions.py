"""Installed distributions: those that hold plugins, and the versions of all that can change a result."""

import json
import os
import platform
import sys
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points, version
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

GROUP = "canarygan"
"""Entry-point group of plugins."""

KERNEL = "canarygan"
"""Distribution of the kernel."""

UNKNOWN = "unknown"
"""Version of what is not installed as a distribution."""

LIBRARIES = {
    "torch": "torch",
    "torchaudio": "torchaudio",
    "lightning": "lightning",
    "numpy": "numpy",
    "scipy": "scipy",
    "scikit-learn": "sklearn",
    "reservoirpy": "reservoirpy",
    "umap-learn": "umap",
    "soundfile": "soundfile",
}
"""Distributions whose versions can change a result, and the module of each."""


def find_entry_points() -> list[EntryPoint]:
    """Entry points of all plugins, or of the comma-separated names in `CANARYGAN_PLUGINS` alone, sorted by name.

    A plugin that is installed both by itself and with the whole system counts once.
    """
    everything, names = list(entry_points(group=GROUP)), _read_chosen()
    own = {(point.name, point.value) for point in everything if find_distribution(point) != KERNEL}
    points = [
        point for point in everything if find_distribution(point) != KERNEL or (point.name, point.value) not in own
    ]
    return points if names is None else [point for point in points if point.name in names]


def find_unknown_choices() -> list[str]:
    """The names in `CANARYGAN_PLUGINS` that no installed plugin has."""
    return sorted((_read_chosen() or set()) - {"", *(point.name for point in entry_points(group=GROUP))})


def _read_chosen() -> set[str] | None:
    """The names in `CANARYGAN_PLUGINS`, None where it is not set."""
    chosen = os.environ.get("CANARYGAN_PLUGINS")
    return None if chosen is None else {name.strip() for name in chosen.split(",")}


def find_distribution(point: EntryPoint) -> str:
    """Name of the distribution that an entry point belongs to."""
    return (point.dist and point.dist.name) or point.value


def find_clone() -> Path | None:
    """The folder of a clone that this system runs or was installed from, None where there is none."""
    folders = [Path(__file__).parents[2]]
    try:
        origin = json.loads(distribution(KERNEL).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        origin = {}
    if str(origin.get("url", "")).startswith("file:"):
        folders.append(Path(url2pathname(urlparse(origin["url"]).path)))
    return next((folder for folder in folders if any(folder.glob("plugins/*/pyproject.toml"))), None)


def find_version(name: str) -> str:
    """Version of a distribution, `UNKNOWN` where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return UNKNOWN


def collect_versions() -> dict[str, str]:
    """Versions of Python, of the kernel, of the plugins and the libraries that are loaded."""
    names = [KERNEL, *(find_distribution(point) for point in find_entry_points() if point.module in sys.modules)]
    names += [name for name, module in LIBRARIES.items() if module in sys.modules and find_version(name) != UNKNOWN]
    system = {"python": platform.python_version(), "platform": platform.platform()}
    return system | {name: find_version(name) for name in names}
