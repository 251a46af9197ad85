"""Trainings that stop and go on, on the command line and in one process, end like those that do not."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from trainings import COMMAND, assert_same_training, last, trained

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError


def test_longer_training_goes_on_where_a_finished_one_ended(tmp_path: Path, clips: Clips) -> None:
    trained(tmp_path / "whole", clips, training={"max_epochs": 5})
    trained(tmp_path / "parts", clips, training={"max_epochs": 2})
    trained(tmp_path / "parts", clips, training={"max_epochs": 5}, resume=True)
    assert_same_training(tmp_path / "whole", tmp_path / "parts")


def test_moments_that_lie_otherwise_in_memory_are_taken_up_as_they_are(tmp_path: Path, clips: Clips) -> None:
    trained(tmp_path / "whole", clips, training={"max_epochs": 2})
    run = trained(tmp_path / "parts", clips, training={"max_epochs": 1})
    checkpoint = last(tmp_path / "parts")
    for saved in checkpoint["optimizer_states"]:
        for moments in saved["state"].values():
            moments |= {name: moments[name].contiguous() for name in ("exp_avg", "exp_avg_sq")}
    torch.save(checkpoint, run.last)
    trained(tmp_path / "parts", clips, training={"max_epochs": 2}, resume=True)
    assert_same_training(tmp_path / "whole", tmp_path / "parts")


def test_a_plain_training_resumes_and_generates_on_the_command_line(tmp_path: Path) -> None:
    command = [*COMMAND, "-s", str(tmp_path), "--critic-step", "plain"]
    command[command.index("--max-epochs") + 1] = "2"
    resume = [sys.executable, "-m", "canarygan", "train-gan", "-s", str(tmp_path), "--resume"]
    generate = [
        sys.executable,
        "-m",
        "canarygan",
        "generate",
        "-x",
        str(tmp_path),
        "-n",
        "3",
        "-s",
        str(tmp_path / "sounds"),
    ]
    for words in (command, [*resume, "--max-epochs", "3"], generate):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert last(tmp_path)["updates"] == 9
    manifest = json.loads((tmp_path / "checkpoints" / "version_0" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["options"]["model"]["options"]["critic_step"] == "plain"
    done = subprocess.run([*resume, "--critic-step", "fast"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "started with --critic-step plain, not fast" in done.stderr


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The training that nobody interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    subprocess.run([*COMMAND, "-s", str(folder)], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_training_ends_like_one_that_was_not(
    tmp_path: Path, whole: Path, number: signal.Signals
) -> None:
    """Stopped at whatever update it is at, twice, and resumed each time."""
    resume: list[str] = []
    for seen in (5, 100):
        process = subprocess.Popen([*COMMAND, "-s", str(tmp_path), *resume], stderr=subprocess.PIPE, text=True)
        table = tmp_path / "logs" / "csv" / "version_0" / "metrics.csv"
        while process.poll() is None and not (table.is_file() and table.read_text().count("\n") > seen):
            time.sleep(0.01)
        process.send_signal(number)
        text = process.communicate()[1]
        if number == signal.SIGKILL:
            assert process.returncode == -signal.SIGKILL
        else:
            assert process.returncode == 130, text
            assert "Go on with canarygan run train-gan --resume" in text
            assert "Traceback" not in text
        resume = ["--resume"]
    interrupted = last(tmp_path)["updates"]
    assert 0 < interrupted < 240
    subprocess.run([*COMMAND, "-s", str(tmp_path), "--resume"], check=True, capture_output=True)
    assert_same_training(whole, tmp_path)


def test_resuming_takes_the_options_of_the_start_and_refuses_others(tmp_path: Path, whole: Path) -> None:
    again = [sys.executable, "-m", "canarygan", "train-gan", "-s", str(whole), "--resume"]
    done = subprocess.run([*again, "--dim", "4"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "started with --dim 2, not 4" in done.stderr
    subprocess.run(again, check=True, capture_output=True)
    assert last(whole)["updates"] == 240


def test_a_training_from_before_the_option_of_the_critic_step_goes_on(tmp_path: Path, whole: Path) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "checkpoints" / "version_0" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["options"]["model"]["options"]["critic_step"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    again = [sys.executable, "-m", "canarygan", "train-gan", "-s", str(tmp_path), "--resume", "--max-epochs", "81"]
    done = subprocess.run(again, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert last(tmp_path)["updates"] == 243


def test_a_damaged_checkpoint_is_an_error_on_resuming(tmp_path: Path, clips: Clips) -> None:
    run = trained(tmp_path, clips)
    run.last.write_bytes(run.last.read_bytes()[:5000])
    with pytest.raises(CanaryganError, match=r"damaged .*copy the newest whole one"):
        trained(tmp_path, clips, training={"max_epochs": 5}, resume=True)
