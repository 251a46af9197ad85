"""What --help shows of a command and of what is chosen, and that every option has a text."""

import re
from dataclasses import dataclass
from typing import ClassVar

import pytest
from toy_tasks import WORK, Every, First, Net

from canarygan_core.cli.binding import Command
from canarygan_core.cli.parser import unfold
from canarygan_core.errors import UsageError
from canarygan_core.plugins import get_registry as really_installed


def test_help_is_there_where_the_default_is_not_installed(offer, capsys):
    command = Command(WORK, ["--help"], offer(Every, First, WORK))
    command.help()
    assert "Which model. [installed: none]" in capsys.readouterr().out
    with pytest.raises(UsageError, match="No model named 'net'; installed: none"):
        Command(WORK, [], offer(Every, First, WORK))


def test_help_is_there_where_what_a_flag_would_choose_shares_a_flag(offer, capsys):
    @dataclass(frozen=True)
    class Loud(Net):
        name: ClassVar[str] = "loud"

        gain: float = 1.0
        """Also an option of the dataset folder."""

    command = Command(WORK, ["--model", "loud", "--help"], offer(Every, First, Loud, WORK))
    command.help()
    assert "--gain" in capsys.readouterr().out


def test_help_shows_the_options_of_what_is_chosen_in_panels_of_their_own(registry, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")

    def shown(*words):
        Command(WORK, [*words, "--help"], registry).help()
        return capsys.readouterr().out

    plain = shown()
    assert "Usage: canarygan work" in plain
    panels = [line.split("─ ")[1].split(" ─")[0] for line in plain.splitlines() if line.startswith("╭")]
    assert sorted(panels) == [
        *("Group", "Parameters", "dataset every", "dataset folder", "dataset listing", "metric first", "model net")
    ]
    assert "--data-dir" in plain.partition("─ dataset folder ─")[2]
    assert "--layers" in plain.partition("─ model net ─")[2]
    assert "--window.hop-length" in plain.partition("─ dataset every ─")[2]
    assert "--first.n-fft" in plain
    assert "--depth" not in plain
    assert "Work on <label> things." in plain
    assert "such as <label>." in plain
    assert "How many <clips>, clips." in plain
    assert re.search(r"tiny: the smallest +│\n│ +huge \[choices: tiny, huge\] +│", plain)
    other = shown("--model", "other", "-m", "second")
    assert "model other" in other
    assert "--depth" in other
    assert "model net" not in other
    assert "--first" not in other
    assert "--preset" not in other


def arguments_of(command):
    return command.app.assemble_argument_collection(parse_docstring=True)


def installed_commands():
    registry = really_installed()
    for task in registry.tasks():
        yield Command(task, ["--help"], registry)
        for choice in Command(task, ["--help"], registry).choices:
            for name in registry.names(choice.kind):
                yield Command(task, [choice.flag, name, "--help"], registry)


def test_help_wraps_the_text_of_an_argument_anew():
    command = Command(really_installed().task(["generate"]), ["--help"], really_installed())
    texts = {str(argument.name): str(argument.parameter.help) for argument in arguments_of(command)}
    assert "one is taken; in a folder of runs, the newest version's." in texts["--generator-ckpt"]


def test_help_wraps_paragraphs_anew_and_keeps_them_apart():
    doc = "Do it.\n\nIt is done in\ntwo steps:\n- one\n- two\n\nThe end.\n\nArgs:\n    seed: Of the\n        draw."
    assert unfold(doc) == (
        "Do it.\n\nIt is done in two steps:\n- one\n- two\n\nThe end.\n\nArgs:\n    seed: Of the draw."
    )


def test_every_option_that_is_installed_has_a_help_text():
    silent, seen = [], 0
    for command in installed_commands():
        for argument in arguments_of(command):
            if argument.names == ("*",) or list(argument.children):
                continue
            seen += 1
            if not argument.parameter.help:
                silent.append(f"{command.task.name} {argument.name}")
        assert command.app.help, command.task.name
    assert seen > 20
    assert silent == []
