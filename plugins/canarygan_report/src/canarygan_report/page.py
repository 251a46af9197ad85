"""The page as one text: its style, its script, and the content that they show."""

from importlib import resources
from typing import Any

from canarygan_report import browser


def compose(content: dict[str, Any]) -> str:
    """The page that shows this content, which is JSON values only; nothing in it can become markup or script."""
    style, script = (resources.files(__package__).joinpath(f"page.{kind}").read_text("utf-8") for kind in ("css", "js"))
    return browser.compose(content, style, script)
