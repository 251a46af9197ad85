"""A folder that is put in place whole, or not at all."""

import os
import shutil

import pytest

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import files
from canarygan_core.runs.files import replace_folder


def fill(path, text):
    with replace_folder(path) as draft:
        (draft / "a.txt").write_text(text)


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_it_is_made_and_replaced(tmp_path):
    fill(tmp_path / "new" / "set", "one")
    (tmp_path / "new" / "set" / "b.txt").write_text("stale")
    fill(tmp_path / "new" / "set", "two")
    assert contents(tmp_path) == {"new/set/a.txt": "two"}
    fill(tmp_path / "new" / "b" / "c" / "set", "three")
    assert contents(tmp_path / "new" / "b") == {"c/set/a.txt": "three"}
    shutil.rmtree(tmp_path / "new" / "b")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["set"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_block_that_fails_leaves_what_was_there(tmp_path, error):
    fill(tmp_path / "set", "one")

    def fail():
        with replace_folder(tmp_path / "set") as draft:
            (draft / "a.txt").write_text("two")
            raise error

    with pytest.raises(error):
        fail()
    assert contents(tmp_path) == {"set/a.txt": "one"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_was_there_comes_back_where_the_draft_cannot_take_its_place(tmp_path, monkeypatch, error):
    fill(tmp_path / "set", "one")
    rename, calls = os.rename, []

    def failing(source, target):
        calls.append(target)
        if len(calls) == 2:
            raise error
        rename(source, target)

    monkeypatch.setattr(files.os, "rename", failing)
    with pytest.raises((KeyboardInterrupt, CanaryganError)):
        fill(tmp_path / "set", "two")
    assert len(calls) == 3
    assert contents(tmp_path) == {"set/a.txt": "one"}
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_in_the_way_and_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(CanaryganError, match="Cannot write"):
        fill(tmp_path / "file", "one")
    with pytest.raises(CanaryganError, match="Cannot write"):
        fill(tmp_path / "file" / "set", "one")
    assert contents(tmp_path) == {"file": "x"}


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path):
    fill(tmp_path / "far", "one")
    (tmp_path / "link").symlink_to(tmp_path / "far", target_is_directory=True)
    fill(tmp_path / "link", "two")
    assert contents(tmp_path) == {"far/a.txt": "one", "link/a.txt": "two"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["far", "link"]


def test_an_error_of_the_block_is_told_as_it_is(tmp_path):
    with pytest.raises(FileExistsError), replace_folder(tmp_path / "set") as draft:
        draft.mkdir()
