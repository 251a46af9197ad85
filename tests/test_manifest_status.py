"""What a manifest says at each moment of the work that it describes, and afterwards."""

import json
import os
import re
from datetime import UTC, datetime

import pytest

from canarygan_core.errors import CanaryganError, Interrupted
from canarygan_core.runs import Manifest, Request, drafts, files, locks, manifest

fcntl = pytest.importorskip("fcntl")


def begin(path, **facts):
    return Manifest.begin(path / "manifest.json", Request("work", ("work", "-x"), {"task": {"x": 1}}), **facts)


def on_disk(one):
    record = json.loads(one.path.read_text())
    del record["seal"]
    return record


@pytest.fixture
def clock(monkeypatch):
    """A function that sets what time it is."""

    def set_to(text):
        monkeypatch.setattr(manifest, "_now", lambda: text)

    set_to("2026-01-01T00:00:00+00:00")
    return set_to


def test_a_record_has_every_key_from_the_start(tmp_path, monkeypatch, clock):
    monkeypatch.setattr(manifest, "collect_versions", lambda: {"python": "3"})
    monkeypatch.chdir(tmp_path)
    one = begin(tmp_path, seed=7, task="other")
    assert on_disk(one) == one.record
    assert one.record == {
        **{"schema": 1, "task": "other", "argv": ["work", "-x"], "options": {"task": {"x": 1}}, "cwd": str(tmp_path)},
        **{"status": "running", "error": None, "started": "2026-01-01T00:00:00+00:00", "ended": None},
        **{"versions": {"python": "3"}, "inputs": {}, "outputs": {}, "warnings": [], "seed": 7},
    }
    clock("2026-01-01T00:00:05+00:00")
    monkeypatch.setattr(manifest, "collect_versions", lambda: {"python": "3", "torch": "2"})
    one.warn("look out")
    with one:
        pass
    assert on_disk(one) == one.record
    told = {key: one.record[key] for key in ("status", "error", "ended", "versions", "warnings")}
    assert told == {
        **{"status": "finished", "error": None, "ended": "2026-01-01T00:00:05+00:00"},
        "versions": {"python": "3", "torch": "2"},
        "warnings": [{"time": "2026-01-01T00:00:05+00:00", "message": "look out"}],
    }


def test_times_are_in_utc_to_the_second(tmp_path):
    before = datetime.now(UTC).replace(microsecond=0)
    started = begin(tmp_path).record["started"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", started)
    assert before <= datetime.fromisoformat(started) <= datetime.now(UTC)


def test_the_same_work_cannot_begin_twice_until_it_ends(tmp_path):
    one = begin(tmp_path)
    with pytest.raises(CanaryganError, match=r"Another process is writing manifest\.json"):
        begin(tmp_path)
    one.end("finished")
    begin(tmp_path).end("failed", "why")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json"]
    assert on_disk(Manifest.read(one.path))["error"] == "why"


def test_work_does_not_begin_where_its_outputs_are(tmp_path):
    (tmp_path / "out.npz").write_text("old")
    with pytest.raises(CanaryganError, match=r"out\.npz is there already"):
        begin(tmp_path, absent=[tmp_path / "free.npz", tmp_path / "out.npz"])
    assert [path.name for path in tmp_path.iterdir()] == ["out.npz"]
    begin(tmp_path, absent=[tmp_path / "free.npz"])


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (CanaryganError("No good."), "failed", "No good."),
        (CanaryganError(""), "failed", "CanaryganError"),
        (ZeroDivisionError("a bug"), "failed", "ZeroDivisionError: a bug"),
        (Interrupted(""), "interrupted", "Interrupted"),
        (Interrupted("Stopped."), "interrupted", "Stopped."),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
    ],
)
def test_an_error_is_recorded_and_goes_on_rising(tmp_path, error, status, told):
    with pytest.raises(type(error)), begin(tmp_path) as one:
        raise error
    assert (on_disk(one)["status"], on_disk(one)["error"]) == (status, told)


def test_a_full_disk_does_not_hide_what_filled_it(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise CanaryganError("Cannot write: No space left on device.")

    with pytest.raises(ValueError, match="first"), begin(tmp_path) as one:  # noqa: PT012
        monkeypatch.setattr(files, "write_text", refuse)
        raise ValueError("first")
    with pytest.raises(CanaryganError, match="No space"):
        one.end("finished")


def test_running_work_is_told_from_killed_work_by_its_locks(tmp_path, monkeypatch):
    one = begin(tmp_path)
    assert one.status == Manifest.read(one.path).status == "running"
    drafts.remove(drafts.name_reservation(one.path))
    assert one.status == "killed"
    with open(tmp_path / ".lock", "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert one.status == "running"
    assert one.status == "killed"
    with monkeypatch.context() as patch:
        patch.setattr(locks, "is_held", lambda path: None)
        assert one.status == "running", "nothing can tell"
    one.add(status="failed")
    assert one.status == "failed"
    assert Manifest(one.path, {}).status == ""


def test_work_that_goes_on_keeps_its_history(tmp_path, monkeypatch, clock):
    with pytest.raises(CanaryganError), begin(tmp_path) as one:
        raise CanaryganError("No good.")
    monkeypatch.chdir(tmp_path)
    clock("2026-01-02T00:00:00+00:00")
    again = Manifest.read(one.path).begin_again(Request("work", ("work", "--resume"), {"task": {"x": 2}}))
    first = {
        **{"argv": ["work", "-x"], "options": {"task": {"x": 1}}, "status": "failed", "error": "No good."},
        **{"started": "2026-01-01T00:00:00+00:00", "ended": "2026-01-01T00:00:00+00:00"},
    }
    assert on_disk(again)["history"] == [first]
    now = {
        **{"argv": ["work", "--resume"], "options": {"task": {"x": 2}}, "status": "running", "error": None},
        **{"started": "2026-01-01T00:00:00+00:00", "ended": None},
    }
    assert {key: on_disk(again)[key] for key in now} == now
    assert on_disk(again)["cwd"] == str(tmp_path)
    again.begin_again(Request("work"))
    assert [time["status"] for time in on_disk(again)["history"]] == ["failed", "running"]
    assert on_disk(again)["argv"] == []


def test_inputs_and_outputs_come_and_go(tmp_path):
    one = begin(tmp_path / "run")
    (tmp_path / "out.txt").write_text("out")
    one.add_input("data", tmp_path / "out.txt", "sha256:of what was read")
    assert on_disk(one)["inputs"] == {"data": {"path": str(tmp_path / "out.txt"), "digest": "sha256:of what was read"}}
    one.add_output(tmp_path / "out.txt")
    name = os.path.join("..", "out.txt")
    assert on_disk(one)["outputs"] == {name: files.compute_digest(tmp_path / "out.txt")}
    one.remove_output(tmp_path / "other.txt")
    assert list(on_disk(one)["outputs"]) == [name]
    one.remove_output(tmp_path / "out.txt")
    assert on_disk(one)["outputs"] == {}


def test_what_is_only_looked_at_is_not_written(tmp_path):
    one = begin(tmp_path)
    before = one.path.read_bytes()
    looked_at = Manifest(one.path, dict(one.record), writes=False)
    looked_at.add(more=1)
    assert (looked_at.record["more"], one.path.read_bytes()) == (1, before)


def test_a_manifest_survives_a_power_cut(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(files, "write_text", lambda path, text, sync=False: synced.append(sync))
    begin(tmp_path).add(more=1)
    assert synced == [True, True]


def test_a_manifest_that_is_not_there_is_told(tmp_path):
    with pytest.raises(CanaryganError) as told:
        Manifest.read(tmp_path / "manifest.json")
    assert str(told.value) == f"There is no manifest at {tmp_path / 'manifest.json'}."
