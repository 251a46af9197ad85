"""`generate`: how its checkpoint is found, whose it is, and which one is recorded."""

import json

import pytest
from toy_models import Sines, Toy

from canarygan_core.audio import archives
from canarygan_core.runs import Manifest, Request, files

pytestmark = pytest.mark.usefixtures("toy_models")


@pytest.mark.parametrize("where", ["", "last/last.ckpt", "../..", "all/early.ckpt"])
def test_a_checkpoint_is_a_file_a_version_or_a_folder_of_runs(run, version, tmp_path, where):
    assert run("generate", "-x", version / where, "-s", tmp_path / "out", "-n", 2)[0] == 0
    epoch = 1 if "early" in where else 3
    assert (tmp_path / "out" / f"generation-version_7-epoch_{epoch}-step_60.npz").is_file()


def test_a_loose_checkpoint_is_offered_to_every_model(run, version, tmp_path):
    loose = tmp_path / "loose.ckpt"
    loose.write_text('{"epoch": 0, "step": 0}')
    assert run("generate", "-x", loose, "-s", tmp_path / "out", "-n", 2)[0] == 0
    assert (tmp_path / "out" / "generation-version_loose-epoch_0-step_0.npz").is_file()
    loose.write_text("nothing")
    code, out, err = run("generate", "-x", loose, "-s", tmp_path / "out", "-n", 2)
    assert (code, out) == (1, "")
    assert "stubborn: " in err
    assert "holds no toy" in err
    code, _, err = run("generate", "-x", version, "-s", tmp_path / "out", "-n", 2, "--model", "stubborn")
    assert code == 1
    assert "is not stubborn" in err
    assert run("generate", "-x", version, "-s", tmp_path / "out", "-n", 2, "--model", "tyo")[0] == 2


def test_the_run_of_another_task_does_not_name_a_model(run, version, tmp_path):
    Manifest.begin(version / "manifest.json", Request("train-decoders", (), {"task": {}}))
    assert run("generate", "-x", version, "-s", tmp_path / "out", "-n", 2)[0] == 0


def test_an_archive_names_the_clips_that_its_model_was_not_trained_on(run, version, tmp_path):
    assert run("generate", "-x", version, "-n", 3, "-s", tmp_path / "out")[0] == 0
    (path,) = (tmp_path / "out").glob("*.npz")
    assert "held_out" not in archives.read(path)
    Manifest.read(version / "manifest.json").add(held_out={"sources": ["a/1.wav", "b/7.wav"], "group_by": "recording"})
    assert run("generate", "-x", version, "-n", 3, "-s", tmp_path / "out", "--overwrite")[0] == 0
    found = archives.read(path)
    assert found["held_out"].tolist() == ["a/1.wav", "b/7.wav"]
    assert str(found["group_by"]) == "recording"


def test_a_checkpoint_that_is_not_there(run, version, tmp_path):
    for path in (tmp_path / "nowhere.ckpt", tmp_path / "runs" / "checkpoints", tmp_path):
        code, _, err = run("generate", "-x", path, "-n", 2, "-s", tmp_path / "out")
        assert code == 1
        assert "canarygan: " in err
    (version / "last" / "last.ckpt").unlink()
    code, _, err = run("generate", "-x", version, "-n", 2, "-s", tmp_path / "out")
    assert code == 1
    assert "There is no checkpoint at" in err


def test_the_digest_is_that_of_the_checkpoint_that_was_loaded(run, tmp_path, version, monkeypatch):
    checkpoint = version / "last" / "last.ckpt"
    digest, load, generate = files.compute_digest(checkpoint), Toy.load.__func__, Sines.generate

    def load_while_it_changes(cls, path, *, device="cpu"):
        loaded = load(cls, path, device=device)
        if len(cls.loaded) == 1:  # a training saves between the digest and the loading
            files.write_text(checkpoint, json.dumps({"epoch": 4, "step": 400}))
        return loaded

    def generate_while_it_changes(self, z):
        files.write_text(checkpoint, json.dumps({"epoch": 5, "step": 500}))
        return generate(self, z)

    monkeypatch.setattr(Toy, "load", classmethod(load_while_it_changes))
    monkeypatch.setattr(Sines, "generate", generate_while_it_changes)
    code, _, err = run("generate", "-x", checkpoint, "-s", tmp_path / "out", "-n", "3")
    assert code == 0, err
    (path,) = (tmp_path / "out").glob("*.npz")
    content, record = archives.read(path), json.loads(path.with_suffix(".manifest.json").read_text())
    files.write_text(checkpoint, json.dumps({"epoch": 4, "step": 400}))
    assert (int(content["epoch"]), str(content["checkpoint"])) == (4, files.compute_digest(checkpoint))
    assert record["inputs"]["generator"]["digest"] == files.compute_digest(checkpoint) != digest
