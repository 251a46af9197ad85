"""A registry of what is installed: each plugin found, and imported only where nobody knows what it offers."""

import functools
import logging
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points

from canarygan_core.errors import CanaryganError, did_you_mean
from canarygan_core.plugins.api import explain_mismatch, find_requirement
from canarygan_core.plugins.offers import KnownOffers
from canarygan_core.plugins.registry import Plugin, Registry
from canarygan_core.runs.distributions import (
    GROUP,
    KERNEL,
    find_distribution,
    find_entry_points,
    find_unknown_choices,
    find_version,
)

log = logging.getLogger("canarygan")


def load_plugins(points: Sequence[EntryPoint]) -> Registry:
    """A registry of the kernel's own offers and of these entry points, each loaded guarded from the others."""
    from canarygan_core.plugins import builtin

    registry, cache = Registry(), KnownOffers()
    registry.add(Plugin(KERNEL, KERNEL, find_version(KERNEL)), builtin)
    for point in sorted(points, key=lambda point: (point.name, find_distribution(point))):
        distribution = find_distribution(point)
        plugin = Plugin(point.name, distribution, find_version(distribution))
        try:
            if any(other.name == plugin.name for other in registry.plugins):
                raise CanaryganError(f"another plugin is already named {plugin.name!r}.")
            plugin = replace(plugin, requires=find_requirement(point))
            if mismatch := explain_mismatch(distribution, plugin.requires, registry.plugins[0].version):
                raise CanaryganError(mismatch)
        except Exception as error:  # noqa: BLE001 see Registry.add
            registry.fail(plugin, error)
            continue
        known = cache.find(point)
        if known is not None:
            registry.add_known(replace(plugin, seconds=known[1]), point, known[0])
            continue
        registry.load(plugin, point)
        if not registry.plugins[-1].failure:
            cache.keep(point, registry.list_offers(registry.plugins[-1]), registry.plugins[-1].seconds)
    return registry


@functools.cache
def get_registry() -> Registry:
    """The registry of everything installed, or of the comma-separated names in `CANARYGAN_PLUGINS` alone.

    A name among those that is not installed is told.
    """
    for name in find_unknown_choices():
        near = did_you_mean(name, (point.name for point in entry_points(group=GROUP)))
        log.warning(f"CANARYGAN_PLUGINS names {name}, which is not installed.{near} `pip list` tells what is.")
    return load_plugins(find_entry_points())
