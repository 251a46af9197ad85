"""Small trainings of the WaveGAN for tests, and what is compared of two of them."""

import csv
import sys
from pathlib import Path
from typing import Any

import torch
from canarygan_wavegan.component import WaveGAN

from canarygan_core import runs
from canarygan_core.clips import Clips
from canarygan_core.lightning.training import Training
from canarygan_core.runs import Request, Run

OPTIONS: dict[str, Any] = {"dim": 2, "slice_len": 4096, "critic_updates": 2, "lr": 1e-3, "ema": 0.9}
TRAINING: dict[str, Any] = {
    "max_epochs": 3,
    "batch_size": 4,
    "log_every_n_steps": 1,
    "save_every_n_epochs": 100,
    "accelerator": "cpu",
    "precision": "32",
}


def trained(folder: Path, clips: Clips, *, resume: bool = False, training: Any = None, **options: Any) -> Run:
    """A run in `folder`, trained with small options but for those given."""
    with runs.open_run(folder, Request("train-gan"), resume=resume) as run:
        model = WaveGAN(**(OPTIONS | options))
        model.train(clips, run, training=Training(**(TRAINING | (training or {}))))
    return run


COMMAND = [
    *(sys.executable, "-m", "canarygan", "train-gan", "--dim", "2", "--slice-len", "4096", "--syllables", "2"),
    *("--per-class", "12", "--batch-size", "4", "--critic-updates", "2", "--max-epochs", "80", "--ema", "0.9"),
    *("--save-every-n-epochs", "20", "--log-every-n-steps", "1", "--accelerator", "cpu", "--precision", "32"),
]
"""A training of 240 updates, 3 an epoch, whose rows and weights are compared."""


def rows(run_dir: Path, version: str = "0") -> list[dict[str, float]]:
    """The logged values, but for those that measure time."""
    with open(run_dir / "logs" / "csv" / f"version_{version}" / "metrics.csv", newline="") as stream:
        table = list(csv.DictReader(stream))
    return [{key: float(value) for key, value in row.items() if "speed" not in key} for row in table]


def last(run_dir: Path) -> dict[str, Any]:
    path = run_dir / "checkpoints" / "version_0" / "last" / "last.ckpt"
    content: dict[str, Any] = torch.load(path, weights_only=True)
    return content


def assert_same_training(one: Path, other: Path) -> None:
    assert rows(one) == rows(other)
    a, b = last(one), last(other)
    assert a["updates"] == b["updates"]
    assert a["state_dict"].keys() == b["state_dict"].keys()
    assert all(torch.equal(a["state_dict"][name], b["state_dict"][name]) for name in a["state_dict"])
    for mine, theirs in zip(a["optimizer_states"], b["optimizer_states"], strict=True):
        for key, state in mine["state"].items():
            assert all(torch.equal(state[name], theirs["state"][key][name]) for name in state)
