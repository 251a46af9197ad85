"""`generate`: what its archive holds, by which latents and device, and that it is whole or absent."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from toy_models import RATE, SAMPLES, Sines, Toy

from canarygan_core import CanaryganError
from canarygan_core.audio import archives
from canarygan_core.runs import Manifest, Request, files

pytestmark = pytest.mark.usefixtures("toy_models")


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
