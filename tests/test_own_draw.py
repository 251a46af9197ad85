"""Models that draw their own latents, by the command line: a one-hot code and a uniform coordinate, as in a ciwGAN."""

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from canarygan_core import Model
from canarygan_core.cli import main

CATEGORIES = 2


class Coded:
    """A generator whose sounds are tones: the code chooses the pitch, the uniform coordinate the loudness."""

    latent_dim, rate, samples = 3, 8000, 100

    def __init__(self, progress):
        self.progress = progress

    def draw_latents(self, count, rng):
        codes = np.eye(CATEGORIES, dtype=np.float32)[rng.integers(0, CATEGORIES, count)]
        return np.column_stack([codes, rng.uniform(-1, 1, count)]).astype(np.float32)

    def generate(self, z):
        time = np.arange(self.samples) / self.rate
        tones = np.stack([np.sin(2 * np.pi * pitch * time) for pitch in (500, 1000)])
        return ((0.5 + 0.4 * z[:, 2:]) * (z[:, :2] @ tones)).astype(np.float32)


@dataclass(frozen=True)
class Ciwgan(Model):
    name: ClassVar[str] = "ciwgan"

    def train(self, clips, run, *, training):
        raise NotImplementedError

    @classmethod
    def load(cls, checkpoint, *, device="cpu"):
        return Coded(json.loads(checkpoint.read_text()))


@pytest.fixture
def run(installed, tmp_path, capsys, monkeypatch):
    """A function that runs words on a checkpoint in the folder of the test; gives the exit code and what is printed."""
    installed(Ciwgan)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.ckpt").write_text('{"epoch": 1, "step": 2}')

    def ran(*words):
        code = main.main([*map(str, words), "-x", "model.ckpt", "--overwrite"])
        return code, capsys.readouterr()

    return ran


def are_coded(z):
    """Whether latents (n, 3) are a one-hot code with both categories, and a number of -1 to 1 with its sign in both."""
    is_one_hot = np.isin(z[:, :2], (0, 1)).all() and (z[:, :2].sum(1) == 1).all()
    return is_one_hot and z[:, 0].any() and z[:, 1].any() and -1 <= z[:, 2].min() < 0 < z[:, 2].max() <= 1


def read_archive(folder):
    (path,) = folder.glob("*.npz")
    return np.load(path)


def test_sample_draws_as_the_model_says_and_in_its_size(run, tmp_path):
    assert run("sample", "-n", 40, "--seed", 3)[0] == 0
    z = np.load(tmp_path / "latents" / "latent_z-dim_3.npy")
    assert z.shape == (40, 3)
    assert z.dtype == np.float32
    assert are_coded(z)
    run("sample", "-n", 40, "--seed", 3, "-d", 3)
    assert np.array_equal(np.load(tmp_path / "latents" / "latent_z-dim_3.npy"), z)
    run("sample", "-n", 40, "--seed", 4)
    assert not np.array_equal(np.load(tmp_path / "latents" / "latent_z-dim_3.npy"), z)


def test_a_size_that_is_not_the_models_is_refused(run, tmp_path):
    code, printed = run("sample", "-d", 2)
    assert code == 2
    assert "model.ckpt takes latents of 3 coordinates: leave out --dim" in printed.err
    assert not (tmp_path / "latents").exists()


def test_a_distribution_that_is_named_is_drawn_from_instead(run, tmp_path):
    assert run("sample", "-n", 40, "--dist", "normal")[0] == 0
    z = np.load(tmp_path / "latents" / "latent_z-dim_3.npy")
    assert z.shape == (40, 3)
    assert len(np.unique(z[:, 0])) == 40


def test_generate_draws_as_the_model_says(run, tmp_path):
    assert run("generate", "-n", 40, "--seed", 3, "-s", "own")[0] == 0
    assert run("generate", "-n", 40, "--seed", 3, "-s", "uniform", "--dist", "uniform")[0] == 0
    with read_archive(tmp_path / "own") as own, read_archive(tmp_path / "uniform") as uniform:
        assert are_coded(own["z"])
        assert not are_coded(uniform["z"])
        np.testing.assert_allclose(own["x"], Coded({}).generate(own["z"]), atol=1e-6)


def test_what_sample_draws_is_what_generate_draws(run, tmp_path):
    run("sample", "-n", 40, "--seed", 3)
    run("generate", "-n", 40, "--seed", 3, "-s", "drawn")
    assert run("generate", "-z", "latents/latent_z-dim_3.npy", "-s", "read")[0] == 0
    with read_archive(tmp_path / "drawn") as drawn, read_archive(tmp_path / "read") as given:
        assert np.array_equal(drawn["z"], given["z"])
        assert np.array_equal(drawn["x"], given["x"])
