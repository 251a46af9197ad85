"""How a folder of sounds is listed: by check-data and the folder dataset, and by decode, score and project alike."""

import logging
import os
import socket

import numpy as np
import pytest
from recordings import noise, put

from canarygan_core import audio
from canarygan_core.audio import archives, listing
from canarygan_core.audio.sounds import collect_sounds
from canarygan_core.datasets.survey import survey
from canarygan_core.errors import CanaryganError


@pytest.fixture(autouse=True)
def logged(monkeypatch):
    """Let `caplog` see messages, whatever ran before."""
    monkeypatch.setattr(logging.getLogger("canarygan"), "propagate", True)


def collected(folder):
    return [os.path.relpath(sound.file, folder) for sound in collect_sounds([folder])]


def surveyed(folder):
    return [str(source) for source in survey(folder).sources]


def test_class_folders_that_are_links_are_searched(tmp_path, data):
    put(tmp_path / "elsewhere" / "0.wav", noise(9))
    (data / "c").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    names = ["a/0.wav", "a/1.wav", "a/2.wav", "b/3.wav", "b/4.wav", "b/5.wav", "c/0.wav"]
    assert surveyed(data) == collected(data) == names


def test_a_link_to_a_folder_that_it_lies_in_is_not_followed(tmp_path, data):
    names = surveyed(data)
    (data / "a" / "up").symlink_to(data, target_is_directory=True)
    (data / "b" / "here").symlink_to(data / "b", target_is_directory=True)
    (data / "self").symlink_to(data, target_is_directory=True)
    assert surveyed(data) == collected(data) == names
    assert survey(data).ignored["nested"] == 0
    (data / "b" / "aside").symlink_to(data / "a", target_is_directory=True)
    assert surveyed(data) == names
    assert collected(data) == [*names, *(f"b/aside/{number}.wav" for number in range(3))]
    assert survey(data).ignored["nested"] == 0
    (data / "b" / "inner").mkdir()
    put(data / "b" / "inner" / "0.wav", noise(7))
    (data / "b" / "inner" / "again").symlink_to(data / "a", target_is_directory=True)
    assert survey(data).ignored["nested"] == 1


def test_a_folder_is_a_folder_whatever_its_name_says(data):
    names = surveyed(data)
    put(data / "x.wav" / "0.wav", noise(8))
    (data / "y.npz").mkdir()
    put(data / "y.npz" / "0.wav", noise(9))
    assert surveyed(data) == collected(data) == [*names, "x.wav/0.wav", "y.npz/0.wav"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipes_and_sockets_are_no_files(data):
    names = surveyed(data)
    os.mkfifo(data / "a" / "pipe.wav")
    with socket.socket(socket.AF_UNIX) as listening:
        home = os.open(data / "a", os.O_RDONLY)
        listening.bind(f"/proc/self/fd/{home}/s.wav" if os.path.isdir("/proc/self/fd") else str(data / "a" / "s.wav"))
        os.close(home)
    assert surveyed(data) == collected(data) == names
    assert survey(data).ignored["other"] == 2
    with pytest.raises(audio.UnusableAudio, match="a pipe or a device") as caught:
        audio.read(data / "a" / "pipe.wav", 16000)
    assert caught.value.problems[0].kind == "unreadable"


def test_a_link_to_nothing_is_listed_so_that_it_is_missed(data):
    (data / "a" / "gone.wav").symlink_to(data / "nowhere.wav")
    (data / "a" / "round.wav").symlink_to("round.wav")
    (data / "a" / "gone.txt").symlink_to(data / "nowhere.txt")
    names = ["a/0.wav", "a/1.wav", "a/2.wav", "a/gone.wav", "a/round.wav", "b/3.wav", "b/4.wav", "b/5.wav"]
    assert surveyed(data) == collected(data) == names
    assert survey(data).ignored["other"] == 1


def test_hidden_files_and_those_of_other_systems_are_left_out(data):
    names = surveyed(data)
    for name in (".hidden/x.wav", "a/._0.wav", "__MACOSX/a/0.wav", "b/__MACOSX/0.wav"):
        put(data / name, noise(9))
    assert surveyed(data) == collected(data) == names


def test_the_order_is_that_of_names_and_suffixes_may_be_chosen(tmp_path):
    for name in ("b.wav", "a/2.FLAC", "a/10.wav", "a.npz", "c/d/e.mp3", "c/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    names = [path.relative_to(tmp_path).as_posix() for path in audio.list_sounds(tmp_path)]
    assert names == ["a/10.wav", "a/2.FLAC", "b.wav", "c/d/e.mp3"]
    assert [path.name for path in audio.list_sounds(tmp_path, (".npz",))] == ["a.npz"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_named(data):
    (data / "a").chmod(0)
    for listed in (collected, surveyed):
        with pytest.raises(CanaryganError, match=r"Cannot look into .*a: Permission denied"):
            listed(data)
    (data / "a").chmod(0o755)


def test_names_can_be_printed_and_are_the_same_everywhere():
    assert listing.printable("cri\u0301") == "cr\u00ed"
    assert listing.printable(os.fsdecode(b"caf\xe9")) == "caf\ufffd"


def write_archive(path, **arrays):
    with archives.writing(path, 0) as archive:
        for name, array in arrays.items():
            archive.add(name, np.asarray(array))


@pytest.fixture
def generated(tmp_path):
    """A folder as generate and umap leave it, with another archive of coordinates by a name of its own."""
    folder = tmp_path / "generated"
    write_archive(folder / "g.npz", x=np.zeros((3, 1600), np.float32), rate=16000)
    for name in ("g.umap.npz", "other.npz"):
        write_archive(folder / name, coordinates=np.zeros((3, 2), np.float32), label=np.array(["a"] * 3))
    return folder


def test_archives_of_coordinates_are_passed_over_and_named(generated, caplog):
    rows = [("g.npz", row) for row in range(3)]
    for paths in ([generated], sorted(generated.glob("*.npz")), [generated / "g.umap.npz", generated / "g.npz"]):
        caplog.clear()
        with caplog.at_level("INFO", "canarygan"):
            sounds = collect_sounds(paths)
        assert [(os.path.basename(sound.file), sound.row) for sound in sounds] == rows
        (message,) = caplog.messages
        assert message.startswith("Passed over")
        assert "g.umap.npz" in message
        assert "g.npz" not in message


def test_a_generation_may_have_coordinates_and_any_name(tmp_path):
    sounds = np.zeros((3, 1600), np.float32)
    write_archive(tmp_path / "g.umap.npz", x=sounds, rate=16000, coordinates=np.zeros((3, 2), np.float32))
    assert len(collect_sounds([tmp_path])) == 3


def test_archives_without_sounds_are_errors_otherwise(generated):
    with pytest.raises(CanaryganError, match="holds no sounds: an archive from generate has x, this has coordinates"):
        collect_sounds([generated / "g.umap.npz"])
    (generated / "g.npz").unlink()
    with pytest.raises(CanaryganError, match="holds no sound, only coordinates"):
        collect_sounds([generated])
    write_archive(generated / "weights.npz", w=np.zeros(3))
    with pytest.raises(CanaryganError, match=r"weights\.npz holds no sounds"):
        collect_sounds([generated])
