"""Locks: who holds one is alive."""

import errno
import os

import pytest

from canarygan_core.runs import locks

fcntl = pytest.importorskip("fcntl")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_one_holds_a_lock_until_the_block_ends(tmp_path, kind):
    path = tmp_path / "a"
    path.mkdir() if kind == "folder" else path.write_text("")
    assert locks.is_held(path) is False
    with locks.hold(path) as is_free:
        assert is_free is True
        assert locks.is_held(path) is True
        with locks.hold(path) as is_free:
            assert is_free is False
    assert locks.is_held(path) is False


def test_what_is_not_there_is_neither_free_nor_held(tmp_path):
    with locks.hold(tmp_path / "a") as is_free:
        assert is_free is False
    assert locks.is_held(tmp_path / "a") is False


def test_where_there_are_no_locks_nothing_can_tell(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("")

    def refuse(number):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(locks, "take", refuse)
    with locks.hold(tmp_path / "a") as is_free:
        assert is_free is None
    assert locks.is_held(tmp_path / "a") is None


def test_what_may_not_be_opened_cannot_be_told(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert locks.is_held(tmp_path) is None


@pytest.mark.parametrize("then", ["removed", "replaced"])
def test_a_file_that_is_gone_when_it_is_locked_is_not_free(tmp_path, monkeypatch, then):
    take = locks.take
    (tmp_path / "a").write_text("")
    (tmp_path / "b").write_text("")

    def meanwhile(number):
        os.remove(tmp_path / "a") if then == "removed" else os.replace(tmp_path / "b", tmp_path / "a")
        take(number)

    monkeypatch.setattr(locks, "take", meanwhile)
    with locks.hold(tmp_path / "a") as is_free:
        assert is_free is False


def test_a_lock_is_let_go_and_its_file_closed(tmp_path):
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(3):
        with pytest.raises(ValueError, match="stop"), locks.hold(tmp_path):
            raise ValueError("stop")
    assert locks.is_held(tmp_path) is False
    assert not before or len(os.listdir("/proc/self/fd")) == before
