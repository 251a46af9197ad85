"""The cache of decoded clips."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from recordings import entries, noise, put

from canarygan_core import audio
from canarygan_core.datasets import cache
from canarygan_core.datasets.folder import Folder
from canarygan_core.datasets.location import find_folder
from canarygan_core.errors import CanaryganError
from canarygan_core.runs import drafts

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.usefixtures("kept")


def refuse(*args, **options):
    raise AssertionError("decoded again")


def test_the_cache_is_used_and_forgotten_when_a_file_changes(data, monkeypatch, kept):
    first = Folder(data_dir=data).load()
    with monkeypatch.context() as patched:
        patched.setattr(audio, "read", refuse)
        again = Folder(data_dir=data).load()
        np.testing.assert_array_equal(first.audio, again.audio)
        assert again.sources.tolist() == first.sources.tolist()
        assert again.origin == first.origin
        with pytest.raises(AssertionError, match="decoded again"):
            Folder(data_dir=data, gain="none").load()
    put(data / "a" / "0.wav", noise(99))
    changed = Folder(data_dir=data).load()
    assert not np.array_equal(first.audio[0], changed.audio[0])
    assert changed.origin["fingerprint"] != first.origin["fingerprint"]
    assert len(entries(kept)) == 2


def test_two_folders_alike_but_for_their_content_are_not_mixed_up(tmp_path):
    for seed, folder in enumerate(("one", "two")):
        put(tmp_path / folder / "x" / "0.wav", noise(seed))
        os.utime(tmp_path / folder / "x" / "0.wav", (1e9, 1e9))
    one, two = (Folder(data_dir=tmp_path / folder).load() for folder in ("one", "two"))
    assert not np.array_equal(one.audio, two.audio)


@pytest.mark.parametrize("name", ["audio.npy", "table.npz", "about.json"])
@pytest.mark.parametrize("damage", ["gone", "empty", "half", "longer"])
def test_a_damaged_cache_is_built_again(data, kept, name, damage):
    expected = np.array(Folder(data_dir=data).load().audio)
    (entry,) = kept.iterdir()
    content = (entry / name).read_bytes()
    if damage == "gone":
        (entry / name).unlink()
    else:
        (entry / name).write_bytes({"empty": b"", "half": content[: len(content) // 2], "longer": content * 2}[damage])
    np.testing.assert_array_equal(Folder(data_dir=data).load().audio, expected)
    assert entries(kept) == [entry.name]
    assert cache.read(entry) is not None


def test_a_build_that_is_stopped_leaves_nothing(data, kept, monkeypatch):
    def stopped(*args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(cache, "write_table", stopped)
        with pytest.raises(KeyboardInterrupt):
            Folder(data_dir=data).load()
    assert entries(kept) == []
    (kept / ".0.01234567.part").mkdir()
    monkeypatch.setattr(drafts, "_swept", set())  # as in another process
    Folder(data_dir=data).load()
    assert len(entries(kept)) == 1, "what a killed process left is swept up"


def test_two_processes_at_once_agree(data, kept):
    code = (
        "import sys, hashlib, pathlib; from canarygan_core.datasets.folder import Folder; sys.stdin.readline();"
        "clips = Folder(data_dir=pathlib.Path(sys.argv[1])).load();"
        "print(hashlib.sha256(clips.audio.tobytes()).hexdigest(), clips.sources.tolist(), clips.origin)"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, data], stdin=-1, stdout=-1, text=True, cwd=ROOT) for _ in range(2)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    one, two = (process.communicate(timeout=60)[0] for process in processes)
    assert one == two != ""
    assert len(entries(kept)) == 1


def test_the_loser_of_a_race_takes_what_the_winner_left(data, kept, monkeypatch):
    Folder(data_dir=data).load()
    (entry,) = kept.iterdir()
    inode = entry.stat().st_ino
    cache.build(entry, lambda draft: (draft / "x").write_text("mine"))
    assert entry.stat().st_ino == inode
    assert entries(kept) == [entry.name]


def test_a_cache_without_room_or_rights_is_an_error_for_people(data, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
        with pytest.raises(CanaryganError, match="CANARYGAN_CACHE"):
            Folder(data_dir=data).load()
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "file"))
    with pytest.raises(CanaryganError, match="CANARYGAN_CACHE"):
        Folder(data_dir=data).load()
    monkeypatch.setenv("CANARYGAN_CACHE", str(data / "cache"))
    with pytest.raises(CanaryganError, match="among the data"):
        Folder(data_dir=data).load()
    assert not (data / "cache").exists()


def test_where_the_cache_is(monkeypatch, tmp_path):
    assert find_folder() == tmp_path / "cache"
    monkeypatch.delenv("CANARYGAN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert find_folder() == tmp_path / "canarygan"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_folder() == tmp_path / ".cache" / "canarygan"
