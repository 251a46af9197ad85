"""What reaches the terminal: letters that it lacks, readers that leave."""

import io
import logging

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
