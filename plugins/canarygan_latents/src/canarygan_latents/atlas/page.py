"""The page as one text: its style, its scripts and the content that they show."""

from importlib import resources
from typing import Any

from canarygan_report import browser

SCRIPTS = ("network.js", "sources.js", "space.js", "slice.js", "cube.js", "path.js", "findings.js", "app.js", "page.js")
"""The scripts in the order in which they run."""


def compose(content: dict[str, Any]) -> str:
    """The page that shows this content; see `content.make_content`. It asks a server only if content names one."""
    folder = resources.files("canarygan_latents.browser")
    script = "\n".join(folder.joinpath(name).read_text("utf-8") for name in SCRIPTS)
    return browser.compose(
        content, folder.joinpath("page.css").read_text("utf-8"), script, online=bool(content["server"])
    )
