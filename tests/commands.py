"""Commands as a user types them, and what they write."""

import csv
from pathlib import Path

import pytest

from canarygan_core.cli import main

PNG = b"\x89PNG\r\n"
"""How a picture begins."""


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Run a command; gives its exit code, and what it wrote to standard output and error."""
    code = main.main([str(word) for word in words])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def succeed(*words: object) -> None:
    """Run a command that says nothing, and does what it is told."""
    assert main.main([*map(str, words), "-q"]) == 0, words


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
