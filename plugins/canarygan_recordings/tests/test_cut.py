"""cut, as a user types it."""

import json
import shlex
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from canarygan_recordings import Recordings, loading
from canarygan_recordings.sounds import Header
from canarygan_recordings.survey import Segments
from canarygan_recordings.tasks import cut
from commands import PNG, run, table
from songs import RATE, make_song, put_labels

from canarygan_core import audio
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError
from canarygan_core.runs import Request


def test_cut_writes_what_the_dataset_brings_and_where_it_comes_from(songs, tmp_path, capsys):
    folder = songs[0].path.parent
    words = ["cut", "-d", folder, "-s", tmp_path / "cut", "--sampling-rate", RATE, "--gain", "none", "--before", 0]
    code, out, _ = run(capsys, *words, "--after", 0)
    assert code == 0
    assert "18 clips of 3 classes at 32000 Hz" in out
    rows = table(tmp_path / "cut" / "clips.csv")
    spans = [span for song in songs for span in song.spans]
    assert len(rows) == len(spans) == 18
    for row, (onset, offset) in zip(rows, spans, strict=True):
        clip, rate = soundfile.read(tmp_path / "cut" / row["file"])
        sound, _ = soundfile.read(folder / row["recording"])
        stretch = sound[round(onset * RATE) : round(offset * RATE)]
        assert rate == RATE
        np.testing.assert_allclose(clip, stretch - stretch.mean(), atol=1 / 32768)
        assert (float(row["onset"]), float(row["offset"])) == (round(onset, 6), round(offset, 6))
        assert row["file"].startswith(f"{row['label']}/{Path(row['recording']).stem}_")
    assert Folder(data_dir=tmp_path / "cut").load().classes == ["a", "b", "c"]
    assert not Recordings.claims(tmp_path / "cut")
    assert (tmp_path / "cut" / "contact-sheet.png").read_bytes().startswith(PNG)
    record = json.loads((tmp_path / "cut" / "cut.manifest.json").read_text())
    assert record["status"] == "finished"
    assert sorted(record["outputs"]) == ["clips.csv", "contact-sheet.png"]


def test_the_next_command_of_cut_checks_what_was_cut_as_it_was_heard(songs, tmp_path, capsys):
    target = tmp_path / "a cut"
    words = ["cut", "-d", songs[0].path.parent, "-s", target, "--sampling-rate", RATE, "--highpass", "700"]
    _, out, _ = run(capsys, *words)
    check = out.splitlines()[-1].partition("Next: canarygan ")[2]
    assert check == f"check-data -d '{target}' --highpass 700 --sampling-rate {RATE}"
    code, out, _ = run(capsys, *shlex.split(check))
    assert code == 0
    assert f"--highpass 700 --sampling-rate {RATE} --preset small" in out


def test_cut_holds_no_rows_of_its_table(tmp_path, monkeypatch):
    held = []

    def read_clips(found, _):
        for row in range(len(found)):
            yield row, np.full(10, 0.5, np.float32), 0.0
        traces = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, cut.__file__)])
        held.append(sum(one.size for one in traces.statistics("filename")))

    monkeypatch.setattr(loading, "read_clips", read_clips)
    monkeypatch.setattr(cut, "_draw_sheet", lambda path, *_: path.write_bytes(PNG))
    monkeypatch.setattr(audio, "write", lambda *_: None)
    for count in (100, 2100):
        which, times = np.zeros(count, np.int64), np.arange(count) / 10
        known = (tmp_path, (tmp_path / "a.wav",), ("a.wav",), (Header(RATE, count, 1),))
        found = Segments(*known, which, times, times + 0.05, np.full(count, "a"), (), (), ())
        monkeypatch.setattr("canarygan_recordings.survey.survey", lambda _, found=found: found)
        tracemalloc.start()
        dataset = Recordings(data_dir=tmp_path / "data")
        cut.cut(dataset=dataset, save_dir=tmp_path / str(count), request=Request("cut"))
        tracemalloc.stop()
        assert len(table(tmp_path / str(count) / "clips.csv")) == count
    assert (held[1] - held[0]) / 2000 < 20, "bytes a clip"


def test_a_dry_run_counts_and_draws_and_cuts_nothing(songs, tmp_path, capsys):
    words = ["cut", "-d", songs[0].path.parent, "-s", tmp_path / "cut"]
    code, out, _ = run(capsys, *words, "--dry-run")
    assert code == 0
    assert "Nothing was cut." in out
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == ["contact-sheet.png", "cut.manifest.json"]
    assert run(capsys, *words)[0] == 0  # the same folder may be taken afterwards
    code, _, err = run(capsys, *words)
    assert code == 1
    assert "is not empty" in err


def test_a_cut_that_fails_leaves_what_was_there_and_can_be_made_again(songs, tmp_path, capsys, monkeypatch):
    words = ["cut", "-d", songs[0].path.parent, "-s", tmp_path / "cut"]
    assert run(capsys, *words, "--dry-run")[0] == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    written = iter(range(5))

    def write(*of_clip):
        if next(written, None) is None:
            raise CanaryganError("The disk is full.")
        return whole(*of_clip)

    whole = audio.write
    monkeypatch.setattr(audio, "write", write)
    assert run(capsys, *words)[0] == 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    monkeypatch.setattr(audio, "write", whole)
    assert run(capsys, *words)[0] == 0
    assert len(table(tmp_path / "cut" / "clips.csv")) == len(list((tmp_path / "cut").glob("*/*.wav"))) == 18


def test_cut_makes_no_folder_of_a_file_or_of_where_one_is(songs, tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("x")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for place, told in ((tmp_path / "file", "is a file"), (".", "is the folder you are in")):
        code, _, err = run(capsys, "cut", "-d", songs[0].path.parent, "-s", place)
        assert code == 1
        assert told in err


def test_cut_brings_levels_as_the_dataset_does(songs, tmp_path, capsys):
    peaks = {}
    for gain in ("none", "set", "clip"):
        words = ["cut", "-d", songs[0].path.parent, "-s", tmp_path / gain, "--gain", gain]
        assert run(capsys, *words)[0] == 0
        clips = [soundfile.read(path)[0] for path in sorted((tmp_path / gain).glob("*/*.wav"))]
        peaks[gain] = np.array([np.abs(clip).max() for clip in clips])
    np.testing.assert_allclose(peaks["clip"], 0.95, atol=1e-4)
    assert peaks["set"].max() == pytest.approx(0.95, abs=1e-4)
    np.testing.assert_allclose(peaks["set"] / peaks["set"].max(), peaks["none"] / peaks["none"].max(), atol=1e-3)


def test_labels_that_are_no_names_of_folders_are_told_and_can_be_told_again(tmp_path, capsys):
    song = make_song(tmp_path / "songs" / "bird.wav", "abcab")
    labels = ("a/b", "A", "a", "?", ".")
    put_labels(song.path.with_suffix(".txt"), zip(song.onsets, song.offsets, labels, strict=True))
    code, out, _ = run(capsys, "cut", "-d", tmp_path / "songs", "-s", tmp_path / "cut")
    assert code == 0
    assert "a/b in a%2Fb" in out
    assert {row["label"]: row["file"].partition("/")[0] for row in table(tmp_path / "cut" / "clips.csv")} == {
        "a/b": "a%2Fb",
        "A": "%41",
        "a": "a",
        "?": "%3F",
        ".": "%2E",
    }
    assert len(Folder(data_dir=tmp_path / "cut").load()) == 5


def test_cut_writes_nothing_among_the_data_and_takes_no_other_dataset(songs, tmp_path, capsys):
    folder = songs[0].path.parent
    code, _, err = run(capsys, "cut", "-d", folder, "-s", folder / "cut")
    assert code == 2
    assert "nothing may be written" in err
    code, _, err = run(capsys, "cut", "--dataset", "synthetic", "-s", tmp_path / "cut")
    assert code == 2
    assert "cut takes recordings with annotations" in err
