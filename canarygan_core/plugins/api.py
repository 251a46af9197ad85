"""Which versions of the kernel a plugin was built for."""

from contextlib import suppress
from importlib.metadata import EntryPoint

KERNEL, UNKNOWN = "canarygan", "unknown"
"""The kernel's name, as a plugin and as a distribution, and the version of what is not installed as one."""


def required(point: EntryPoint) -> str:
    """The versions of canarygan that a plugin's distribution requires, as it states them."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    for stated in (point.dist and point.dist.requires) or ():
        with suppress(InvalidRequirement):
            requirement = Requirement(stated)
            if canonicalize_name(requirement.name) == KERNEL and requirement.marker is None:
                return str(requirement.specifier)
    return ""


def unfit(distribution: str, requires: str, kernel: str) -> str:
    """Why a plugin was built for another API than this kernel's, known before any of it is imported; empty if not.

    What breaks plugins raises the first number of canarygan's version, or the second while the first is 0. A plugin
    says by its requirement which of them it was built for, `canarygan>=0.1,<0.2`: pip heeds it when it installs the
    plugin, and this does when canarygan was up- or downgraded since.

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
