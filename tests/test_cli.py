"""The command line as a user meets it: exit codes, what is printed where, and no traceback but for bugs."""

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from canarygan_core import Answer, CanaryganError, Task, console
from canarygan_core.cli import main
from canarygan_core.errors import Interrupted


def good() -> Answer:
    """Answer well."""
    logging.getLogger("canarygan").info("working")
    logging.getLogger("canarygan").debug("details")
    logging.getLogger("canarygan").warning("beware")
    return Answer("all is well", {"well": [True, 1, None]})


def silent() -> None:
    """Answer nothing."""


def bad() -> Answer:
    """Answer with bad news."""
    return Answer("bad news", {"well": False}, exit_code=1)


def refuses() -> Answer:
    """Refuse."""
    raise CanaryganError("Cannot do it. Do something else.")


def interrupted() -> Answer:
    """Be stopped, after saving."""
    raise Interrupted("Stopped, all saved.")


def killed() -> Answer:
    """Be stopped at once."""
    raise KeyboardInterrupt


def buggy() -> Answer:
    """Have a bug."""
    raise ZeroDivisionError("a bug")


def watched() -> Answer:
    """Answer what shows that the work goes on."""
    return Answer(str(console._shown[-1]))


def option(*, number: int = 1) -> Answer:
    """Take an option.

    Args:
        number: A number.
    """
    return Answer(f"number {number}", {"number": number})


sys.modules.setdefault("toy_answers", sys.modules[__name__])
TASKS = [
    Task(name, f"toy_answers:{name}", f"Task {name}.")
    for name in ("good", "silent", "bad", "refuses", "interrupted", "killed", "buggy", "option", "watched")
]


@pytest.fixture
def run(installed, run):
    """The same, with these tasks and nothing that is really installed."""
    installed(*TASKS)
    return run


def test_exit_codes(run):
    wanted = {"good": 0, "silent": 0, "bad": 1, "refuses": 1, "interrupted": 130, "killed": 130}
    assert {name: run(name)[0] for name in wanted} == wanted
    assert run("option", "--number", "x")[0] == 2
    assert run("nothing-like-it")[0] == 2
    assert run("plugins", "--nope")[0] == 2
    assert [run(*words)[0] for words in ([], ["--help"], ["run"], ["run", "--help"], ["--version"], ["plugins"])] == [
        0
    ] * 6
    assert [run(*words)[0] for words in (["option", "--help"], ["run", "option", "-h"])] == [0, 0]


def test_a_bug_shows_its_traceback(run):
    with pytest.raises(ZeroDivisionError, match="a bug"):
        run("buggy")


def test_a_traceback_steers_no_terminal(run, monkeypatch, capsys):
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    monkeypatch.setattr(sys, "argv", ["canarygan", "buggy"])
    with pytest.raises(ZeroDivisionError):
        main.main()
    try:
        raise FileNotFoundError("no \x1b[2J.wav")
    except FileNotFoundError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    told = capsys.readouterr().err
    assert told.startswith("Traceback (most recent call last):\n")
    assert told.endswith("\nFileNotFoundError: no \\x1b[2J.wav\n")


def test_an_error_is_its_message_on_standard_error(run):
    assert run("refuses") == (1, "", "canarygan: Cannot do it. Do something else.\n")
    assert run("refuses", "--json") == (1, "", "canarygan: Cannot do it. Do something else.\n")
    assert run("interrupted") == (130, "", "canarygan: Stopped, all saved.\n")
    code, out, err = run("option", "--numer", "3")
    assert (code, out) == (2, "")
    assert "Did you mean --number?" in err
    assert "See canarygan run option --help" in err


def test_the_answer_goes_to_standard_output_and_the_rest_does_not(run):
    assert run("good") == (0, "all is well\n", "working\nwarning: beware\n")
    assert run("good", "-v") == (0, "all is well\n", "working\ndetails\nwarning: beware\n")
    assert run("good", "-q") == run("good", "--quiet") == (0, "", "warning: beware\n")
    assert run("bad") == (1, "bad news\n", "")
    assert run("silent") == (0, "", "")


def test_work_that_tells_nothing_of_itself_is_shown_to_go_on(run):
    assert run("watched") == (0, "watched: 0 s so far\n", "")


def test_json_is_alone_on_standard_output(run):
    code, out, err = run("good", "--json")
    assert (code, json.loads(out), err) == (0, {"well": [True, 1, None]}, "warning: beware\n")
    code, out, _ = run("bad", "--json")
    assert (code, json.loads(out)) == (1, {"well": False})
    code, out, _ = run("plugins", "--json")
    names = [plugin["name"] for plugin in json.loads(out)["plugins"]]
    assert (code, names) == (0, ["canarygan", "toys"])


def test_a_task_with_and_without_run(run):
    assert run("option", "--number", "3") == run("run", "option", "--number", "3") == (0, "number 3\n", "")
    assert run("option", "--help")[1] == run("run", "option", "--help")[1] != ""


def test_a_mistyped_command_is_guessed(run):
    for words in (["optoin"], ["run", "optoin"], ["optoin", "--number", "3"]):
        code, out, err = run(*words)
        assert (code, out) == (2, "")
        assert 'Did you mean "option"?' in err


def test_help_lists_every_task_and_what_else_there_is(run):
    listed = run("--help")[1]
    assert all(task.name in listed and task.summary in listed for task in TASKS)
    assert "plugins" in listed
    assert "check-data" in listed
    assert all(task.summary in run("run", "--help")[1] for task in TASKS)


def test_a_help_asked_for_anywhere_does_no_work(run):
    assert "Be stopped" in run("killed", "--help")[1]


def test_plugins_are_listed_with_what_they_offer(run):
    text = run("plugins")[1]
    assert "toys  (canarygan-toys 1.0)" in text
    assert "tasks        bad, buggy, good" in text
    assert "datasets     folder, synthetic" in text


@pytest.mark.parametrize("program", [("-m", "canarygan"), ("-m", "canarygan_core")])
def test_modules_run_as_programs(site, program):
    from importlib.metadata import version

    assert site.run("--version", program=program).stdout == f"{version('canarygan')}\n"
    wrong = site.run("smaple", program=program)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert 'Did you mean "sample"?' in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_a_bug_in_a_process_of_its_own_shows_its_traceback(site):
    site.install(
        "buggy",
        "from canarygan_core import Task, hookimpl\n\n"
        "def work():\n    '''Work.'''\n    return 1 / 0\n\n"
        "@hookimpl\ndef register_tasks():\n    return [Task('buggy', 'plugin_buggy:work', 'Work.')]\n",
    )
    done = site.run("buggy")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("words", [["plugins"], ["plugins", "--json"], ["--help"], ["sample", "--help"], ["smaple"]])
@pytest.mark.parametrize("closed", ["stdout", "stderr", "both"])
def test_a_reader_that_leaves_changes_nothing(words, closed):
    # the reading end is closed before anything is written
    code = "import os, subprocess, sys; r, w = os.pipe(); os.close(r); ends = sys.argv[1]; " + (
        "streams = {name: w for name in ('stdout', 'stderr') if ends in (name, 'both')}; "
        "sys.exit(subprocess.run([sys.executable, '-m', 'canarygan', *sys.argv[2:]], **streams).returncode)"
    )
    done = subprocess.run([sys.executable, "-c", code, closed, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == (2 if words == ["smaple"] else 0)
    if closed == "stdout" and words != ["smaple"]:
        assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_an_answer_that_a_file_does_not_take_is_an_error():
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "canarygan", "plugins", "--json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr == "canarygan: cannot write the answer: No space left on device.\n"


SLEEPER = """
import sys
from canarygan_core import Task, hookimpl

def work():
    'Work.'
    try:
        print('ready', flush=True)
        sys.stdin.readline()
    finally:
        print('cleaned', flush=True)

@hookimpl
def register_tasks():
    return [Task('sleeper', 'plugin_sleeper:work', 'Work.')]
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="terminals send no signal here")
@pytest.mark.parametrize("sent", ["SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("ignored", [False, True])
def test_a_closed_terminal_is_taken_like_a_stop_unless_that_is_to_be_ignored(site, sent, ignored):
    site.install("sleeper", SLEEPER)
    path = os.pathsep.join([str(site.folder), str(Path(__file__).parents[1])])
    handler = signal.SIG_IGN if ignored else signal.SIG_DFL  # whatever these tests were started with, such as nohup
    with subprocess.Popen(
        [sys.executable, "-m", "canarygan", "sleeper"],
        env={**os.environ, "PYTHONPATH": path, "CANARYGAN_PLUGINS": "sleeper"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, handler),
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(getattr(signal, sent))
        goes_on = ignored and sent == "SIGHUP"
        output, errors = process.communicate("go on\n" if goes_on else None, timeout=60)
    assert (output, process.returncode) == ("cleaned\n", 0 if goes_on else 130)
    assert errors == ("" if goes_on else "canarygan: interrupted.\n")
