"""Tables as CSV text, which a spreadsheet opens without running what it holds.

A spreadsheet runs a cell that begins with =, +, - or @. Such a text is written with an apostrophe before it, which is
taken away when it is read here.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from canarygan_core.errors import CanaryganError

_RUNS = re.compile(r"'*[=+\-@\t\r]")
_DEFUSED = re.compile(r"'+[=+\-@\t\r]")


def format_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows, at least one, as CSV text with a line of their keys."""
    return "".join(map(format_row, [list(rows[0]), *(list(row.values()) for row in rows)]))


def parse_table(text: str, source: object, separator: str = ",") -> tuple[list[str], Iterator[dict[str, str]]]:
    """The columns of CSV text, and its rows by column, cells that are missing empty.

    Raises:
        CanaryganError: naming the source, where the text is no table, here or when the rows are taken.
    """
    reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=separator != "\t")

    def iterate() -> Iterator[list[str]]:
        try:
            yield from reader
        except csv.Error as error:
            raise CanaryganError(f"{source} is no table: {error}.") from None

    rows = iterate()
    columns = [name.strip() for name in next(rows, [])]
    named = ((row + [""] * (len(columns) - len(row)))[: len(columns)] for row in rows if row)
    return columns, (dict(zip(columns, map(restore, row), strict=True)) for row in named)


def format_row(cells: Iterable[Any]) -> str:
    """A row of CSV text, with its line end."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(map(defuse, cells))  # so that it quotes either character
    return text.getvalue().removesuffix("\r\n") + "\n"


def defuse(value: Any) -> Any:
    """A value such as no spreadsheet runs it."""
    return f"'{value}" if isinstance(value, str) and _RUNS.match(value) else value


def restore(text: str) -> str:
    """What `defuse` was given."""
    return text[1:] if _DEFUSED.match(text) else text
