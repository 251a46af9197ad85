"""A version has one owner, whatever happens to it, and is free again when that ends."""

import errno
import multiprocessing
import os
import signal
import subprocess
import sys

import pytest

from canarygan_core import runs
from canarygan_core.errors import CanaryganError
from canarygan_core.runs import Manifest, Request, locks, open_run, versions

WORK = Request("work", ("work", "-x"), {"task": {"x": 1}})

HOLDER = """
import sys, time
from pathlib import Path
from canarygan_core.runs import open_run
from canarygan_core.runs import Manifest, Request
with open_run(Path(sys.argv[1]), Request("work")) as run:
    print(run.version, flush=True)
    time.sleep(120)
"""


def record(folder):
    return Manifest.read(folder / "manifest.json").record


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


def test_a_name_whose_training_failed_at_once_can_be_used_and_one_that_goes_on_cannot(tmp_path):
    pytest.importorskip("fcntl")
    with pytest.raises(ValueError, match="at once"), open_run(tmp_path, WORK, version="mine"):
        raise ValueError("at once")
    taken = pytest.raises(CanaryganError, match="is being trained by another process")
    with open_run(tmp_path, WORK, version="mine"), taken, open_run(tmp_path, WORK, version="mine"):
        pytest.fail("two owners")


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
