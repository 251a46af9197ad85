"""The table of a training's log: whole rows alone, added to and never half written."""

import errno
import os
from pathlib import Path

import pytest

from canarygan_core.errors import CanaryganError
from canarygan_core.lightning import logs
from canarygan_core.lightning.logs import Table, read_rows
from canarygan_core.runs import files


@pytest.fixture
def path(tmp_path):
    table = Table(tmp_path / "metrics.csv", 0)
    for step in (1, 10, 36):
        table.add({"step": step, "loss": step / 10})
    return tmp_path / "metrics.csv"


def steps(path):
    return [row["step"] for row in read_rows(path)]


@pytest.mark.parametrize(
    ("cut", "left"), [(0, ["1", "10", "36"]), (1, ["1", "10"]), (5, ["1", "10"]), (7, ["1", "10"])]
)
def test_a_row_that_was_cut_short_is_none(path, cut, left):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - cut])
    assert steps(path) == left
    Table(path, 100).add({"step": 37, "loss": 1.0})
    assert steps(path) == [*left, "37"]


def test_what_was_logged_after_the_checkpoint_is_taken_back(path):
    Table(path, 10)
    assert steps(path) == ["1", "10"]
    Table(path, 0)
    assert not path.exists()


def test_a_new_column_leaves_the_rows_before_it_empty_there(path):
    Table(path, 36).add({"step": 40, "loss": 4.0, "accuracy": 0.5})
    assert [row["accuracy"] for row in read_rows(path)] == ["", "", "", "0.5"]
    assert path.read_text().splitlines()[0] == "accuracy,loss,step"


@pytest.mark.parametrize("row", [{"step": 40, "loss": 4.0}, {"step": 40, "new": 1.0}])
def test_a_process_that_is_killed_leaves_every_row(path, monkeypatch, row):
    def die(*_, **__):
        raise KeyboardInterrupt

    for place, name in ((os, "replace"), (files, "write_text")):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, die)
            with pytest.raises(KeyboardInterrupt):
                Table(path, 36).add(row)
        assert steps(path) == ["1", "10", "36"]


def test_a_log_that_cannot_be_written_is_named(path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    table = Table(path, 36)
    monkeypatch.setattr(logs, "open", refuse, raising=False)
    with pytest.raises(CanaryganError, match=r"Cannot write the log .*metrics\.csv: Input/output error"):
        table.add({"step": 40, "loss": 4.0})


def test_bytes_of_no_text_and_rows_of_other_lengths_are_no_rows(tmp_path: Path):
    path = tmp_path / "metrics.csv"
    path.write_bytes(b"loss,step\r\n1,1\r\n1,2,3\r\n1\r\n\xff,x\r\n2,4\r\n")
    assert steps(path) == ["1", "4"]
