"""The page: its template, style and scripts around what it shows, in one text."""

import html
import json
import re
from importlib import resources
from typing import Any

SCRIPTS = ("sound.js", "charts.js", "map.js", "page.js")
"""The page's scripts, in the order in which they run."""


def composed(content: dict[str, Any]) -> str:
    """The page that shows this content, which is JSON values only; nothing in it can become markup or script."""
    folder = resources.files(__package__)
    parts = {
        "title": html.escape(str(content["title"])),
        "style": folder.joinpath("page.css").read_text(encoding="utf-8"),
        "content": embedded(content),
        "script": "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS),
    }
    template = folder.joinpath("page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


def embedded(content: dict[str, Any]) -> str:
    """JSON in ASCII that cannot end the script element it stands in, whatever its strings hold."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
