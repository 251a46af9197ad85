"""What `score` takes: files, archives or a model, which clips are unseen and which labels count."""

from types import SimpleNamespace

import numpy as np
import pytest

from canarygan_core.audio import archives
from canarygan_core.datasets.synthetic import Synthetic
from canarygan_core.evaluation import streaming
from canarygan_core.fitted import generators
from canarygan_core.testing import toy_clips


def test_coordinates_beside_a_generation_are_passed_over(ask, archive):
    np.savez(archive.with_name("generation.umap.npz"), coordinates=np.zeros((250, 2), np.float32))
    code, record, said = ask(*sorted(archive.parent.glob("*.npz")), "--metric", "peak", "--no-context")
    assert code == 0
    assert record["generated"]["clips"] == 250
    assert record["metrics"]["peak"]["scores"]["labelled"] == 1
    assert said.err.count("generation.umap.npz") == 1


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
