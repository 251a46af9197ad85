"""Folders and files that the folder dataset cannot use: each is named, and may be skipped."""

import numpy as np
import pytest
from recordings import entries, noise, put

from canarygan_core import audio
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError

pytestmark = pytest.mark.usefixtures("kept")


def test_errors_of_layout(tmp_path, data):
    def said(**options):
        with pytest.raises(CanaryganError) as caught:
            Folder(**options).load()
        return str(caught.value)

    assert "needs --data-dir" in said()
    assert "Did you mean data?" in said(data_dir=tmp_path / "dat")
    assert "is a file" in said(data_dir=data / "a" / "0.wav")
    assert "3 sound files directly in it" in said(data_dir=data / "a")
    (tmp_path / "void").mkdir()
    assert "is empty" in said(data_dir=tmp_path / "void")
    put(tmp_path / "deep" / "a" / "b" / "0.wav", noise(0))
    assert "folders too deep" in said(data_dir=tmp_path / "deep")
    (data / "hollow").mkdir()
    assert "1 class folder without a sound file: hollow" in said(data_dir=data)


def test_an_empty_class_may_be_skipped(data, caplog):
    (data / "hollow").mkdir()
    assert Folder(data_dir=data, skip_unusable=True).load().classes == ["a", "b"]
    assert "no clip, so no class: hollow" in caplog.text


@pytest.fixture
def broken(data):
    """The data with one file of each kind that cannot be used; gives what each is called."""
    whole = (data / "a" / "0.wav").read_bytes()
    (data / "a" / "zero.wav").write_bytes(b"")
    (data / "a" / "text.wav").write_text("no sound")
    (data / "a" / "half.wav").write_bytes(whole[:20000])
    (data / "b" / "gone.wav").symlink_to(data / "nowhere.wav")
    put(data / "b" / "none.wav", np.zeros(0))
    put(data / "b" / "nan.wav", np.full(16000, np.nan))
    put(data / "b" / "silent.wav", np.zeros(16000))
    put(data / "b" / "late.wav", np.concatenate([np.zeros(16000, np.float32), noise(0)]))
    put(data / "b" / "blip.wav", noise(0, 100))
    put(data / "b" / "song.wav", noise(0, 16000 * 11))
    return {
        "a/zero.wav": "0 bytes",
        "a/text.wav": "text",
        "a/half.wav": "truncated",
        "b/gone.wav": "no such file",
        "b/none.wav": "no samples",
        "b/nan.wav": "NaN",
        "b/silent.wav": "silent (peak",
        "b/late.wav": "silent in its first 1 s",
        "b/blip.wav": "6.2 ms",
        "b/song.wav": "11.0 s",
    }


def test_every_broken_file_is_named_in_one_report_and_nothing_is_left(data, broken, kept):
    with pytest.raises(audio.UnusableAudio) as caught:
        Folder(data_dir=data).load()
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("10 of 16 files in")
    for path, reason in broken.items():
        (line,) = (line for line in lines if line.strip().startswith(f"{path}:"))
        assert reason in line
    assert "--skip-unusable" in lines[-1]
    assert "check-data" in lines[-1]
    assert entries(kept) == []


@pytest.mark.parametrize("gain", ["none", "set", "clip"])
def test_broken_files_may_be_skipped(data, broken, caplog, gain, kept):
    clips = Folder(data_dir=data, skip_unusable=True, gain=gain, remove_mean=False).load()
    assert clips.sources.tolist() == [f"{'ab'[n // 3]}/{n}.wav" for n in range(6)]
    for path in broken:
        assert path in caplog.text
    for number, factor in enumerate(clips.facts["gain"]):
        np.testing.assert_allclose(clips.audio[number], noise(number, peak=0.1 * (number + 1)) * factor, rtol=1e-6)
    assert (kept / entries(kept)[0] / "audio.npy").stat().st_size < 4 * 16000 * 6 + 1000


def test_where_all_are_silent_skipping_does_not_help(tmp_path, kept):
    for name in "xy":
        put(tmp_path / "d" / name / "0.wav", np.zeros(16000))
    with pytest.raises(audio.UnusableAudio, match="None is left"):
        Folder(data_dir=tmp_path / "d", skip_unusable=True).load()
    assert entries(kept) == []


def test_a_sound_that_resampling_removes_is_silent(tmp_path):
    put(
        tmp_path / "d" / "x" / "0.wav",
        0.5 * np.sin(2 * np.pi * 15000 * np.arange(44100) / 44100) * np.hanning(44100),
        44100,
    )
    with pytest.raises(audio.UnusableAudio, match="silent in its first"):
        Folder(data_dir=tmp_path / "d").load()


def test_a_clip_of_which_a_filter_leaves_nothing_is_silent(tmp_path):
    time = np.arange(16000) / 16000
    put(tmp_path / "d" / "x" / "0.wav", 0.01 * np.sin(2 * np.pi * 20 * time) * np.hanning(16000), subtype="FLOAT")
    with pytest.raises(audio.UnusableAudio, match="silent in its first 1 s at 16000 Hz with --highpass 2000"):
        Folder(data_dir=tmp_path / "d", highpass=2000.0).load()


def test_a_file_of_an_offset_alone_is_silent(tmp_path):
    put(tmp_path / "d" / "x" / "0.wav", np.full(16000, 0.25))
    with pytest.raises(audio.UnusableAudio, match=r"silent but for an offset of 0\.25"):
        Folder(data_dir=tmp_path / "d").load()
