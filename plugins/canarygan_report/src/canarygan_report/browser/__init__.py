"""The parts of a page that run in a browser: map, player, spectrogram, charts. Nothing here knows the report."""

import html
import json
import re
from importlib import resources
from typing import Any

SCRIPTS = ("spectrogram.js", "player.js", "charts.js", "classes.js", "map.js", "sections.js")
"""The scripts in the order in which they run."""


def read_scripts() -> str:
    """The text of all scripts, for a `<script>` element of any page; README.md of this folder lists their functions."""
    return "\n".join(_read(name) for name in SCRIPTS)


def read_style() -> str:
    """The style sheet that the scripts expect, for a `<style>` element; it has the colours of both themes."""
    return _read("style.css")


def compose(content: dict[str, Any], style: str, script: str, *, online: bool = False) -> str:
    """A page of its own, which holds all that it needs.

    Args:
        content: JSON values, in the page's element `content`; nothing in them can become markup or script. `title` is
            that of the page.
        style: what comes after the style of the parts.
        script: what runs after the scripts of the parts.
        online: whether the page may ask the server that it comes from; else it may ask nobody.
    """
    parts = {
        "title": html.escape(str(content["title"])),
        "style": read_style() + _read("layout.css") + style,
        "connect": "; connect-src 'self'" if online else "",
        "content": as_script_json(content),
        "script": f"{read_scripts()}\n{script}",
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _read("page.html"))


def as_script_json(content: dict[str, Any]) -> str:
    """JSON in ASCII that cannot end the script element that holds it, whatever its strings hold."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
