"""The dataset: clips cut to the sample, of every kind of recording, at the rate asked for, and cached."""

import numpy as np
import pytest
import scipy.io
import soundfile
from canarygan_recordings import Recordings
from commands import run
from songs import RATE, load, make_song, put_labels

from canarygan_core.audio import Filter, resample
from canarygan_core.audio.soundfiles import read_stretch
from canarygan_core.errors import CanaryganError
from canarygan_core.plugins.options import restore, to_json
from canarygan_core.testing import check_component


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


def test_any_task_takes_recordings_by_the_folder_alone(songs, tmp_path, capsys):
    code, out, _ = run(capsys, "write-dataset", "-d", songs[0].path.parent, "--labels", "a,b", "-s", tmp_path / "out")
    assert code == 0
    assert "12 clips of 2 classes" in out
