"""The public API: its modules, those that have moved, and the versions of the kernel that a plugin was built for."""

import functools
import importlib
import tomllib
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint
from importlib.resources import files
from types import ModuleType
from typing import Any

from canarygan_core.runs.distributions import KERNEL, UNKNOWN


@functools.cache
def read_api() -> dict[str, Any]:
    """The public modules and those that have moved, from `api.toml`."""
    return tomllib.loads(files(__package__).joinpath("api.toml").read_text(encoding="utf-8"))


class MovedModules(MetaPathFinder, Loader):
    """Import a moved module under its old name, with a warning that tells the new one."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.rpartition(".")
        return ModuleSpec(fullname, self) if package == "canarygan_core" and name in read_api()["moved"] else None

    def exec_module(self, module: ModuleType) -> None:
        """Fill the old module with what the new one holds, and with what has another name or place now."""
        places = dict(read_api()["moved"][module.__name__.rpartition(".")[2]])
        new = importlib.import_module(places.pop("module"))
        message = f"{module.__name__} is now {new.__name__}. The old name goes in 0.3."
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        vars(module).update((name, value) for name, value in vars(new).items() if not name.startswith("__"))
        for old, place in places.items():
            owner, _, name = place.partition(":")
            setattr(module, old, getattr(importlib.import_module(owner), name))


def find_requirement(point: EntryPoint) -> str:
    """The versions of canarygan that a plugin's distribution requires, as it states them; empty for any."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    for stated in (point.dist and point.dist.requires) or ():
        with suppress(InvalidRequirement):
            requirement = Requirement(stated)
            if canonicalize_name(requirement.name) == KERNEL and requirement.marker is None:
                return str(requirement.specifier)
    return ""


def explain_mismatch(distribution: str, requires: str, kernel: str) -> str:
    """Why a plugin was built for another API than this kernel's, before any of it is imported; empty if it was not.

    What breaks plugins raises the first number of canarygan's version, or the second while the first is 0. A plugin
    says by its requirement which of them it was built for, `canarygan>=0.2,<0.3`. pip heeds it when it installs the
    plugin. This function heeds it where canarygan was up- or downgraded since.

    Args:
        distribution: the plugin's.
        requires: the versions of canarygan that it states, empty for any.
        kernel: the version of canarygan that is running.
    """
    from packaging.specifiers import SpecifierSet

    if not requires or kernel == UNKNOWN or SpecifierSet(requires).contains(kernel, prereleases=True):
        return ""
    built = f"it was built for {KERNEL}{requires}, and this is {KERNEL} {kernel}"
    return f"{built}: pip install --upgrade {distribution}, or else pip install '{KERNEL}{requires}'"
