"""The page as one text: its template, style and scripts, and the content that they show."""

import html
import json
import re
from importlib import resources
from typing import Any

from canarygan_report import browser


def compose(content: dict[str, Any]) -> str:
    """The page that shows this content, which is JSON values only; nothing in it can become markup or script."""
    folder = resources.files(__package__)
    template, style, script = (folder.joinpath(f"page.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    parts = {
        "title": html.escape(str(content["title"])),
        "style": browser.read_style() + style,
        "content": as_script_json(content),
        "script": f"{browser.read_scripts()}\n{script}",
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def as_script_json(content: dict[str, Any]) -> str:
    """JSON in ASCII that cannot end the script element that holds it, whatever its strings hold."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
