"""Runs are found and resumed by every path that means one."""

import json
import os

import pytest

from canarygan_core import runs
from canarygan_core.errors import CanaryganError, Interrupted
from canarygan_core.runs import Manifest, Request, open_run

WORK = Request("work", ("work", "-x"), {"task": {"x": 1}})


def record(folder):
    return Manifest.read(folder / "manifest.json").record


def test_the_manifest_of_a_checkpoint(tmp_path):
    with open_run(tmp_path, WORK) as run:
        for path in (run.last, run.checkpoints / "all" / "one.ckpt"):
            path.parent.mkdir()
            path.write_text("weights")
            assert runs.find_by_checkpoint(path).manifest.path == run.checkpoints.resolve() / "manifest.json"
    (tmp_path / "loose.ckpt").write_text("weights")
    assert runs.find_by_checkpoint(tmp_path / "loose.ckpt") is None
    with pytest.raises(CanaryganError, match="lies in no run"):
        runs.find(tmp_path / "loose.ckpt")


def test_the_newest_version_is_the_one_that_was_started_last_whatever_the_times_of_its_files(tmp_path):
    for version, started in {"0": "2026-01-03", "1": "2026-01-05", "named": "2026-01-04"}.items():
        with open_run(tmp_path, WORK, version=version) as run:
            pass
        run.manifest.add(started=f"{started}T00:00:00+00:00")
    copied = tmp_path / "checkpoints" / "version_0"
    os.utime(copied / "manifest.json")  # as copying does
    os.utime(copied)
    assert runs.find(tmp_path).version == "1"
    with open_run(tmp_path, WORK, resume=True) as run:
        assert run.version == "1"
    assert runs.find(tmp_path).version == "1"
    assert runs.list_versions(tmp_path) == ["0", "1", "named"]


def test_what_a_run_holds(tmp_path):
    with open_run(tmp_path, WORK) as run:
        for name in ("all/epoch_10-step_20.ckpt", "all/epoch_9-step_18.ckpt", "last/last.ckpt"):
            (run.checkpoints / name).parent.mkdir(exist_ok=True)
            (run.checkpoints / name).write_text("weights")
    for path in (tmp_path, run.checkpoints, run.last, run.checkpoints / "all" / "epoch_9-step_18.ckpt"):
        found = runs.find(path)
        assert (found.version, found.save_dir.resolve()) == ("0", tmp_path.resolve())
        assert found.manifest.record["task"] == "work"
        assert [one.name for one in found.list_checkpoints()] == ["epoch_9-step_18.ckpt", "epoch_10-step_20.ckpt"]
    assert runs.find_checkpoint(tmp_path) == runs.find_checkpoint(tmp_path, best=True) == run.last
    run.best.parent.mkdir()
    run.best.write_text("best")
    assert runs.find_checkpoint(run.checkpoints, best=True) == run.best
    before = run.manifest.path.read_bytes()
    runs.find(tmp_path).manifest.add(more=1)
    assert run.manifest.path.read_bytes() == before


def test_resume_looks_at_versions_alone_whatever_else_lies_in_the_folder(tmp_path):
    with open_run(tmp_path, WORK):
        pass
    (tmp_path / "manifest.json").write_text(json.dumps({"schema": 1, "task": "score"}))
    (tmp_path / "all").mkdir()
    assert runs.find_to_resume(tmp_path, runs.INFER, "work").version == "0"
    assert runs.find(tmp_path).version == "0"


@pytest.mark.parametrize("place", ["", "checkpoints", "checkpoints/version_0", "checkpoints/version_0/last/last.ckpt"])
def test_resume_understands_every_path_that_means_a_run(tmp_path, place):
    with open_run(tmp_path, WORK) as run:
        run.last.parent.mkdir()
        run.last.write_text("weights")
    found = runs.find_to_resume(tmp_path / place, runs.INFER, "work")
    assert (found.version, found.save_dir.resolve()) == ("0", tmp_path.resolve())
    with open_run(tmp_path / place, WORK, resume=True) as again:
        assert again.resume_from.resolve() == run.last.resolve()
    assert runs.list_versions(tmp_path) == ["0"]


def test_an_old_version_with_a_damaged_manifest_stops_nobody(tmp_path):
    for _ in range(2):
        with open_run(tmp_path, WORK):
            pass
    (tmp_path / "checkpoints" / "version_0" / "manifest.json").write_text("{")
    assert runs.find(tmp_path).version == "1"


def test_a_checkpoint_is_of_the_version_of_its_run_or_of_its_folder(tmp_path):
    with open_run(tmp_path, WORK, version="first") as run:
        run.last.parent.mkdir()
        run.last.write_text("weights")
    assert runs.name_version(run.last) == "first"
    for name, version in (("version_7/all/epoch_984.ckpt", "7"), ("other/epoch_984.ckpt", "epoch_984")):
        path = tmp_path / "original" / name
        path.parent.mkdir(parents=True)
        path.write_text("weights")
        assert runs.name_version(path) == version


def test_what_cannot_be_resumed(tmp_path):
    with pytest.raises(CanaryganError, match=r"Cannot find any run .* \(it holds no run yet\)"):
        runs.find(tmp_path)
    with open_run(tmp_path, WORK):
        pass
    with pytest.raises(CanaryganError, match=r"Cannot find version '7' .* \(there: 0\)"):
        runs.find(tmp_path, "7")
    before = record(tmp_path / "checkpoints" / "version_0")
    other = Request("other")
    with pytest.raises(CanaryganError, match="is a run of work, not of other"), open_run(tmp_path, other, resume=True):
        pytest.fail("resumed another task")
    assert record(tmp_path / "checkpoints" / "version_0") == before


def test_resume_goes_on_with_the_latest_and_keeps_its_history(tmp_path):
    for name in ("a", "b"):
        with open_run(tmp_path, WORK, version=name) as run:
            pass
    run.last.parent.mkdir()
    run.last.write_text("weights")
    os.utime(tmp_path / "checkpoints" / "version_a" / "manifest.json", (1, 1))
    again = Request("work", ("work", "--resume"), {"task": {"x": 2}})

    def interrupted():
        with open_run(tmp_path, again, resume=True, facts={"seed": 3}) as run:
            assert run.version == "b"
            assert run.resume_from == run.last
            during = record(run.checkpoints)
            assert (during["status"], during["argv"], during["options"]) == (
                "running",
                ["work", "--resume"],
                {"task": {"x": 2}},
            )
            raise Interrupted("Stopped.")

    with pytest.raises(Interrupted):
        interrupted()
    with open_run(tmp_path, WORK, version="b", resume=True):
        pass
    with open_run(tmp_path, WORK, version="a", resume=True) as run:
        assert run.version == "a"
        assert run.resume_from is None
    after = record(tmp_path / "checkpoints" / "version_b")
    assert after["seed"] == 3
    assert [(one["status"], one["options"]["task"]["x"]) for one in after["history"]] == [
        ("finished", 1),
        ("interrupted", 2),
    ]
    assert after["status"] == "finished"
