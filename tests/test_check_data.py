"""The check-data task."""

import json

import numpy as np
import pytest
import soundfile

from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError
from canarygan_core.tasks.check_data import check_data


def burst(frequency, peak=0.5, rate=16000, start=0.1, end=0.2, seconds=1.0):
    time = np.arange(round(seconds * rate)) / rate
    return peak * np.sin(2 * np.pi * frequency * time) * ((time >= start) & (time < end))


def put(path, sound, rate=16000, subtype="PCM_16"):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, rate, subtype=subtype)


@pytest.fixture
def data(tmp_path):
    """Nine classes of four clips: bursts of 100 ms at peaks of -6 to -26 dBFS."""
    for label in range(9):
        for number in range(4):
            sound = burst(500 + 100 * label, 0.5 * 10 ** (-number / 3))
            put(tmp_path / "data" / f"syll_{label}" / f"{number}.wav", sound)
    return tmp_path / "data"


def test_a_good_set_fits_one_screen_and_says_what_is_next(data):
    answer = check_data(data_dir=data)
    lines = answer.text.splitlines()
    assert answer.exit_code == 0
    assert len(lines) <= 24
    assert max(len(line) for line in lines[1:-1]) <= 90
    assert lines[-1] == f"Usable. Next: canarygan train-gan -d {data} --preset small"
    assert "Warnings" not in answer.text


def test_numbers_of_a_good_set(data):
    found = check_data(data_dir=data).data
    assert json.loads(json.dumps(found)) == found
    assert found["clips"] == found["files"] == 36
    assert found["rates"] == {"16000": 36}
    assert found["channels"] == {"1": 36}
    assert found["encodings"] == {"WAV PCM_16": 36}
    assert (found["padded"], found["cut"], found["usable"]) == (0, 0, True)
    assert [one["label"] for one in found["classes"]] == [f"syll_{n}" for n in range(9)]
    first = found["classes"][0]
    assert first["clips"] == 4
    assert first["seconds"] == {"min": 1.0, "median": 1.0, "max": 1.0}
    assert first["sound_seconds"]["median"] == pytest.approx(0.1, abs=0.005)
    assert first["peak_dbfs"]["max"] == pytest.approx(-6.02, abs=0.01)
    assert first["peak_dbfs"]["min"] == pytest.approx(-26.02, abs=0.01)
    assert first["rms_dbfs"]["max"] == pytest.approx(-6.02 - 3.01 - 10, abs=0.02)


def test_warnings_alone_leave_it_usable(data):
    put(data / "rare" / "0.wav", burst(400))
    for number in range(6):
        put(data / "syll_0" / f"more{number}.wav", burst(3000 + number))
    put(data / "syll_1" / "clipped.wav", np.clip(burst(350, 2.0), -1, 1))
    put(data / "syll_1" / "faint.wav", burst(350, 5e-5), subtype="FLOAT")
    put(data / "syll_2" / "long.wav", burst(350, seconds=1.5))
    put(data / "syll_2" / "short.wav", burst(350, seconds=0.5))
    put(data / "syll_2" / "stereo.wav", np.stack([burst(350)] * 2, axis=1))
    put(data / "syll_2" / "low.wav", burst(351, rate=8000), 8000)
    put(data / "syll_3" / "copy.wav", burst(500))
    (data / "notes.txt").write_text("x")
    answer = check_data(data_dir=data)
    assert answer.exit_code == 0
    assert (answer.data["padded"], answer.data["cut"], answer.data["upsampled"]) == (1, 1, 1)
    assert answer.data["clipped"] == ["syll_1/clipped.wav"]
    assert answer.data["faint"] == ["syll_1/faint.wav"]
    assert answer.data["duplicates"] == {"across_classes": [["syll_0/0.wav", "syll_3/copy.wav"]], "within_a_class": []}
    assert answer.data["rates"] == {"16000": 49, "8000": 1}
    assert answer.data["channels"] == {"1": 49, "2": 1}
    assert answer.data["ignored"] == {"beside": 0, "nested": 0, "other": 1}
    said = ("unbalanced: 1 clip of rare, 10 of syll_0", "syll_0/0.wav = syll_3/copy.wav", "nothing above 4 kHz")
    for sentence in (*said, "1 longer than 1 s", "1 other file ignored"):
        assert sentence in answer.text
    assert "Usable with 6 warnings." in answer.text


def test_unusable_files_are_named_with_the_reasons_that_loading_gives(data, tmp_path, monkeypatch):
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    whole = (data / "syll_0" / "0.wav").read_bytes()
    (data / "syll_0" / "half.wav").write_bytes(whole[:10000])
    (data / "syll_0" / "text.wav").write_text("x")
    (data / "syll_0" / "zero.wav").write_bytes(b"")
    put(data / "syll_1" / "silent.wav", np.zeros(16000))
    put(data / "syll_1" / "song.wav", burst(500, seconds=12))
    (data / "hollow").mkdir()
    answer = check_data(data_dir=data)
    assert answer.exit_code == 1
    assert answer.text.splitlines()[-1].startswith("Not usable as it is: 5 files and 1 class without files.")
    assert {one["kind"] for one in answer.data["problems"]} == {
        "truncated",
        "not-audio",
        "zero-byte",
        "silent",
        "too-long",
    }
    (data / "hollow").rmdir()
    with pytest.raises(CanaryganError) as caught:
        Folder(data_dir=data).load()
    for one in answer.data["problems"]:
        assert f"{one['path']}: {one['what']}" in answer.text
        assert f"{one['path']}: {one['what']}" in str(caught.value)
    assert len(check_data(data_dir=data, max_length=1.5).data["problems"]) == 4


def test_an_empty_class_is_enough_to_fail(data):
    (data / "hollow").mkdir()
    answer = check_data(data_dir=data)
    assert answer.exit_code == 1
    assert answer.data["empty_classes"] == ["hollow"]


def test_nothing_left(tmp_path):
    put(tmp_path / "d" / "x" / "0.wav", np.zeros(16000))
    answer = check_data(data_dir=tmp_path / "d")
    assert answer.exit_code == 1
    assert "nothing is left" in answer.text


def test_options_are_passed_on_in_the_advice(data):
    text = check_data(data_dir=data, sampling_rate=8000, max_length=0.5).text
    assert text.endswith(f"canarygan train-gan -d {data} --preset small --sampling-rate 8000 --max-length 0.5")


def test_errors_for_people(tmp_path):
    with pytest.raises(CanaryganError, match="no folder"):
        check_data(data_dir=tmp_path / "none")
    with pytest.raises(CanaryganError, match="is empty"):
        check_data(data_dir=tmp_path)
    with pytest.raises(CanaryganError, match="--max-length"):
        check_data(data_dir=tmp_path, max_length=0)
