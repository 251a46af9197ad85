"""decode with songs, formats and truth, as a user types it."""

import json

import numpy as np
import pytest
from canarygan_recordings.annotations.reading import read
from commands import PNG, run, table
from songs import RATE, make_song, put_labels

from canarygan_core import audio


@pytest.fixture
def decoder(songs, tmp_path, capsys):
    pytest.importorskip("canarygan_decoders")
    words = ["train-decoders", "-d", songs[0].path.parent, "-m", "knn", "--split", 0, "--augment", 1]
    assert run(capsys, *words, "--max-length", "0.2", "-s", tmp_path / "decoders")[0] == 0
    return tmp_path / "decoders"


def test_a_song_is_segmented_first_and_told_so(decoder, tmp_path, capsys):
    song = make_song(tmp_path / "new" / "song.wav", "abccba", seed=7)
    code, _, err = run(capsys, "decode", song.path, "-y", decoder, "-s", tmp_path / "out", "--no-reject")
    assert code == 0
    assert "song.wav: longer than a clip, so 6 syllables were found in it first" in err
    rows = table(tmp_path / "out" / "decoded.csv")
    assert "".join(row["label"] for row in rows) == "abccba"
    np.testing.assert_allclose([float(row["onset"]) for row in rows], song.onsets, atol=0.008)


def test_decode_takes_and_writes_annotations_of_any_format_and_knows_the_truth(decoder, tmp_path, capsys):
    song = make_song(tmp_path / "new" / "song.cbin", "abcabcab", seed=8)
    put_labels(tmp_path / "new" / "song.txt", song.segments)
    words = ["decode", song.path, "-y", decoder, "-s", tmp_path / "out", "--onsets", tmp_path / "new", "--no-reject"]
    for name in ("csv", "generic-seq", "textgrid", "raven", "aud-seq"):
        words += ["--format", name]
    code, out, _ = run(capsys, *words, "--truth", tmp_path / "new")
    assert code == 0
    assert "syllable error rate 0.00% (0 edits)" in out
    for name in ("annotations.csv", "song.TextGrid", "song.selections.txt", "song.labels.txt"):
        (back,) = read(tmp_path / "out" / name)
        assert "".join(back.labels) == "abcabcab"
        np.testing.assert_allclose(back.onsets, song.onsets, atol=1e-5)
    told = json.loads((tmp_path / "out" / "truth.json").read_text())
    assert told["syllable_error_rate"] == 0
    assert told["frame_accuracy"] > 0.99
    assert {one["label"]: (one["right"], one["clips"]) for one in told["classes"]} == {
        "a": (3, 3),
        "b": (3, 3),
        "c": (2, 2),
    }
    assert (tmp_path / "out" / "confusion-truth.png").read_bytes().startswith(PNG)


def test_a_decoder_is_given_the_sound_around_a_syllable_that_it_learnt_with(decoder, tmp_path, capsys, monkeypatch):
    from canarygan_core.audio import sounds

    asked = []
    read_stretch = sounds.read_stretch
    monkeypatch.setattr(
        sounds, "read_stretch", lambda *args, **words: (asked.append(args[2:]), read_stretch(*args, **words))[1]
    )
    song = make_song(tmp_path / "song.wav", "ab")
    put_labels(tmp_path / "song.txt", song.segments)
    words = ["decode", song.path, "-y", decoder, "-s", tmp_path / "out", "--onsets", tmp_path / "song.txt"]
    assert run(capsys, *words)[0] == 0
    np.testing.assert_allclose(sorted(asked), [(on - 0.01, off + 0.01) for on, off in song.spans], atol=1e-9)


def test_truth_that_fits_no_recording_and_a_song_of_nothing_are_told(decoder, tmp_path, capsys):
    song = make_song(tmp_path / "song.wav", "ab" * 3)
    put_labels(tmp_path / "other.txt", song.segments)
    (tmp_path / "truths").mkdir()
    put_labels(tmp_path / "truths" / "other.txt", song.segments)
    words = ["decode", song.path, "-y", decoder, "-s", tmp_path / "out"]
    code, _, err = run(capsys, *words, "--truth", tmp_path / "truths")
    assert code == 1
    assert "holds no annotation of song.wav" in err
    code, _, err = run(capsys, *words, "--format", "texgrid")
    assert code == 2
    assert "Did you mean textgrid?" in err
    audio.write(tmp_path / "noise.wav", np.random.default_rng(0).normal(0, 0.01, 2 * RATE), RATE)
    code, _, err = run(capsys, "decode", tmp_path / "noise.wav", "-y", decoder, "-s", tmp_path / "none")
    assert code == 1
    assert "No syllable was found in noise.wav" in err
