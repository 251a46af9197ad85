"""Folders and names that people have: other kinds of file, recordings, links, bytes that are no text, deep trees."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recordings import noise, put
from toy_tasks import WORK

from canarygan_core import audio
from canarygan_core.audio import Hearing
from canarygan_core.audio.listing import walk_folder
from canarygan_core.audio.soundfiles import read_stretch
from canarygan_core.audio.sounds import collect_sounds, read_clips
from canarygan_core.audio.stretches import assign_stretches, read_stretches
from canarygan_core.cli.binding import Command
from canarygan_core.datasets import decoding
from canarygan_core.datasets.folder import Folder
from canarygan_core.datasets.survey import survey
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.runs import files
from canarygan_core.tasks.check_data import check_data


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (
            ["a/1.aiff", "a/2.aiff", "b/1.AIFF", "b/notes.txt"],
            r"3 \.aiff, 1 \.txt\. Convert them first, .* NAME\.aiff",
        ),
        (
            ["1.cbin", "1.rec", "2.cbin"],
            r"but 2 \.cbin, 1 \.rec\. Files of evTAF \(\.cbin\) hold recordings: .* canarygan cut",
        ),
        (["a/1.mat", "a/data"], r"holds no file that is read as sound, but 1 \.mat, 1 no ending\. Sound files go into"),
        (["a/1.m4a"], r"ffmpeg -i NAME\.m4a NAME\.wav"),
    ],
)
def test_a_folder_of_other_files_alone_is_named_for_what_it_is(tmp_path, names, told):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(CanaryganError, match=told):
        survey(tmp_path)


@pytest.mark.parametrize("seconds", [3.0, 9.0, 30.0])
def test_a_folder_of_recordings_is_recognised(tmp_path, seconds):
    for number in range(4):
        put(tmp_path / "Wave" / f"{number}.wav", noise(number, round(seconds * 8000)), 8000)
    (tmp_path / "Annotation.xml").write_text("<Sequences/>")
    answer = check_data(dataset=Folder(tmp_path))
    assert "Not clips, it seems, but recordings: 4 of 4 files" in answer.text
    assert "into one folder a class, as canarygan cut does by annotations" in answer.text
    assert "--skip-unusable" not in answer.text
    assert "Next:" not in answer.text


def test_clips_of_which_some_are_long_are_no_recordings(tmp_path):
    for number in range(4):
        put(tmp_path / "a" / f"{number}.wav", noise(number, 20000 if number else 8000), 16000)
    padded = np.concatenate([noise(9, 3000), np.zeros(30000, np.float32)])
    for number in range(8):
        put(tmp_path / "b" / f"{number}.wav", padded * (0.5 + number / 20))
    assert "Next: canarygan train-gan" in check_data(dataset=Folder(tmp_path)).text


def test_a_class_named_as_what_is_rejected_is_refused(tmp_path):
    for label in ("A", "X"):
        put(tmp_path / label / "0.wav", noise(0))
    with pytest.raises(CanaryganError, match=r"class folder named X, .* give it another name"):
        Folder(data_dir=tmp_path).load()


def test_links_that_lead_nowhere_or_to_themselves_are_told(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    for name in ("loop", "gone", "loop/below", "a\0b", "~nobody-of-this-name/x", "x" * 5000):
        with pytest.raises(CanaryganError):
            survey(tmp_path / name if not name.startswith("~") else Path(name))
        with pytest.raises(CanaryganError):
            collect_sounds([tmp_path / name])


def test_both_ways_to_list_see_the_same_sounds_through_links(tmp_path):
    for number in range(3):
        put(tmp_path / "elsewhere" / f"{number}.wav", noise(number))
    data = tmp_path / "data"
    data.mkdir()
    (data / "a").symlink_to(tmp_path / "elsewhere")
    put(data / "b" / "x.wav" / "inner.wav", noise(7))
    put(data / "b" / "y.wav", noise(8))
    (data / "b" / "self").symlink_to(data)
    listed = [str(source) for source in survey(data).sources]
    assert listed == ["a/0.wav", "a/1.wav", "a/2.wav", "b/y.wav"]
    heard = [str(Path(sound.file).relative_to(data)) for sound in collect_sounds([data])]
    assert heard == ["a/0.wav", "a/1.wav", "a/2.wav", "b/x.wav/inner.wav", "b/y.wav"]


@pytest.mark.skipif(os.name != "posix", reason="no rm")
def test_a_tree_deeper_than_python_may_call_itself_is_listed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "data" / "a" / "0.wav", noise(0))
    os.chdir("data/a")
    for _ in range(sys.getrecursionlimit() + 50):
        os.mkdir("d")
        os.chdir("d")
    monkeypatch.chdir(tmp_path)
    try:
        assert survey(Path("data")).ignored["nested"] == 0
        assert sum(1 for _ in walk_folder(Path("data"))) > sys.getrecursionlimit()
    finally:  # what pytest removes folders with calls itself
        subprocess.run(["rm", "-rf", "data"], check=True)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text here")
def test_a_name_that_is_no_text_costs_no_work(tmp_path):
    for number, label in enumerate((os.fsdecode(b"caf\xe9"), "b")):
        (tmp_path / label).mkdir()
        put(tmp_path / "made.wav", noise(number))
        shutil.move(tmp_path / "made.wav", tmp_path / label / os.fsdecode(b"s\xff\xfe.wav"))
    clips = Folder(data_dir=tmp_path).load()
    assert clips.classes == ["b", "caf\ufffd"]
    sounds = collect_sounds([tmp_path])
    (batch,) = [found for found, _, _ in read_clips(sounds, Hearing(16000, 16000))]
    for sound in batch:
        assert len(read_stretch(Path(sound.file), 16000, 0.2, 0.3)[0]) == 1600
    files.write_text(tmp_path / "table.csv", "\n".join(sound.file for sound in batch))
    assert "caf\ufffd" in (tmp_path / "table.csv").read_text(encoding="utf-8")
    assert "caf\ufffd" in check_data(dataset=Folder(tmp_path)).text


@pytest.mark.skipif(sys.platform == "win32", reason="names have no line breaks here")
def test_a_line_break_in_a_name_makes_no_line_of_its_own(tmp_path):
    for number, label in enumerate(("a\nUsable.", "b")):
        (tmp_path / label).mkdir()
        put(tmp_path / label / "1.wav", noise(number))
    (tmp_path / "b" / "2\ncanarygan: all is well.wav").write_text("no sound")
    report = check_data(dataset=Folder(tmp_path)).text
    assert "\na\\nUsable." in report
    assert "\n  b/2\\ncanarygan: all is well.wav: holds text, not sound\n" in report
    with pytest.raises(CanaryganError, match=r"(?m)^  b/2\\ncanarygan: all is well\.wav: holds text"):
        Folder(tmp_path).load()
    assert Folder(tmp_path, skip_unusable=True).load().classes == ["a\\nUsable.", "b"]
    with pytest.raises(CanaryganError, match=r"2\\ncanarygan: all is well\.wav: holds text"):
        audio.read(tmp_path / "b" / "2\ncanarygan: all is well.wav", 16000)


ONSETS = "file,onset,offset\n{},0.1,0.2\n{},0.3,0.4\n"


@pytest.fixture
def days(tmp_path):
    paths = [tmp_path / day / "rec.wav" for day in ("day1", "day2")]
    for path in paths:
        put(path, noise(0))
    return paths


def assign(folder, text, paths):
    (folder / "table.csv").write_text(text)
    return assign_stretches(paths, read_stretches(folder / "table.csv"))


def test_a_name_that_fits_several_recordings_is_refused(tmp_path, days):
    for name in ("rec.wav", "rec"):
        with pytest.raises(
            CanaryganError, match=rf"names {name}, and that fits .*day1.*day2.*: write more of the path"
        ):
            assign(tmp_path, ONSETS.format(name, name), days)


@pytest.mark.parametrize("spelt", ["{}/rec.wav", "{}/rec", "./{}/rec.wav", "{}\\rec.wav"])
def test_paths_in_a_table_match_from_their_end(tmp_path, days, spelt):
    text = ONSETS.format(spelt.format("day2"), spelt.format("day1"))
    assert assign(tmp_path, text, days) == {days[0]: [(0.3, 0.4)], days[1]: [(0.1, 0.2)]}
    whole = ONSETS.format(days[1], days[0])
    assert assign(tmp_path, whole, days) == {days[0]: [(0.3, 0.4)], days[1]: [(0.1, 0.2)]}
    one = f"file,onset,offset\n{spelt.format('day1')},0,0.1\n"
    with pytest.raises(CanaryganError, match=f"no line for {re.escape(str(days[1]))}; it names"):
        assign(tmp_path, one, days)


def test_a_table_of_another_coding_is_read_or_explained(tmp_path):
    path = tmp_path / "table.csv"
    for coding in ("utf-8", "utf-8-sig", "utf-16"):
        path.write_bytes("onset;offset\r\n0,5;1\r\n".replace(",", ".").encode(coding))
        assert read_stretches(path) == {"": [(0.5, 1.0)]}
    path.write_bytes("file,onset\nü,1".encode("latin-1"))
    with pytest.raises(CanaryganError, match="save it as UTF-8"):
        read_stretches(path)
    path.write_text("file,onset,offset\n" + "x" * 200_000 + ",0,1\n")
    with pytest.raises(CanaryganError, match="is no table"):
        read_stretches(path)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_options_from_an_editor_of_windows_are_read(registry, tmp_path, coding, end):
    path = tmp_path / "options.toml"
    path.write_bytes(end.join(["title = 'ü'", "place = 'C:\\new\\birds'"]).encode(coding))
    words = ["--config", str(path)]
    dataset = Command(WORK, words, registry).bind(words).arguments["dataset"]
    assert (dataset.title, str(dataset.place)) == ("ü", "C:\\new\\birds")


@pytest.mark.parametrize("text", ['place = "C:\\new\\birds"', 'place = "C:\\Users\\x"', 'place = "D:\\birds"'])
def test_a_backslash_in_double_quotes_is_explained(registry, tmp_path, text):
    path = tmp_path / "options.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match="write paths in single quotes, or with slashes"):
        Command(WORK, ["--config", str(path)], registry)


def test_a_folder_given_as_a_sound_is_told(tmp_path):
    (tmp_path / "x.wav").mkdir()
    with pytest.raises(audio.UnusableAudio, match="is a folder"):
        audio.read(tmp_path / "x.wav", 16000)
    with pytest.raises(CanaryganError, match=r"holds no sound: no \.wav"):
        collect_sounds([tmp_path / "x.wav"])


def test_classes_of_few_clips_are_said_and_left_out_where_that_is_asked_for(tmp_path, caplog, monkeypatch):
    for label, count in (("one", 1), ("few", 3), ("many", 12)):
        for number in range(count):
            put(tmp_path / "data" / label / f"{number}.wav", noise(100 * count + number))
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(decoding.log, "propagate", True)
    said = "few clips in one (1), few (3): hardly learnt"
    assert Folder(data_dir=tmp_path / "data").load().classes == ["few", "many", "one"]
    assert said in caplog.text
    checked = check_data(dataset=Folder(tmp_path / "data")).text
    assert said in checked
    assert "can be neither held out nor tested" in checked
    assert "unbalanced: 1 clip of one, 12 of many: train-gan --balance" in checked
    caplog.clear()
    with caplog.at_level("INFO", "canarygan"):
        assert Folder(data_dir=tmp_path / "data", min_per_class=10).load().classes == ["many"]
    assert "left out for their few files: few (3), one (1)." in caplog.text
    assert "few clips" not in caplog.text
    checked = check_data(dataset=Folder(tmp_path / "data", min_per_class=2)).text
    assert "--min-per-class 2" in checked.splitlines()[-1]
    with pytest.raises(CanaryganError, match=r"no class in .* has so many; many has 12"):
        Folder(data_dir=tmp_path / "data", min_per_class=13).load()
    with pytest.raises(CanaryganError, match="at least 1"):
        Folder(min_per_class=0)
