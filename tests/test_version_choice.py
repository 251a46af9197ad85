"""Which version a command means, which it makes, and what it says where there is none."""

import json

import pytest
from refusals import told

from canarygan_core import runs
from canarygan_core.errors import CanaryganError, Interrupted
from canarygan_core.runs import Manifest, Request, open_run, versions

pytest.importorskip("fcntl")

WORK = Request("work")


def make(folder, version="infer", started="", status="", weights=True):
    """A run that ended, or did not."""
    with open_run(folder, WORK, version=version) as run:
        if weights:
            run.last.parent.mkdir()
            run.last.write_text("weights")
    facts = {"started": started and f"2026-01-{started}T00:00:00+00:00", "status": status}
    run.manifest.add(**{key: value for key, value in facts.items() if value})
    return run


def told_opening(folder, **options):
    with pytest.raises(CanaryganError) as raised, open_run(folder, options.pop("request", WORK), **options):
        pytest.fail("opened")
    return str(raised.value)


def test_versions_are_listed_numbers_first(tmp_path):
    for version, started in {"b": "01", "10": "02", "a": "03", "9": "04"}.items():
        make(tmp_path, version, started)
    (tmp_path / "checkpoints" / "version_file").write_text("")
    (tmp_path / "checkpoints" / "other").mkdir()
    assert runs.list_versions(tmp_path) == ["9", "10", "b", "a"]
    assert runs.list_versions(tmp_path / "nowhere") == []
    assert make(tmp_path / "new" / "below").version == "0"
    for version in ("9", "10", "a", "b"):
        Manifest.read(tmp_path / "checkpoints" / f"version_{version}" / "manifest.json").add(started="same")
    assert runs.find(tmp_path).version == "10", "numbers by size where the second is the same"


def test_the_next_number_is_free_whatever_lies_there(tmp_path):
    make(tmp_path, "named")
    assert make(tmp_path).version == "0"
    make(tmp_path, "7")
    assert make(tmp_path).version == "8"
    (tmp_path / "checkpoints" / "version_9").write_text("a file in the way")
    assert make(tmp_path).version == "10"


@pytest.mark.parametrize("name", ["a", "A.b-c_1", "7", "..."])
def test_a_version_may_be_called(tmp_path, name):
    assert make(tmp_path, name).checkpoints == tmp_path / "checkpoints" / f"version_{name}"
    message = f"Version {name!r} is already in {tmp_path}. Go on with it by --resume, or choose another name."
    assert told_opening(tmp_path, version=name) == message


@pytest.mark.parametrize("name", ["a/b", "a b", "", "a\n"])
def test_a_version_may_not_be_called(tmp_path, name):
    message = f"A version is a name of letters, digits, '.', '_' and '-', not {name!r}."
    assert told_opening(tmp_path, version=name) == message


def test_the_newest_that_got_as_far_as_a_checkpoint_is_meant(tmp_path):
    make(tmp_path, "0", "01")
    make(tmp_path, "1", "02", "failed")
    make(tmp_path, "2", "03", "failed", weights=False)
    assert runs.find(tmp_path).version == "1"
    assert runs.find(tmp_path, "2").version == "2"
    make(tmp_path, "3", "04", "running", weights=False)
    assert runs.find(tmp_path).version == "3"


def test_where_all_failed_the_newest_is_meant(tmp_path):
    for number in range(2):
        make(tmp_path, str(number), f"0{number + 1}", "failed", weights=False)
    assert runs.find(tmp_path).version == "1"


def test_a_version_that_is_not_there_is_told_with_those_that_are(tmp_path):
    assert told(runs.find, tmp_path) == f"Cannot find any run in {tmp_path} (it holds no run yet)."
    for version in ("0", "b"):
        make(tmp_path, version)
    assert told(runs.find, tmp_path, "7") == f"Cannot find version '7' in {tmp_path} (there: 0, b)."
    loose = tmp_path / "loose.ckpt"
    loose.write_text("")
    message = f"{loose} lies in no run: there is no manifest.json in its folder or the one above."
    assert told(runs.find, loose) == message


@pytest.mark.parametrize("name", ["last", "all", "manifest.json"])
def test_a_folder_that_looks_like_a_version_is_one(tmp_path, name):
    folder = tmp_path / "copied"
    (folder / name).mkdir(parents=True) if name != "manifest.json" else folder.mkdir()
    if name == "manifest.json":
        (folder / name).write_text(json.dumps({"schema": 1, "task": "work"}))
    assert runs.find(folder).version == "copied"
    assert runs.find(folder).checkpoints == folder


def test_a_checkpoint_is_found_by_what_means_its_run(tmp_path):
    run = make(tmp_path)
    for path in (tmp_path, run.checkpoints, run.last):
        assert runs.find_checkpoint(path) == runs.find_checkpoint(path, best=True) == run.last
    run.best.parent.mkdir()
    run.best.write_text("best")
    assert runs.find_checkpoint(tmp_path, best=True) == run.best
    assert runs.find_checkpoint(tmp_path) == run.last
    run.last.unlink()
    advice = "Give a .ckpt file, or a version's folder that has one."
    assert told(runs.find_checkpoint, tmp_path) == f"There is no checkpoint at {run.last}. {advice}"
    absent = tmp_path / "absent.ckpt"
    assert told(runs.find_checkpoint, absent) == f"There is no checkpoint at {absent}. {advice}"


@pytest.mark.parametrize(
    ("place", "version"),
    [
        ("own/version_7/all/epoch_9.ckpt", "7"),
        ("own/version_a/deep/er/epoch_9.ckpt", "a"),
        ("version_1/version_2/epoch_9.ckpt", "2"),
        ("own/epoch_9.ckpt", "epoch_9"),
        ("own/version_3.ckpt", "3"),
    ],
)
def test_a_checkpoint_without_a_run_is_called_after_its_folder_or_itself(tmp_path, place, version):
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text("")
    assert runs.find_by_checkpoint(path) is None
    assert runs.name_version(path) == version


def test_a_checkpoint_too_deep_lies_in_no_run(tmp_path):
    run = make(tmp_path, "mine")
    for place, is_in in (("a.ckpt", True), ("all/a.ckpt", True), ("all/deep/a.ckpt", False)):
        path = run.checkpoints / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        found = runs.find_by_checkpoint(path)
        assert (found is not None) is is_in
        assert found is None or found.version == runs.name_version(path) == "mine"


# Going on


def test_only_a_run_of_the_same_task_goes_on(tmp_path):
    message = f"Cannot find any run in {tmp_path} (it holds no run yet). Leave out --resume to start one."
    assert told_opening(tmp_path, resume=True) == message
    run = make(tmp_path, "mine")
    missing = f"Cannot find version 'x' in {tmp_path} (there: mine). Leave out --resume to start one."
    assert told_opening(tmp_path, version="x", resume=True) == missing
    other = f"{run.checkpoints} is a run of work, not of other."
    assert told_opening(tmp_path, request=Request("other"), resume=True) == other
    run.manifest.path.unlink()
    never = f"{run.checkpoints} was never trained in. Leave out --resume to start there."
    assert told_opening(tmp_path, version="mine", resume=True) == never


@pytest.mark.parametrize("version", ["infer", "0"])
@pytest.mark.parametrize("place", ["", "checkpoints"])
def test_a_run_goes_on_by_its_folder_of_versions_where_none_is_named(tmp_path, place, version):
    make(tmp_path, "0")
    if place and version != "infer":
        assert "Cannot find version '0'" in told(runs.find_to_resume, tmp_path / place, version, "work")
    else:
        assert runs.find_to_resume(tmp_path / place, version, "work").save_dir == tmp_path


def test_a_run_without_a_checkpoint_starts_anew_and_says_so(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(versions.log, "warning", said.append)
    run = make(tmp_path, "mine", weights=False)
    with open_run(tmp_path, WORK, resume=True) as again:
        assert again.resume_from is None
    assert said == ["Version mine has no checkpoint yet: starting it anew."]
    run.last.parent.mkdir()
    run.last.write_text("weights")
    with open_run(tmp_path, WORK, resume=True, facts={"seed": 5}) as again:
        assert again.resume_from == run.last
        assert again.manifest.record["seed"] == 5
        assert len(again.manifest.record["history"]) == 2
    assert len(said) == 1


@pytest.mark.parametrize("error", [None, Interrupted("Stopped."), ValueError("x")])
def test_logs_are_recorded_when_the_work_ends_or_is_interrupted(tmp_path, error):
    def work():
        with open_run(tmp_path, WORK) as run:
            (run.previews).mkdir(parents=True)
            (run.previews / "a.wav").write_text("x")
            if error:
                raise error

    if error:
        with pytest.raises(type(error)):
            work()
    else:
        work()
    record = runs.find(tmp_path).manifest.record
    assert ("logs" in record) is not isinstance(error, ValueError)


# Taking over


@pytest.mark.parametrize("status", ["running", "failed", "interrupted"])
def test_what_holds_nothing_is_taken_over_and_cleared(tmp_path, status):
    run = make(tmp_path, "mine", status=status, weights=False)
    (run.checkpoints / "all").mkdir()
    (run.checkpoints / "all" / ".draft.01234567.part").write_text("half")
    for folder in (run.previews, run.logs("csv"), run.logs("tensorboard")):
        folder.mkdir(parents=True)
        (folder / "old").write_text("old")
    with open_run(tmp_path, WORK, version="mine") as again:
        assert again.version == "mine"
        assert not [one for one in (run.previews, run.logs("csv"), run.logs("tensorboard")) if one.exists()]
        assert "history" not in again.manifest.record


def test_what_holds_something_or_finished_is_not_taken_over(tmp_path):
    make(tmp_path, "finished", weights=False)
    run = make(tmp_path, "killed", status="running", weights=False)
    (run.checkpoints / "all").mkdir()
    (run.checkpoints / "all" / "losses.json").write_text("{}")
    for version in ("finished", "killed"):
        assert "is already in" in told_opening(tmp_path, version=version)


def test_a_version_that_another_saved_into_meanwhile_is_left(tmp_path, monkeypatch):
    make(tmp_path, "mine", status="failed", weights=False)
    folder, take = tmp_path / "checkpoints" / "version_mine", versions.locks.take

    def meanwhile(number):
        take(number)
        (folder / "last").mkdir()
        (folder / "last" / "last.ckpt").write_text("weights")

    with monkeypatch.context() as patch:
        patch.setattr(versions.locks, "take", meanwhile)
        message = f"{folder} was trained by another process meanwhile: choose another name."
        assert told_opening(tmp_path, version="mine") == message
    assert (folder / "last" / "last.ckpt").read_text() == "weights"


def test_logs_of_a_folder_without_a_manifest_are_somebody_elses(tmp_path):
    (tmp_path / "checkpoints" / "version_mine").mkdir(parents=True)
    (tmp_path / "previews" / "version_mine").mkdir(parents=True)
    with open_run(tmp_path, WORK, version="mine") as run:
        assert run.previews.is_dir()


def test_no_empty_version_is_left_where_a_manifest_cannot_be_begun(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise CanaryganError("Cannot write.")

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "begin", refuse)
        assert told_opening(tmp_path) == "Cannot write."
        assert list((tmp_path / "checkpoints").iterdir()) == []
        folder = tmp_path / "checkpoints" / "version_mine"
        folder.mkdir()
        (folder / ".notes").write_text("somebody's")
        assert told_opening(tmp_path, version="mine") == "Cannot write."
        assert [path.name for path in folder.iterdir()] == [".notes"]
    assert make(tmp_path, "mine").version == "mine"


def test_a_lock_that_cannot_be_opened_is_told(tmp_path):
    run = make(tmp_path, "mine")
    (run.checkpoints / ".lock").unlink()
    (run.checkpoints / ".lock").mkdir()
    message = told_opening(tmp_path, version="mine", resume=True)
    assert message == f"Cannot write to {run.checkpoints}: Is a directory."


def test_no_version_is_left_where_not_even_its_lock_can_be_made(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(versions, "open", refuse, raising=False)
    folder = tmp_path / "checkpoints" / "version_0"
    assert told_opening(tmp_path) == f"Cannot write to {folder}: Permission denied."
    assert not folder.exists()


def test_a_save_dir_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    assert told_opening(tmp_path / "file") == f"Cannot write to --save-dir {tmp_path / 'file'}: Not a directory."
