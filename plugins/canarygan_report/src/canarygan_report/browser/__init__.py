"""The parts of a page that run in a browser: map, player, spectrogram, charts. Nothing here knows the report."""

from importlib import resources

SCRIPTS = ("spectrogram.js", "player.js", "charts.js", "map.js")
"""The scripts in the order in which they run."""


def read_scripts() -> str:
    """The text of all scripts, for a `<script>` element of any page; README.md of this folder lists their functions."""
    return "\n".join(_read(name) for name in SCRIPTS)


def read_style() -> str:
    """The style sheet that the scripts expect, for a `<style>` element; it has the colours of both themes."""
    return _read("style.css")


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
