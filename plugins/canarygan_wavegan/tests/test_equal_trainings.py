"""Trainings that must end alike: of one seed, by plain or fast steps, on one process or two."""

import os
import subprocess
from pathlib import Path

import pytest
import torch
from canarygan_wavegan import module as wavegan_module
from canarygan_wavegan.model import Generator, Shape
from trainings import COMMAND, assert_same_training, last, rows, trained

from canarygan_core.clips import Clips


def test_equal_seeds_give_equal_trainings_and_others_do_not(tmp_path: Path, clips: Clips) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        trained(tmp_path / name, clips, training={"seed": seed, "num_workers": 0 if name == "b" else 1})
    assert_same_training(tmp_path / "a", tmp_path / "b")
    assert rows(tmp_path / "a") != rows(tmp_path / "c")


def test_plain_and_fast_critic_steps_end_with_equal_weights(
    tmp_path: Path, clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After six updates in float32, twelve of the critic: fast, plain, and plain without any fast convolution.

    Weights are below 4 in size and move by up to 0.006; they may differ by 1e-6, a few units in the last place.
    """
    for name, step, unused in (
        ("fast", "fast", "critic_loss"),
        ("plain", "plain", "set_gradients"),
        ("all_plain", "plain", "set_gradients"),
    ):
        with monkeypatch.context() as patch:
            patch.delattr(wavegan_module, unused)
            if name == "all_plain":
                patch.setattr(wavegan_module, "accelerate", lambda network: network)
            trained(tmp_path / name, clips, training={"max_epochs": 2}, dim=4, critic_step=step)
    torch.manual_seed(0)
    first = Generator(Shape(dim=4, samples=4096))
    fast, *others = (last(tmp_path / name)["state_dict"] for name in ("fast", "plain", "all_plain"))
    assert (fast["generator.layers.0.weight"] - first.layers[0].weight).abs().max() > 5e-3  # type: ignore[operator]
    for weights in others:
        for name, weight in fast.items():
            torch.testing.assert_close(weights[name], weight, rtol=0, atol=1e-6, msg=name)


def test_two_processes_equal_one_with_the_joint_batch(tmp_path: Path) -> None:
    """Over five updates, that is ten of the critic and five of the generator, in float32."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("SLURM", "RANK", "LOCAL_RANK"))
    }
    for name, devices in (("one", "1"), ("two", "2")):
        options = ["--max-epochs", "1", "--per-class", "20", "-s", str(tmp_path / name), "-G", devices]
        command = [*COMMAND]
        for option, value in zip(options[::2], options[1::2], strict=True):
            if option in command:
                command[command.index(option) + 1] = value
            else:
                command += [option, value]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
    one, two = rows(tmp_path / "one"), rows(tmp_path / "two")
    assert len(one) == len(two) == 5
    for mine, theirs in zip(one, two, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-4, abs=1e-5)
    weights = last(tmp_path / "one")["state_dict"], last(tmp_path / "two")["state_dict"]
    for name, weight in weights[0].items():
        torch.testing.assert_close(weight, weights[1][name], rtol=0, atol=1e-5, msg=name)
