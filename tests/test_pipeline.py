"""From clips to sounds by the command line, with the WaveGAN at its smallest."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from canarygan_core.audio import archives
from canarygan_core.runs import files

pytest.importorskip("canarygan_wavegan")

SMALL = [
    *("--dim", "2", "--slice-len", "4096", "--critic-updates", "1", "--batch-size", "4", "--max-epochs", "1"),
    *("--latent-dim", "2", "--accelerator", "cpu"),
]


def canarygan(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "canarygan", *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a version trained on clips of another rate than the network's, read from files."""
    folder = tmp_path_factory.mktemp("pipeline")
    os.environ["CANARYGAN_CACHE"] = str(folder / "cache")
    canarygan("write-dataset", "--syllables", 2, "--per-class", 6, "-s", folder / "data")
    canarygan("check-data", "-d", folder / "data")
    canarygan("train-gan", "-d", folder / "data", "-s", folder / "runs", *SMALL)
    del os.environ["CANARYGAN_CACHE"]
    return folder / "runs" / "checkpoints" / "version_0"


def test_equal_latents_and_checkpoint_give_equal_bytes(trained: Path, tmp_path: Path) -> None:
    canarygan("sample", "-n", 25, "-d", 2, "-s", tmp_path)
    latents = tmp_path / "latent_z-dim_2.npy"
    made = []
    for name in ("a", "b"):
        answer = canarygan(
            "generate", "-x", trained, "-z", latents, "-s", tmp_path / name, "--batch-size", 10, "--json"
        )
        made.append(Path(json.loads(answer.stdout)["path"]))
    assert made[0].read_bytes() == made[1].read_bytes()
    few = canarygan("generate", "-x", trained, "-n", 7, "-s", tmp_path / "c", "--batch-size", 10, "--json")
    many = canarygan("generate", "-x", trained, "-n", 30, "-s", tmp_path / "d", "--batch-size", 10, "--json")
    a, b = (archives.read(Path(json.loads(answer.stdout)["path"])) for answer in (few, many))
    assert np.array_equal(a["z"], b["z"][:7])
    assert np.array_equal(a["x"], b["x"][:7])


def test_a_generation_knows_where_it_comes_from(trained: Path, tmp_path: Path) -> None:
    answer = json.loads(canarygan("generate", "-x", trained, "-n", 5, "-s", tmp_path, "--wav", "--json").stdout)
    path = Path(answer["path"])
    content = archives.read(path)
    record = json.loads(path.with_suffix(".manifest.json").read_text())
    digest = files.compute_digest(trained / "last" / "last.ckpt")
    assert content["x"].shape == (5, 4096)
    assert content["x"].dtype == np.float32
    assert str(content["checkpoint"]) == digest == record["inputs"]["generator"]["digest"]
    assert (str(content["version"]), int(content["epoch"]), int(content["step"])) == ("0", 1, 3)
    assert path.name == "generation-version_0-epoch_1-step_3.npz"
    waves = sorted(path.with_suffix("").iterdir())
    assert [file.name for file in waves] == [f"{k}.wav" for k in range(5)]
    assert record["outputs"] == {str(file.relative_to(tmp_path)): files.compute_digest(file) for file in (path, *waves)}


def test_what_cannot_be_generated_is_refused(trained: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "wrong.npy", np.zeros((4, 3), np.float32))
    wrong = canarygan("generate", "-x", trained, "-z", tmp_path / "wrong.npy", "-s", tmp_path / "g", code=1)
    assert "(n, 2)" in wrong.stderr
    np.save(tmp_path / "nan.npy", np.full((4, 2), np.nan, np.float32))
    assert (
        "NaN" in canarygan("generate", "-x", trained, "-z", tmp_path / "nan.npy", "-s", tmp_path / "g", code=1).stderr
    )
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    assert "not a checkpoint" in canarygan("generate", "-x", tmp_path / "text.ckpt", code=1).stderr
    assert not (tmp_path / "g").exists()
    canarygan("generate", "-x", trained, "-n", 1, "-s", tmp_path / "g")
    assert "--overwrite" in canarygan("generate", "-x", trained, "-n", 1, "-s", tmp_path / "g", code=1).stderr


def test_two_trainings_at_once_get_two_versions(tmp_path: Path) -> None:
    words = ["train-gan", "--syllables", "1", "--per-class", "4", *SMALL, "-s", str(tmp_path)]
    both = [subprocess.Popen([sys.executable, "-m", "canarygan", *words], stderr=subprocess.PIPE) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0], [process.communicate()[1] for process in both]
    for process in both:
        process.communicate()
    versions = sorted((tmp_path / "checkpoints").glob("version_*"))
    assert [folder.name for folder in versions] == ["version_0", "version_1"]
    for folder in versions:
        assert (folder / "last" / "last.ckpt").is_file()
        assert json.loads((folder / "manifest.json").read_text())["status"] == "finished"


def test_a_training_goes_on_from_anywhere_but_not_with_other_clips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    canarygan("write-dataset", "--syllables", 2, "--per-class", 4, "-s", "data")
    canarygan("train-gan", "-d", "data", "-s", "runs", *SMALL)
    assert "Nothing is left to do" in canarygan("train-gan", "-s", "runs", "--resume").stderr
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    more = canarygan("train-gan", "-s", tmp_path / "runs", "--resume", "--max-epochs", 2)
    assert "Going on after 2 updates, epoch 1." in more.stderr
    record = json.loads((tmp_path / "runs/checkpoints/version_0/manifest.json").read_text())
    assert record["result"]["updates"] == 4
    assert "--preset" in canarygan("train-gan", "-s", tmp_path / "runs", "--resume", "--preset", "tiny", code=2).stderr
    (tmp_path / "data" / "A" / "0000.wav").unlink()
    changed = canarygan("train-gan", "-s", tmp_path / "runs", "--resume", "--max-epochs", 3, code=1)
    assert "The clips have changed" in changed.stderr


def test_wave_files_are_those_of_their_archive(trained: Path, tmp_path: Path) -> None:
    for count in (12, 3):
        canarygan("generate", "-x", trained, "-n", count, "-s", tmp_path, "--wav", "--overwrite")
        folder = next(path for path in tmp_path.iterdir() if path.is_dir())
        assert len(list(folder.iterdir())) == count
    assert sorted(path.suffix for path in tmp_path.iterdir()) == ["", ".json", ".npz"]


def test_a_stopped_generation_leaves_nothing(trained: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "canarygan", "generate", "-x", str(trained), "-n", "100000", "-s", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    while not list(tmp_path.glob(".generation-*.npz.*.part")):
        assert process.poll() is None
        time.sleep(0.01)
    process.terminate()
    process.communicate()
    assert process.returncode == 130
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]
    assert json.loads(next(tmp_path.iterdir()).read_text())["status"] == "interrupted"


def test_the_manifest_tells_what_was_learnt_from(trained: Path) -> None:
    record = json.loads((trained / "manifest.json").read_text())
    assert record["dataset"]["dataset"] == "folder"
    assert len(record["dataset"]["fingerprint"]) >= 64
    assert record["options"]["dataset"]["name"] == "folder"
    assert record["options"]["training"]["batch_size"] == 4
    assert {"torch", "lightning", "canarygan-wavegan"} <= record["versions"].keys()
