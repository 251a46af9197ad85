"""Tables: no spreadsheet runs what a cell holds, and reading gives each text back."""

import csv
import io

import pytest

from canarygan_core.audio.stretches import read_stretches
from canarygan_core.errors import CanaryganError
from canarygan_core.runs.tables import defuse, format_table, parse_table, restore

RUN = ["=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1", "\r=1"]
PLAIN = ["a", "a=b", "'a", "", "\u00fc", "a, b", 'a "b"', "a\nb"]


@pytest.mark.parametrize("text", [*RUN, *(f"'{text}" for text in RUN), *(f"''{text}" for text in RUN), *PLAIN])
def test_a_text_comes_back(text):
    assert restore(defuse(text)) == text
    (row,) = parse_table(format_table([{"label": text, "number": -1.5}]), "here")[1]
    assert row == {"label": text, "number": "-1.5"}


def test_a_spreadsheet_sees_text():
    rows = list(csv.reader(io.StringIO(format_table([{"label": text} for text in RUN]))))
    assert all(row[0][0] == "'" for row in rows[1:])
    assert len(rows) == 1 + len(RUN)


def test_short_and_long_rows_have_the_columns():
    columns, rows = parse_table("a, b\n1\n\n1,2,3\n", "here")
    assert columns == ["a", "b"]
    assert list(rows) == [{"a": "1", "b": ""}, {"a": "1", "b": "2"}]


def test_what_is_no_table_is_named():
    with pytest.raises(CanaryganError, match="here is no table: field larger"):
        list(parse_table("a\n" + "x" * 200_000, "here")[1])


def test_stretches_of_a_file_whose_name_a_spreadsheet_would_run(tmp_path):
    rows = [{"file": "-a.wav", "onset": 0.5, "offset": 1.0}]
    (tmp_path / "t.csv").write_text(format_table(rows))
    assert read_stretches(tmp_path / "t.csv") == {"-a.wav": [(0.5, 1.0)]}
