"""What reaches the terminal: letters that it lacks, readers that leave."""

import errno
import io
import logging
import os
import sys
import threading
from pathlib import Path

import pytest

from canarygan_core import console


def test_letters_that_a_console_lacks_are_replaced_and_the_rest_is_written():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    console.write_line("class ü of 3", stream)
    stream.flush()
    assert raw.getvalue() == b"class ? of 3\n"


def test_log_lines_carry_their_level_from_a_warning_on(capsys):
    handler = console.LineHandler()
    for level, message in ((logging.INFO, "done"), (logging.WARNING, "look out"), (logging.ERROR, "no")):
        handler.emit(logging.LogRecord("canarygan", level, "", 0, message, (), None))
    assert capsys.readouterr().err == "done\nwarning: look out\nerror: no\n"


def test_track_passes_all_items_on():
    assert list(console.track([1, 2, 3], "counting")) == [1, 2, 3]


def test_a_terminal_that_is_closed_ends_no_work(monkeypatch):
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    stream = open(slave, "w", buffering=1)  # noqa: SIM115
    monkeypatch.setattr(sys, "stderr", stream)
    with console.open_outlets() as (_, errors):
        sys.stderr.write("seen\n")
        assert os.read(master, 100) == b"seen\r\n"
        os.close(master)
        for _ in range(3):
            sys.stderr.write("unseen\n")
            sys.stderr.flush()
        with console.show_bar("working", 3) as advance:
            advance()
    assert errors.failure is None
    stream.close()


def test_a_reader_that_leaves_and_a_stream_that_is_closed_end_no_work():
    reading, writing = os.pipe()
    os.close(reading)
    pipe = open(writing, "w", buffering=1)  # noqa: SIM115
    closed = io.StringIO()
    closed.close()
    for stream in (pipe, closed):
        outlet = console.Outlet(stream)
        for _ in range(3):
            outlet.write("unseen\n")
            outlet.flush()
        assert outlet.failure is None
    pipe.close()


def test_streams_that_were_closed_before_lead_nowhere(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with console.open_outlets():
        console.write_line("unseen", sys.stdout)
        console.write_line("unseen", sys.stderr)
    assert (sys.stdout, sys.stderr) == (None, None)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_a_file_that_takes_no_more_is_a_failure_and_ends_no_work():
    with open("/dev/full", "w") as stream:
        outlet = console.Outlet(stream)
        for _ in range(2):
            outlet.write("an answer\n")
            outlet.flush()
    assert outlet.failure.errno == errno.ENOSPC


def test_names_that_are_no_text_are_written_all_the_same():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8")
    console.write_line(os.fsdecode(b"caf\xe9.wav"), stream)
    stream.flush()
    assert raw.getvalue() == b"caf?.wav\n"


def test_where_there_is_no_terminal_a_line_now_and_then_shows_progress(monkeypatch):
    messages, said = [], threading.Event()
    monkeypatch.setattr(console, "EVERY_S", 0.01)
    monkeypatch.setattr(console.log, "info", lambda text, *values: (messages.append(text % values), said.set()))

    def wait_for_next():
        for _ in range(2):  # one may be under way
            said.clear()
            assert said.wait(60)
        return messages[-1]

    with console.show_bar("outer", None):
        assert wait_for_next() == "outer: 0 s so far"
        with console.show_bar("counting", 4000) as advance:
            advance(1000)
            advance(1000, note="epoch 1 of 2")
            line = wait_for_next()
            assert line.startswith("counting: 2,000 of 4,000, about ")
            assert line.endswith(" left (epoch 1 of 2)")
        assert wait_for_next() == "outer: 0 s so far"


def test_a_bar_on_a_terminal_gives_way_to_the_one_within_and_comes_back(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal, clock = Terminal(), threading.Event()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(console, "WAIT_S", 0.0)
    monkeypatch.setenv("TERM", "xterm")

    def wait_for(text):
        while text not in terminal.getvalue():
            clock.wait(0.01)

    with console.show_bar("outer", 3) as outer:
        wait_for("outer")
        with console.show_bar("inner", 3) as inner:
            inner()
            wait_for("inner")
        terminal.truncate(0)
        outer()
        wait_for("outer")
    assert console._shown == []


def test_what_would_steer_the_terminal_is_shown_as_its_code(capsys):
    console.write_line("a\x1b[2Jb\x07\r\x9b31mc\u202ed\te\nf \u00fc", sys.stdout)
    assert capsys.readouterr().out == "a\\x1b[2Jb\\x07\\r\\x9b31mc\\u202ed\te\nf \u00fc\n"
    assert console.show_on_one_line("a\nb\tc\x1b") == "a\\nb\\tc\\x1b"
