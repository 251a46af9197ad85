"""`score`: any metric, on sounds that come from files, archives or a model, streamed."""

import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from canarygan_core import audio
from canarygan_core.audio import archives
from canarygan_core.audio.noise import draw_white_noise
from canarygan_core.cli import main
from canarygan_core.clips import Clips
from canarygan_core.components import Metric
from canarygan_core.datasets.synthetic import Synthetic
from canarygan_core.errors import CanaryganError
from canarygan_core.evaluation import streaming
from canarygan_core.fitted import generators
from canarygan_core.runs import Request, open_run
from canarygan_core.tasks import score
from canarygan_core.testing import toy_clips


@dataclass(frozen=True)
class Loudness(Metric):
    """Difference of mean levels; keeps sounds whole."""

    name: ClassVar[str] = "loudness"

    offset: float = 0.0
    """Added, for a test, dB."""
    seed: int = 0
    """Seed, for a test."""

    def score(self, generated, reference):
        levels = [20 * np.log10(np.sqrt((clips.audio**2).mean())) for clips in (generated, reference)]
        return {"difference": float(levels[0] - levels[1] + self.offset), "seed": float(self.seed)}


HEARD = []


@dataclass(frozen=True)
class Blind(Metric):
    """Counts the unseen clips; needs some."""

    name: ClassVar[str] = "blind"
    needs_unseen: ClassVar[bool] = True

    def score(self, generated, reference):
        groups = reference.facts.get("group", ())
        return {"unseen": float(reference.facts["unseen"].sum()), "groups": float(len(np.unique(groups)))}


@dataclass(frozen=True)
class Peaks:
    """Keeps the peaks alone, and notes how many clips came at a time."""

    def __call__(self, clips):
        HEARD.append(len(clips))
        return replace(clips, audio=np.empty((len(clips), 0), np.float32), facts={"peak": np.abs(clips.audio).max(1)})


@dataclass(frozen=True)
class Peak(Metric):
    """Mean peak; its listener keeps no sound."""

    name: ClassVar[str] = "peak"

    def listener(self):
        return Peaks()

    def score(self, generated, reference):
        assert generated.audio.shape[1] == 0
        if generated.labels is not None:
            return {"labelled": 1.0, "peak": float(generated.facts["peak"].mean())}
        return {"peak": float(generated.facts["peak"].mean())}


@dataclass(frozen=True)
class Trough(Peak):
    """Shares the listener of `peak`."""

    name: ClassVar[str] = "trough"


@dataclass(frozen=True)
class Wanting(Metric):
    """Needs a model to listen with."""

    name: ClassVar[str] = "wanting"

    model_ckpt: Path | None = None
    """Model, path."""

    def listener(self):
        if self.model_ckpt is None:
            raise CanaryganError("wanting listens with a model: give -m.")
        return Peaks()

    def score(self, generated, reference):
        if len(generated) < 4:
            raise CanaryganError("wanting needs 4 clips at least.")
        return {"path": float(len(str(self.model_ckpt)))}


@pytest.fixture
def ask(installed, monkeypatch, tmp_path, capsys):
    """A function that runs `score` on synthetic clips and gives its exit code, its record and what it said."""
    registry = installed(Blind, Loudness, Peak, Trough, Wanting)
    monkeypatch.setattr(score, "get_registry", lambda: registry)
    monkeypatch.chdir(tmp_path)
    data = ["--dataset", "synthetic", "--syllables", "2", "--per-class", "6"]

    def run(*words):
        HEARD.clear()
        code = main.main(["score", *data, *map(str, words)])
        path = tmp_path / "scores" / "scores.json"
        return code, json.loads(path.read_text()) if path.is_file() else None, capsys.readouterr()

    return run


@pytest.fixture
def archive(tmp_path):
    """An archive of 250 generated sounds with labels."""
    clips = toy_clips(250, samples=2000)
    path = tmp_path / "generation.npz"
    with archives.writing(path, clips.audio.nbytes) as writer:
        writer.add("x", clips.audio)
        writer.add("y_knn", clips.labels)
        writer.add("rate", np.asarray(16000))
    return path


def test_every_installed_metric_is_asked_and_those_that_cannot_listen_are_left_out(ask, archive):
    code, record, said = ask(archive)
    assert code == 0
    assert set(record["metrics"]) == {"blind", "loudness", "peak", "trough", "wanting"}
    assert "give -m" in record["metrics"]["wanting"]["error"]
    assert "Left out: wanting: " in said.err
    assert record["metrics"]["peak"]["scores"]["labelled"] == 1
    assert record["generated"]["clips"] == 250
    assert record["reference"]["clips"] == 12


def test_coordinates_beside_a_generation_are_passed_over(ask, archive):
    np.savez(archive.with_name("generation.umap.npz"), coordinates=np.zeros((250, 2), np.float32))
    code, record, said = ask(*sorted(archive.parent.glob("*.npz")), "--metric", "peak", "--no-context")
    assert code == 0
    assert record["generated"]["clips"] == 250
    assert record["metrics"]["peak"]["scores"]["labelled"] == 1
    assert said.err.count("generation.umap.npz") == 1


def test_metrics_of_equal_listeners_share_one_and_no_more_than_a_batch_is_heard_at_a_time(ask, archive):
    ask(archive, "--metric", "peak", "--metric", "trough", "--no-context")
    assert max(HEARD) <= 256
    assert sum(HEARD) == 250 + 12


def test_as_many_real_sounds_and_noise_stand_beside(ask, archive):
    _, record, said = ask(archive, "--metric", "loudness")
    told = record["metrics"]["loudness"]
    assert abs(told["context"]["real"]["difference"]) < 3
    assert told["context"]["noise"]["difference"] > abs(told["context"]["real"]["difference"]) + 0.3
    assert "real, 95 %" in said.out
    assert "white noise" in said.out
    _, record, _ = ask(archive, "--metric", "loudness", "--no-context", "--overwrite")
    assert "context" not in record["metrics"]["loudness"]


def test_options_and_the_seed_reach_the_metrics(ask, archive):
    _, record, _ = ask(archive, "--metric", "loudness", "--loudness.offset", "100", "--seed", "3")
    told = record["metrics"]["loudness"]
    assert told["options"] == {"offset": 100.0, "seed": 3}
    assert told["scores"]["seed"] == 3
    _, record, _ = ask(archive, "--metric", "loudness", "--loudness.seed", "5", "--seed", "3", "--overwrite")
    assert record["metrics"]["loudness"]["scores"]["seed"] == 5


def test_the_model_to_listen_with_is_given_to_those_that_want_one(ask, archive, tmp_path):
    _, record, _ = ask(archive, "--metric", "wanting", "-m", "abc")
    assert record["metrics"]["wanting"]["scores"]["path"] == 3
    _, record, _ = ask(archive, "--metric", "wanting", "-m", "abc", "--wanting.model-ckpt", "own", "--overwrite")
    assert record["metrics"]["wanting"]["options"]["model_ckpt"] == "own"


def test_the_models_that_metrics_listen_with_are_recorded_and_verified(ask, archive, tmp_path, capsys):
    def put(path, content):
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as checkpoint:
            checkpoint.writestr("weights", content)

    with open_run(tmp_path / "inception", Request("train")) as run:
        for path in (run.best, run.last, tmp_path / "own.ckpt"):
            put(path, path.stem)
    place = tmp_path / "scores"
    manifest = place / "manifest.json"

    def list_models(*words):
        ask(archive, "--no-context", "--overwrite", *words)
        inputs = json.loads(manifest.read_text())["inputs"]
        return {name: Path(one["path"]) for name, one in inputs.items() if name.startswith("model")}

    given = ("-m", tmp_path / "inception")
    assert list_models("--metric", "peak", *given) == {}
    own = ("--wanting.model-ckpt", tmp_path / "own.ckpt")
    assert list_models("--metric", "wanting", *given, *own) == {"model": tmp_path / "own.ckpt"}
    assert list_models("--metric", "wanting", *given) == {"model": run.best}
    assert main.main(["verify", str(place), "--no-data"]) == 0
    put(run.best, "of another training")
    assert main.main(["verify", str(place), "--no-data"]) == 1
    assert f"{run.best} is not the file that score read for {manifest}." in capsys.readouterr().out


def test_a_metric_without_a_score_loses_nothing_of_the_others(ask, tmp_path):
    audio.write(tmp_path / "one.wav", toy_clips(1, samples=2000).audio[0], 16000)
    code, record, said = ask(tmp_path / "one.wav", "-m", "abc")
    assert code == 1
    assert record["metrics"]["wanting"]["error"] == "wanting needs 4 clips at least."
    assert "scores" in record["metrics"]["peak"]
    manifest = json.loads((tmp_path / "scores" / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert any("wanting needs 4 clips" in warning["message"] for warning in manifest["warnings"])
    assert "wanting needs 4 clips" in said.err


def test_where_no_metric_has_a_score_nothing_is_left_in_the_way(ask, archive, tmp_path):
    audio.write(tmp_path / "one.wav", toy_clips(1, samples=2000).audio[0], 16000)
    words = ("--metric", "wanting", "-m", "abc")
    code, record, said = ask(tmp_path / "one.wav", *words)
    assert (code, record) == (1, None)
    assert "No metric gave a score:\nwanting needs 4 clips" in said.err
    assert ask(archive, *words)[0] == 0


def test_a_model_that_no_metric_listens_with_is_said(ask, archive):
    assert "-m abc: none of these metrics" in ask(archive, "--metric", "peak", "-m", "abc")[2].err
    assert "none of these metrics" not in ask(archive, "--metric", "wanting", "-m", "abc", "--overwrite")[2].err


def test_broken_sounds_of_an_archive_are_named(ask, tmp_path):
    sounds = toy_clips(4, samples=2000).audio.copy()
    sounds[2, 7] = np.nan
    np.savez(tmp_path / "broken.npz", x=sounds, rate=16000)
    code, record, said = ask(tmp_path / "broken.npz", "--metric", "peak")
    assert (code, record) == (1, None)
    assert "broken.npz#2: holds NaN or infinite samples" in said.err


class Toy:
    latent_dim, rate, samples, progress = 2, 32000, 4000, {"epoch": 1, "step": 1}

    def generate(self, z):
        return np.repeat(z[:, :1], self.samples, axis=1)


def test_a_model_makes_sounds_on_the_way_at_the_rate_of_the_real_clips(ask, tmp_path, monkeypatch):
    (tmp_path / "toy.ckpt").write_text("")
    monkeypatch.setattr(generators, "load", lambda *_, **__: (Toy(), None))
    shapes = []
    whole = streaming.listen
    monkeypatch.setattr(
        streaming,
        "listen",
        lambda batches, **rest: whole((shapes.append(one.audio.shape) or one for one in batches), **rest),
    )
    code, record, _ = ask("-x", "toy.ckpt", "-n", 250, "--metric", "peak", "--no-context")
    assert code == 0
    samples = Synthetic(syllables=2, per_class=1).load().samples
    assert shapes[:3] == [(100, samples), (100, samples), (50, samples)], "as the real clips, not as the model makes"
    assert record["generated"] == {"clips": 250, "from": ["toy.ckpt"]}
    assert not list(tmp_path.rglob("*.npz"))


def test_clips_that_the_model_was_not_trained_on_are_known_by_its_run(ask, tmp_path, monkeypatch):
    (tmp_path / "toy.ckpt").write_text("")
    held = {"sources": ["A/0001.wav", "A/0002.wav", "B1/0004.wav"], "group_by": "none"}
    run = SimpleNamespace(manifest=SimpleNamespace(record={"held_out": held}))
    monkeypatch.setattr(generators, "load", lambda *_, **__: (Toy(), run))
    words = ("-x", "toy.ckpt", "-n", 30, "--metric", "blind", "--no-context")
    code, record, said = ask(*words)
    assert code == 0
    assert record["metrics"]["blind"]["scores"] == {"unseen": 3, "groups": 0}
    assert record["reference"]["unseen"] == 3
    assert "3 of 12 real clips are unseen" in said.err
    held["group_by"] = "000[0-4]"
    code, _, said = ask(*words, "--overwrite")
    assert code == 1
    assert "have no such part in their names" in said.err
    held["group_by"] = "[0-9]$|.$"
    assert ask(*words, "--overwrite")[0] == 1  # all of one group: `v`
    held["group_by"] = "[0-9]+"
    assert ask(*words, "--overwrite")[1]["metrics"]["blind"]["scores"] == {"unseen": 3, "groups": 6}


def test_clips_that_the_model_was_not_trained_on_are_known_by_its_archives(ask, tmp_path):
    def archive(name, **members):
        with archives.writing(tmp_path / name, 0) as writer:
            writer.add("x", toy_clips(30, samples=2000).audio)
            for key, value in members.items():
                writer.add(key, value)
        return tmp_path / name

    one = archive("one.npz", held_out=np.array(["A/0001.wav", "B1/0004.wav"]), group_by="none")
    _, record, _ = ask(one, "--metric", "blind")
    assert record["metrics"]["blind"]["scores"]["unseen"] == 2
    other = archive("other.npz", held_out=np.array(["A/0001.wav"]), group_by="none")
    for paths in ([one, other], [one, archive("none.npz")], [archive("far.npz", held_out=np.array(["Z/1.wav"]))]):
        code, _, said = ask(*paths, "--metric", "blind", "--overwrite")
        assert code == 1
        assert "real clips that the model was not trained on are needed" in said.err
    _, record, said = ask(other, archive("none.npz"), "--overwrite")
    assert "Left out: blind: real clips that the model" in said.err
    assert "train-gan --hold-out" in record["metrics"]["blind"]["error"]
    assert "scores" in record["metrics"]["peak"]


def test_resamplings_are_told_and_may_be_left_out(ask, archive):
    _, record, _ = ask(archive, "--metric", "loudness", "--resamplings", "20")
    null = record["metrics"]["loudness"]["null"]
    assert (null["generated"], null["reference"], null["resamplings"]) == (6, 6, 20)
    assert set(null["scores"]["difference"]) >= {"score", "low", "high", "p", "p_corrected", "verdict"}
    assert record["tests"]["tests"] == 2
    _, record, said = ask(archive, "--metric", "loudness", "--resamplings", "0", "--overwrite")
    assert "null" not in record["metrics"]["loudness"]
    assert "noise" in record["metrics"]["loudness"]["context"]
    code, _, said = ask(archive, "--metric", "loudness", "--resamplings", "5", "--overwrite")
    assert code == 2
    assert "--resamplings is 5: 20 to 10000, or 0 for none" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    {
        "nothing": ([], "Give generated sounds"),
        "both": (["sounds.npz", "-x", "a.ckpt"], "Give generated sounds"),
        "latents alone": (["sounds.npz", "-n", "5"], "give the model with -x"),
        "number and file": (["-x", "a.ckpt", "-n", "5", "-z", "z.npy"], "not both"),
        "batch": (["sounds.npz", "--batch-size", "0"], "--batch-size must be at least 1"),
        "missing": (["nowhere.wav"], "nowhere.wav"),
        "no checkpoint": (["-x", "nowhere"], "There is no checkpoint"),
        "unknown metric": (["sounds.npz", "--metric", "loudnes"], "Did you mean loudness?"),
        "asked for by name": (["sounds.npz", "--metric", "wanting"], "give -m"),
    }.values(),
)
def test_what_cannot_be_scored_is_said(ask, words, told):
    code, record, said = ask(*words)
    assert code in (1, 2)
    assert record is None
    assert told in said.err


def test_an_empty_archive_is_refused(ask, tmp_path):
    np.savez(tmp_path / "empty.npz", x=np.empty((0, 100), np.float32))
    code, _, said = ask(tmp_path / "empty.npz")
    assert code == 1
    assert "holds no sounds" in said.err


def test_scores_that_are_there_are_kept(ask, archive):
    assert ask(archive, "--metric", "peak")[0] == 0
    code, _, said = ask(archive, "--metric", "peak")
    assert code == 1
    assert "is there already" in said.err


def test_noise_has_the_peak_of_the_clips_and_another_seed_makes_another():
    clips = toy_clips(20, samples=500)
    noise = draw_white_noise(clips, 1)
    assert noise.audio.shape == (20, 500)
    np.testing.assert_allclose(np.abs(noise.audio).max(1), np.abs(clips.audio).max(1).mean(), rtol=1e-5)
    assert not np.array_equal(noise.audio, draw_white_noise(clips, 2).audio)


def test_halves_share_every_class_and_leave_nothing_out():
    clips = toy_clips(20, classes=2)
    one, other = streaming.split_halves(clips, 0)
    np.testing.assert_array_equal(np.sort(np.concatenate([one, other])), np.arange(20))
    assert sorted(np.unique(clips.labels[one], return_counts=True)[1]) == [5, 5]
    with pytest.raises(CanaryganError, match="cannot be halved"):
        streaming.split_halves(Clips(np.zeros((1, 9), np.float32), 16000), 0)


def labelled(path, **columns):
    with archives.writing(path, 0) as writer:
        writer.add("x", toy_clips(3, samples=2000).audio)
        for name, labels in columns.items():
            writer.add(name, np.array(labels))
    return path


def test_labels_are_those_of_a_decoder_that_labelled_all_sounds_or_none(ask, tmp_path):
    one = labelled(tmp_path / "one.npz", y_esn=["a"] * 3, y_knn=["b"] * 3)
    two = labelled(tmp_path / "two.npz", y_knn=["c"] * 3)
    _, record, said = ask(one, two, "--metric", "peak", "--no-context")
    assert record["metrics"]["peak"]["scores"]["labelled"] == 1
    assert "labelled by knn" in said.err
    three = labelled(tmp_path / "three.npz")
    _, record, said = ask(one, three, "--metric", "peak", "--no-context", "--overwrite")
    assert "labelled" not in record["metrics"]["peak"]["scores"]
    assert "No decoder labelled all" in said.err
