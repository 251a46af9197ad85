"""Versions of a training: named, numbered, and recorded whatever happens to them."""

import os
from pathlib import Path

import pytest

from canarygan_core import runs
from canarygan_core.errors import CanaryganError, Interrupted
from canarygan_core.runs import Manifest, Request, open_run, processes

WORK = Request("work", ("work", "-x"), {"task": {"x": 1}})


def record(folder):
    return Manifest.read(folder / "manifest.json").record


def test_layout_and_numbers(tmp_path):
    with open_run(tmp_path, WORK) as run:
        assert run.version == "0"
        assert run.resume_from is None
        assert run.checkpoints == tmp_path / "checkpoints" / "version_0"
        assert run.last == run.checkpoints / "last" / "last.ckpt"
        assert run.logs("csv") == tmp_path / "logs" / "csv" / "version_0"
        assert run.previews == tmp_path / "previews" / "version_0"
        assert run.manifest.path == run.checkpoints / "manifest.json"
    (tmp_path / "checkpoints" / "version_10").mkdir()
    with open_run(tmp_path, WORK) as run:
        assert run.version == "11"
    with open_run(tmp_path, WORK, version="named") as run:
        assert run.version == "named"
    assert runs.list_versions(tmp_path) == ["0", "10", "11", "named"]


def test_a_name_is_taken_once(tmp_path):
    with open_run(tmp_path, WORK, version="mine"):
        pass
    before = record(tmp_path / "checkpoints" / "version_mine")
    with (
        pytest.raises(CanaryganError, match=r"'mine' is already in .* by --resume"),
        open_run(tmp_path, WORK, version="mine"),
    ):
        pytest.fail("opened a version twice")
    assert record(tmp_path / "checkpoints" / "version_mine") == before


def test_a_version_without_a_manifest_is_started_and_not_resumed(tmp_path):
    (tmp_path / "checkpoints" / "version_mine").mkdir(parents=True)
    with pytest.raises(CanaryganError, match=r"was never trained in\. Leave out --resume"):  # noqa: SIM117
        with open_run(tmp_path, WORK, version="mine", resume=True):
            pytest.fail("resumed")


def test_a_version_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    with open_run(tmp_path, WORK):
        pass
    (tmp_path / "checkpoints" / "version_0" / ".lock").unlink()
    (tmp_path / "checkpoints" / "version_0" / ".lock").mkdir()  # as good as read-only, and the same for root
    with pytest.raises(CanaryganError, match=r"Cannot write to .*version_0: Is a dir"):  # noqa: SIM117
        with open_run(tmp_path, WORK, resume=True):
            pytest.fail("resumed")


@pytest.mark.parametrize("name", ["a/b", "..\\a", "a b", "", "a:b"])
def test_a_name_that_is_no_name(tmp_path, name):
    with pytest.raises(CanaryganError, match="A version is a name of letters"), open_run(tmp_path, WORK, version=name):
        pytest.fail("opened")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for save_dir in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(CanaryganError, match="Cannot write to --save-dir"), open_run(save_dir, WORK):
            pytest.fail("opened")
    with pytest.raises(CanaryganError, match="Cannot write to --save-dir"), open_run(tmp_path, WORK, version="n" * 300):
        pytest.fail("opened")

    def refuse(self, *_, **__):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(CanaryganError, match="Permission denied"), open_run(tmp_path / "new", WORK):
        pytest.fail("opened")


def test_the_manifest_follows_the_work(tmp_path):
    with open_run(tmp_path, WORK, facts={"seed": 7}) as run:
        during = record(run.checkpoints)
        assert (during["status"], during["error"], during["ended"]) == ("running", None, None)
        assert (during["task"], during["argv"], during["options"]) == ("work", ["work", "-x"], {"task": {"x": 1}})
        assert during["seed"] == 7
        run.warn("look out")
    after = record(run.checkpoints)
    assert (after["status"], after["error"]) == ("finished", None)
    assert after["ended"] >= after["started"]
    assert [one["message"] for one in after["warnings"]] == ["look out"]


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (CanaryganError("No good."), "failed", "No good."),
        (ZeroDivisionError("a bug"), "failed", "ZeroDivisionError: a bug"),
        (MemoryError(), "failed", "MemoryError: "),
        (Interrupted("Stopped."), "interrupted", "Stopped."),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
    ],
)
def test_an_end_by_error_is_recorded_and_goes_on_rising(tmp_path, error, status, text):
    with pytest.raises(type(error)), open_run(tmp_path, WORK):
        raise error
    after = record(tmp_path / "checkpoints" / "version_0")
    assert (after["status"], after["error"]) == (status, text)
    assert after["ended"] is not None
    assert processes.ANNOUNCED not in os.environ
