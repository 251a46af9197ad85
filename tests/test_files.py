"""Files: text that comes in, outputs that may not be there, digests of what was read, and room for temporary files."""

import codecs
import errno
import hashlib
import os
import shutil
import tempfile
import types

import pytest
from refusals import told
from text_files import put

from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.runs import files


@pytest.mark.parametrize(
    "content",
    [
        "\u00fc\r\nb".encode(),
        codecs.BOM_UTF8 + "\u00fc\nb".encode(),
        codecs.BOM_UTF16_LE + "\u00fc\r\nb".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "\u00fc\nb".encode("utf-16-be"),
    ],
)
def test_text_is_read_as_editors_write_it(tmp_path, content):
    (tmp_path / "a.txt").write_bytes(content)
    assert files.read_text(tmp_path / "a.txt") == "\u00fc\nb"


def test_text_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "a.txt"
    assert told(files.read_text, path) == f"Cannot read {path}: No such file or directory."
    assert told(files.read_text, tmp_path) == f"Cannot read {tmp_path}: it is no file."
    assert told(files.read_text, tmp_path / "a\0b").endswith(": embedded null byte.")
    path.write_bytes(b"a\xff")
    message = told(files.read_text, path)
    assert message.startswith(f"{path} is not text in UTF-8 ('utf-8' codec can't decode byte 0xff in position 1")
    assert message.endswith("): save it as UTF-8.")


def test_what_is_not_there_is_told_with_what_is_near(tmp_path):
    (tmp_path / "calls").mkdir()
    for name in ("call.wav", "call.csv", ".cal.wav", "zebra.wav"):
        (tmp_path / "calls" / name).write_text("")
    assert files.suggest_near(tmp_path / "calls" / "cal.wav") == " Did you mean call.wav?"
    assert files.suggest_near(tmp_path / "calls" / "finch.wav") == "", "the ending alone is alike"
    missing = tmp_path / "call"
    assert files.suggest_near(missing / "deep" / "a.wav") == f" There is no folder {missing}. Did you mean calls?"
    under = tmp_path / "calls" / "call.wav"
    assert files.suggest_near(under / "a.wav") == f" There is no folder {under}."
    assert files.suggest_near(tmp_path / "a\0b") == ""
    assert told(files.read_text, tmp_path / "cals") == (
        f"Cannot read {tmp_path / 'cals'}: No such file or directory. Did you mean calls?"
    )


def test_text_has_at_most_so_many_bytes(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("x" * 1000)
    assert files.read_text(path, 1000) == "x" * 1000
    assert told(files.read_text, path, 999) == f"{path} is not read: it has 1,000 bytes, more than 999."
    os.truncate(path, (1 << 28) + 1)
    assert told(files.read_text, path).endswith("it has 268,435,457 bytes, more than 268,435,456.")


def test_text_is_written_in_utf_8_whatever_names_it_holds(tmp_path):
    files.write_text(tmp_path / "new" / "a.txt", "\u00fc \udcff")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "\u00fc \ufffd".encode()


def test_what_may_not_be_there(tmp_path):
    there, absent = tmp_path / "there", tmp_path / "absent"
    there.write_text("")
    assert files.check_absent(absent) == (absent,)
    assert files.check_absent(there, absent, overwrite=True) == ()
    message = f"{there} is there already: give another --save-dir, or --overwrite."
    assert told(files.check_absent, absent, there) == message


def test_nothing_is_written_among_the_clips(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    data, outside = tmp_path / "data", tmp_path / "database"
    files.check_outside(None, data)
    files.check_outside(data, outside, tmp_path)
    for output in (data, data / "runs", outside / ".." / "data" / "x", type(data)("~/data/x")):
        for home in (data, type(data)("~/data")):
            message = f"{output} lies in the data folder {home}, where nothing may be written: move it out."
            assert told(files.check_outside, home, outside, output, error=UsageError) == message


def test_a_digest_is_of_what_was_read(tmp_path):
    path = tmp_path / "last.ckpt"
    path.write_text("one")

    def read(path):
        content = path.read_text()
        if content == "one":  # another process saves meanwhile
            (tmp_path / "new").write_text("two")
            os.replace(tmp_path / "new", path)
        return content

    assert files.read_with_digest(path, read) == ("two", "sha256:" + hashlib.sha256(b"two").hexdigest())


@pytest.mark.parametrize("change", ["size", "time"])
def test_a_file_that_changes_in_its_place_is_read_again(tmp_path, change):
    path, contents = tmp_path / "a", []
    path.write_text("one")
    os.utime(path, ns=(0, 1000))

    def read(path):
        contents.append(path.read_text())
        if len(contents) == 1:
            path.write_text("one more" if change == "size" else "two")
            os.utime(path, ns=(0, 1000 if change == "size" else 2000))
        return contents[-1]

    assert files.read_with_digest(path, read)[0] == contents[1]


def test_a_temporary_folder_has_room_or_says_how_much_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    free = {tmp_path: types.SimpleNamespace(free=5_000_000_000)}
    monkeypatch.setattr(shutil, "disk_usage", free.__getitem__)
    with files.make_temporary_folder(5_000_000_000) as folder:
        assert folder.parent == tmp_path
        assert folder.name.startswith(".canarygan.")
    with pytest.raises(CanaryganError) as raised, files.make_temporary_folder(6_100_000_000):
        pytest.fail("no room")
    assert str(raised.value) == (
        f"No room for temporary files in {tmp_path}: 6.1 GB are needed, and 5.0 GB are free. Set TMPDIR elsewhere."
    )
    assert list(tmp_path.iterdir()) == []


def test_where_no_temporary_folder_can_be_had_its_place_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    with pytest.raises(CanaryganError) as raised, files.make_temporary_folder():
        pytest.fail("made")
    advice = "Set TMPDIR to one with room."
    assert str(raised.value) == f"No folder for temporary files: Not a directory. {advice}"

    def find():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", find)
    with pytest.raises(CanaryganError, match=r"files: No usable temporary directory found in \['/tmp'\]\. Set"):  # noqa: SIM117
        with files.make_temporary_folder():
            pytest.fail("made")


def test_figures_are_brought_to_their_folder(tmp_path):
    def draw(folder):
        (folder / "loss.png").write_bytes(b"png")
        return [folder / "loss.png"]

    assert files.collect_figures(draw, tmp_path / "out", "umap") == [tmp_path / "out" / "umap-loss.png"]
    assert (tmp_path / "out" / "umap-loss.png").read_bytes() == b"png"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["umap-loss.png"]


@pytest.mark.parametrize("name", ["loss.svg", "absent.png"])
def test_a_figure_that_is_none_is_named(tmp_path, name):
    def draw(folder):
        (folder / "loss.svg").write_bytes(b"svg")
        return [folder / name]

    message = f"umap tells of a figure {name}, and drew no such PNG file."
    assert told(files.collect_figures, draw, tmp_path, "umap") == message
    assert list(tmp_path.iterdir()) == []


def write(path, error):
    with files.replace_file(path):
        raise error


def test_failures_to_write_are_told_with_the_file_that_was_to_be_written(tmp_path):
    path = tmp_path / "a.npz"
    assert told(write, path, OSError("64 requested and 0 written")) == (
        f"Cannot write {path}: 64 requested and 0 written."
    )
    for name in (f"{tmp_path}/.a.npz.01234567.part", str(tmp_path)):
        refused = PermissionError(errno.EACCES, "Permission denied", name)
        assert told(write, path, refused) == f"Cannot write {path}: Permission denied."
    assert told(write, path, OSError(errno.EIO, "Input/output error")) == f"Cannot write {path}: Input/output error."


@pytest.mark.parametrize("name", [None, "b.npz", ".b.npz.01234567.part", "below/.a.npz.01234567.part"])
def test_failures_of_other_files_are_told_as_they_are(tmp_path, name):
    named = () if name is None else (str(tmp_path / name),)
    with pytest.raises(PermissionError, match="Permission denied"):
        write(tmp_path / "a.npz", PermissionError(errno.EACCES, "Permission denied", *named))


def test_a_file_where_a_folder_is_to_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "a.txt"
    assert told(files.write_text, path, "x") == f"Cannot write {path}: {path.parent} is no folder."
    folder = tmp_path / "file"
    with pytest.raises(CanaryganError) as raised, files.replace_folder(folder):
        pytest.fail("opened")
    assert str(raised.value) == f"Cannot write {folder}: it is a file, and a folder is to go there."


def test_a_copy_is_synced_where_it_is_to_survive_a_power_cut(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(files, "_sync", synced.append)
    (tmp_path / "one").write_text("one")
    files.copy(tmp_path / "one", tmp_path / "two")
    assert synced == []
    files.copy(tmp_path / "one", tmp_path / "two", sync=True)
    assert [path.parent for path in synced[:1]] == [tmp_path]
    assert synced[1:] == [tmp_path]


def test_a_file_a_folder_and_a_link_are_removed(tmp_path, monkeypatch):
    kept = put(tmp_path / "kept" / "x")
    (tmp_path / "link").symlink_to(tmp_path / "kept", target_is_directory=True)
    for path in (put(tmp_path / "file"), put(tmp_path / "folder" / "deep" / "x").parents[1], tmp_path / "link"):
        files.remove(path)
        assert not os.path.lexists(path)
    files.remove(tmp_path / "nowhere")
    assert kept.exists()

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "unlink", refuse)
    assert told(files.remove, kept) == f"Cannot remove {kept}: Permission denied."
