"""Figures in the documents are those that were measured."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
QUOTES = [
    (path, name)
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for name in re.findall(r"<!-- from (\S+) -->", path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("path", "name"), QUOTES, ids=[f"{path.name}-{Path(name).stem}" for path, name in QUOTES])
def test_a_quoted_table_is_that_of_the_results(path, name):
    _, _, after = path.read_text(encoding="utf-8").partition(f"<!-- from {name} -->\n")
    quoted = [line for line in after.partition("\n\n")[0].splitlines() if line.startswith("|")]
    assert len(quoted) > 2
    measured = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in quoted if line not in measured] == []


def test_there_are_tables_to_compare():
    assert QUOTES
