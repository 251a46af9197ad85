"""`score`: the same sounds score the same by every way in, and what one metric does hurts no other."""

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from toy_models import Memory

import canarygan_core
from canarygan_core import audio
from canarygan_core.audio import archives
from canarygan_core.audio.sounds import collect_sounds
from canarygan_core.cli import main
from canarygan_core.components import Metric
from canarygan_core.fitted import generators
from canarygan_core.plugins import get_registry
from canarygan_core.tasks import score
from canarygan_core.testing import toy_clips

RATE, SAMPLES = 16000, 4096
SOUNDS = np.round(toy_clips(12, classes=3, samples=SAMPLES, seed=5).audio * 32768).astype(np.float32) / 32768
"""Such as a 16-bit file holds exactly."""


@dataclass(frozen=True)
class Longest(Metric):
    """What is heard: length, level and end of each sound."""

    name: ClassVar[str] = "longest"

    def score(self, generated, reference):
        level = 10 * np.log10(np.square(generated.audio, dtype=np.float64).mean())
        return {
            "samples": float(generated.samples),
            "level": float(level),
            "tail": float(generated.audio[:, -9:].sum()),
        }


@dataclass(frozen=True)
class Broken(Longest):
    """Raises what nobody expects."""

    name: ClassVar[str] = "broken"

    def score(self, generated, reference):
        raise ZeroDivisionError("of mine")


@dataclass(frozen=True)
class Odd(Longest):
    """Gives no numbers."""

    name: ClassVar[str] = "odd"

    def score(self, generated, reference):
        return {"x": "loud"}


@dataclass(frozen=True)
class Deafening:
    """A listener that fails."""

    def __call__(self, clips):
        raise KeyError("feature")


@dataclass(frozen=True)
class Deaf(Longest):
    """Cannot hear."""

    name: ClassVar[str] = "deaf"

    def listener(self):
        return Deafening()


@dataclass(frozen=True)
class Mute(Longest):
    """Has no listener."""

    name: ClassVar[str] = "mute"

    def listener(self):
        raise RuntimeError("no ears")


@pytest.fixture
def ways(tmp_path, monkeypatch):
    """The same sounds by a model, by an archive and by WAV files; words for each."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(generators, "load", lambda *_, **__: (Memory(SOUNDS, RATE), None))
    (tmp_path / "toy.ckpt").write_text("")
    np.save(tmp_path / "z.npy", np.arange(12, dtype=np.float32)[:, None])
    with archives.writing(tmp_path / "made.npz", SOUNDS.nbytes) as archive:
        archive.add("x", SOUNDS)
        archive.add("rate", np.asarray(RATE))
    for row, sound in enumerate(SOUNDS):
        audio.write(tmp_path / "files" / f"{row:02d}.wav", sound, RATE)
    return {"-x": ["-x", "toy.ckpt", "-z", "z.npy"], "archive": ["made.npz"], "wav": ["files"]}


def run(words, *more):
    data = ["--dataset", "synthetic", "--syllables", "3", "--per-class", "8"]
    code = main.main(["score", *words, *data, *more, "--overwrite", "-q"])
    return code, json.loads(Path("scores/scores.json").read_text())["metrics"]


def check_equal(ways, *metrics):
    chosen = [word for name in metrics for word in ("--metric", name)]
    told = {way: run(words, *chosen, "--no-context")[1] for way, words in ways.items()}
    for name in metrics:
        scores = {way: record[name]["scores"] for way, record in told.items()}
        for way in ("archive", "wav"):
            assert scores[way].keys() == scores["-x"].keys(), (name, way)
            for key, value in scores["-x"].items():
                assert scores[way][key] == pytest.approx(value, rel=1e-6, abs=1e-6), (name, way, key)


def test_the_same_sounds_score_the_same_by_every_way_in(ways, installed, monkeypatch):
    registry = installed(Longest)
    monkeypatch.setattr(score, "get_registry", lambda: registry)
    check_equal(ways, "longest")
    assert run(ways["-x"])[1]["longest"]["scores"]["samples"] == 16000, "that of the real clips"


def test_installed_metrics_score_the_same_by_every_way_in(ways):
    names = [name for name in get_registry().names("metric") if not get_registry().get("metric", name).needs_unseen]
    names = [name for name in names if "model_ckpt" not in get_registry().get("metric", name).__dataclass_fields__]
    if not names:
        pytest.skip("needs a metric that needs no model")
    check_equal(ways, *names)


def test_a_metric_that_raises_anything_loses_nothing_of_the_others(ways, installed, monkeypatch, capsys):
    registry = installed(Broken, Deaf, Longest, Mute, Odd)
    monkeypatch.setattr(score, "get_registry", lambda: registry)
    code, told = run(ways["wav"])
    assert code == 1
    assert told["longest"]["scores"]["samples"] == 16000
    assert told["broken"]["error"].startswith("broken: ZeroDivisionError: of mine (")
    assert told["deaf"]["error"].startswith("deaf: KeyError: 'feature' (")
    assert told["odd"]["error"] == "odd: it gave x as str, and a score is a number."
    assert told["mute"]["error"].startswith("RuntimeError: no ears (")
    assert "Traceback" not in capsys.readouterr().err


def test_a_name_that_two_plugins_claim_is_left_out_of_a_bare_score(ways, offer, monkeypatch):
    import types

    from canarygan_core import hookimpl
    from canarygan_core.cli.binding import Command
    from canarygan_core.plugins import Plugin

    registry = offer(Longest, Odd)
    module = types.ModuleType("rival")
    module.register_metrics = hookimpl(lambda: [Odd])
    registry.add(Plugin("rival", "canarygan-rival", "1.0"), module)
    command = Command(registry.task(["score"]), [*ways["wav"]], registry)
    assert [cls.name for choice in command.choices for cls in choice.classes if choice.kind == "metric"] == ["longest"]


def test_the_wav_files_of_an_archive_do_not_count_beside_it(tmp_path):
    with archives.writing(tmp_path / "made.npz", SOUNDS.nbytes) as archive:
        archive.add("x", SOUNDS)
        archive.add("rate", np.asarray(RATE))
    for row, sound in enumerate(SOUNDS):
        audio.write(tmp_path / "made" / f"{row:02d}.wav", sound, RATE)
    audio.write(tmp_path / "other" / "a.wav", SOUNDS[0], RATE)
    files = [sound.file for sound in collect_sounds([tmp_path])]
    assert len(files) == 13
    assert files.count(str(tmp_path / "made.npz")) == 12
    assert len(collect_sounds([tmp_path / "made.npz", tmp_path / "made"])) == 12
    assert len(collect_sounds([tmp_path / "made"])) == 12


@dataclass(frozen=True)
class Latent(Metric):
    """What is known of the latents."""

    name: ClassVar[str] = "latent"

    def score(self, generated, reference):
        return {"sum": -1.0 if generated.latents is None else float(generated.latents.sum())}


def test_metrics_know_the_latents_where_they_are_known(ways, installed, monkeypatch):
    registry = installed(Latent)
    monkeypatch.setattr(score, "get_registry", lambda: registry)
    z = np.arange(12, dtype=np.float32)[:, None]
    for name, latents in (("latent", z), ("wide", np.zeros((12, 2), np.float32)), ("short", z[:3])):
        with archives.writing(Path(f"{name}.npz"), SOUNDS.nbytes) as archive:
            for key, array in {"x": SOUNDS, "rate": RATE, "z": latents}.items():
                archive.add(key, array)
    known = {"-x": ways["-x"], "archive": ["latent.npz"], "several": ["latent.npz", "wide.npz"], "short": ["short.npz"]}
    told = {way: run(words, "--no-context")[1]["latent"]["scores"]["sum"] for way, words in (known | ways).items()}
    assert told == {"-x": 66.0, "archive": -1.0, "wav": -1.0, "several": -1.0, "short": -1.0}
    assert run(["latent.npz"], "--no-context")[1]["latent"]["scores"]["sum"] == 66.0
    assert run(["latent.npz", *ways["wav"]], "--no-context")[1]["latent"]["scores"]["sum"] == -1.0


FITS = []
"""Number of real clips, each time that a metric was fitted to them."""


@dataclass(frozen=True)
class Fits(Longest):
    """Is fitted to real clips, and draws."""

    name: ClassVar[str] = "fits"

    def fit(self, reference):
        FITS.append(len(reference))
        return SimpleNamespace(score=lambda generated: self.score(generated, reference))

    def draw(self, generated, reference, folder):
        (folder / "level.png").write_bytes(b"\x89PNG of %d and %d" % (len(generated), len(reference)))
        return [folder / "level.png"]


@dataclass(frozen=True)
class Scribbles(Longest):
    """Cannot draw."""

    name: ClassVar[str] = "scribbles"

    def draw(self, generated, reference, folder):
        return [folder / "gone.png"]


def test_a_metric_is_fitted_once_for_all_sets(ways, installed, monkeypatch):
    registry = installed(Fits)
    monkeypatch.setattr(score, "get_registry", lambda: registry)
    FITS.clear()
    assert set(run(ways["-x"], "--resamplings", "0")[1]["fits"]["context"]) == {"noise"}
    assert FITS == [24]
    real, sets = toy_clips(8), {"early": toy_clips(4, seed=1), "late": toy_clips(6, seed=2)}
    told = canarygan_core.score([Fits(), Longest()], sets, real)
    assert FITS == [24, 8]
    assert told == {name: canarygan_core.score([Fits(), Longest()], clips, real) for name, clips in sets.items()}


def test_figures_of_metrics_are_drawn_where_they_are_asked_for(ways, installed, monkeypatch, capsys):
    registry = installed(Fits, Scribbles)
    monkeypatch.setattr(score, "get_registry", lambda: registry)
    run(ways["-x"], "--no-context")
    assert sorted(path.name for path in Path("scores").iterdir()) == ["manifest.json", "scores.json"]
    code, told = run(ways["-x"], "--no-context", "--figures")
    assert code == 0
    assert told["scribbles"]["scores"]
    assert Path("scores/fits-level.png").read_bytes() == b"\x89PNG of 12 and 24"
    assert "fits-level.png" in Path("scores/manifest.json").read_text()
    assert "scribbles: no figure: scribbles tells of a figure gone.png" in capsys.readouterr().err
