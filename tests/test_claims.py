"""Drafts and reservations in one process: their names, who sweeps, what is left, and what is told."""

import os

import pytest

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import drafts, files, locks

pytest.importorskip("fcntl")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_draft_is_a_hidden_file_or_folder_that_goes_with_the_block(tmp_path):
    with drafts.claim(tmp_path / "a.npz") as draft:
        assert draft.is_file()
        assert draft.stat().st_size == 0
        assert draft.name.startswith(".a.npz.")
        assert draft.suffix == ".part"
        assert drafts.list_drafts(tmp_path) == [draft]
        assert not drafts.is_left(draft)
        with drafts.claim(tmp_path / "a.npz") as other:
            assert other != draft
    with drafts.claim(tmp_path / "set", is_folder=True) as draft:
        assert draft.is_dir()
        (draft / "a.txt").write_text("half")
    assert names(tmp_path) == []
    with pytest.raises(ValueError, match="stop"), drafts.claim(tmp_path / "a.npz"):
        raise ValueError("stop")
    assert names(tmp_path) == []


def test_the_first_that_writes_in_a_folder_sweeps_it_and_no_other(tmp_path):
    (tmp_path / ".a.01234567.part").write_text("half")
    files.write_text(tmp_path / "b", "b")
    assert names(tmp_path) == ["b"]
    (tmp_path / ".a.01234567.part").write_text("half")
    files.write_text(tmp_path / "c", "c")
    assert names(tmp_path) == [".a.01234567.part", "b", "c"]
    assert drafts.is_left(tmp_path / ".a.01234567.part")


def test_a_draft_that_another_takes_for_one_left_behind_is_made_again(tmp_path, monkeypatch):
    answers = iter([False, None])

    class Held:
        def __init__(self, path):
            self.path = path

        def __enter__(self):
            return next(answers)

        def __exit__(self, *_):
            pass

    drafts._swept.add(tmp_path)
    monkeypatch.setattr(locks, "hold", Held)
    with drafts.claim(tmp_path / "a") as draft:
        assert draft in tmp_path.iterdir()
    assert next(answers, "both asked for") == "both asked for"


def test_what_was_set_aside_comes_first(tmp_path):
    for name in (
        ".a.01234567.part",
        ".b.01234567.old",
        ".c.01234567.part",
        ".d.01234567.old",
        ".line\nfeed.01234567.part",
    ):
        (tmp_path / name).write_text("")
    for name in (".a.0123456.part", ".a.0123456g.part", ".a.01234567.party", "x.a.01234567.part", "..01234567.part"):
        (tmp_path / name).write_text("somebody's")
    found = [path.name for path in drafts.list_drafts(tmp_path)]
    assert found == [
        *(".b.01234567.old", ".d.01234567.old"),
        *(".a.01234567.part", ".c.01234567.part", ".line\nfeed.01234567.part"),
    ]
    assert drafts.list_drafts(tmp_path / "nowhere") == []


def test_names_of_what_belongs_together(tmp_path):
    draft = tmp_path / ".set.01234567.part"
    assert drafts.name_aside(draft) == tmp_path / ".set.01234567.old"
    assert drafts.name_reservation(tmp_path / "a.json") == tmp_path / ".a.json.00000000.part"


def test_a_sweep_tells_what_it_removed_and_put_back(tmp_path):
    for name in (".set.01234567.old", ".other.01234567.old", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / ".a.npz.01234567.part").write_text("")
    (tmp_path / ".link.01234567.part").symlink_to(tmp_path / "other", target_is_directory=True)
    swept = drafts.sweep(tmp_path)
    assert [path.name for path in swept] == [
        *(".other.01234567.old", ".set.01234567.old"),
        *(".a.npz.01234567.part", ".link.01234567.part"),
    ]
    assert names(tmp_path) == ["other", "set"]
    assert drafts.sweep(tmp_path) == []


def test_what_cannot_be_removed_is_not_told_as_removed(tmp_path, monkeypatch):
    (tmp_path / ".a.01234567.part").write_text("")
    (tmp_path / ".set.01234567.old").mkdir()

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    for name in ("unlink", "rename"):
        monkeypatch.setattr(type(tmp_path), name, refuse)
    assert drafts.sweep(tmp_path) == []


def test_a_reservation_makes_its_folder_and_leaves_nothing(tmp_path):
    with drafts.reserve(tmp_path / "a" / "b" / "m.json"):
        assert names(tmp_path / "a" / "b") == [".m.json.00000000.part"]
        with drafts.reserve(tmp_path / "a" / "b" / "n.json"):
            pass
    assert names(tmp_path / "a" / "b") == []
    with pytest.raises(ValueError, match="stop"), drafts.reserve(tmp_path / "m.json"):
        raise ValueError("stop")
    assert names(tmp_path) == ["a"]


def test_who_waits_for_a_reservation_does_not_wait_long(tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr(drafts.time, "sleep", waited.append)
    with drafts.reserve(tmp_path / "m.json"), pytest.raises(CanaryganError) as told:  # noqa: SIM117
        with drafts.reserve(tmp_path / "m.json"):
            pytest.fail("two at once")
    assert str(told.value) == (f"Another process is writing m.json in {tmp_path}: wait for it, or write elsewhere.")
    assert waited == [0.01 * attempt for attempt in range(10)]


def test_without_locks_a_reservation_keeps_nobody_out(tmp_path, monkeypatch):
    def refuse(number):
        raise OSError(38, "no locks")

    monkeypatch.setattr(locks, "take", refuse)
    with drafts.reserve(tmp_path / "m.json"), drafts.reserve(tmp_path / "m.json"):
        pass
    assert names(tmp_path) == []


def test_a_reservation_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    for parent in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(CanaryganError) as told, drafts.reserve(parent / "m.json"):
            pytest.fail("reserved")
        assert str(told.value) == f"Cannot write {parent / 'm.json'}: {parent} is no folder."
    path = tmp_path / ("n" * 250)
    with pytest.raises(CanaryganError) as told, drafts.reserve(path):
        pytest.fail("reserved")
    assert str(told.value) == f"Cannot write {path}: File name too long."


@pytest.mark.parametrize("age", [0.9, 1.1])
def test_where_nothing_can_tell_a_draft_is_left_after_its_time(tmp_path, monkeypatch, age):
    def refuse(number):
        raise OSError(38, "no locks")

    monkeypatch.setattr(locks, "take", refuse)
    draft = tmp_path / ".a.01234567.part"
    draft.write_text("")
    aside = drafts.name_aside(draft)
    aside.write_text("")
    now = draft.stat().st_mtime
    monkeypatch.setattr(drafts.time, "time", lambda: now + age * drafts.STALE)
    os.utime(aside, (now, now))
    assert drafts.is_left(draft) is drafts.is_left(aside) is (age > 1)


def test_what_is_gone_is_not_left(tmp_path):
    assert drafts.is_left(tmp_path / ".a.01234567.part") is False
    assert drafts.is_left(tmp_path / ".a.01234567.old") is False
    (tmp_path / ".a.01234567.old").mkdir()
    assert drafts.is_left(tmp_path / ".a.01234567.old") is True
