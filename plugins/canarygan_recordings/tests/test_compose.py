"""Songs made: the chain, the level, the gaps, and syllables that decoders label as wanted."""

import csv
import itertools
import json

import numpy as np
import pytest
import soundfile
from canarygan_recordings.annotations.reading import read
from canarygan_recordings.composition import (
    FADE,
    PEAK,
    find_syllables,
    level,
    measure_crest,
    string_together,
)
from canarygan_recordings.markov import learn_chain
from canarygan_recordings.tasks import compose as task
from songs import PITCH, make_song, put_labels

from canarygan_core.cli import main
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted import decoders, generators

RATE = 16000
NAMES = ("a", "b", "c")


class Tones:
    """A generator: the first latent chooses the pitch, the second the steepness of the envelope, under faint noise."""

    latent_dim, rate, samples = 2, RATE, 3200
    progress = {"epoch": 1, "step": 1}  # noqa: RUF012

    def generate(self, z):
        time = np.arange(self.samples) / self.rate
        pitch = np.array([PITCH[name] for name in NAMES])[np.clip((z[:, :1] * 1.5 + 1.5).astype(int), 0, 2)]
        rise = np.clip(1 - np.abs(time - 0.1) / 0.05, 0, None) ** (0.4 + np.abs(z[:, 1:2]))
        noise = np.random.default_rng(0).normal(0, 1e-4, (len(z), self.samples))
        return (0.5 * rise * np.sin(2 * np.pi * pitch * time) + noise).astype(np.float32)


class Pitch:
    """A decoder by the loudest frequency, surer the nearer it is."""

    key, classes, garbage, folder, threshold = "pitch", NAMES, (), None, 0.0

    def posteriors(self, clips):
        spectrum = np.abs(np.fft.rfft(clips.audio, axis=1))
        hertz = spectrum.argmax(1) * clips.rate / clips.samples
        near = np.exp(-((hertz[:, None] - [PITCH[name] for name in NAMES]) ** 2) / 2e5) + 1e-6
        return (near / near.sum(1, keepdims=True)).astype(np.float32)

    def judge(self, clips):
        return decoders.Judgement.of(self.posteriors(clips), self.classes)


def decode(sounds):
    from canarygan_core.clips import Clips

    judged = Pitch().judge(Clips(np.asarray(sounds, np.float32), RATE))
    return judged.votes, judged.certainty


def draw(seed=0):
    drawn = np.random.default_rng(seed)
    return lambda count: drawn.uniform(-1, 1, (count, 2)).astype(np.float32)


def test_each_syllable_is_labelled_as_wanted_and_all_have_one_level():
    wanted = list("abccbaabcabccba")
    found = find_syllables(wanted, draw(), Tones().generate, decode, RATE, posterior=0.9, tries=2000)
    assert [one.label for one in found] == wanted
    peaks = [20 * np.log10(np.abs(one.sound).max()) for one in found]
    levels = [10 * np.log10(np.mean(np.square(one.sound, dtype=np.float64))) for one in found]
    assert np.ptp(peaks) < 0.01
    assert np.ptp(levels) < 1
    for one in found:
        again, sure = decode(np.pad(one.sound, (0, 3200 - len(one.sound)))[None])
        assert (again[0], sure[0] >= 0.9) == (one.label, True)
        assert one.sound[0] == 0
        assert abs(one.sound[-1]) < 0.02
    assert len({one.latent.tobytes() for one in found}) == len(found)


def test_what_never_comes_up_is_told_with_how_near_it_came():
    with pytest.raises(CanaryganError, match=r"200 latents brought too few .*: d \(2 more; at best 0\.00\)"):
        find_syllables(list("add"), draw(), Tones().generate, decode, RATE, posterior=0.9, tries=200)


@pytest.mark.parametrize("crest", [4.0, 6.0, 8.0])
def test_levelling_reaches_the_crest_and_keeps_the_tone(crest):
    time = np.arange(1600) / RATE
    sound = np.sin(np.pi * time / 0.1) * np.sin(2 * np.pi * 2500 * time)
    levelled = level(sound, RATE, crest)
    assert measure_crest(levelled) == pytest.approx(crest, abs=0.05)
    assert np.abs(levelled).max() == pytest.approx(PEAK)
    assert np.abs(np.fft.rfft(levelled)).argmax() == 250


def test_gaps_are_exact_and_silent():
    sounds = [np.ones(10, np.float32), np.full(20, 2, np.float32), np.full(5, 3, np.float32)]
    song, spans = string_together(sounds, [7, 0], 4)
    assert spans == [(4, 14), (21, 41), (41, 46)]
    assert len(song) == 50
    assert [int(value) for value in song] == [0] * 4 + [1] * 10 + [0] * 7 + [2] * 20 + [3] * 5 + [0] * 4


# The chain


def song(text, gap=0.05, length=0.1):
    return [(n * (gap + length), n * (gap + length) + length, label) for n, label in enumerate(text)]


def test_a_chain_counts_what_follows_and_keeps_the_gaps():
    chain = learn_chain([song("aab"), song("ab", gap=0.07)], pause=0.5)
    assert {key: dict(row) for key, row in chain.counts.items()} == {
        "": {"a": 2},
        "a": {"a": 1, "b": 2},
        "b": {"": 2},
    }
    np.testing.assert_allclose(chain.gaps["a", "b"], [0.05, 0.07])
    assert chain.labels == ["a", "b"]


def test_a_long_gap_ends_a_phrase():
    chain = learn_chain([[*song("ab"), (5.0, 5.1, "c")]], pause=0.5)
    assert dict(chain.counts["b"]) == {"": 1}
    assert dict(chain.counts[""]) == {"a": 1, "c": 1}


def test_what_is_drawn_follows_the_chain():
    chain = learn_chain([song("abac" * 20), song("abab" * 20)], pause=0.5)
    labels, gaps = chain.draw(3000, 0.5, seed=1)
    assert (labels, gaps) == chain.draw(3000, 0.5, seed=1)
    assert len(gaps) == 2999
    after_a = [after for before, after in itertools.pairwise(labels) if before == "a"]
    share = chain.counts["a"]["b"] / sum(chain.counts["a"].values())
    assert after_a.count("b") / len(after_a) == pytest.approx(share, abs=4 * (share * (1 - share) / 1500) ** 0.5)
    assert set(np.round(gaps, 6)) <= {0.05, 0.5}


def test_only_labels_that_decoders_know_are_drawn():
    chain = learn_chain([song("axbxab")], pause=0.5).keep(["a", "b"])
    assert set(chain.draw(50, 0.5, seed=0)[0]) == {"a", "b"}
    with pytest.raises(CanaryganError, match="No song begins with one of b"):
        learn_chain([song("ab")], pause=0.5).keep(["b"])
    with pytest.raises(CanaryganError, match="no labelled syllable"):
        learn_chain([[]], pause=0.5)


# The task


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """The toy generator and decoder in place of those on disk."""
    checkpoint, folder = tmp_path / "last.ckpt", tmp_path / "decoder"
    folder.mkdir()
    for path in (checkpoint, folder / decoders.RECORD):
        path.write_text("{}")
    decoder = Pitch()
    decoder.folder = folder
    monkeypatch.setattr(task.runs, "find_checkpoint", lambda path: checkpoint)
    monkeypatch.setattr(generators, "load", lambda *args, **options: (Tones(), None))
    monkeypatch.setattr(decoders, "load_all", lambda *args: [decoder])
    return ["compose", "-x", str(checkpoint), "-y", str(folder), "-s", str(tmp_path / "song")]


def test_a_typed_sequence(trained, tmp_path, capsys):
    assert main.main([*trained, "--sequence", "a b, c a", "--gap", "43.25"]) == 0
    assert "4 syllables" in capsys.readouterr().out
    (labels,) = read(tmp_path / "song" / "song.labels.txt")
    assert labels.labels.tolist() == ["a", "b", "c", "a"]
    onsets, offsets = (np.round(times * RATE).astype(int) for times in (labels.onsets, labels.offsets))
    assert (onsets[1:] - offsets[:-1]).tolist() == [round(0.04325 * RATE)] * 3
    sound, rate = soundfile.read(tmp_path / "song" / "song.wav")
    assert rate == RATE
    inside = np.zeros(len(sound), bool)
    for onset, offset in zip(onsets, offsets, strict=True):
        inside[onset:offset] = True
    assert not sound[~inside].any()
    edge = round(FADE * RATE)
    assert np.abs(np.diff(sound))[onsets[0] - edge : onsets[0] + 2].max() < 0.01
    rows = list(csv.DictReader((tmp_path / "song" / "song.csv").read_text().splitlines()))
    latents = np.load(tmp_path / "song" / "latents.npy")
    assert list(rows[0])[4:] == ["z1", "z2"]
    np.testing.assert_allclose([[float(row["z1"]), float(row["z2"])] for row in rows], latents, atol=1e-6)
    record = json.loads((tmp_path / "song" / "song.manifest.json").read_text())
    assert sorted(record["outputs"]) == ["latents.npy", "song.csv", "song.labels.txt", "song.wav"]
    assert main.main([*trained, "--sequence", "a"]) == 1
    assert "is there already" in capsys.readouterr().err


def test_a_learnt_sequence(trained, tmp_path):
    made = make_song(tmp_path / "songs" / "bird.wav", "abcabc")
    put_labels(made.path.with_suffix(".txt"), [*made.segments])
    assert main.main([*trained, "--learn", str(tmp_path / "songs"), "-n", "7", "--format", "textgrid"]) == 0
    (labels,) = read(tmp_path / "song" / "song.TextGrid")
    assert "".join(labels.labels) in "abcabcabcabc"
    record = json.loads((tmp_path / "song" / "song.manifest.json").read_text())
    assert record["chain"]["a"] == {"b": 2}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "by --sequence, or a folder to learn them from by --learn"),
        (["--sequence", "a z"], "decoders know no class 'z'; they know a, b, c"),
        (["--sequence", "a", "--posterior", "2"], "--posterior is 2"),
        (["--sequence", "a", "--gap", "-1"], "--gap -1 ms"),
        (["--sequence", "a", "--tries", "0"], "must be at least 1"),
    ],
)
def test_what_compose_cannot_do_is_told(trained, capsys, words, told):
    assert main.main([*trained, *words]) in (1, 2)
    assert told in capsys.readouterr().err
