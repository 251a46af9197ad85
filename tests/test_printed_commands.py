"""Every command that an answer or an error prints as the next one runs as it is printed."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from canarygan_core.cli import main

for name in ("wavegan", "decoders", "metrics"):
    pytest.importorskip(f"canarygan_{name}")

SHORTER = {"train-gan": ["--max-epochs", "1", "--batch-size", "4"], "inception": ["--n-split", "2"]}
"""What is added to a printed command, so that it takes seconds."""


def run(words: list[str], *, code: int = 0) -> str:
    """What a command prints, by its exit code, in the folder of the moment."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "canarygan", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == code, f"{words}: {done.stderr}"
    return done.stdout + done.stderr


def run_printed(text: str, task: str, *, code: int = 0) -> str:
    """Run the one command of a task that a text prints; gives what it prints, by its exit code."""
    printed = [shlex.split(line) for line in re.findall(r"canarygan ((?:run )?[a-z-]+ .*)", text)]
    (words,) = [words for words in printed if task in words[:2]]
    return run(words + SHORTER.get(task, []), code=code)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    return folder


def test_from_a_data_set_to_sounds(place: Path) -> None:
    written = run(["write-dataset", "-s", "my syllables", "--syllables", "2", "--per-class", "6"])
    checked = run_printed(written, "check-data")
    trained = run_printed(checked, "train-gan")
    made = run_printed(trained, "generate")
    assert "100 sounds" in made
    (place / "my syllables" / "A" / "0000.wav").write_text("no sound")
    refused = run(["train-gan", "-d", "my syllables"], code=1)
    unusable = run_printed(refused, "check-data", code=1)
    assert "--skip-unusable" in unusable
    run_printed(unusable, "train-gan")


def test_what_was_given_and_what_is_advised_is_in_the_next_command(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    time = np.arange(4000) / 16000
    for label, pitch in (("low", 900), ("high", 3000)):
        (place / "two channels" / label).mkdir(parents=True)
        for number in range(6):
            sound = 0.3 * np.sin(2 * np.pi * (pitch + 40 * number) * time) + 0.8 * np.sin(2 * np.pi * 90 * time)
            path = place / "two channels" / label / f"{number}.wav"
            soundfile.write(path, np.stack([sound, rng.normal(0, 0.2, 4000)], 1), 16000)
    broken = place / "two channels" / "low" / "broken.wav"
    broken.write_text("no sound")
    given, words = ["--lowpass", "7000", "--max-length", "0.5"], ["-d", "two channels", "--channel", "1"]
    assert main.main(["write-dataset", "--dataset", "folder", *words, "-s", "out", *given]) == 1
    told = "-d 'two channels' --lowpass 7000 --max-length 0.5 --channel 1"
    assert f"For a full report: canarygan check-data {told}\n" in capsys.readouterr().err
    assert main.main(["check-data", *shlex.split(told)]) == 1
    told = "train-gan -d 'two channels' --highpass 500 --lowpass 7000 --max-length 0.5 --channel 1 --preset small"
    assert f"leave them out: canarygan {told} --skip-unusable" in capsys.readouterr().out
    broken.unlink()
    assert main.main(["check-data", "-d", "two channels", *given]) == 0
    checked = capsys.readouterr().out
    assert f"Next: canarygan {told}" in checked
    run_printed(checked, "train-gan")
    options = json.loads(Path("runs/checkpoints/version_0/manifest.json").read_text())["options"]["dataset"]["options"]
    assert (options["highpass"], options["lowpass"], options["channel"], options["max_length"]) == (500, 7000, 1, 0.5)


def test_a_set_that_is_written_is_checked_at_its_own_rate_and_heard_as_it_was_made(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["write-dataset", "-s", "made", "--syllables", "2", "--per-class", "3"]) == 0
    given = ["--sampling-rate", "32000", "--max-length", "0.5", "--highpass", "700", "--no-remove-mean"]
    assert main.main(["write-dataset", "-d", "made", "-s", "my set", "--dataset", "folder", *given]) == 0
    told = "-d 'my set' --highpass 700 --no-remove-mean --sampling-rate 32000 --max-length 0.5"
    assert f"Next: canarygan check-data {told}\n" in capsys.readouterr().out
    assert main.main(["check-data", *shlex.split(told)]) == 0
    assert f"Next: canarygan train-gan {told} --preset small" in capsys.readouterr().out
    words = ["train-decoders", "-d", "made", "-s", "my decoders", "-m", "knn", "--augment", "0", "--channel", "1"]
    assert main.main(words) == 0
    assert "Use them: canarygan decode -y 'my decoders' --channel 1 made" in capsys.readouterr().out


def test_from_features_to_labels_and_from_a_classifier_to_its_score(place: Path) -> None:
    run(["write-dataset", "-s", "my syllables", "--syllables", "2", "--per-class", "6"])
    built = run(["build-decoder-dataset", "-d", "my syllables", "-s", "a set", "--augment", "0"])
    assert "of 2 classes" in built
    assert "12 sounds" in run_printed(run_printed(built, "train-decoders"), "decode")
    shutil.rmtree("decoded")
    words = ["train-decoders", "-d", "my syllables", "-s", "my decoders", "-m", "knn", "--augment", "0"]
    assert "12 sounds" in run_printed(run(words), "decode")
    shape = ["--syllables", "2", "--per-class", "12"]
    learning = ["--max-epochs", "1", "--batch-size", "8"]
    synthetic = run(["train-inception", "-s", "a classifier", *shape, *learning])
    assert "--dataset synthetic --syllables 2 --per-class 12" in synthetic
    assert "Inception score of 24 real clips" in run_printed(synthetic, "inception")


def test_a_run_whose_data_moved_says_which_flag_to_give(place: Path) -> None:
    run(["write-dataset", "-s", "my syllables", "--syllables", "2", "--per-class", "6"])
    small = ["--dim", "2", "--slice-len", "4096", "--critic-updates", "1", "--batch-size", "4", "--max-epochs", "1"]
    run(["train-gan", "-d", "my syllables", *small])
    (place / "my syllables").rename(place / "moved")
    resumed = ["train-gan", "--resume", "-s", "runs/checkpoints/version_0", "--max-epochs", "2"]
    refused = run(resumed, code=1)
    assert "If it was moved, say where to: --data-dir PATH (now " in refused
    run([*resumed, "-d", "moved"])
    record = json.loads(Path("runs/checkpoints/version_0/manifest.json").read_text())
    assert record["status"] == "finished"
    assert record["options"]["dataset"]["options"]["data_dir"] == "moved"
    assert not (place / "runs" / "checkpoints" / "version_0" / "checkpoints").exists()
