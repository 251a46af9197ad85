"""`rerun` of a chain of tasks on one machine: equal bytes."""

import importlib.util
import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from canarygan_core.cli import main
from canarygan_core.runs import Manifest
from canarygan_core.tasks import rerun

for name in ("wavegan", "decoders", "metrics"):
    if not importlib.util.find_spec(f"canarygan_{name}"):
        pytest.skip(f"needs canarygan-{name}", allow_module_level=True)

TRAINING = ("-d", "data", "--version", "mine", "--batch-size", 4, "--max-epochs", 2)
GAN = ("--dim", 1, "--slice-len", 4096, "--critic-updates", 1, "--latent-dim", 2, "--accelerator", "cpu")
CHAIN = {
    "runs": ("train-gan", *TRAINING, *GAN, "--save-every-n-epochs", 1, "-c", 0),
    "latents": ("sample", "-n", 9, "-d", 2),
    "set": ("build-decoder-dataset", "-d", "data", "--augment", 0),
    "decoders": ("train-decoders", "-p", "set", "-m", "knn", "-m", "svm"),
    "generated": ("generate", "-x", "runs", "-n", 30, "-y", "decoders"),
    "inception": ("train-inception", *TRAINING, "--seconds", 0.128),
    "scores": ("score", "generated", "-d", "data", "--metric", "frechet", "-m", "inception", "--resamplings", 0),
    "umap": ("umap", "-g", "generated", "-d", "data"),
}
"""By the folder that each writes into, tasks that need what those before left."""


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    root = tmp_path_factory.mktemp("chain")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANARYGAN_CACHE", str(root / "cache"))
        patch.chdir(root)
        patch.setattr(rerun, "_run", lambda words, folder: call(*words))  # a process each would take most of the time
        call("write-dataset", "--syllables", 2, "--per-class", 10, "-s", "data")
        for folder, words in CHAIN.items():
            call(*words, "-s", folder)
        yield root


def call(*words):
    with redirect_stdout(io.StringIO()):
        assert main.main([*map(str, words), "-q"]) == 0


@pytest.mark.parametrize("folder", CHAIN)
def test_a_task_that_is_repeated_leaves_equal_bytes(chain, capsys, folder):
    capsys.readouterr()
    code = main.main(["rerun", folder, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code == 0, told
    assert told["differences"] == {"bytes": [], "options": [], "versions": [], "data": []}
    assert told["same"] == len(Manifest.read(Path(told["manifest"])).record["outputs"]) > 0
