"""Drafts: what a killed process left is told from what a living one is at, and swept by whoever writes there next."""

import errno
import os
import subprocess
import sys
import tempfile
import time

import pytest

from canarygan_core.runs import drafts, files, locks

pytest.importorskip("fcntl")

HOLDER = """
import sys, time
from pathlib import Path
from canarygan_core.runs import files
with files.replace_folder(Path(sys.argv[1])) as draft:
    (draft / "a.txt").write_text("half")
    print(draft, flush=True)
    time.sleep(120)
"""


def left(folder, name, content="half"):
    """A draft as a killed process leaves it."""
    draft = folder / name
    if name.endswith(".part") and "set" not in name:
        draft.write_text(content)
    else:
        draft.mkdir()
        (draft / "a.txt").write_text(content)
    return draft


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", [".a.npz.01234567.part", ".set.01234567.part"])
def test_the_next_that_writes_sweeps_what_a_killed_process_left(tmp_path, name):
    left(tmp_path, name)
    for kept in ("notes.part", ".a.npz.part", ".hidden", "a.01234567.part"):
        (tmp_path / kept).write_text("somebody's")
    files.write_text(tmp_path / "b.txt", "b")
    assert names(tmp_path) == [".a.npz.part", ".hidden", "a.01234567.part", "b.txt", "notes.part"]


def test_what_was_only_set_aside_is_put_back(tmp_path):
    left(tmp_path, ".set.01234567.old", "old")
    left(tmp_path, ".set.01234567.part", "new")
    drafts.sweep(tmp_path)
    assert names(tmp_path) == ["set"]
    assert (tmp_path / "set" / "a.txt").read_text() == "old"


def test_what_was_replaced_already_is_removed(tmp_path):
    left(tmp_path, ".set.01234567.old", "old")
    (tmp_path / "set").mkdir()
    assert [path.name for path in drafts.sweep(tmp_path)] == [".set.01234567.old"]
    assert names(tmp_path) == ["set"]


def test_a_draft_of_a_living_process_stays(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "set")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            draft = tmp_path / os.path.basename(holder.stdout.readline().strip())
            aside = drafts.name_aside(draft)
            aside.mkdir()
            assert drafts.sweep(tmp_path) == []
            assert names(tmp_path) == sorted([draft.name, aside.name])
            assert not drafts.is_left(draft)
        finally:
            holder.kill()
    assert drafts.is_left(draft)
    assert sorted(drafts.sweep(tmp_path)) == sorted([aside, draft])
    assert names(tmp_path) == ["set"], "what was set aside is put back"


def test_without_locks_a_draft_counts_as_left_after_a_day(tmp_path, monkeypatch):
    def refuse(number):
        raise OSError(38, "no locks")

    monkeypatch.setattr(locks, "take", refuse)
    draft = left(tmp_path, ".a.npz.01234567.part")
    assert drafts.sweep(tmp_path) == []
    files.write_text(tmp_path / "b.txt", "b")
    then = time.time() - 1.1 * drafts.STALE
    os.utime(draft, (then, then))
    assert drafts.sweep(tmp_path) == [draft]
    assert names(tmp_path) == ["b.txt"]


def test_a_draft_that_is_swept_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    take, swept = locks.take, []

    def sweep_first(number):
        if not swept:
            swept.extend(path.unlink() or path for path in drafts.list_drafts(tmp_path))
        take(number)

    monkeypatch.setattr(locks, "take", sweep_first)
    files.write_text(tmp_path / "b.txt", "b")
    assert len(swept) == 1
    assert names(tmp_path) == ["b.txt"]


def test_a_temporary_folder_that_was_left_is_swept_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left(tmp_path, ".canarygan-set.01234567.part")
    with files.make_temporary_folder() as folder:
        assert names(tmp_path) == [folder.name]
        assert folder.stat().st_mode & 0o777 == 0o700
    assert names(tmp_path) == []


def test_only_one_process_is_at_a_piece_of_work(tmp_path):
    reserved = drafts.reserve(tmp_path / "scores.manifest.json")
    with reserved, pytest.raises(files.CanaryganError, match=r"Another process is writing scores\.manifest\.json"):  # noqa: SIM117
        with drafts.reserve(tmp_path / "scores.manifest.json"):
            pytest.fail("two at once")
    with drafts.reserve(tmp_path / "scores.manifest.json"):
        pass
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EIO", "EROFS"])
@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_disk_that_fails_is_told_with_the_file_and_leaves_the_old_one(tmp_path, monkeypatch, name, step):
    number = getattr(errno, name)

    def fail(*paths):
        raise OSError(number, os.strerror(number), *paths[:1])

    def write():
        with files.replace_file(tmp_path / "a.json", sync=True) as draft:
            draft.write_text("new")
            if step == "write":
                fail()

    files.write_text(tmp_path / "a.json", "old")
    if step != "write":
        monkeypatch.setattr(os, step, fail if step == "replace" else lambda _: fail())
    with pytest.raises(files.CanaryganError, match=rf"Cannot write {tmp_path}/a\.json: {os.strerror(number)}\."):
        write()
    assert names(tmp_path) == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "old"


def test_an_error_of_another_file_is_told_as_it_is(tmp_path):
    with pytest.raises(OSError, match="elsewhere"), files.replace_file(tmp_path / "a.json"):
        raise OSError(errno.EIO, "Input/output error", "elsewhere")


def test_a_file_that_is_to_survive_a_power_cut_is_synced_before_it_is_renamed_and_its_folder_after(
    tmp_path, monkeypatch
):
    done, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda number: done.append(os.path.isdir(f"/proc/self/fd/{number}")) or fsync(number)
    )
    monkeypatch.setattr(os, "replace", lambda *paths: done.append("rename") or replace(*paths))
    files.write_text(tmp_path / "a.json", "a")
    assert done == ["rename"]
    files.write_text(tmp_path / "a.json", "a", sync=True)
    assert done == ["rename", False, "rename", True]
