"""`sample`: latents drawn, recorded and not replaced unasked."""

import json

import numpy as np
import pytest

from canarygan_core.runs import Manifest, files

pytestmark = pytest.mark.usefixtures("toy_models")


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
