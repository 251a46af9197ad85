"""segment, as a user types it."""

import json

import numpy as np
import pytest
from canarygan_recordings.annotations.reading import read
from commands import PNG, run


def test_segment_finds_what_sounds_and_leaves_what_can_be_read(songs, tmp_path, capsys):
    words = ["segment", songs[0].path.parent, "-s", tmp_path / "found", "--format", "aud-seq", "--format", "raven"]
    code, out, _ = run(capsys, *words, "--truth", songs[0].path.parent, "--tolerance", "8")
    assert code == 0
    assert "Found within 8 ms at both ends: 18 of 18 annotated (100.0%); 0 found otherwise, 0 missed." in out
    assert "Extra: 0 of 18 found" in out
    for song in songs:
        for name in (f"{song.path.stem}.labels.txt", f"{song.path.stem}.selections.txt"):
            (back,) = read(tmp_path / "found" / name)
            assert len(back) == len(song.spans)
            np.testing.assert_allclose(back.onsets, song.onsets, atol=0.008)
            np.testing.assert_allclose(back.offsets, song.offsets, atol=0.008)
        assert (tmp_path / "found" / f"{song.path.stem}.png").read_bytes().startswith(PNG)
    record = json.loads((tmp_path / "found" / "segment.manifest.json").read_text())
    assert record["agreement"]["right"] == 18
    assert len(record["outputs"]) == 6
    code, _, err = run(capsys, *words)
    assert code == 1
    assert "is there already" in err


def test_what_segment_found_can_be_cut(songs, tmp_path, capsys):
    folder = songs[0].path.parent
    words = ["segment", folder, "-s", tmp_path / "found", "--label", "syllable", "--no-overview"]
    assert run(capsys, *words)[0] == 0
    words = ["cut", "-d", folder, "--annotations", tmp_path / "found", "-s", tmp_path / "cut", "--dry-run"]
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert "18 clips of 1 classes" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Give recordings, or folders of them"),
        (["nowhere.wav"], "There is no file and no folder at nowhere.wav"),
        (["{song}", "--format", "wav"], "the formats that can be written are"),
        (["{song}", "--edge", "13"], "--edge 13 dB must be above 0 and at most --above, 12 dB"),
        (["{song}", "--low", "17000", "--high", "20000"], "--low 17000 Hz is not below half its rate"),
        (["{song}", "--truth", "nowhere"], "There is no annotation at nowhere"),
        (["songs", "-s", "songs/segments"], "lies in the data folder"),
    ],
)
def test_what_segment_cannot_do_is_told(songs, tmp_path, capsys, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, "segment", *(word.format(song=songs[0].path) for word in words))
    assert code in (1, 2)
    assert told in err
