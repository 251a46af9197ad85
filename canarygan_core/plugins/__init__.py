"""Plugins: found, loaded each on its own, looked up, and started from a template. Nothing here runs a task."""

from canarygan_core.hookspecs import hookimpl
from canarygan_core.plugins.loading import get_registry, load_plugins
from canarygan_core.plugins.offers import SPELLING, WORD
from canarygan_core.plugins.registry import Plugin, Registry

__all__ = ["SPELLING", "WORD", "Plugin", "Registry", "get_registry", "hookimpl", "load_plugins"]
