"""`sample` and `generate`, with a model that needs no library."""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from canarygan_core import CanaryganError, Model
from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.runs import Manifest, Request, files

SAMPLES, RATE = 50, 8000


class Sines:
    """Generates a sum of sines, one a coordinate; counts the clips that it was asked for."""

    latent_dim, rate, samples = 2, RATE, SAMPLES

    def __init__(self, progress):
        self.progress, self.asked = progress, []

    def generate(self, z):
        assert z.dtype == np.float32
        self.asked.append(len(z))
        phase = np.arange(SAMPLES) / SAMPLES
        return (0.4 * np.sin(2 * np.pi * (z[:, :, None] + phase)).sum(1)).astype(np.float32)


@dataclass(frozen=True)
class Toy(Model):
    name: ClassVar[str] = "toy"
    loaded: ClassVar[list[Any]] = []

    def train(self, clips, run, *, training):
        raise NotImplementedError

    @classmethod
    def load(cls, checkpoint, *, device="cpu"):
        try:
            generator = Sines(json.loads(checkpoint.read_text()))
        except ValueError:
            raise CanaryganError(f"{checkpoint} holds no toy.") from None
        cls.loaded.append((generator, device))
        return generator


@dataclass(frozen=True)
class Stubborn(Model):
    name: ClassVar[str] = "stubborn"

    def train(self, clips, run, *, training):
        raise NotImplementedError

    @classmethod
    def load(cls, checkpoint, *, device="cpu"):
        raise CanaryganError(f"{checkpoint} is not stubborn.")


@pytest.fixture
def run(installed, capsys):
    """Run words; gives the exit code, standard output and standard error."""
    installed(Stubborn, Toy)
    Toy.loaded.clear()

    def ran(*words):
        code = main.main([str(word) for word in words])
        return code, *capsys.readouterr()

    return ran


@pytest.fixture
def version(tmp_path):
    """The folder of a finished training, with its last checkpoint."""
    folder = tmp_path / "runs" / "checkpoints" / "version_7"
    for path in (folder / "last" / "last.ckpt", folder / "all" / "early.ckpt"):
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"epoch": 3 if path.stem == "last" else 1, "step": 60}))
    manifest = Manifest.begin(
        folder / "manifest.json", Request("train-gan", (), {"model": {"name": "toy", "options": {}}})
    )
    manifest.end("finished")
    return folder


def test_sample(run, tmp_path):
    code, out, _ = run("sample", "-n", 20, "-d", 4, "-s", tmp_path, "--seed", 5, "--json")
    path = tmp_path / "latent_z-dim_4.npy"
    z = np.load(path)
    assert (code, json.loads(out)) == (0, {"path": str(path), "shape": [20, 4]})
    assert (z.shape, z.dtype) == ((20, 4), np.float32)
    assert -1 <= z.min() < z.max() <= 1
    record = Manifest.read(tmp_path / "latent_z-dim_4.manifest.json").record
    assert (record["status"], record["seed"], record["task"]) == ("finished", 5, "sample")
    assert record["outputs"] == {path.name: files.compute_digest(path)}
    assert record["options"]["task"]["n_samples"] == 20
    before = path.read_bytes()
    assert run("sample", "-n", 20, "-d", 4, "-s", tmp_path, "--seed", 5, "--overwrite")[0] == 0
    assert path.read_bytes() == before
    code, _, err = run("sample", "-n", 20, "-d", 4, "-s", tmp_path, "--seed", 6)
    assert code == 1
    assert "--overwrite" in err
    assert path.read_bytes() == before
    assert run("sample", "-n", 20, "-d", 4, "-s", tmp_path, "--seed", 6, "--overwrite")[0] == 0
    assert path.read_bytes() != before


def test_sample_with_other_distributions_and_wrong_ones(run, tmp_path):
    words = ("sample", "-n", 1000, "-s", tmp_path, "--overwrite", "--dist")
    assert run(*words, "normal", "--dist_params", '{"loc": 50}')[0] == 0
    assert abs(np.load(tmp_path / "latent_z-dim_3.npy").mean() - 50) < 1
    code, out, err = run(*words, "nromal")
    assert (code, out) == (2, "")
    assert "Did you mean normal?" in err
    assert run("sample", "-n", 0, "-s", tmp_path, "--overwrite")[0] == 2
    assert run("sample", "-n", 2.5, "-s", tmp_path, "--overwrite")[0] == 2
    assert run("sample", "--seed", -1, "-s", tmp_path, "--overwrite")[0] == 2
    assert run("sample", "-n", 10**13, "-s", tmp_path, "--overwrite")[0] == 2
    (tmp_path / "file").write_text("")
    code, _, err = run("sample", "-n", 3, "-s", tmp_path / "file")
    assert code == 1
    assert "Cannot write" in err


def test_generate_from_drawn_latents(run, version, tmp_path):
    out = tmp_path / "generated"
    words = ("-x", version, "-s", out, "-n", 25, "--batch-size", 10, "--device", "cpu", "--json")
    code, text, _ = run("generate", *words)
    path = out / "generation-version_7-epoch_3-step_60.npz"
    assert (code, json.loads(text)["path"]) == (0, str(path))
    assert json.loads(text)["shape"] == [25, SAMPLES]
    with np.load(path, allow_pickle=False) as archive:
        content = dict(archive)
    assert content.keys() == {"x", "z", "rate", "version", "epoch", "step", "checkpoint"}
    assert content["x"].dtype == content["z"].dtype == np.float32
    assert np.array_equal(content["x"], Sines({}).generate(content["z"]))
    assert content["z"].shape == (25, 2)
    facts = [content[name].item() for name in ("rate", "version", "epoch", "step")]
    assert facts == [RATE, "7", 3, 60]
    assert content["checkpoint"].item() == files.compute_digest(version / "last" / "last.ckpt")
    assert Toy.loaded[0][0].asked == [10, 10, 10]
    record = Manifest.read(path.with_suffix(".manifest.json")).record
    assert (record["status"], record["outputs"]) == ("finished", {path.name: files.compute_digest(path)})
    assert record["inputs"]["generator"]["digest"] == files.compute_digest(version / "last" / "last.ckpt")


def test_a_clip_depends_on_its_latent_alone(run, version, tmp_path):
    np.save(tmp_path / "z.npy", np.random.default_rng(0).uniform(-1, 1, (7, 2)))
    found = []
    for number, size in enumerate((3, 7, 100)):
        out = tmp_path / str(number)
        assert run("generate", "-x", version, "-s", out, "-z", tmp_path / "z.npy", "--batch_size", size)[0] == 0
        (path,) = out.glob("*.npz")
        found.append(path.read_bytes())
    assert found[0] == found[1] == found[2]
    record = Manifest.read(path.with_suffix(".manifest.json")).record
    assert record["inputs"]["latents"]["digest"] == files.compute_digest(tmp_path / "z.npy")
    again = tmp_path / "again"
    assert run("generate", "-x", version, "-s", again, "-z", path)[0] == 0
    assert np.array_equal(archives.read(again / path.name)["x"], archives.read(path)["x"])


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


def test_what_is_there_is_not_replaced_unless_asked(run, version, tmp_path):
    words = ("generate", "-x", version, "-s", tmp_path / "out", "-n", 2)
    assert run(*words)[0] == 0
    (path,) = (tmp_path / "out").glob("*.npz")
    before = path.read_bytes(), path.with_suffix(".manifest.json").read_bytes()
    code, _, err = run(*words, "--seed", 1)
    assert code == 1
    assert "is there already: give another --save-dir, or --overwrite" in err
    assert (path.read_bytes(), path.with_suffix(".manifest.json").read_bytes()) == before
    assert run(*words, "--seed", 1, "--overwrite")[0] == 0
    assert path.read_bytes() != before[0]


def test_wave_files(run, version, tmp_path):
    soundfile = pytest.importorskip("soundfile")
    assert run("generate", "-x", version, "-s", tmp_path / "out", "-n", 11, "--wav")[0] == 0
    (path,) = (tmp_path / "out").glob("*.npz")
    x = archives.read(path)["x"]
    waves = sorted(path.with_suffix("").iterdir())
    assert [wave.name for wave in waves] == [f"{number:02}.wav" for number in range(11)]
    for sound, wave in zip(x, waves, strict=True):
        read, rate = soundfile.read(wave, dtype="float32")
        assert rate == RATE
        assert np.allclose(read, sound, atol=1e-4)
    record = Manifest.read(path.with_suffix(".manifest.json")).record
    assert [*record["outputs"]] == [path.name, *(f"{path.stem}/{wave.name}" for wave in waves)]
    waves[3].write_bytes(waves[4].read_bytes())
    told = run("verify", path)[1]
    assert f"{waves[3]} is not the file that generate wrote." in told
    assert str(waves[4]) not in told


def test_an_archive_names_the_clips_that_its_model_was_not_trained_on(run, version, tmp_path):
    assert run("generate", "-x", version, "-n", 3, "-s", tmp_path / "out")[0] == 0
    (path,) = (tmp_path / "out").glob("*.npz")
    assert "held_out" not in archives.read(path)
    Manifest.read(version / "manifest.json").add(held_out={"sources": ["a/1.wav", "b/7.wav"], "group_by": "recording"})
    assert run("generate", "-x", version, "-n", 3, "-s", tmp_path / "out", "--overwrite")[0] == 0
    found = archives.read(path)
    assert found["held_out"].tolist() == ["a/1.wav", "b/7.wav"]
    assert str(found["group_by"]) == "recording"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["-n", "2", "-z", "z.npy"], 2, "not both"),
        (["-n", "2", "--batch-size", "0"], 2, "--batch-size must be at least 1"),
        (["-n", "2", "--device", "tpu"], 2, "No device named 'tpu'"),
        (["-n", "0"], 2, "at least 1 vector"),
        (["-c", "0"], 2, "--num-workers must be at least 1"),
        (["-z", "nowhere.npy"], 1, "There is no file of latents"),
        (["-z", "wide.npy"], 1, r"wants latents of shape \(n, 2\)"),
    ],
)
def test_what_cannot_be_generated(run, version, tmp_path, monkeypatch, words, code, told):
    monkeypatch.chdir(tmp_path)
    np.save("wide.npy", np.zeros((2, 3)))
    found, out, err = run("generate", "-x", version, "-s", "out", *words)
    assert (found, out) == (code, "")
    assert re.search(told, err)
    assert not Path("out").exists()


def test_a_checkpoint_that_is_not_there(run, version, tmp_path):
    for path in (tmp_path / "nowhere.ckpt", tmp_path / "runs" / "checkpoints", tmp_path):
        code, _, err = run("generate", "-x", path, "-n", 2, "-s", tmp_path / "out")
        assert code == 1
        assert "canarygan: " in err
    (version / "last" / "last.ckpt").unlink()
    code, _, err = run("generate", "-x", version, "-n", 2, "-s", tmp_path / "out")
    assert code == 1
    assert "There is no checkpoint at" in err


def test_a_failure_half_way_is_recorded_and_leaves_no_archive(run, version, tmp_path, monkeypatch):
    def fail(self, z):
        if self.asked:
            raise MemoryError("no more")
        self.asked.append(len(z))
        return np.zeros((len(z), SAMPLES), np.float32)

    monkeypatch.setattr(Sines, "generate", fail)
    with pytest.raises(MemoryError):
        run("generate", "-x", version, "-s", tmp_path / "out", "-n", 25, "--batch-size", 10)
    (left,) = (tmp_path / "out").iterdir()
    record = Manifest.read(left).record
    assert (record["status"], record["error"]) == ("failed", "MemoryError: no more")
    assert record["outputs"] == {}


@pytest.mark.parametrize(
    ("words", "device"),
    [
        ([], "cpu"),
        (["--device", "cpu"], "cpu"),
        (["--device", "cuda", "--device-idx", "1"], "cuda:1"),
        (["--device", "mps"], "mps"),
    ],
)
def test_device_where_torch_is_not_installed(run, version, tmp_path, monkeypatch, words, device):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run("generate", "-x", version, "-s", tmp_path / "out", "-n", 2, *words)[0] == 0
    assert Toy.loaded[0][1] == device


def test_latents_outside_the_range_of_the_training_are_said(run, version, tmp_path, monkeypatch):
    z = np.array([[0.5, -1.0], [1.0, 1.5], [-3.0, 0.0], [0.0, 0.0]], np.float32)
    np.save(tmp_path / "z.npy", z)
    words = ["generate", "-x", version, "-z", tmp_path / "z.npy"]
    code, _, err = run(*words, "-s", tmp_path / "a")
    assert (code, "outside" in err) == (0, False)  # a model that does not say its range
    monkeypatch.setattr(Sines, "latent_range", (-1.0, 1.0), raising=False)
    code, _, err = run(*words, "-s", tmp_path / "b")
    assert code == 0
    assert (
        "2 of 4 latents lie outside -1 to 1 in each coordinate, where the model was trained (the furthest at 3)" in err
    )
    assert "outside" not in run("generate", "-x", version, "-n", 20, "-s", tmp_path / "c")[2]


def test_a_compressed_archive_holds_the_same_sounds(run, version, tmp_path):
    for words in ([], ["--compressed"]):
        assert run("generate", "-x", version, "-n", 20, "-s", tmp_path / str(len(words)), *words)[0] == 0
    stored, packed = (next((tmp_path / name).glob("*.npz")) for name in ("0", "1"))
    with np.load(stored) as one, np.load(packed) as other:
        assert set(one) == set(other)
        assert all(np.array_equal(one[name], other[name]) for name in one)
    assert packed.stat().st_size < stored.stat().st_size


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


def test_of_several_processes_one_makes_the_archive(run, tmp_path, version, monkeypatch):
    words = ("generate", "-x", version, "-s", tmp_path / "out", "-n", "3")
    generate, others = Sines.generate, []

    def generate_beside_another(self, z):
        if not others:
            others.append(None)
            others[:] = [run(*words)]
        return generate(self, z)

    monkeypatch.setattr(Sines, "generate", generate_beside_another)
    code, _, _ = run(*words)
    assert code == 0
    assert others[0][0] == 1
    assert "Another process is writing generation-version_" in others[0][2]
    (path,) = (tmp_path / "out").glob("*.npz")
    record = path.with_suffix(".manifest.json")
    assert json.loads(record.read_text())["status"] == "finished"
    with pytest.raises(CanaryganError, match="is there already"):  # of one that looked before the archive was there
        Manifest.begin(record, Request("generate"), absent=[path])
    assert json.loads(record.read_text())["status"] == "finished"
    assert len(list((tmp_path / "out").iterdir())) == 2
