"""The check-data task."""

import json

import numpy as np
import pytest
import soundfile

from canarygan_core.datasets import sheet
from canarygan_core.datasets.folder import Folder
from canarygan_core.datasets.synthetic import Synthetic
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.tasks.check_data import check_data
from canarygan_core.tasks.write_dataset import write_dataset


def burst(frequency, peak=0.5, rate=16000, start=0.1, end=0.2, seconds=1.0):
    time = np.arange(round(seconds * rate)) / rate
    return peak * np.sin(2 * np.pi * frequency * time) * ((time >= start) & (time < end))


def put(path, sound, rate=16000, subtype="PCM_16"):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, rate, subtype=subtype)


def check(data, sheet=None, **options):
    return check_data(dataset=Folder(data_dir=data, **options), sheet=sheet)


@pytest.fixture
def data(tmp_path):
    """Nine classes of four clips: bursts of 100 ms at peaks of -6 to -26 dBFS."""
    for label in range(9):
        for number in range(4):
            sound = burst(500 + 100 * label, 0.5 * 10 ** (-number / 3))
            put(tmp_path / "data" / f"syll_{label}" / f"{number}.wav", sound)
    return tmp_path / "data"


def test_a_good_set_fits_one_screen_and_says_what_is_next(data):
    answer = check(data)
    lines = answer.text.splitlines()
    assert answer.exit_code == 0
    assert len(lines) <= 24
    assert max(len(line) for line in lines[1:-1]) <= 90
    assert lines[-1] == f"Usable. Next: canarygan train-gan -d {data} --preset small"
    assert "Warnings" not in answer.text


def test_numbers_of_a_good_set(data):
    found = check(data).data
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
    answer = check(data)
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
    assert "Usable with 7 warnings." in answer.text


def test_unusable_files_are_named_with_the_reasons_that_loading_gives(data, tmp_path, monkeypatch):
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    whole = (data / "syll_0" / "0.wav").read_bytes()
    (data / "syll_0" / "half.wav").write_bytes(whole[:10000])
    (data / "syll_0" / "text.wav").write_text("x")
    (data / "syll_0" / "zero.wav").write_bytes(b"")
    put(data / "syll_1" / "silent.wav", np.zeros(16000))
    put(data / "syll_1" / "song.wav", burst(500, seconds=12))
    (data / "hollow").mkdir()
    answer = check(data)
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
    assert len(check(data, max_length=1.5).data["problems"]) == 4


def test_an_empty_class_is_enough_to_fail(data):
    (data / "hollow").mkdir()
    answer = check(data)
    assert answer.exit_code == 1
    assert answer.data["empty_classes"] == ["hollow"]


def test_nothing_left(tmp_path):
    put(tmp_path / "d" / "x" / "0.wav", np.zeros(16000))
    answer = check(tmp_path / "d")
    assert answer.exit_code == 1
    assert "nothing is left" in answer.text


def test_options_are_passed_on_in_the_advice(data):
    text = check(data, sampling_rate=8000, max_length=0.5).text
    assert text.endswith(f"canarygan train-gan -d {data} --sampling-rate 8000 --max-length 0.5 --preset small")


def test_errors_for_people(tmp_path):
    with pytest.raises(CanaryganError, match="no folder"):
        check(tmp_path / "none")
    with pytest.raises(CanaryganError, match="is empty"):
        check(tmp_path)
    with pytest.raises(CanaryganError, match="--max-length"):
        check(tmp_path, max_length=0)


def hum(sound, share=0.75, seed=0):
    """A sound with noise below 250 Hz that makes a share of the energy."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(len(sound)))
    spectrum[np.fft.rfftfreq(len(sound), 1 / 16000) > 250] = 0
    noise = np.fft.irfft(spectrum, len(sound))
    return sound + noise * np.sqrt(share / (1 - share) * np.square(sound).sum() / np.square(noise).sum())


def warnings_of(data, **options):
    return check(data, **options).data["warnings"]


def test_hum_is_measured_on_what_is_learnt_and_the_flag_helps(data):
    for number in range(4):
        put(data / "low" / f"{number}.wav", hum(burst(2000, 0.1), seed=number))
    answer = check(data)
    assert answer.data["faults"]["below_300_hz"]["low"] == pytest.approx(0.75, abs=0.01)
    (warning,) = answer.data["warnings"]
    assert "most energy below 300 Hz, as of hum or wind, in low 75%" in warning
    assert "--highpass 500 takes it out" in warning
    filtered = check(data, highpass=500.0)
    assert filtered.data["warnings"] == []
    assert filtered.text.endswith("--highpass 500 --preset small")


def test_an_offset_is_named_and_gone(data):
    put(data / "syll_0" / "offset.wav", 0.02 + burst(500, 0.03, seconds=0.4))
    assert warnings_of(data) == ["1 of 37 with an offset of up to 40% of the peak: taken out on reading"]
    (warning,) = warnings_of(data, remove_mean=False)
    assert "leave out --no-remove-mean" in warning
    clean, offset = (check(data, remove_mean=one).data["all"] for one in (True, False))
    assert clean["sound_seconds"]["max"] == pytest.approx(0.1, abs=0.005)
    assert offset["sound_seconds"]["max"] == pytest.approx(0.4, abs=0.005)


def test_energy_above_what_is_learnt_is_named_with_the_rate_that_keeps_it(data):
    for number in range(3):
        put(data / "usv" / f"{number}.wav", burst(60000 + 1000 * number, rate=250000), 250000)
    rng = np.random.default_rng(0)
    for number in range(3):
        sound = burst(60000 + 1000 * number, rate=250000) + 0.001 * rng.standard_normal(250000)
        put(data / "usv" / f"{number}.wav", sound, 250000)
    (warning,) = warnings_of(data)
    assert warning == "3 of 39 with 100% of the energy above 8 kHz, lost: --sampling-rate 128000 keeps it"
    kept = warnings_of(data, sampling_rate=128000)
    assert not any("lost" in one for one in kept)


def test_unlike_channels_are_named_and_one_may_be_taken(data):
    for number in range(3):
        square = 0.3 * np.sign(np.sin(2 * np.pi * (5 + number) * np.arange(16000) / 16000 + 0.1))
        put(data / "two" / f"{number}.wav", np.stack([burst(800, 0.1), square], 1))
    assert "3 of 39 with channels that are unlike (correlation 0.00): --channel 1" in "\n".join(warnings_of(data))
    answer = check(data / ".." / "data", channel=1)
    assert answer.data["warnings"] == []
    assert answer.text.endswith("--channel 1 --preset small")
    refused = check(data, channel=2)
    assert {problem["kind"] for problem in refused.data["problems"]} == {"too-few-channels"}


def test_misread_files_are_named(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(6):
        sound = (32768 * (burst(1500 + 100 * number, 0.1) + 0.001 * rng.standard_normal(16000))).astype(np.int16)
        put(tmp_path / "swapped" / "a" / f"{number}.wav", sound.byteswap())
        put(tmp_path / "joined" / "a" / f"{number}.wav", np.stack([sound, sound // 2], 1).ravel()[:16000])
    assert "6 of 6 are noise that is sound with its bytes swapped" in "\n".join(warnings_of(tmp_path / "swapped"))
    assert "6 of 6 seem to be two channels read as one" in "\n".join(warnings_of(tmp_path / "joined"))


def test_synthetic_syllables_give_no_alarm(tmp_path):
    write_dataset(dataset=Synthetic(per_class=3), save_dir=tmp_path / "set")
    assert warnings_of(tmp_path / "set") == []


def test_the_sheet_shows_eight_clips_of_each_class(data, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    drawn = {}
    real = sheet.draw_sheet

    def draw_sheet(clips, rate):
        drawn.update({label: len(row) for label, row in clips.items()})
        return real(clips, rate)

    monkeypatch.setattr("canarygan_core.tasks.check_data.draw_sheet", draw_sheet)
    for number in range(20):
        put(data / "$many_$" / f"{number}.wav", burst(500 + 30 * number, seconds=0.3))
    target = tmp_path / "new" / "sheet.png"
    answer = check(data, sheet=target)
    assert target.read_bytes().startswith(b"\x89PNG")
    assert f"Spectrograms of 8 clips a class: {target}" in answer.text
    assert drawn == {"$many_$": 8} | {f"syll_{number}": 4 for number in range(9)}
    with pytest.raises(UsageError, match="lies in the data folder"):
        check(data, sheet=data / "sheet.png")


def test_clips_are_chosen_evenly():
    assert sheet.choose_evenly(0) == []
    assert sheet.choose_evenly(3) == [0, 1, 2]
    assert sheet.choose_evenly(15) == [0, 2, 4, 6, 8, 10, 12, 14]
