"""The dataset: clips cut to the sample, chosen as asked for, and every fault of an annotation told."""

import logging

import numpy as np
import pytest
import scipy.io
import soundfile
from canarygan_recordings import Recordings
from canarygan_recordings.annotations.pairing import holds_annotations
from songs import RATE, make_song, put_labels

from canarygan_core.audio import Filter, UnusableAudio, resample
from canarygan_core.audio.soundfiles import read_stretch
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins.options import restore, to_json
from canarygan_core.testing import check_component


@pytest.fixture
def told(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("canarygan"), "propagate", True)
    caplog.set_level(logging.INFO, "canarygan")
    return caplog


def load(folder, **options):
    return Recordings(data_dir=folder, **options).load()


def test_clips_are_the_recording_from_onset_to_offset(songs):
    clips = load(songs[0].path.parent, sampling_rate=RATE, gain="none", before=0, after=0, max_length=0.2)
    assert len(clips) == 18
    assert clips.labels.tolist() == [label for song in songs for label in song.labels]
    row = 0
    for song in songs:
        sound, _ = soundfile.read(song.path, dtype="float32")
        for onset, offset in song.spans:
            stretch = sound[round(onset * RATE) : round(offset * RATE)]
            assert clips.facts["length"][row] == len(stretch)
            np.testing.assert_allclose(clips.audio[row, : len(stretch)], stretch - stretch.mean(), atol=1e-6)
            assert not clips.audio[row, len(stretch) :].any()
            row += 1


def test_each_clip_knows_recording_onset_and_offset(songs):
    clips = load(songs[0].path.parent)
    assert clips.facts["recording"].tolist() == ["bird_1.wav"] * 9 + ["bird_2.wav"] * 9
    assert clips.facts["group"].tolist() == clips.facts["recording"].tolist()
    spans = [span for song in songs for span in song.spans]
    np.testing.assert_allclose(np.stack([clips.facts["onset"], clips.facts["offset"]], 1), spans, atol=1e-12)
    np.testing.assert_allclose(clips.facts["start"], np.maximum(clips.facts["onset"] - 0.01, 0))
    onset, offset = (1000 * end for end in songs[1].spans[0])
    assert clips.sources[9] == f"bird_2.wav@{onset:.1f}-{offset:.1f}"
    assert len(set(clips.sources.tolist())) == len(clips)
    assert clips.origin["recordings"] == ["bird_1.wav", "bird_2.wav"]
    assert clips.origin["context"] == [0.01, 0.01]
    assert clips.origin["filter"] == {"highpass": None, "lowpass": None, "remove_mean": True}


def test_context_is_sound_of_the_recording_and_stops_at_its_ends(tmp_path):
    sound = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", sound, RATE, subtype="FLOAT")
    put_labels(tmp_path / "a.txt", [(0.005, 0.1, "a"), (0.5, 0.6, "b"), (0.95, 0.995, "c")])
    clips = load(tmp_path, sampling_rate=RATE, gain="none", before=20, after=10)
    assert clips.facts["length"].tolist() == [round(0.11 * RATE), round(0.13 * RATE), round(0.07 * RATE)]
    stretch = sound[round(0.48 * RATE) : round(0.61 * RATE)]
    np.testing.assert_allclose(clips.audio[1, : len(stretch)], stretch - stretch.mean(), atol=1e-6)


def test_a_clip_is_what_decode_hears_of_the_same_stretch(songs):
    """Trained on one and asked about the other, a decoder must hear the same."""
    song = songs[0]
    options = {"highpass": 2000.0, "lowpass": 6000.0, "before": 5.0, "after": 20.0}
    clips = load(song.path.parent, gain="none", **options)
    for row, (onset, offset) in enumerate(song.spans):
        heard, _ = read_stretch(song.path, 16000, onset - 0.005, offset + 0.02, filtering=Filter(2000.0, 6000.0))
        np.testing.assert_array_equal(clips.audio[row, : clips.facts["length"][row]], heard)
    assert clips.origin["filter"] == {"highpass": 2000.0, "lowpass": 6000.0, "remove_mean": True}


def test_hum_is_taken_out(tmp_path):
    time = np.arange(RATE) / RATE
    sound = 0.3 * np.sin(2 * np.pi * 100 * time) + 0.1 * np.sin(2 * np.pi * 3000 * time)
    soundfile.write(tmp_path / "a.wav", sound, RATE)
    put_labels(tmp_path / "a.txt", [(0.3, 0.6, "a")])
    clips = load(tmp_path, highpass=700.0, gain="none")
    spectrum = np.abs(np.fft.rfft(clips.audio[0, 1000:4000]))
    assert spectrum[round(3000 / 16000 * 3000)] > 300 * spectrum[round(100 / 16000 * 3000)]


def test_clips_are_brought_to_the_rate_asked_for(songs):
    clips = load(songs[0].path.parent, gain="none", before=0, after=0)
    sound, _ = soundfile.read(songs[0].path, dtype="float32")
    whole = resample(sound[None], RATE, 16000)[0]
    onset, offset = songs[0].spans[3]
    stretch = whole[round(onset * 16000) : round(offset * 16000)]
    found = clips.audio[3, : len(stretch)]
    assert np.corrcoef(found[10:-10], stretch[10:-10])[0, 1] > 0.99


@pytest.mark.parametrize("ending", [".wav", ".flac", ".ogg", ".aiff", ".cbin"])
def test_recordings_of_every_kind_are_read(tmp_path, ending):
    song = make_song(tmp_path / f"bird{ending}")
    put_labels(song.path.with_suffix(".txt"), song.segments)
    clips = load(tmp_path, before=0, after=0)
    assert clips.labels.tolist() == list(song.labels)
    peaks = np.abs(np.fft.rfft(clips.audio, axis=1)).argmax(1)
    assert peaks.tolist() == pytest.approx([{"a": 1500, "b": 2500, "c": 4000}[label] for label in song.labels], abs=12)


def test_the_song_of_a_cbin_is_on_its_first_channel_and_another_can_be_asked_for(tmp_path):
    song = make_song(tmp_path / "bird.cbin")
    times = {"onsets": 1000 * np.array(song.onsets), "offsets": 1000 * np.array(song.offsets)}
    scipy.io.savemat(tmp_path / "bird.cbin.not.mat", times | {"labels": "".join(song.labels)})
    first, second = load(tmp_path, gain="none"), load(tmp_path, gain="none", channel=2)
    assert first.labels.tolist() == list(song.labels)
    assert np.abs(first.audio).max() == pytest.approx(0.3, abs=0.02)
    assert np.abs(second.audio).max() > 0.4  # noise of up to half of full scale
    with pytest.raises(CanaryganError, match=r"--channel 3: .*bird\.cbin has 2"):
        load(tmp_path, channel=3)


def test_classes_are_chosen_renamed_and_limited(songs, tmp_path, told):
    folder = songs[0].path.parent
    assert load(folder, labels=("a,b",)).classes == ["a", "b"]
    assert load(folder, skip_labels=("a",)).classes == ["b", "c"]
    assert load(folder, rename=("a=b",)).classes == ["b", "c"]
    (tmp_path / "names.toml").write_text('a = "low"\nb = "low"\n')
    assert load(folder, rename=(str(tmp_path / "names.toml"),)).classes == ["c", "low"]
    limited = load(folder, limit=2)
    assert [(limited.labels == label).sum() for label in "abc"] == [2, 2, 2]
    assert load(folder, limit=2).sources.tolist() == limited.sources.tolist()
    assert load(folder, limit=2, data_seed=1).sources.tolist() != limited.sources.tolist()
    assert load(folder, recordings=("*_2.wav",)).facts["recording"].tolist() == ["bird_2.wav"] * 9
    assert set(load(folder, skip_recordings=("bird_2.*",)).facts["recording"].tolist()) == {"bird_1.wav"}
    put_labels(folder / "bird_1.txt", [*songs[0].segments, (0.0, 0.03, "rare")])
    assert load(folder, min_per_class=2).classes == ["a", "b", "c"]
    assert "fewer than 2 segments left out: rare 1" in told.text
    assert "rare" not in load(folder, shortest=40).labels
    assert load(folder, longest=40).classes == ["rare"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": ("e",)}, r"--labels e: no segment has it; there are a, b, c"),
        ({"skip_labels": ("a", "b", "c")}, "No segment is left"),
        ({"rename": ("a",)}, "give the old and the new label, such as a=b"),
        ({"rename": ("none.toml",)}, r"--rename none\.toml"),
        ({"recordings": ("robin*",)}, r"--recordings robin\*: no recording is named so"),
        ({"skip_recordings": ("*",)}, "No recording is left"),
        ({"format": "audacity"}, "No format named 'audacity'"),
        ({"annotations": "nowhere"}, "There is no annotation at --annotations"),
    ],
)
def test_what_cannot_be_chosen_is_told(songs, tmp_path, options, message):
    if "annotations" in options:
        options = {"annotations": tmp_path / options["annotations"]}
    with pytest.raises((CanaryganError, UsageError), match=message):
        load(songs[0].path.parent, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"before": -1},
        {"highpass": 9000.0},
        {"highpass": 700.0, "lowpass": 600.0},
        {"shortest": 50, "longest": 40},
        {"channel": 0},
        {"limit": -1},
        {"min_per_class": 0},
        {"max_length": float("nan")},
        {"gain": "loud"},
        {"sampling_rate": 10},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(CanaryganError, match="--"):
        Recordings(**options)


def test_a_loaded_set_comes_from_the_cache_until_a_file_changes(songs, monkeypatch):
    from canarygan_recordings import loading

    folder = songs[0].path.parent
    first = load(folder)
    monkeypatch.setattr(loading, "read_clips", lambda *_: pytest.fail("cut again"))
    again = load(folder)
    assert again.origin == first.origin
    np.testing.assert_array_equal(again.audio, first.audio)
    monkeypatch.undo()
    put_labels(folder / "bird_1.txt", songs[0].segments[:-1])
    fewer = load(folder)
    assert len(fewer) == len(first) - 1
    assert fewer.origin["fingerprint"] != first.origin["fingerprint"]


def test_the_contract_holds(songs):
    options = {"data_dir": songs[0].path.parent, "labels": ("a", "b"), "longest": 90.0, "highpass": 700.0}
    check_component(Recordings, **options)
    dataset = Recordings(**options)
    assert restore(Recordings, to_json(dataset)) == dataset


# Which annotation is of which recording


def test_a_folder_is_claimed_where_recordings_and_annotations_lie_together(songs, tmp_path):
    assert Recordings.claims(songs[0].path.parent)
    make_song(tmp_path / "classes" / "a" / "1.wav")
    assert not Recordings.claims(tmp_path / "classes")
    (tmp_path / "classes" / "notes.txt").write_text("A good day.\n")
    assert not Recordings.claims(tmp_path / "classes")
    make_song(tmp_path / "koumura" / "Wave" / "0.wav")
    (tmp_path / "koumura" / "Annotation.xml").write_text("<Sequences></Sequences>")
    assert Recordings.claims(tmp_path / "koumura")
    assert not holds_annotations(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["bird.txt", "bird.wav.txt", "bird.labels.txt", "bird.Table.1.selections.txt"])
def test_an_annotation_is_found_by_its_name(tmp_path, name):
    song = make_song(tmp_path / "bird.wav")
    put_labels(tmp_path / name, song.segments)
    assert len(load(tmp_path)) == len(song.labels)


def test_an_annotation_elsewhere_is_found_by_its_name_in_folders_of_the_same_recordings(tmp_path):
    for day in ("monday", "tuesday"):
        song = make_song(tmp_path / day / "bird.wav", "ab", seed=len(day))
        put_labels(tmp_path / day / "bird.txt", song.segments)
    assert load(tmp_path).facts["recording"].tolist() == ["monday/bird.wav"] * 2 + ["tuesday/bird.wav"] * 2
    put_labels(tmp_path / "elsewhere.txt", [(0.01, 0.1, "z")])
    make_song(tmp_path / "below" / "elsewhere.wav")
    assert load(tmp_path, recordings=("below/elsewhere.wav",)).classes == ["z"]
    with pytest.raises(CanaryganError, match="no recording with its annotation"):
        load(tmp_path / "tuesday", annotations=tmp_path / "elsewhere.txt")


# Bad input, each with its message


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
