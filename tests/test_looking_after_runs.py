"""`runs`, `clean` and `rerun`: what lies in a folder, what may go, and what can be repeated."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from canarygan_core.lightning.logs import Table
from canarygan_core.runs import Manifest, Request, open_run

HOLDER = """
import sys, time
from pathlib import Path
from canarygan_core.runs import Request, open_run
with open_run(Path(sys.argv[1]), Request("train-gan")) as run:
    print(run.version, flush=True)
    time.sleep(120)
"""


@pytest.fixture
def run(run, tmp_path, monkeypatch):
    """The same, in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    return run


@pytest.fixture
def rows(run):
    """The rows of `runs` by where they are."""

    def told(*paths):
        code, out, _ = run("runs", *paths, "--json")
        assert code == 0
        return {row["where"]: row for row in json.loads(out)["runs"]}

    return told


def test_runs_tells_of_trainings_and_of_other_outputs(run, rows, tmp_path):
    assert run("runs")[1] == "Nothing that a task left is in the working directory.\n"
    with open_run(tmp_path / "runs", Request("train-inception"), version="mine") as training:
        training.last.parent.mkdir()
        training.last.write_bytes(bytes(2_000_000))
        training.manifest.add(result={"updates": 7}, test={"accuracy": 0.875})
    assert run("sample", "-n", 5, "-d", 2, "-s", "latents", "-q")[0] == 0
    with Manifest.begin(tmp_path / "scores" / "manifest.json", Request("score")):
        (tmp_path / "scores" / "scores.json").write_text('{"metrics": {"kid": {"scores": {"kid": 0.5}}, "none": {}}}')
    (tmp_path / "broken.manifest.json").write_text("{")
    found = rows(".")
    version = found["runs/checkpoints/version_mine"]
    facts = ("train-inception", "mine", "finished", 7, {"accuracy": 0.875})
    assert tuple(version[name] for name in ("task", "version", "status", "updates", "score")) == facts
    assert 2_000_000 < version["size"] < 2_010_000
    assert (
        found["latents/latent_z-dim_2.manifest.json"]["size"] > (tmp_path / "latents/latent_z-dim_2.npy").stat().st_size
    )
    assert found["scores"]["score"] == {"kid": 0.5}
    assert len(found) == 3
    code, out, _ = run("runs", "runs", "scores")
    assert code == 0
    assert "accuracy 0.875" in out
    assert "2 in runs, scores, 2 MB." in out
    assert run("runs", "nowhere")[0] == 1
    assert "broken.manifest.json" in run("runs")[2]


def test_a_training_that_was_killed_is_told_from_one_that_runs(rows, tmp_path):
    pytest.importorskip("fcntl")
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline().strip() == "0"
            Table(tmp_path / "logs" / "csv" / "version_0" / "metrics.csv", 0).add({"step": 12, "loss": 1.0})
            row = rows(tmp_path)[str(tmp_path / "checkpoints" / "version_0")]
            assert (row["status"], row["updates"]) == ("running", 12)
        finally:
            holder.kill()
    assert rows(tmp_path)[str(tmp_path / "checkpoints" / "version_0")]["status"] == "killed"
    manifest = Manifest.begin(tmp_path / "out" / "manifest.json", Request("score"))
    assert rows(tmp_path / "out")[str(tmp_path / "out")]["status"] == "running"
    manifest.end("failed")
    assert rows(tmp_path / "out")[str(tmp_path / "out")]["status"] == "failed"


def test_clean_removes_drafts_and_the_cache_and_nothing_else(run, tmp_path, monkeypatch):
    pytest.importorskip("fcntl")
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    for name in (
        "runs/.a.ckpt.01234567.part",
        "runs/.hidden",
        "runs/deep/.set.89abcdef.part/a.wav",
        "cache/folder/key/a",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(1000))
    with open_run(tmp_path / "runs", Request("work")):
        before = sorted(tmp_path.rglob("*"))
        code, out, _ = run("clean", "runs", "--cache", "--dry-run", "--json")
        assert code == 0
        told = ["runs/.a.ckpt.01234567.part", "runs/deep/.set.89abcdef.part", str(tmp_path / "cache/folder/key")]
        assert list(json.loads(out)["removed"]) == told
        assert json.loads(out)["bytes"] == 3000
        assert sorted(tmp_path.rglob("*")) == before
        assert run("clean", "runs", "--cache")[0] == 0
        gone = {path.relative_to(tmp_path).as_posix() for path in set(before) - set(tmp_path.rglob("*"))}
        assert gone == {*told[:2], "runs/deep/.set.89abcdef.part/a.wav", "cache/folder/key", "cache/folder/key/a"}
    assert "There is nothing to remove." in run("clean", "runs")[1]
    assert run("clean")[0] == run("clean", "nowhere")[0] == 2


@pytest.mark.parametrize("start", [("-s", "latents"), ("--save-dir=latents",), ("--save_dir", "latents"), ()])
def test_rerun_repeats_beside_and_finds_nothing_that_differs(run, tmp_path, start):
    assert run("sample", "-n", 5, "-d", 2, *start, "--overwrite", "-q")[0] == 0
    os.chdir("/")  # relative paths are those of then
    code, out, err = run("rerun", tmp_path / "latents")
    assert code == 0, err
    assert f"1 of 1 outputs have the same bytes: {tmp_path / 'latents-rerun'}" in out
    assert "is there already" in run("rerun", tmp_path / "latents")[2]
    assert run("rerun", tmp_path / "latents" / "latent_z-dim_2.npy", "-s", tmp_path / "more")[0] == 0


def test_rerun_takes_up_a_repetition_that_was_killed(run, tmp_path):
    assert run("sample", "-n", 5, "-d", 2, "-s", "latents", "-q")[0] == 0
    assert run("rerun", "latents")[0] == 0
    again = Manifest.read(tmp_path / "latents-rerun" / "latent_z-dim_2.manifest.json")
    again.add(status="running", outputs={})
    code, out, err = run("rerun", "latents")
    assert code == 0, err
    assert "1 of 1 outputs have the same bytes" in out
    assert "is there already, finished" in run("rerun", "latents")[2]


def test_rerun_tells_what_differs(run, tmp_path):
    np.save(tmp_path / "z.npy", np.zeros((2, 2), np.float32))
    assert run("sample", "-n", 5, "-d", 2, "-s", "latents", "-q")[0] == 0
    path = tmp_path / "latents" / "latent_z-dim_2.manifest.json"
    manifest = Manifest.read(path)
    manifest.record["versions"] |= {"numpy": "0.1"}
    manifest.record["outputs"] |= {"latent_z-dim_2.npy": "sha256:0", "gone.npy": "sha256:1"}
    manifest.record["options"]["task"]["seed"] = 5
    manifest.add_input("latents", tmp_path / "z.npy")
    code, out, _ = run("rerun", path, "--json")
    assert code == 1
    told = json.loads(out)["differences"]
    assert told["bytes"] == ["gone.npy is missing now", "latent_z-dim_2.npy is another now"]
    assert told["versions"] == [f"numpy was 0.1, is {np.__version__}"]
    assert told["options"] == ["task.seed was 5, is 0"]
    assert told["data"][0].startswith("latents was sha256:")


def test_rerun_repeats_what_was_settled_when_a_training_went_on(tmp_path):
    from canarygan_core.tasks.rerun import _repeat_words

    starts = [
        ["train-gan", "-d", "data", "-s", "runs", "--max-epochs", "5", "--version=a"],
        ["run", "train-gan", "--resume", "--max_epochs=8", "-s", "runs"],
        ["train-gan", "--resume", "--save-dir", "runs", "-q"],
    ]
    record = {"history": [{"argv": argv} for argv in starts[:2]], "argv": starts[2]}
    assert _repeat_words(record) == ["train-gan", "-d", "data", "--max-epochs", "8"]


@pytest.mark.parametrize(
    ("change", "told"),
    [({"status": "failed"}, "only finished work"), ({"cwd": "/no/such/folder"}, "which is no more")],
)
def test_what_cannot_be_repeated(run, tmp_path, change, told):
    assert run("sample", "-n", 5, "-d", 2, "-s", "latents", "-q")[0] == 0
    Manifest.read(tmp_path / "latents" / "latent_z-dim_2.manifest.json").add(**change)
    code, _, err = run("rerun", "latents")
    assert code == 1
    assert told in err
    assert run("rerun")[0] == 2
    (tmp_path / "empty").mkdir()
    assert "there are none" in run("rerun", "empty")[2]
    assert run("rerun", tmp_path / "latents" / "nothing")[0] == 1
