"""Bad recordings and annotations, each with its message."""

import numpy as np
import pytest
import scipy.io
import soundfile
from songs import RATE, load, make_song, put_labels

from canarygan_core.audio import UnusableAudio
from canarygan_core.errors import CanaryganError


@pytest.fixture
def bird(tmp_path):
    return make_song(tmp_path / "bird.wav", "abcabc")


def refusal(folder, **options):
    with pytest.raises(CanaryganError) as raised:
        load(folder, **options)
    return str(raised.value)


def test_a_recording_without_annotation_and_the_reverse(bird, tmp_path, told):
    message = refusal(tmp_path)
    assert "holds no annotation of its 1 recordings" in message
    assert "canarygan segment" in message
    put_labels(tmp_path / "bird.txt", bird.segments)
    make_song(tmp_path / "lonely.wav")
    put_labels(tmp_path / "stray.txt", bird.segments)
    assert len(load(tmp_path)) == 6
    assert "1 recording (lonely.wav) without annotation left out" in told.text
    assert "1 annotation (stray.txt) without recording left out" in told.text
    (tmp_path / "bird.wav").unlink()
    message = refusal(tmp_path)
    assert "1 recording (lonely.wav); 2 annotations (bird.txt, stray.txt)" in message


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        ((0.2, 99.0, "a"), r"segment 7 \(a, 0\.2 to 99 s, of bird\.txt\) lies beyond the end of the recording"),
        ((-0.5, 0.2, "a"), "has a time that is no time"),
        ((float("nan"), 0.2, "a"), "has a time that is no time"),
        ((0.3, 0.3, "a"), "has no length"),
        ((0.4, 0.3, "a"), "ends before it begins"),
    ],
)
def test_segments_that_cannot_be(bird, tmp_path, segment, message, told):
    put_labels(tmp_path / "bird.txt", [*bird.segments, segment])
    with pytest.raises(UnusableAudio, match=message.replace("segment 7", r"segment \d")) as raised:
        load(tmp_path)
    assert "leave them out with --skip-unusable" in str(raised.value)
    assert len(load(tmp_path, skip_unusable=True)) == 6
    assert "1 left out as unusable" in told.text


def test_a_segment_may_end_a_little_after_the_recording(bird, tmp_path):
    """Programs round the end of a file up."""
    put_labels(tmp_path / "bird.txt", [(0.1, 0.2, "a"), (bird.seconds - 0.05, bird.seconds + 0.002, "b")])
    assert load(tmp_path).facts["offset"][-1] == pytest.approx(bird.seconds)


def test_overlapping_and_unlabelled_segments(bird, tmp_path, told):
    put_labels(tmp_path / "bird.txt", [(0.1, 0.2, "a"), (0.15, 0.25, "b"), (0.3, 0.4, "")])
    clips = load(tmp_path)
    assert clips.labels.tolist() == ["a", "b"]
    assert "1 segments begin before the one before has ended; they are kept" in told.text
    assert "1 unlabelled segments left out" in told.text


def test_evsonganaly_marks_what_is_unlabelled_by_a_dash_or_0(bird, tmp_path):
    times = {"onsets": [100.0, 200.0, 300.0], "offsets": [150.0, 250.0, 350.0]}
    scipy.io.savemat(tmp_path / "bird.wav.not.mat", times | {"labels": "a-0"})
    assert load(tmp_path).labels.tolist() == ["a"]
    assert load(tmp_path, labels=("a", "0")).labels.tolist() == ["a", "0"]


def test_labels_that_differ_only_in_case(bird, tmp_path, told):
    put_labels(tmp_path / "bird.txt", [(0.1, 0.2, "a"), (0.3, 0.4, "A")])
    assert load(tmp_path).classes == ["A", "a"]
    assert "Labels differ only in case: A and a" in told.text


def test_files_that_macos_leaves(bird, tmp_path, told):
    put_labels(tmp_path / "bird.txt", bird.segments)
    (tmp_path / "._bird.wav").write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / "._bird.txt").write_bytes(b"\x00\x05\x16\x07")
    assert len(load(tmp_path)) == 6
    assert "2 files ._NAME ignored" in told.text


def test_an_empty_annotation(bird, tmp_path, told):
    put_labels(tmp_path / "bird.txt", bird.segments)
    make_song(tmp_path / "quiet.wav")
    (tmp_path / "quiet.txt").write_text("")
    assert len(load(tmp_path)) == 6
    assert "1 annotations are empty" in told.text
    (tmp_path / "bird.txt").write_text("")
    assert "No segment is left" in refusal(tmp_path)


def test_two_annotations_for_one_recording(bird, tmp_path):
    put_labels(tmp_path / "bird.txt", bird.segments)
    (tmp_path / "bird.csv").write_text("onset_s,offset_s,label\n0.1,0.2,a\n")
    message = refusal(tmp_path)
    assert "bird.wav: has 2 annotations, in bird.csv and bird.txt" in message
    assert len(load(tmp_path, format="aud-seq")) == 6
    assert len(load(tmp_path, annotations=tmp_path / "bird.csv")) == 1


def test_an_annotation_that_may_be_of_two_recordings(bird, tmp_path):
    put_labels(tmp_path / "bird.txt", bird.segments)
    make_song(tmp_path / "bird.flac")
    assert "bird.txt: may be of bird.flac, bird.wav" in refusal(tmp_path)


def test_mixed_rates(bird, tmp_path, told):
    put_labels(tmp_path / "bird.txt", bird.segments)
    other = make_song(tmp_path / "other.wav", "ab", rate=44100)
    put_labels(tmp_path / "other.txt", other.segments)
    assert load(tmp_path).rate == 16000
    assert "several rates (1 of 32000 Hz, 1 of 44100 Hz); all are brought to 16000 Hz" in told.text


def test_milliseconds_taken_for_seconds(bird, tmp_path):
    put_labels(tmp_path / "bird.txt", [(1000 * on, 1000 * off, label) for on, off, label in bird.segments])
    message = refusal(tmp_path)
    assert "6 of 6 onsets lie beyond the end of the recording" in message
    assert "bird.txt seems to hold milliseconds for seconds" in message


def test_seconds_taken_for_milliseconds(tmp_path):
    song = make_song(tmp_path / "bird.wav", "abcabcabcabc" * 4)
    times = {"onsets": np.array(song.onsets), "offsets": np.array(song.offsets)}  # evsonganaly has milliseconds
    scipy.io.savemat(tmp_path / "bird.wav.not.mat", times | {"labels": "".join(song.labels)})
    assert "seems to hold seconds for milliseconds" in refusal(tmp_path)


def test_a_broken_recording_and_a_broken_annotation_are_told_together(bird, tmp_path):
    put_labels(tmp_path / "bird.txt", bird.segments)
    (tmp_path / "bad.wav").write_bytes(b"no sound at all")
    put_labels(tmp_path / "bad.txt", bird.segments)
    (tmp_path / "worse.phn").write_text("0 x a\n")
    message = refusal(tmp_path)
    assert "bad.wav: holds text, not sound" in message
    assert "worse.phn: , line 1" in message or "worse.phn" in message
    assert len(load(tmp_path, skip_unusable=True)) == 6


def test_a_silent_segment(bird, tmp_path, told):
    sound, _ = soundfile.read(bird.path, dtype="float32")
    sound[: round(0.3 * RATE)] = 0
    soundfile.write(bird.path, sound, RATE, subtype="FLOAT")
    put_labels(tmp_path / "bird.txt", [(0.05, 0.1, "a"), (0.4, 0.5, "b")])
    assert "bird.wav@50.0-100.0: is silent" in refusal(tmp_path, before=0, after=0)
    assert load(tmp_path, before=0, after=0, skip_unusable=True).labels.tolist() == ["b"]


def test_a_folder_of_nothing(tmp_path):
    assert "holds no recording" in refusal(tmp_path)
    assert "There is no folder" in refusal(tmp_path / "none")
    assert "needs --data-dir" in refusal(None)
