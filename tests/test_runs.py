"""Run directories: one owner each, whatever happens to it."""

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from canarygan_core import runs
from canarygan_core.errors import CanaryganError, Interrupted
from canarygan_core.runs import Request, locks, open_run, processes, versions

WORK = Request("work", ("work", "-x"), {"task": {"x": 1}})

HOLDER = """
import sys, time
from pathlib import Path
from canarygan_core.runs import open_run
from canarygan_core.runs import Request
with open_run(Path(sys.argv[1]), Request("work")) as run:
    print(run.version, flush=True)
    time.sleep(120)
"""


def record(folder):
    kept = json.loads((folder / "manifest.json").read_text())
    del kept["seal"]
    return kept


def claim(save_dir, start, queue):
    start.wait()
    with open_run(save_dir, WORK) as run:
        queue.put(run.version)


def test_processes_that_claim_at_once_get_versions_of_their_own(tmp_path):
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    start, queue = context.Barrier(8), context.Queue()
    processes = [context.Process(target=claim, args=(tmp_path, start, queue)) for _ in range(8)]
    for process in processes:
        process.start()
    claimed = sorted(queue.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(60)
    assert claimed == [str(number) for number in range(8)]
    assert runs.list_versions(tmp_path) == claimed


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


def kill_at(tmp_path, monkeypatch, step):
    """Open the version `mine` in a process that is killed at this step of its manifest, or else in the work."""

    def die():
        monkeypatch.setattr(runs.Manifest, step, lambda *_, **__: os._exit(9), raising=False)
        with open_run(tmp_path, WORK, version="mine") as run:
            (run.logs("csv")).mkdir(parents=True)
            (run.logs("csv") / "metrics.csv").write_text("step\n1\n")
            os._exit(9)

    process = multiprocessing.get_context("fork").Process(target=die)
    process.start()
    process.join(60)
    assert process.exitcode == 9


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
@pytest.mark.parametrize("step", ["begin", "add", "no_such_step"])
def test_a_name_whose_training_was_killed_before_it_saved_anything_can_be_used(tmp_path, monkeypatch, step):
    kill_at(tmp_path, monkeypatch, step)
    with open_run(tmp_path, WORK, version="mine") as run:
        assert not run.logs("csv").exists()
        run.last.parent.mkdir()
        run.last.write_text("weights")
    assert record(run.checkpoints)["status"] == "finished"
    with pytest.raises(CanaryganError, match="is already in"), open_run(tmp_path, WORK, version="mine"):
        pytest.fail("took over what has a checkpoint")


def test_a_version_without_a_manifest_is_started_and_not_resumed(tmp_path):
    (tmp_path / "checkpoints" / "version_mine").mkdir(parents=True)
    with pytest.raises(CanaryganError, match=r"was never trained in\. Leave out --resume"):  # noqa: SIM117
        with open_run(tmp_path, WORK, version="mine", resume=True):
            pytest.fail("resumed")


def test_a_name_whose_training_failed_at_once_can_be_used_and_one_that_goes_on_cannot(tmp_path):
    pytest.importorskip("fcntl")
    with pytest.raises(ValueError, match="at once"), open_run(tmp_path, WORK, version="mine"):
        raise ValueError("at once")
    taken = pytest.raises(CanaryganError, match="is being trained by another process")
    with open_run(tmp_path, WORK, version="mine"), taken, open_run(tmp_path, WORK, version="mine"):
        pytest.fail("two owners")


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


def test_a_version_has_one_owner_until_it_dies(tmp_path):
    pytest.importorskip("fcntl")
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline().strip() == "0"
            told = "is being trained by another process"
            with pytest.raises(CanaryganError, match=told), open_run(tmp_path, WORK, resume=True):
                pytest.fail("two owners")
            assert record(tmp_path / "checkpoints" / "version_0")["status"] == "running"
            with open_run(tmp_path, WORK) as run:
                assert run.version == "1"
        finally:
            holder.send_signal(signal.SIGKILL)
    with open_run(tmp_path, WORK, version="0", resume=True) as run:
        assert run.manifest.record["history"][0]["status"] == "running"
    assert record(tmp_path / "checkpoints" / "version_0")["status"] == "finished"


@pytest.fixture
def patience(monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", 0.3)


@pytest.mark.parametrize("variable", ["LOCAL_RANK", "NODE_RANK", "RANK", "SLURM_PROCID"])
def test_rank(monkeypatch, variable):
    assert runs.get_rank() == 0
    monkeypatch.setenv(variable, "2")
    assert runs.get_rank() == 2


def test_a_process_that_rank_0_starts_attaches_by_its_environment(tmp_path, monkeypatch):
    with open_run(tmp_path, WORK) as first:
        assert os.environ[processes.ANNOUNCED] == "0"
        monkeypatch.setenv("LOCAL_RANK", "1")
        with open_run(tmp_path, WORK) as other:
            assert (other.version, other.checkpoints) == (first.version, first.checkpoints)
            assert other.manifest.record == record(first.checkpoints)
            before = (first.checkpoints / "manifest.json").read_bytes()
            other.warn("not written by this one")
            assert (first.checkpoints / "manifest.json").read_bytes() == before
        assert record(first.checkpoints)["status"] == "running"
        monkeypatch.delenv("LOCAL_RANK")
    assert runs.list_versions(tmp_path) == ["0"]


def attach(folder, monkeypatch, version):
    """Open a run as another process of the job does, which knows it by the job's note alone."""
    monkeypatch.delenv(processes.ANNOUNCED)
    monkeypatch.setenv("RANK", "1")
    with open_run(folder, WORK) as other:
        assert other.version == version
    monkeypatch.delenv("RANK")
    monkeypatch.setenv(processes.ANNOUNCED, version)


@pytest.mark.parametrize("job", ["SLURM_JOB_ID", "TORCHELASTIC_RUN_ID"])
def test_a_process_of_the_same_job_attaches_by_its_note(tmp_path, monkeypatch, patience, job):
    monkeypatch.setenv(job, "77")
    with open_run(tmp_path, WORK, version="ours"):
        attach(tmp_path, monkeypatch, "ours")
    assert not list((tmp_path / "checkpoints").glob(".job*"))
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(CanaryganError, match="same --version NAME"), open_run(tmp_path, WORK):
        pytest.fail("attached to a job that is over")


def test_the_note_of_a_job_that_was_killed_misleads_nobody(tmp_path, monkeypatch, patience):
    pytest.importorskip("fcntl")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")  # torchrun's own, whichever the job
    with open_run(tmp_path, WORK, version="old"):
        pass
    (tmp_path / "checkpoints" / ".job-none-0").write_text("old")
    (tmp_path / "checkpoints" / ".job-17-0").write_text("older")
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(CanaryganError, match="same --version NAME"), open_run(tmp_path, WORK):
        pytest.fail("attached to a job that was killed")
    monkeypatch.delenv("RANK")
    with open_run(tmp_path, WORK, version="new"):
        assert [path.name for path in (tmp_path / "checkpoints").glob(".job-*")] == [".job-none-0"]
        attach(tmp_path, monkeypatch, "new")


def test_a_process_of_higher_rank_attaches_by_name_and_waits_no_longer_than_its_patience(
    tmp_path, monkeypatch, patience
):
    monkeypatch.setenv("RANK", "1")
    told = "cannot infer the version: give all of them the same --version NAME"
    with pytest.raises(CanaryganError, match=told), open_run(tmp_path, WORK):
        pytest.fail("attached to nothing")
    with pytest.raises(CanaryganError, match="Rank 0 did not open version 'x'"), open_run(tmp_path, WORK, version="x"):
        pytest.fail("attached to nothing")
    assert not (tmp_path / "checkpoints").exists()
    monkeypatch.delenv("RANK")
    with open_run(tmp_path, WORK, version="x") as first:
        monkeypatch.delenv(processes.ANNOUNCED)
        monkeypatch.setenv("RANK", "1")
        first.last.parent.mkdir()
        first.last.write_text("weights")
        with open_run(tmp_path, WORK, version="x") as other:
            assert other.version == "x"
            assert other.resume_from == first.last
        monkeypatch.delenv("RANK")
        monkeypatch.setenv(processes.ANNOUNCED, "x")


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


def test_a_lock_that_the_work_waits_for_is_told_as_it_is(tmp_path):
    with pytest.raises(BlockingIOError, match="another lock"), open_run(tmp_path, WORK):
        raise BlockingIOError(errno.EAGAIN, "another lock")


@pytest.mark.parametrize("name", ["ENOSYS", "EOPNOTSUPP", "ENOLCK", "EINVAL", "EACCES"])
def test_a_file_system_without_locks_is_said_once_and_keeps_nobody_from_training(tmp_path, monkeypatch, name):
    monkeypatch.setattr(locks, "take", _raise(OSError(getattr(errno, name), "no locks here")))
    said = []
    monkeypatch.setattr(versions.log, "warning", said.append)
    with open_run(tmp_path, WORK):
        pass
    assert said == [
        f"the file system of {tmp_path}/checkpoints/version_0 has no locks (no locks here): nothing keeps another "
        "process from training this version, too."
    ]
    assert record(tmp_path / "checkpoints" / "version_0")["status"] == "finished"


@pytest.mark.parametrize("name", ["EAGAIN", "EWOULDBLOCK"])
def test_a_lock_that_another_process_holds_is_told_and_no_empty_version_is_left(tmp_path, monkeypatch, name):
    monkeypatch.setattr(locks, "take", _raise(OSError(getattr(errno, name), "held")))
    with pytest.raises(CanaryganError, match="is being trained by another process"), open_run(tmp_path, WORK):
        raise AssertionError("never gets here")
    assert runs.list_versions(tmp_path) == []


def _raise(error):
    def fail(*_):
        raise error

    return fail


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
