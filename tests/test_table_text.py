"""Tables as text: separators, spaces, quotes and line ends as other programs write them."""

import pytest

from canarygan_core.errors import CanaryganError
from canarygan_core.runs.tables import format_row, format_table, parse_table


def read(text, *separator):
    columns, rows = parse_table(text, "here", *separator)
    return columns, list(rows)


def test_a_table_is_written_line_by_line():
    assert format_table([{"a": 1, "b": "x"}, {"a": None, "b": "y, z"}]) == 'a,b\n1,x\n,"y, z"\n'
    assert format_row(["a\nb", "c\rd", "\r\n"]) == '"a\nb","c\rd","\'\r\n"\n'
    assert format_row(['say "a"', -1, 2.5, "-1"]) == '"say ""a""",-1,2.5,\'-1\n'


@pytest.mark.parametrize(("text", "separator"), [("a;b\n1; 2\n", ";"), ("a\tb\n1\t2\n", "\t"), ("a, b\n1,  2\n", ",")])
def test_other_separators(text, separator):
    assert read(text, separator) == (["a", "b"], [{"a": "1", "b": "2"}])


def test_spaces_after_a_comma_count_for_nothing_and_after_a_tab_they_do():
    assert read(' a , b \n 1, "2, 3" \n') == (["a", "b"], [{"a": "1", "b": "2, 3 "}])
    assert read("a\tb\n 1\t 2\n", "\t") == (["a", "b"], [{"a": " 1", "b": " 2"}])


def test_tables_without_rows_or_without_anything():
    assert read("a,b\n") == (["a", "b"], [])
    assert read("") == ([], [])
    assert read("a,b\n\n\n1\n,\n1,2,3\n") == (
        ["a", "b"],
        [{"a": "1", "b": ""}, {"a": "", "b": ""}, {"a": "1", "b": "2"}],
    )


def test_a_header_that_is_none_is_named_at_once():
    with pytest.raises(CanaryganError, match=r"here is no table: field larger than field limit \(131072\)\."):
        parse_table("x" * 200_000 + "\n", "here")
