"""Options, from the words typed or from files, to components and tasks, and into the record and back."""

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from toy_tasks import SCORE, WORK, Broad, Every, Level, Listing, Net, Other, Wide, Window

from canarygan_core import CanaryganError, Request
from canarygan_core.cli.binding import Command
from canarygan_core.cli.layers import Layer, read_flags
from canarygan_core.errors import UsageError
from canarygan_core.lightning.resuming import check_same_options
from canarygan_core.plugins.options import restore, share_values, to_flags, to_json
from canarygan_core.runs import Manifest

CASES = {
    "int": (["--count", "5"], {"count": 5}, "count = 5"),
    "float": (["--cut-off", "1e-4"], {"cut_off": 1e-4}, "cut-off = 1e-4"),
    "true": (["--loud"], {"loud": True}, "loud = true"),
    "false": (["--no-calm"], {"calm": False}, "calm = false"),
    "str": (["--title", "a b"], {"title": "a b"}, "title = 'a b'"),
    "path": (["--place", "x/y"], {"place": Path("x/y")}, "place = 'x/y'"),
    "enum": (["--level", "very-loud"], {"level": Level.VERY_LOUD}, "level = 'very-loud'"),
    "literal": (["--size", "4096"], {"size": 4096}, "size = 4096"),
    "several": (["--bands", "7", "--bands", "8"], {"bands": (7, 8)}, "bands = [7, 8]"),
    "one": (["--bands", "7"], {"bands": (7,)}, "bands = [7]"),
    "tuple": (["--pair", "3", "4.5"], {"pair": (3, 4.5)}, "pair = [3, 4.5]"),
    "optional": (["--limit", "9"], {"limit": 9}, "limit = 9"),
    "nested": (
        ["--window.hop-length", "64", "--window.shape", "box"],
        {"window": Window(64, "box")},
        "[window]\nhop-length = 64\nshape = 'box'",
    ),
    "part": (["--window.hop_length=64"], {"window": Window(64)}, "window = {hop_length = 64}"),
    "underscores": (["--cut_off", "2"], {"cut_off": 2.0}, "cut_off = 2"),
    "equals": (["--cut-off=2"], {"cut_off": 2.0}, "cut-off = 2.0"),
}


@pytest.mark.parametrize("case", CASES)
def test_every_type_of_option_from_the_line_a_file_and_a_record(bind, toml, tmp_path, case):
    words, values, text = CASES[case]
    wanted = Every(**values)
    dataset, *_, request = bind(*words)
    assert dataset == wanted != Every()
    assert {type(getattr(dataset, name)) for name in values} == {type(value) for value in values.values()}
    assert bind(*toml(text))[0] == wanted

    folder = tmp_path / "runs" / "checkpoints" / "version_0"
    folder.mkdir(parents=True)
    record = Manifest.begin(folder / "manifest.json", request).record
    assert Manifest.read(folder / "manifest.json").record == record
    assert bind("--resume", "-s", str(tmp_path / "runs"))[0] == wanted


def test_a_list_and_a_required_option(bind, toml):
    wanted = Listing(Path("x"), ["a", "b"])
    assert bind("--dataset", "listing", "--path", "x", "--names", "a", "--names", "b")[0] == wanted
    assert bind(*toml("dataset = 'listing'\npath = 'x'\nnames = ['a', 'b']"))[0] == wanted
    with pytest.raises(UsageError) as told:
        bind("--dataset", "listing")
    assert str(told.value) == "work needs --path: where it is.\nSee canarygan run work --help"
    with pytest.raises(UsageError, match="--names cannot be nobody"):
        bind("--path", "x", "--names", "nobody")


def test_record_holds_every_option_and_is_json(bind):
    *_, request = bind("--level", "very-loud", "-m", "first", "-m", "second", "--first.top", "3", "-G", "2")
    options = json.loads(json.dumps(request.options))
    assert options["dataset"]["name"] == "every"
    assert options["dataset"]["options"].keys() == {field.name for field in fields(Every)}
    assert options["dataset"]["options"]["level"] == "very-loud"
    assert options["dataset"]["options"]["window"] == {"hop_length": 128, "shape": "hann"}
    second = {"name": "second", "options": {}}
    assert options["metric"] == [{"name": "first", "options": {"n_fft": 512, "top": 3}}, second]
    assert options["group"] == {"rounds": 10, "gpus": 2}
    assert options["task"] == {"save_dir": "runs", "version": "infer", "resume": False}
    assert to_flags(options)["first"] == {"n_fft": 512, "top": 3}
    assert "second" not in to_flags(options)
    assert "limit" not in to_flags(options)


def test_line_over_file_over_record_over_preset_over_default(bind, toml, tmp_path):
    def layers(*words):
        return bind(*words)[1].layers

    assert layers() == 5
    assert layers("--preset", "tiny") == 1
    assert layers("--preset", "tiny", *toml("layers = 2")) == 2
    assert layers("--preset", "tiny", *toml("layers = 2"), "--layers", "3") == 3
    assert bind("--preset", "tiny")[3].rounds == 2
    assert layers(*toml("preset = 'huge'")) == 99
    assert layers("--preset", "tiny", *toml("preset = 'huge'")) == 1

    assert bind("--preset", "huge")[0].cut_off == 9, "an option of the dataset"
    assert bind("--preset", "huge", "--cut-off", "2")[0].cut_off == 2
    assert bind("--preset", "huge", "--dataset", "listing", "--path", "x")[0] == Listing(Path("x")), "it has none"

    request = bind("--layers", "4", "--title", "kept")[-1]
    where = ("--resume", "-s", str(tmp_path))
    Manifest.begin(tmp_path / "checkpoints" / "version_0" / "manifest.json", request)
    assert layers(*where) == 4
    assert layers(*where, *toml("layers = 2")) == 2
    assert layers(*where, *toml("layers = 2"), "--layers", "3") == 3
    assert bind(*where, "--layers", "3")[0].title == "kept"


def test_resume_finds_the_run_that_a_file_names(bind, toml, tmp_path):
    request = bind("--layers", "4")[-1]
    Manifest.begin(tmp_path / "checkpoints" / "version_a" / "manifest.json", request)
    Manifest.begin(tmp_path / "checkpoints" / "version_b" / "manifest.json", bind("--layers", "6")[-1])
    place = f"save_dir = '{tmp_path}'\nversion = 'a'\n"
    assert bind("--resume", *toml(place))[1].layers == 4
    assert bind(*toml(place + "resume = true"))[1].layers == 4
    assert bind(*toml(place + "resume = true"), "--no-resume")[1].layers == 5
    assert bind("--resume", *toml(place), "--version", "b")[1].layers == 6


def test_resume_of_another_task_is_refused(bind, tmp_path):
    Manifest.begin(
        tmp_path / "checkpoints" / "version_0" / "manifest.json", Request("else", options={"task": {"x": 1}})
    )
    with pytest.raises(CanaryganError, match="is a run of else, not of work"):
        bind("--resume", "-s", str(tmp_path))
    with pytest.raises(CanaryganError, match="Cannot find any run"):
        bind("--resume", "-s", str(tmp_path / "empty"))


def test_resume_with_another_component_lets_its_options_go(bind, tmp_path):
    Manifest.begin(
        tmp_path / "checkpoints" / "version_0" / "manifest.json", bind("--model", "other", "--depth", "8")[-1]
    )
    assert bind("--resume", "-s", str(tmp_path))[1] == Other(depth=8)
    assert bind("--resume", "-s", str(tmp_path), "--model", "net")[1] == Net()


def test_given_is_what_the_user_said(bind, toml, tmp_path):
    said = bind(
        "--count", "5", "-G", "2", "--cut_off=1", "--preset", "tiny", *toml("title = 'x'\nwindow.shape = 'box'")
    )[-1]
    named = {"count", "gpus", "cut-off", "preset", "config", "title", "window.shape"}
    assert said.given == named | {"layers", "rounds"}  # those of the preset
    assert bind()[-1].given == set()
    Manifest.begin(tmp_path / "checkpoints" / "version_0" / "manifest.json", said)
    resumed = bind("--resume", "-s", str(tmp_path), "--count", "6")[-1]
    assert resumed.given == {"resume", "save-dir", "count"}
    assert resumed.argv == ("--resume", "-s", str(tmp_path), "--count", "6")


def test_flags_that_are_read_before_the_others():
    words = ["--model", "a", "x.wav", "--model=b", "-m", "c", "-md", "-m=e", "--mo", "f", "--lr", "-0.5"]
    assert read_flags(words, [], ("--model",)) == [["a", "b"]]
    assert read_flags(words, [], ("--model", "-m"), ("--other",)) == [["a", "b", "c", "d", "e"], []]
    assert read_flags(["--data_dir", "x_y", "--resume"], [], ("--data-dir",), ("--resume",)) == [["x_y"], ["yes"]]
    assert read_flags([], [], ("--model",)) == [[]]
    layers = [Layer("file", {"model": "f", "other": ["g", "h"]}), Layer("record", {"model": "r", "more": 1})]
    assert read_flags(["-m", "c"], layers, ("--model", "-m"), ("--other",)) == [["c"], ["g", "h"]]
    assert read_flags([], layers, ("--model",), ("--more",)) == [["f"], ["1"]]
    with pytest.raises(UsageError, match="--model needs a value"):
        read_flags(["--model"], [], ("--model", "-m"))


def test_a_component_comes_back_from_its_record_with_tuples_paths_and_types():
    component = Every(place=Path("a/b"), bands=(3,), pair=(4, 5.5), level=Level.VERY_LOUD, limit=9, window=Window(64))
    record = json.loads(json.dumps(to_json(component)))
    assert restore(Every, record) == component
    assert restore(Every, to_json(Every())) == Every()
    assert restore(Every, record | {"limit": None}).limit is None
    assert restore(Every, record, "/data").place == Path("/data/a/b")
    assert restore(Every, {"place": "/abs"}, "/data").place == Path("/abs")
    with pytest.raises(CanaryganError, match="every cannot have the options"):
        restore(Every, {"no_such": 1})
    with pytest.raises(CanaryganError, match="every cannot have the options"):
        restore(Every, {"count": "many"})


def test_the_registry_restores_what_a_manifest_records(offer, tmp_path):
    registry = offer(Every)
    component = Every(place=Path("a"), bands=(3, 4))
    record = {"options": {"dataset": {"name": "every", "options": to_json(component)}}, "cwd": str(tmp_path)}
    restored = registry.restore("dataset", "a run", record)
    assert (restored.place, restored.bands) == (tmp_path / "a", (3, 4))
    with pytest.raises(CanaryganError, match="a run records no model"):
        registry.restore("model", "a run", record)
    record["options"]["dataset"]["name"] = "gone"
    with pytest.raises(CanaryganError, match="a run is of dataset gone, which is not installed"):
        registry.restore("dataset", "a run", record)


def test_jsonable():
    value = {"a": (Path("x"), {1}), 2: Window(), "e": Level.VERY_LOUD, "n": None, "t": True}
    window = {"hop_length": 128, "shape": "hann"}
    assert to_json(value) == {"a": ["x", [1]], "2": window, "e": "very-loud", "n": None, "t": True}
    assert is_dataclass(Window)
    assert to_json(Every()) == json.loads(json.dumps(to_json(Every())))


def test_options_of_one_name_are_told_apart_by_the_part_they_are_of(bind, toml, tmp_path):
    both = ("--dataset", "broad", "--model", "wide")
    dataset, model, *_ = bind(*both, "--dataset.width", "3", "--model.width=4", "--dataset.place", "x")
    assert (dataset, model) == (Broad(3, Path("x")), Wide(width=4))
    named = toml('dataset = "broad"\nmodel = "wide"\n"dataset.width" = 5\n"model.width" = 6')
    assert (bind(*named)[0].width, bind(*named)[1].width) == (5, 6)
    assert bind("--dataset", "broad", "--width", "3")[0].width == 3
    dataset, _, _, group, *_ = bind("--dataset", "clashing", "--rounds", "4", "--dataset.rounds", "5")
    assert (dataset.rounds, group.rounds) == (5, 4)


def test_options_of_one_name_are_told_apart_in_presets_and_records(bind, tmp_path):
    both = ("--dataset", "broad", "--model", "wide")
    dataset, model, _, group, *_ = bind(*both, "--preset", "broad")
    assert (dataset.width, model.width, model.layers, group.rounds) == (1, 9, 2, 3)
    request = bind(*both, "--dataset.width", "3", "--model.width", "4", "--model.place", "x", "--rounds", "7")[-1]
    assert {"dataset.width", "model.width"} <= request.given
    record = tmp_path / "checkpoints" / "version_0" / "manifest.json"
    Manifest.begin(record, request)
    again = json.loads(record.read_text())
    record.write_text(json.dumps(again | {"cwd": "/elsewhere"}))
    dataset, model, _, group, *_ = bind("--resume", "-s", str(tmp_path))
    assert (dataset, model) == (Broad(3, Path("/elsewhere/here")), Wide(width=4, place=Path("/elsewhere/x")))
    assert group.rounds == 7
    record.unlink()
    Manifest.begin(record, bind("--dataset", "clashing", "--rounds", "4", "--dataset.rounds", "5")[-1])
    dataset, _, _, group, *_ = bind("--resume", "-s", str(tmp_path))
    assert (dataset.rounds, group.rounds) == (5, 4)


def test_a_preset_may_be_written_with_underscores(bind, registry, monkeypatch):
    monkeypatch.setattr(Every, "presets", {"far": {"cut_off": 7.0}}, raising=False)
    assert bind("--preset", "far")[0].cut_off == 7.0


def test_a_metric_may_be_called_like_an_option_of_the_task(registry):
    command = Command(SCORE, ["-m", "seed", "--seed", "3", "--metric.seed.draws", "4"], registry)
    _, (metric,), seed = command.bind()().data
    assert (metric.draws, metric.seed, seed) == (4, 0, 3)
    assert share_values(metric, command.given, seed=9).seed == 9
    assert share_values(metric, {"metric.seed.seed"}, seed=9).seed == 0


def test_help_lists_both_spellings(registry, capsys):
    Command(WORK, ["--dataset", "broad", "--model", "wide", "--help"], registry).help()
    shown = capsys.readouterr().out
    assert "--dataset.width" in shown
    assert "--model.width" in shown


@pytest.mark.parametrize("flag", [[], ["--calm"], ["--no-calm"]])
def test_an_option_that_an_old_record_lacks_has_the_value_of_then(bind, tmp_path, monkeypatch, flag):
    monkeypatch.setattr(Every, "formerly", {"calm": False})
    path = tmp_path / "checkpoints" / "version_0" / "manifest.json"
    record = Manifest.begin(path, bind(*flag, "--count", "7")[-1]).record
    resume = ("--resume", "-s", str(tmp_path))
    assert bind(*resume)[0] == Every(count=7, calm=flag != ["--no-calm"]), "what is recorded holds"
    del record["options"]["dataset"]["options"]["calm"]
    path.write_text(json.dumps(record))
    assert bind(*resume)[0] == Every(count=7, calm=False)
    assert bind(*resume)[-1].given == {"resume", "save-dir"}
    assert bind()[0].calm, "a new run has the default"
    assert restore(Every, record["options"]["dataset"]["options"]) == Every(count=7, calm=False)


def test_an_option_that_came_after_a_run_was_started_is_refused_for_it(bind, tmp_path):
    request = bind("--count", "7")[-1]
    record = json.loads(json.dumps(request.options))
    del record["dataset"]["options"]["cut_off"]
    run = SimpleNamespace(checkpoints=tmp_path, manifest=SimpleNamespace(record={"options": record}))
    check_same_options(request, run, {"dataset": None})
    with pytest.raises(CanaryganError, match="was started before there was --cut-off: leave it out"):
        check_same_options(bind("--count", "7", "--cut-off", "2")[-1], run, {"dataset": None})
    with pytest.raises(CanaryganError, match="was started with --count 7, not 8"):
        check_same_options(bind("--count", "8")[-1], run, {"dataset": None})
