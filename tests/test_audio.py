"""Reading and writing of sound files."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from canarygan_core import audio
from canarygan_core.errors import CanaryganError


def tone(frequency, rate, seconds=1.0, peak=0.5):
    return (peak * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def problem(path, **options):
    with pytest.raises(audio.UnusableAudio) as caught:
        audio.read(path, 16000, **options)
    (found,) = caught.value.problems
    assert found.path == str(path)
    assert found.what in str(caught.value)
    return found


@pytest.mark.parametrize(
    ("name", "subtype", "step"),
    [
        ("a.wav", "PCM_U8", 2**-7),
        ("a.wav", "PCM_16", 2**-15),
        ("a.wav", "PCM_24", 2**-23),
        ("a.wav", "PCM_32", 2**-23),
        ("a.wav", "FLOAT", 0),
        ("a.wav", "DOUBLE", 0),
        ("a.flac", "PCM_16", 2**-15),
        ("a.flac", "PCM_24", 2**-23),
    ],
)
def test_values_survive_every_encoding(tmp_path, name, subtype, step):
    sound = tone(1000, 16000, 0.1)
    soundfile.write(tmp_path / name, sound, 16000, subtype=subtype)
    found = audio.read(tmp_path / name, 16000, filtering=audio.NOTHING)
    assert found.audio.dtype == np.float32
    assert np.abs(found.audio - sound).max() <= 1.5 * step
    assert (found.native_rate, found.channels, found.frames, found.subtype) == (16000, 1, 1600, subtype)
    assert found.peak == pytest.approx(0.5, abs=2 * step + 1e-6)
    assert found.rms == pytest.approx(0.5 / np.sqrt(2), abs=2 * step + 1e-4)
    assert found.seconds == pytest.approx(0.1)
    assert not found.clipped


@pytest.mark.parametrize("name", ["a.ogg", "a.mp3"])
def test_lossy_files_keep_the_sound(tmp_path, name):
    sound = tone(1000, 44100, 1.0)
    soundfile.write(tmp_path / name, sound, 44100)
    found = audio.read(tmp_path / name, 16000)
    spectrum = np.abs(np.fft.rfft(found.audio[:16000]))
    assert spectrum.argmax() == 1000
    assert found.rms == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


def test_channels_are_averaged(tmp_path):
    left, right = tone(500, 16000), tone(2000, 16000, peak=0.25)
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], axis=1), 16000, subtype="FLOAT")
    found = audio.read(tmp_path / "a.wav", 16000)
    assert found.channels == 2
    np.testing.assert_allclose(found.audio, (left + right) / 2, atol=1e-7)


@pytest.mark.parametrize("native", [8000, 22050, 32000, 44100, 48000])
def test_resampling_keeps_frequency_level_and_length(tmp_path, native):
    soundfile.write(tmp_path / "a.wav", tone(3000.5, native), native, subtype="FLOAT")
    sound = audio.read(tmp_path / "a.wav", 16000).audio
    assert abs(len(sound) - 16000) <= 1
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 160000))
    assert spectrum.argmax() / 10 == pytest.approx(3000.5, abs=0.2)
    middle = sound[4000:12000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)


def test_a_tone_above_the_new_nyquist_is_gone(tmp_path):
    mixed = tone(1000, 44100, peak=0.25) + tone(10000, 44100, peak=0.5)
    soundfile.write(tmp_path / "a.wav", mixed, 44100, subtype="FLOAT")
    sound = audio.read(tmp_path / "a.wav", 16000).audio[2000:14000]
    spectrum = np.abs(np.fft.rfft(sound * np.blackman(len(sound)))) / (0.42 * len(sound) / 2)
    alias = round(6000 * len(sound) / 16000)
    level = 20 * np.log10(spectrum[alias - 20 : alias + 20].max() / 0.5)
    assert level < -90, "10 kHz folds down to 6 kHz"


def test_missing_and_dangling(tmp_path):
    (tmp_path / "link.wav").symlink_to(tmp_path / "gone.wav")
    assert problem(tmp_path / "none.wav").kind == "missing"
    assert problem(tmp_path / "link.wav").kind == "missing"


def test_a_folder_is_unreadable(tmp_path):
    (tmp_path / "a.wav").mkdir()
    assert problem(tmp_path / "a.wav").kind == "unreadable"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path):
    audio.write(tmp_path / "a.wav", tone(500, 16000), 16000)
    (tmp_path / "a.wav").chmod(0)
    assert problem(tmp_path / "a.wav").kind == "unreadable"


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"", "zero-byte", "0 bytes"),
        (b"hello, I am no sound\n" * 9, "not-audio", "text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "not-audio", "Git LFS"),
        (bytes(range(256)) * 4, "not-audio", "not a sound file"),
        (b"RIFF\x24\x00\x00\x00WAVEfm", "damaged", "begins as sound"),
    ],
)
def test_what_is_no_sound(tmp_path, content, kind, said):
    (tmp_path / "a.wav").write_bytes(content)
    found = problem(tmp_path / "a.wav")
    assert found.kind == kind
    assert said in found.what


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_half_a_file_is_never_taken_for_a_whole(tmp_path, name):
    soundfile.write(tmp_path / name, tone(500, 44100), 44100)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    assert problem(tmp_path / name).kind in ("truncated", "damaged")


def test_a_header_without_its_sound_is_truncated(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(500, 16000), 16000)
    (tmp_path / "a.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:44])
    found = problem(tmp_path / "a.wav")
    assert found.kind == "truncated"
    assert "promises 32000 bytes of sound, it holds 0" in found.what


def test_a_wav_written_to_a_pipe_is_whole(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(500, 16000), 16000)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    assert content[36:40] == b"data"
    for unknown in (2**32 - 1, 0x7FFFF000):
        content[40:44] = struct.pack("<I", unknown)
        (tmp_path / "a.wav").write_bytes(content)
        assert audio.read(tmp_path / "a.wav", 16000).frames == 16000


def test_chunks_around_the_sound_do_not_matter(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(500, 16000), 16000)
    content = (tmp_path / "a.wav").read_bytes()
    odd = b"LIST" + struct.pack("<I", 5) + b"abcde\0"
    (tmp_path / "a.wav").write_bytes(content[:36] + odd + content[36:] + odd)
    assert audio.read(tmp_path / "a.wav", 16000).frames == 16000


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(tmp_path, bad):
    sound = tone(500, 16000)
    sound[77] = bad
    soundfile.write(tmp_path / "a.wav", sound, 16000, subtype="FLOAT")
    assert problem(tmp_path / "a.wav").kind == "not-finite"


def test_empty_silent_short_and_long(tmp_path):
    def written(sound):
        soundfile.write(tmp_path / "a.wav", sound, 16000, subtype="FLOAT")
        return tmp_path / "a.wav"

    assert problem(written(np.zeros(0))).kind == "empty"
    assert problem(written(np.zeros(16000))).kind == "silent"
    assert problem(written(tone(500, 16000, peak=5e-6))).kind == "silent"
    assert problem(written(tone(500, 16000, 0.009))).kind == "too-short"
    assert problem(written(tone(500, 16000, 3)), longest=2.0).kind == "too-long"
    assert audio.read(written(tone(500, 16000, 0.011)), 16000, longest=2.0).frames == 176


def test_channels_that_cancel_are_silence(tmp_path):
    sound = tone(500, 16000)
    soundfile.write(tmp_path / "a.wav", np.stack([sound, -sound], axis=1), 16000, subtype="FLOAT")
    assert "cancel" in problem(tmp_path / "a.wav").what


def test_clipping_is_known(tmp_path):
    def clipped(sound, subtype):
        soundfile.write(tmp_path / "a.wav", sound, 16000, subtype=subtype)
        return audio.read(tmp_path / "a.wav", 16000).clipped

    assert clipped(np.clip(tone(100, 16000, peak=1.5), -1, 1), "PCM_16")
    assert clipped(np.clip(tone(100, 16000, peak=1.5), -1, 0.9), "PCM_16")
    assert clipped(np.clip(tone(100, 16000, peak=1.5), -0.9, 0.995), "PCM_U8")
    assert not clipped(tone(100, 16000, peak=0.95), "PCM_16")
    assert not clipped(tone(100, 16000, peak=0.95), "PCM_U8")


def test_sixteen_bits_come_back_unchanged(tmp_path):
    values = np.arange(-32768, 32768, dtype=np.int16)
    audio.write(tmp_path / "new" / "a.wav", values / np.float32(32768), 16000)
    back, rate = soundfile.read(tmp_path / "new" / "a.wav", dtype="int16")
    assert rate == 16000
    np.testing.assert_array_equal(back, values)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.wav"]


def test_sixteen_bits_clip_and_floats_do_not(tmp_path):
    loud = np.array([-2.0, 0.0, 2.0] * 100, dtype=np.float32)
    audio.write(tmp_path / "a.wav", loud, 16000)
    assert soundfile.read(tmp_path / "a.wav", dtype="int16")[0][:3].tolist() == [-32768, 0, 32767]
    audio.write(tmp_path / "b.wav", loud, 16000, "FLOAT")
    np.testing.assert_array_equal(soundfile.read(tmp_path / "b.wav", dtype="float32")[0], loud)


def test_a_write_that_fails_keeps_what_was_there(tmp_path):
    audio.write(tmp_path / "a.wav", tone(500, 16000), 16000)
    before = (tmp_path / "a.wav").read_bytes()
    with pytest.raises(CanaryganError, match="NaN"):
        audio.write(tmp_path / "a.wav", np.array([np.nan]), 16000)
    with pytest.raises(CanaryganError, match="Cannot write"):
        audio.write(tmp_path / "a.wav" / "b.wav", tone(500, 16000), 16000)
    assert (tmp_path / "a.wav").read_bytes() == before


def test_a_report_names_twenty_and_counts_the_rest():
    problems = [audio.Problem(f"c/{n:02}.wav", "silent", "is silent", "Remove it.") for n in range(33)]
    lines = str(audio.UnusableAudio(problems, advice="Mend them.")).splitlines()
    assert lines[0] == "33 files cannot be used:"
    assert lines[1] == "  c/00.wav: is silent"
    assert lines[-2:] == ["  ... and 13 more", "Mend them."]
    assert len(lines) == 23


def test_equal_bytes_have_equal_digests(tmp_path: Path):
    for name, peak in (("a", 0.5), ("b", 0.5), ("c", 0.4)):
        audio.write(tmp_path / f"{name}.wav", tone(500, 16000, peak=peak), 16000)
    a, b, c = (audio.read(tmp_path / f"{name}.wav", 16000).digest for name in "abc")
    assert a == b != c
