"""Completion: tasks, components and options of what is installed now."""

import subprocess

import pytest
import toy_tasks

from canarygan_core.cli.completion import SCRIPTS, complete


def test_words_that_lead_to_a_command(registry):
    first = complete([""], registry)
    assert {"train-gan", "decode", "work", "plugins", "run", "completion", "--help"} <= set(first)
    assert complete([], registry) == first
    assert complete(["wo"], registry) == ["work"]
    assert "work" in complete(["run", ""], registry)
    assert "plugins" not in complete(["run", ""], registry)
    assert complete(["plugins", "s"], registry) == ["show"]
    assert complete(["plugins", "show", "firs"], registry) == ["first"]
    assert complete(["plugins", "new", "x", "--kind", "p"], registry) == ["projector"]
    assert complete(["completion", ""], registry) == ["bash", "fish", "zsh"]
    assert complete(["nonsense", ""], registry) == []


def test_the_second_word_of_a_task_of_two(offer):
    registry = offer(*toy_tasks.OFFERS, toy_tasks.Task("pair two", "toy_tasks:work", "Two."))
    assert complete(["pair", ""], registry) == ["two"]
    assert "--save-dir" in complete(["pair", "two", "--"], registry)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--dataset", "li"], ["listing"]),
        (["-m", "f"], ["first"]),
        (["run", "work", "--model", "ot"], ["other"]),
        (["--size", ""], ["4096", "auto"]),
        (["--preset", "t"], ["tiny"]),
        (["--level", ""], []),
        (["--save-dir", ""], []),
        (["--no-such-flag"], []),
        (["--cou"], ["--count"]),
        (["--model", "other", "--dep"], ["--depth"]),
        (["--model", "net", "--dep"], []),
        (["--dataset", "nobody", "--cou"], ["--count"]),
        (["-m", "first", "--first.n"], ["--first.n-fft"]),
        (["--resume", "--cou"], ["--count"]),
    ],
)
def test_options_and_values_of_a_task(registry, tmp_path, monkeypatch, words, found):
    monkeypatch.chdir(tmp_path)
    assert complete(words if words[0] == "run" else ["work", *words], registry) == found


def test_a_task_that_takes_files_leaves_them_to_the_shell(registry):
    assert complete(["decode", ""], registry) == []
    assert "--decoder-ckpt" in complete(["decode", "-"], registry)
    assert "--count" in complete(["work", ""], registry)


def test_the_shell_asks_the_program_and_so_knows_what_was_installed_since(site):
    script = site.run("completion", "bash").stdout
    assert script == SCRIPTS["bash"] + "\n"
    for word in ("bash", "zsh", "fish"):
        assert "CANARYGAN_COMPLETE" in SCRIPTS[word]
    asked = {"CANARYGAN_COMPLETE": "1"}
    assert site.run("write-dataset", "--dataset", "to", **asked).stdout == "\n"
    site.install("tones", DATASET)
    assert site.run("write-dataset", "--dataset", "to", **asked).stdout == "tones\n"
    assert site.run("write-dataset", "--dataset", "tones", "--low", **asked).stdout == "--lowest\n"


def test_bash_takes_what_the_program_says(tmp_path):
    program = tmp_path / "canarygan"
    program.write_text('#!/bin/sh\n[ "$CANARYGAN_COMPLETE" = 1 ] && printf "%s\\n" "asked" "$@"\n')
    program.chmod(0o755)
    words = "COMP_WORDS=(canarygan decode --dat rest); COMP_CWORD=2; _canarygan; printf '%s\\n' \"${COMPREPLY[@]}\""
    path = f"PATH={tmp_path}:$PATH"
    done = subprocess.run(["bash", "-c", f"{path}\n{SCRIPTS['bash']}\n{words}"], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["asked", "decode", "--dat"], done.stderr


DATASET = """
from dataclasses import dataclass
from typing import ClassVar
from canarygan_core import Dataset, hookimpl

@dataclass(frozen=True)
class Tones(Dataset):
    name: ClassVar[str] = "tones"

    lowest: float = 1.0
    \"\"\"Pitch, Hz.\"\"\"

    def load(self): ...

@hookimpl
def register_datasets():
    return [Tones]
"""
