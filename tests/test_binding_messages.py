"""What a command line says of words and files that do not fit, and what its record holds besides options."""

import functools

import pytest
import refusals
from toy_tasks import WORK, Every

from canarygan_core.cli.binding import Command
from canarygan_core.errors import UsageError
from canarygan_core.runs import Manifest

told = functools.partial(refusals.told, error=UsageError)

BOTH = ("--dataset", "broad", "--model", "wide")
HELP = "\nSee canarygan run work --help"


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("coutn = 3", (), "there is no option 'coutn'. Did you mean count?"),
        ("zzz.a = 3", (), "there is no option 'zzz'."),
        ("config = 'x'", (), "there is no option 'config'."),
        ("width = 3", BOTH, "there is no option 'width'. Did you mean dataset.width or model.width?"),
        ("depth = 3", (), "there is no option 'depth'."),
    ],
)
def test_a_key_of_a_file_that_is_no_option_is_told_with_the_file(bind, toml, text, words, message):
    named = toml(text)
    assert told(bind, *words, *named) == f"{named[1]}: {message}"


def test_a_key_of_a_file_that_fits_nowhere_below_its_option_is_told(bind, toml):
    named = toml("window.zzz = 3")
    assert "zzz" in told(bind, *named)
    assert bind(*toml("window.hop_length = 3"))[0].window.hop_length == 3


def test_a_file_may_hold_options_of_one_task(bind, toml):
    named = toml("count = 1\n[task.work]\ncount = 9\n[task.other]\ncount = 2\ndepth = 3")
    assert bind(*named)[0].count == 9
    assert "such as [task.work]" in told(bind, *toml("task = 3"))


def test_a_value_of_a_file_that_does_not_fit_is_told_with_the_file(bind, toml):
    named = toml("count = 'many'")
    message = told(bind, *named)
    assert "count" in message
    assert '"many"' in message
    assert named[1] in message
    assert message.endswith(HELP)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--depth", "3"], "--depth is an option of model other, not of net as in this work."),
        (
            ["-m", "second", "--first.top", "3"],
            "--first.top is an option of metric first, not of second as in this work.",
        ),
        (["--coutn", "3"], "Unknown option: --coutn. Did you mean --count?"),
        ([*BOTH, "--width", "3"], "Unknown option: --width. Did you mean --dataset.width or --model.width?"),
        (["x.wav"], "work takes options alone, and x.wav belongs to none."),
        (["--count", "1.5"], "--count takes a whole number, not 1.5."),
        (["--count"], "--count needs a value: how many <clips>, clips."),
        (["--path", "x", "--names", "nobody"], "--names cannot be nobody."),
    ],
)
def test_a_word_that_does_not_fit_is_told_with_what_would(bind, capsys, words, message):
    assert told(bind, *words) == message + HELP
    assert capsys.readouterr() == ("", ""), "the message is all that is said"


def test_the_record_says_what_was_typed_for_which_task_and_which_options_are_paths(registry):
    words = [*BOTH, "--dataset.width", "3", "-m", "first", "-m", "second"]
    bound = Command(WORK, words, registry).bind(["work", *words])
    request = bound.arguments["request"]
    assert (request.task, request.argv) == ("work", ("work", *words))
    assert request.places == {"dataset": {"place"}, "model": {"place"}, "metric": set()}
    assert list(request.options) == ["task", "dataset", "model", "metric", "group"]
    assert request.given == {"dataset", "model", "dataset.width", "metric"}
    assert Command(WORK, words, registry).bind().arguments["request"].argv == ()


def test_no_component_of_a_kind_may_be_several(bind):
    assert [type(metric).name for metric in bind("-m", "first", "-m", "second")[2]] == ["first", "second"]
    assert bind()[-1].options["metric"] == [{"name": "first", "options": {"n_fft": 512, "top": None}}]


def test_an_option_of_then_has_its_value_in_either_spelling(bind, tmp_path, monkeypatch):
    """An option that an old record lacks, and whose flag another part of the command has too."""
    request = bind(*BOTH, "--dataset.width", "3")[-1]
    path = tmp_path / "checkpoints" / "version_0" / "manifest.json"
    record = Manifest.begin(path, request).record
    del record["options"]["dataset"]["options"]["width"]
    Manifest(path, record).write()
    monkeypatch.setattr("toy_tasks.Broad.formerly", {"width": 8})
    dataset, model, *_ = bind("--resume", "-s", str(tmp_path))
    assert (dataset.width, model.width) == (8, 1)


def test_a_record_may_name_options_that_are_gone(bind, tmp_path):
    path = tmp_path / "checkpoints" / "version_0" / "manifest.json"
    record = Manifest.begin(path, bind("--count", "7")[-1]).record
    record["options"]["dataset"]["options"]["gone_since"] = 1
    Manifest(path, record).write()
    assert bind("--resume", "-s", str(tmp_path))[0] == Every(count=7)


def test_help_is_printed_and_ends_nothing(registry, capsys):
    Command(WORK, ["--help"], registry).help()
    assert "--cut-off" in capsys.readouterr().out
