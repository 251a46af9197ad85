"""One version of one training: where everything of it lies, and what is recorded of it."""

import json
import os

import pytest
from text_files import put

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import Request, Run, files, open_run, run


@pytest.fixture
def opened(tmp_path):
    with open_run(tmp_path, Request("work"), version="mine") as one:
        yield one


def test_everything_has_its_place(opened, tmp_path):
    home = tmp_path / "checkpoints" / "version_mine"
    assert (opened.folder, opened.checkpoints, opened.save_dir) == ("version_mine", home, tmp_path)
    assert opened.last == home / "last" / "last.ckpt"
    assert opened.best == home / "best" / "best.ckpt"
    assert opened.previews == tmp_path / "previews" / "version_mine"
    assert opened.logs("csv") == tmp_path / "logs" / "csv" / "version_mine"
    assert opened.logs("tensorboard") == tmp_path / "logs" / "tensorboard" / "version_mine"


@pytest.mark.parametrize("start", [".", "checkpoints", "checkpoints/version_mine"])
def test_a_run_is_read_from_its_folder_wherever_one_is(opened, tmp_path, monkeypatch, start):
    monkeypatch.chdir(tmp_path / start)
    folder = type(tmp_path)(os.path.relpath(opened.checkpoints))
    for path in (folder, opened.checkpoints):
        read = Run.read(path)
        assert (read.version, read.save_dir.resolve()) == ("mine", tmp_path)
        assert read.manifest.record == opened.manifest.record
        assert read.resume_from is None
        before = opened.manifest.path.read_bytes()
        read.manifest.add(more=1)
        assert opened.manifest.path.read_bytes() == before


def test_a_folder_without_a_manifest_is_a_run_without_a_record(tmp_path):
    (tmp_path / "checkpoints" / "version_3").mkdir(parents=True)
    read = Run.read(tmp_path / "checkpoints" / "version_3")
    assert (read.version, read.save_dir, read.manifest.record) == ("3", tmp_path, {})
    put(tmp_path / "checkpoints" / "version_3" / "manifest.json", "{")
    with pytest.raises(CanaryganError, match="is not a manifest"):
        Run.read(tmp_path / "checkpoints" / "version_3")


def test_checkpoints_are_in_the_order_of_their_numbers(opened):
    names = ["epoch_2-step_30", "epoch_10-step_4", "epoch_2-step_4", "b", "a"]
    for name in names:
        put(opened.checkpoints / "all" / f"{name}.ckpt")
    put(opened.checkpoints / "all" / "epoch_1.json")
    wanted = ["a", "b", "epoch_2-step_4", "epoch_2-step_30", "epoch_10-step_4"]
    assert [path.stem for path in opened.list_checkpoints()] == wanted


def test_what_grew_is_recorded_with_its_digest(opened):
    grown = [
        opened.checkpoints / "all" / "losses.json",
        opened.logs("csv") / "metrics.csv",
        opened.logs("tensorboard") / "deep" / "events",
        opened.previews / "epoch_1.wav",
    ]
    for path in grown:
        put(path, path.name)
    put(opened.checkpoints / "all" / "one.ckpt")
    opened.record_files()
    logs = json.loads(opened.manifest.path.read_text())["logs"]
    wanted = {os.path.relpath(path, opened.checkpoints): files.compute_digest(path) for path in grown}
    assert logs == wanted
    assert list(logs) == [os.path.relpath(path, opened.checkpoints) for path in sorted(grown)]


def test_a_warning_goes_to_the_user_and_the_manifest(opened, monkeypatch):
    said = []
    monkeypatch.setattr(run.log, "warning", said.append)
    opened.warn("look out")
    assert said == [one["message"] for one in opened.manifest.record["warnings"]] == ["look out"]
