"""Plugins: found, loaded each on its own, looked up, and started from a template. Nothing here runs a task."""

from canarygan_core.plugins.registry import SPELLING, WORD, Plugin, Registry, get_registry, load_plugins

__all__ = ["SPELLING", "WORD", "Plugin", "Registry", "get_registry", "load_plugins"]
