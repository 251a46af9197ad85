"""A page of a report, taken apart for tests."""

import json
from html.parser import HTMLParser
from pathlib import Path


class Markup(HTMLParser):
    """The elements of a page, and the text in each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.lasttag == "script" and self.scripts:
            self.scripts[-1] += data


def shown(path: Path) -> dict:
    """The content that stands in a page."""
    return json.loads(Markup(path.read_text(encoding="utf-8")).scripts[0])
