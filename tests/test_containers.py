"""Sound files of every container and codec: read to their end, stretch by stretch, or called what they are."""

import io
import os
import threading

import numpy as np
import pytest
import soundfile
from recordings import noise

from canarygan_core import audio
from canarygan_core.audio import UnusableAudio, decoder
from canarygan_core.audio.containers import mend
from canarygan_core.audio.problems import Refusal
from canarygan_core.audio.soundfiles import read_stretch

CODECS = [
    *(("WAV", codec, 8000) for codec in ("GSM610", "G721_32", "NMS_ADPCM_16", "NMS_ADPCM_32", "IMA_ADPCM", "MS_ADPCM")),
    *(("WAV", codec, 44100) for codec in ("PCM_U8", "PCM_16", "PCM_24", "FLOAT", "ULAW")),
    ("FLAC", "PCM_16", 44100),
    ("OGG", "VORBIS", 44100),
    ("OGG", "OPUS", 48000),
    ("MP3", "MPEG_LAYER_III", 44100),
    ("MP3", "MPEG_LAYER_III", 22050),
    ("MP3", "MPEG_LAYER_III", 8000),
]
ENDINGS = {"WAV": "wav", "FLAC": "flac", "OGG": "ogg", "MP3": "mp3"}


def syllables(rate, seconds=4.0):
    """Bursts of tones, silence between them, louder and quieter: what makes a variable bit rate vary."""
    time = np.arange(round(rate * seconds)) / rate
    loud = (time % 0.25 < 0.1) * (0.2 + 0.6 * (time < seconds / 3))
    return (loud * np.sin(2 * np.pi * (400 + 300 * (time // 0.25)) * time)).astype(np.float32) * 0.7


def encode(sound, rate, container, codec, **options):
    stream = io.BytesIO()
    soundfile.write(stream, sound, rate, format=container, subtype=codec, **options)
    return stream.getvalue()


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def refused(path, **options):
    with pytest.raises(UnusableAudio) as raised:
        audio.read(path, 16000, **options)
    (problem,) = raised.value.problems
    assert problem.path == str(path)
    return problem


@pytest.mark.parametrize(("container", "codec", "rate"), CODECS)
def test_a_stretch_is_that_of_the_file_read_from_its_start(tmp_path, container, codec, rate):
    content = encode(syllables(rate), rate, container, codec)
    path = write(tmp_path / f"song.{ENDINGS[container]}", content)
    whole = soundfile.SoundFile(io.BytesIO(content)).read(4 * rate, dtype="float32")
    rng = np.random.default_rng(0)
    for onset in [*np.sort(rng.uniform(0, 3.8, 6)), 0.0, 3.7, 0.05]:
        stretch, native = read_stretch(path, rate, onset, onset + 0.1, filtering=audio.Filter(remove_mean=False))
        start = round(onset * rate)
        assert native == rate
        np.testing.assert_array_equal(stretch, whole[start : start + round(0.1 * rate)])


@pytest.mark.parametrize(("container", "codec", "rate"), CODECS)
def test_a_file_of_any_codec_is_read_whole(tmp_path, container, codec, rate):
    path = write(tmp_path / f"song.{ENDINGS[container]}", encode(syllables(rate), rate, container, codec))
    recording = audio.read(path, rate)
    assert 4 <= recording.seconds < 4.1
    assert recording.subtype == codec


def test_stretches_are_read_by_several_threads_at_once(tmp_path):
    content = encode(syllables(44100), 44100, "MP3", "MPEG_LAYER_III")
    paths = [write(tmp_path / f"{number}.mp3", content) for number in range(decoder.SHARED + 3)]
    whole = soundfile.read(io.BytesIO(content), dtype="float32")[0]
    wrong = []

    def read(seed):
        for onset in np.random.default_rng(seed).uniform(0, 3.8, 10):
            path = paths[int(1000 * onset) % len(paths)]
            stretch, _ = read_stretch(path, 44100, onset, onset + 0.1, filtering=audio.Filter(remove_mean=False))
            start = round(onset * 44100)
            if not np.array_equal(stretch, whole[start : start + 4410]):
                wrong.append(onset)

    threads = [threading.Thread(target=read, args=[seed]) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(decoder._shared) <= decoder.SHARED


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_stretch_that_is_not_finite_is_refused_as_a_file_is(tmp_path, value):
    sound = noise(0, 32000)
    sound[20000] = value
    path = write(tmp_path / "song.wav", encode(sound, 16000, "WAV", "FLOAT"))
    assert refused(path).kind == "not-finite"
    with pytest.raises(UnusableAudio, match=r"NaN or infinite samples from 1\.2 to 1\.3 s") as raised:
        read_stretch(path, 16000, 1.2, 1.3)
    assert raised.value.problems[0].kind == "not-finite"
    assert len(read_stretch(path, 16000, 0.2, 0.3)[0]) == 1600


def test_what_was_joined_is_damaged_and_not_half_read(tmp_path):
    parts = {
        "mp3": encode(syllables(44100), 44100, "MP3", "MPEG_LAYER_III"),
        "ogg": encode(syllables(44100), 44100, "OGG", "VORBIS"),
        "flac": encode(syllables(44100), 44100, "FLAC", "PCM_16"),
        "wav": encode(syllables(44100), 44100, "WAV", "PCM_16"),
    }
    for ending, part in parts.items():
        problem = refused(write(tmp_path / f"two.{ending}", part + part))
        assert problem.kind == "damaged"
        assert "one after the other" in problem.what
        with pytest.raises(Refusal):
            mend(part + part)
        assert mend(part) == part


def strip_xing(content):
    """An MP3 file without its first frame, which says how long it is."""
    return content[content.index(b"\xff\xfb", 4) if b"Xing" in content[:200] or b"Info" in content[:200] else 0 :]


@pytest.mark.parametrize("mode", ["VARIABLE", "AVERAGE", "CONSTANT"])
@pytest.mark.parametrize("turn", [1, -1])
def test_an_mp3_that_does_not_say_its_length_is_whole(tmp_path, mode, turn):
    sound = np.concatenate([noise(0, 2 * 44100), np.zeros(2 * 44100, np.float32)])[::turn]
    content = encode(sound, 44100, "MP3", "MPEG_LAYER_III", bitrate_mode=mode, compression_level=0.3)
    bare = strip_xing(content)
    assert b"Xing" not in bare[:200]
    assert b"Info" not in bare[:200]
    for tagged in (bare, b"ID3\x03\x00\x00\x00\x00\x00\x0a" + bytes(10) + bare, bare + b"TAG" + bytes(125)):
        path = write(tmp_path / "bare.mp3", tagged)
        assert abs(audio.read(path, 44100).frames - len(sound)) < 3000
        stretch, _ = read_stretch(path, 44100, 3.5, 3.9)
        assert (np.abs(stretch).max() > 0.1) == (turn < 0)
    assert refused(write(tmp_path / "cut.mp3", content[: len(content) // 2])).kind == "truncated"


@pytest.mark.parametrize("container", ["RIFF", "RIFX", "RF64"])
def test_a_recorder_that_lost_power_leaves_a_size_of_0_and_its_sound_is_read(tmp_path, container):
    sound = noise(0, 48000)
    options = {"endian": "BIG"} if container == "RIFX" else {}
    name = "RF64" if container == "RF64" else "WAV"
    content = bytearray(encode(sound, 16000, name, "PCM_16", **options))
    assert content[:4] == container.encode()
    at = content.index(b"data") + 4
    if container == "RF64" and content[at : at + 4] == b"\xff" * 4:
        at = content.index(b"ds64") + 16
        content[at : at + 8] = bytes(8)
    else:
        content[at : at + 4] = bytes(4)
    path = write(tmp_path / "killed.wav", bytes(content))
    recording = audio.read(path, 16000, filtering=audio.Filter(remove_mean=False))
    assert recording.frames == 48000
    np.testing.assert_allclose(recording.audio, sound, atol=1e-4)
    stretch, _ = read_stretch(path, 16000, 2.0, 2.5, filtering=audio.Filter(remove_mean=False))
    np.testing.assert_allclose(stretch, sound[32000:40000], atol=1e-4)


def test_a_file_that_is_empty_indeed_stays_so(tmp_path):
    empty = encode(np.zeros(0, np.float32), 16000, "WAV", "PCM_16")
    assert refused(write(tmp_path / "a.wav", empty)).kind == "empty"
    chunk = b"LIST" + (4).to_bytes(4, "little") + b"INFO"
    assert refused(write(tmp_path / "b.wav", empty + chunk)).kind == "empty"


def test_a_header_that_says_less_than_there_is_is_not_believed(tmp_path):
    content = bytearray(encode(noise(0), 16000, "WAV", "PCM_16"))
    at = content.index(b"data") + 4
    content[at : at + 4] = (8000).to_bytes(4, "little")
    problem = refused(write(tmp_path / "less.wav", bytes(content)))
    assert problem.kind == "damaged"
    assert "after the 8000 bytes of sound that its header promises" in problem.what
    whole = encode(noise(0), 16000, "WAV", "PCM_16")
    for rest in (bytes(500), b"LIST" + (500).to_bytes(4, "little") + b"INFO" + bytes(496), b"TAG" + b"x" * 125):
        assert audio.read(write(tmp_path / "more.wav", whole + rest), 16000).frames == 16000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the platform has no pipes in folders")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    from canarygan_core.audio import archives
    from canarygan_core.errors import CanaryganError
    from canarygan_core.fitted import latents
    from canarygan_core.runs import files

    os.mkfifo(tmp_path / "x.wav")
    assert refused(tmp_path / "x.wav").kind == "unreadable"
    for read in (archives.read, files.read_text, lambda path: latents.read(path, 3)):
        with pytest.raises(CanaryganError, match=r"x\.wav"):
            read(tmp_path / "x.wav")


def test_a_decoder_that_fails_in_its_own_way_names_the_file(tmp_path, monkeypatch):
    path = write(tmp_path / "a.wav", encode(noise(0), 16000, "WAV", "PCM_16"))
    for error in (ValueError("frames must be specified"), MemoryError(), RuntimeError("odd"), AssertionError()):

        def fail(*_, error=error, **__):
            raise error

        monkeypatch.setattr(decoder.Decoder, "read", fail)
        assert refused(path).kind == "damaged"
    monkeypatch.undo()
    monkeypatch.setattr(soundfile, "SoundFile", fail)
    assert refused(path).kind == "damaged"
