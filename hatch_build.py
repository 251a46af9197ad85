"""What is built from a clone: the whole system, plugins and all, and from a source distribution the kernel alone.

Hatchling calls these hooks. With CANARYGAN_KERNEL_ALONE set, a clone gives the kernel alone, too. The plugins of a
clone go into the distribution `canarygan` itself, for no requirement can name a folder to be installed editable.
"""

import os
import tomllib
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

ALONE = "CANARYGAN_KERNEL_ALONE"
"""Environment variable that, set to anything, leaves the plugins out."""

LINKS = "_canarygan_plugins.pth"
"""File by which Python finds the plugins of an editable installation."""


def find_plugins(root):
    """The `pyproject.toml` of each plugin in a clone, in the order of names; none where the kernel is to be alone."""
    return [] if os.environ.get(ALONE) else sorted(Path(root).glob("plugins/*/pyproject.toml"))


def read_project(path):
    """The table `project` of a `pyproject.toml`."""
    return tomllib.loads(path.read_text(encoding="utf-8"))["project"]


class Requirements(MetadataHookInterface):
    """What the distribution requires, its extras, and the entry points of the plugins in it."""

    def update(self, metadata):
        projects = [read_project(path) for path in find_plugins(self.root)]
        required = set(self.config["dependencies"])
        for project in projects:
            required |= {text for text in project["dependencies"] if not text.startswith("canarygan")}
        metadata["dependencies"] = sorted(required)
        extras = self.config["extras"]
        metadata["optional-dependencies"] = {name: [] for name in extras} if projects else extras
        points = {}
        for project in projects:
            points |= project["entry-points"]["canarygan"]
        metadata["entry-points"] = {"canarygan": points} if points else {}


class Packages(BuildHookInterface):
    """The packages of the plugins: copied into a wheel, or linked to from an editable one."""

    def initialize(self, version, build_data):
        folders = [path.parent / "src" for path in find_plugins(self.root)]
        if version == "editable" and folders:
            links = Path(self.directory) / LINKS
            links.parent.mkdir(parents=True, exist_ok=True)
            links.write_text("".join(f"{folder}\n" for folder in folders), encoding="utf-8")
            build_data["force_include_editable"][str(links)] = LINKS
        elif version == "standard":
            packages = [package for folder in folders for package in folder.glob("canarygan_*")]
            build_data["force_include"] |= {str(package): package.name for package in packages}

    def finalize(self, version, build_data, artifact_path):
        (Path(self.directory) / LINKS).unlink(missing_ok=True)
