"""The processes of one training: their ranks, and how they find the run that rank 0 opened."""

import logging
import os
from contextlib import contextmanager

import pytest

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import Manifest, Request, get_rank, list_versions, locks, open_run, processes

pytest.importorskip("fcntl")

WORK = Request("work")


@pytest.fixture
def clock(monkeypatch):
    """Time passes as it is slept away, and no faster."""
    now = [100.0]
    monkeypatch.setattr(processes.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(processes.time, "sleep", lambda seconds: now.append(now.pop() + seconds))
    return now


@pytest.fixture
def follower(monkeypatch):
    """A function that makes this process one of another rank, which was told nothing."""

    def be(**environment):
        monkeypatch.delenv(processes.ANNOUNCED, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return be


@contextmanager
def as_rank_1():
    """This process is for a while one of another rank, which rank 0 did not start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(processes.ANNOUNCED, raising=False)
        patch.setenv("RANK", "1")
        yield


@pytest.mark.parametrize(
    ("environment", "rank"),
    [
        ({}, 0),
        *(({name: "2"}, 2) for name in ("LOCAL_RANK", "NODE_RANK", "RANK", "SLURM_PROCID")),
        ({"SLURM_PROCID": "0", "RANK": "3", "LOCAL_RANK": "2"}, 0),
        ({"RANK": "0", "LOCAL_RANK": "2"}, 0),
        ({"RANK": "4", "LOCAL_RANK": "2"}, 4),
        ({"NODE_RANK": "1", "LOCAL_RANK": "0"}, 1),
        ({"NODE_RANK": "0", "LOCAL_RANK": "3"}, 3),
    ],
)
def test_the_scheduler_tells_the_rank_before_the_launcher(monkeypatch, environment, rank):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert get_rank() == rank


def test_what_rank_0_opened_is_announced_while_it_works(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "2")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "8")
    (tmp_path / "checkpoints").mkdir()
    for job in ("3-0", "4-0"):
        (tmp_path / "checkpoints" / f".job-{job}").write_text("old")
    with locks.hold(tmp_path / "checkpoints" / ".job-3-0"), open_run(tmp_path, WORK, version="mine"):
        assert os.environ[processes.ANNOUNCED] == "mine"
        note = tmp_path / "checkpoints" / ".job-7-2"
        assert note.read_text() == "mine"
        assert locks.is_held(note)
        notes = sorted(path.name for path in note.parent.glob(".job-*"))
        assert notes == [".job-3-0", ".job-7-2"], "that of a job that was killed is removed"
    assert processes.ANNOUNCED not in os.environ
    assert not note.exists()


def test_outside_of_a_job_there_is_no_note(tmp_path):
    with open_run(tmp_path, WORK):
        assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["version_0"]


def test_a_job_of_torchrun_has_a_note_too(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "8")
    with open_run(tmp_path, WORK):
        assert (tmp_path / "checkpoints" / ".job-8-0").read_text() == "0"


def test_a_process_that_rank_0_starts_attaches_and_writes_nothing(tmp_path, monkeypatch):
    with open_run(tmp_path, WORK) as first:
        monkeypatch.setenv("LOCAL_RANK", "1")
        before = first.manifest.path.read_bytes()
        with open_run(tmp_path, WORK) as other:
            assert (other.version, other.checkpoints) == (first.version, first.checkpoints)
            other.warn("not written by this one")
        assert first.manifest.path.read_bytes() == before
        monkeypatch.delenv("LOCAL_RANK")
    assert list_versions(tmp_path) == ["0"]


@pytest.mark.parametrize("job", ["SLURM_JOB_ID", "TORCHELASTIC_RUN_ID"])
def test_a_process_of_the_same_job_attaches_by_its_note_while_the_job_lives(tmp_path, monkeypatch, clock, job):
    monkeypatch.setenv(job, "none")  # torchrun's own, whichever the job
    with open_run(tmp_path, WORK, version="old"):
        pass
    note = tmp_path / "checkpoints" / ".job-none-0"
    assert not note.exists()
    note.write_text("old")  # of one that was killed
    with as_rank_1():
        assert "same --version NAME" in told(tmp_path)
    with open_run(tmp_path, WORK, version="new"), as_rank_1(), open_run(tmp_path, WORK) as other:
        assert other.version == "new"


def open_mine(folder):
    """The folder of a run that was opened, as rank 0 leaves it while it works."""
    path = folder / "checkpoints" / "version_mine" / "manifest.json"
    return Manifest.begin(path, WORK)


def test_a_follower_attaches_by_what_it_is_told_first(tmp_path, follower):
    manifest = open_mine(tmp_path)
    follower(RANK="1", **{processes.ANNOUNCED: "mine"})
    with open_run(tmp_path, WORK, version="another") as run:
        assert (run.version, run.save_dir, run.manifest.path) == ("mine", tmp_path, manifest.path)
        assert (run.manifest.record, run.resume_from) == (manifest.record, None)
        run.manifest.add(more=1)
    assert "more" not in Manifest.read(manifest.path).record
    run.last.parent.mkdir()
    run.last.write_text("weights")
    with open_run(tmp_path, WORK) as run:
        assert run.resume_from == run.last


def test_a_follower_logs_only_warnings_while_it_works(tmp_path, follower):
    open_mine(tmp_path)
    follower(RANK="1")
    level = processes.log.level
    with pytest.raises(ValueError, match="stop"), open_run(tmp_path, WORK, version="mine"):  # noqa: PT012
        assert processes.log.level == logging.WARNING
        raise ValueError("stop")
    assert processes.log.level == level


def test_a_follower_waits_for_the_note_of_a_living_job(tmp_path, follower, clock, monkeypatch):
    open_mine(tmp_path)
    follower(RANK="1", SLURM_JOB_ID="7")
    note = tmp_path / "checkpoints" / ".job-7-0"
    note.write_text("left behind")
    held = iter([False, False, True])

    def is_held(path):
        assert path == note
        answer = next(held)
        if answer:
            note.write_text("mine")
        return answer

    monkeypatch.setattr(locks, "is_held", is_held)
    with open_run(tmp_path, WORK) as run:
        assert run.version == "mine"
    assert clock == [pytest.approx(100.4)]


def test_where_nothing_tells_of_locks_the_note_counts(tmp_path, follower, clock, monkeypatch):
    open_mine(tmp_path)
    follower(RANK="1", SLURM_JOB_ID="7")
    (tmp_path / "checkpoints" / ".job-7-0").write_text("mine")
    monkeypatch.setattr(locks, "is_held", lambda path: None)
    with open_run(tmp_path, WORK) as run:
        assert run.version == "mine"
    assert clock == [100.0]


def told(folder, **options):
    with pytest.raises(CanaryganError) as raised, open_run(folder, WORK, **options):
        pytest.fail("attached to nothing")
    return str(raised.value)


def test_a_follower_gives_up_after_its_patience(tmp_path, follower, clock):
    unknown = "A process of rank above 0 cannot infer the version: give all of them the same --version NAME."
    follower(RANK="1")
    assert told(tmp_path) == unknown
    assert clock == [100.0]
    follower(RANK="1", SLURM_JOB_ID="7")
    assert told(tmp_path) == unknown
    assert clock == [pytest.approx(100 + processes.PATIENCE, abs=0.3)]
    assert told(tmp_path, version="x") == f"Rank 0 did not open version 'x' in {tmp_path} within 300 s."
    assert clock == [pytest.approx(100 + 2 * processes.PATIENCE, abs=0.6)]
