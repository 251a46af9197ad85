"""The folder dataset: clips, labels, facts and options, whatever the format, order or place of the files."""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recordings import entries, noise, put, tree

from canarygan_core import audio
from canarygan_core.datasets import survey
from canarygan_core.datasets.faults import measure_low
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError
from canarygan_core.plugins.options import restore

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.usefixtures("kept")


def test_clips_labels_and_facts(data):
    clips = Folder(data_dir=data, gain="none", remove_mean=False).load()
    assert clips.audio.shape == (6, 16000)
    assert clips.rate == 16000
    assert clips.labels.tolist() == list("aaabbb")
    assert clips.sources.tolist() == [f"{'ab'[n // 3]}/{n}.wav" for n in range(6)]
    for number in range(6):
        np.testing.assert_array_equal(clips.audio[number], noise(number, peak=0.1 * (number + 1)))
    np.testing.assert_allclose(clips.facts["peak"], np.arange(1, 7) / 10, rtol=1e-6)
    assert clips.facts["length"].tolist() == [16000] * 6
    assert clips.origin["path"] == str(data)
    assert clips.origin["dataset"] == "folder"
    assert clips.origin["options"] == {
        "highpass": None,
        "lowpass": None,
        "remove_mean": False,
        "channel": None,
        "sampling_rate": 16000,
        "max_length": 1.0,
        "gain": "none",
        "min_per_class": 1,
        "skip_unusable": False,
    }
    assert len(clips.origin["fingerprint"]) == 64


def test_the_audio_is_a_read_only_memory_map_and_the_data_is_left_alone(data):
    before = tree(data)
    clips = Folder(data_dir=data).load()
    assert isinstance(clips.audio, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        clips.audio[0, 0] = 1
    assert tree(data) == before


def test_gain_none_set_clip(data):
    raw, whole, each = (Folder(data_dir=data, gain=gain, remove_mean=False).load() for gain in ("none", "set", "clip"))
    assert raw.facts["gain"].tolist() == [1] * 6
    np.testing.assert_allclose(whole.facts["gain"], 0.95 / 0.6, rtol=1e-6)
    np.testing.assert_allclose(each.facts["gain"], 0.95 / (np.arange(1, 7) / 10), rtol=1e-6)
    np.testing.assert_allclose(np.abs(each.audio).max(axis=1), 0.95, rtol=1e-6)
    for scaled in (whole, each):
        np.testing.assert_allclose(scaled.audio, raw.audio * scaled.facts["gain"][:, None], rtol=1e-6)
        np.testing.assert_array_equal(scaled.facts["peak"], raw.facts["peak"])


def test_every_rate_format_and_spelling(tmp_path):
    seconds = np.arange(44100) / 44100
    tone = 0.5 * np.sin(2 * np.pi * 1000 * seconds)
    put(tmp_path / "d" / "x" / "stereo.WAV", np.stack([tone, tone], axis=1), 44100, "PCM_24")
    put(tmp_path / "d" / "x" / "quiet.flac", tone[::2], 22050)
    put(tmp_path / "d" / "x" / "old.wav", tone, 44100, "PCM_U8")
    put(tmp_path / "d" / "x" / "native.wav", 0.5 * np.sin(2 * np.pi * 1000 * np.arange(32000) / 32000), 32000)
    clips = Folder(data_dir=tmp_path / "d").load()
    assert clips.sources.tolist() == [f"x/{name}" for name in ("native.wav", "old.wav", "quiet.flac", "stereo.WAV")]
    expected = 0.95 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    for clip in clips.audio:
        np.testing.assert_allclose(clip[1000:15000], expected[1000:15000], atol=0.02)


def test_short_clips_are_padded_and_long_ones_cut_and_both_are_said(tmp_path, caplog):
    put(tmp_path / "d" / "x" / "long.wav", noise(0, 24000))
    put(tmp_path / "d" / "x" / "short.wav", noise(1, 4000))
    put(tmp_path / "d" / "x" / "whole.wav", noise(2, 16000))
    with caplog.at_level(logging.INFO, "canarygan"):
        clips = Folder(data_dir=tmp_path / "d", gain="none", remove_mean=False).load()
    np.testing.assert_array_equal(clips.audio[0], noise(0, 24000)[:16000])
    np.testing.assert_array_equal(clips.audio[1, :4000], noise(1, 4000))
    assert not clips.audio[1, 4000:].any()
    assert clips.facts["length"].tolist() == [16000, 4000, 16000]
    assert "1 of 3 shorter than 1 s: padded" in caplog.text
    assert [record.levelname for record in caplog.records if "1 of 3 longer than 1 s" in record.message] == ["WARNING"]
    caplog.clear()
    Folder(data_dir=tmp_path / "d", gain="none").load()
    assert "longer than 1 s" in caplog.text, "said again where the cache answers"


def test_length_and_rate_are_options(data):
    clips = Folder(data_dir=data, sampling_rate=8000, max_length=0.25).load()
    assert clips.audio.shape == (6, 2000)
    assert clips.rate == 8000


@pytest.mark.parametrize(
    "options", [{"sampling_rate": 0}, {"max_length": 0}, {"max_length": float("nan")}, {"gain": "x"}]
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(CanaryganError, match="it may be"):
        Folder(**options)


def test_neither_order_of_creation_nor_place_nor_time_matters(tmp_path):
    names = ["b/2.wav", "a/10.wav", "b/1.wav", "a/9.wav", "B/1.wav"]
    for folder, order in (("one", names), ("two", names[::-1])):
        for name in order:
            put(tmp_path / folder / name, noise(names.index(name)), subtype="PCM_16")
            os.utime(tmp_path / folder / name, (1e9 + len(folder), order.index(name)))
    one, two = (Folder(data_dir=tmp_path / folder).load() for folder in ("one", "two"))
    assert one.sources.tolist() == two.sources.tolist() == ["B/1.wav", "a/10.wav", "a/9.wav", "b/1.wav", "b/2.wav"]
    assert one.origin["fingerprint"] == two.origin["fingerprint"]
    np.testing.assert_array_equal(one.audio, two.audio)
    (tmp_path / "two" / "a" / "9.wav").rename(tmp_path / "two" / "a" / "8.wav")
    assert Folder(data_dir=tmp_path / "two").load().origin["fingerprint"] != one.origin["fingerprint"]


def test_what_is_no_clip_is_ignored_and_counted(data, caplog):
    for name in (".hidden/x.wav", "a/._0.wav", "__MACOSX/a/._0.wav"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(b"junk")
    for name in ("README.md", "a/notes.txt"):
        (data / name).write_text("x")
    put(data / "a" / "deep" / "er" / "x.wav", noise(7))
    put(data / "loose.wav", noise(8))
    with caplog.at_level(logging.INFO, "canarygan"):
        assert len(Folder(data_dir=data).load()) == 6
    for said in ("1 sound file beside", "1 sound file deeper", "2 other files ignored"):
        assert said in caplog.text


def test_duplicates_are_named(data, caplog):
    shutil.copy(data / "a" / "0.wav", data / "b" / "copy.wav")
    shutil.copy(data / "b" / "4.wav", data / "b" / "twin.wav")
    Folder(data_dir=data).load()
    assert "more than one class" in caplog.text
    assert "a/0.wav = b/copy.wav" in caplog.text
    assert "b/4.wav = b/twin.wav" in caplog.text


def test_files_are_read_a_few_ahead_and_no_further(data, monkeypatch):
    found = survey.survey(data).sources * 100
    begun = []

    def read(path, *args, **options):
        begun.append(path)
        raise AssertionError("decoded")

    monkeypatch.setattr(audio, "read", read)
    running = survey.examine(found, 16000, 1.0)
    with pytest.raises(AssertionError):
        next(running)
    assert len(begun) <= 32 < len(found)


def test_names_are_the_same_text_on_every_system(tmp_path):
    put(tmp_path / "d" / "cri\u0301" / "0.wav", noise(0))
    assert Folder(data_dir=tmp_path / "d").load().classes == ["cr\u00ed"]


def test_the_module_is_cheap_to_import():
    heavy = "[name for name in ('numpy', 'soundfile', 'soxr') if name in sys.modules]"
    code = f"import sys, canarygan_core.datasets.folder; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_a_record_from_before_filters_means_none(data):
    record = {"sampling_rate": 16000, "max_length": 1.0, "gain": "none", "skip_unusable": False}
    before = restore(Folder, {**record, "data_dir": str(data)})
    assert before == Folder(data_dir=data, gain="none", remove_mean=False)
    np.testing.assert_array_equal(before.load().audio[0], noise(0, peak=0.1))


def test_the_mean_is_taken_out_before_a_clip_is_padded(tmp_path):
    put(tmp_path / "d" / "x" / "0.wav", 0.25 + noise(0, 4000))
    put(tmp_path / "d" / "x" / "1.wav", np.pad(0.25 + noise(0, 4000), (0, 6000)))
    clips = Folder(data_dir=tmp_path / "d", gain="none").load()
    assert clips.origin["filter"] == {"highpass": None, "lowpass": None, "remove_mean": True}
    expected = noise(0, 4000) - noise(0, 4000).mean()
    for clip in clips.audio:
        np.testing.assert_allclose(clip[:4000], expected, atol=1e-4)
        assert not clip[4000:].any()


def test_filters_are_options_with_a_cache_entry_each(data, kept):
    plain, filtered = (Folder(data_dir=data, highpass=cutoff).load() for cutoff in (None, 700.0))
    assert len(entries(kept)) == 2
    share = [measure_low(np.asarray(one.audio[0]), 16000) for one in (plain, filtered)]
    assert share[0] > 0.02
    assert share[1] < 1e-4
    np.testing.assert_allclose(np.abs(filtered.audio).max(1), 0.95, rtol=1e-6)
    assert filtered.origin["options"]["highpass"] == 700


def test_one_channel_may_be_taken(tmp_path):
    put(tmp_path / "d" / "x" / "0.wav", np.stack([noise(0, 4000), noise(1, 4000)], 1))
    for channel in (1, 2):
        clips = Folder(data_dir=tmp_path / "d", gain="none", channel=channel, remove_mean=False).load()
        np.testing.assert_array_equal(clips.audio[0, :4000], noise(channel - 1, 4000))
    with pytest.raises(audio.UnusableAudio, match="has no channel 3, only 2"):
        Folder(data_dir=tmp_path / "d", channel=3).load()
    with pytest.raises(CanaryganError, match="counted from 1"):
        Folder(channel=0)
