"""What stops a training, and what it says: options that cannot work, and values that are no numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from canarygan_wavegan import module as wavegan_module
from trainings import last, trained

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError
from canarygan_core.lightning.monitor import Monitor


def test_broken_values_stop_the_training_and_keep_the_last_good_checkpoint(
    tmp_path: Path, clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = wavegan_module.WaveGANModule.update_generator

    def poisoned(module: Any, *arguments: Any) -> Any:
        loss = step(module, *arguments)
        if module.updates == 4:
            with torch.no_grad():
                module.generator.project.weight.fill_(float("nan"))
        return loss

    monkeypatch.setattr(wavegan_module.WaveGANModule, "update_generator", poisoned)
    with pytest.raises(CanaryganError, match=r"Training broke by update 6: NaN .*lower --lr"):
        trained(tmp_path, clips, training={"save_every_n_epochs": 1})
    saved = last(tmp_path)
    assert saved["updates"] == 3
    assert all(weight.isfinite().all() for weight in saved["state_dict"].values())


def test_weights_that_are_not_numbers_are_never_saved(
    tmp_path: Path, clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Monitor, "check_values", lambda self, values: None)

    def poisoned(module: Any, *arguments: Any) -> Any:
        with torch.no_grad():
            module.generator.project.weight.fill_(float("nan"))
        return torch.zeros(())

    monkeypatch.setattr(wavegan_module.WaveGANModule, "update_generator", poisoned)
    with pytest.raises(CanaryganError, match="NaN in the weights"):
        trained(tmp_path, clips)
    assert not list((tmp_path / "checkpoints").rglob("*.ckpt*"))


def test_lasting_silence_is_a_warning(tmp_path: Path, clips: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Monitor, "make_sounds", lambda self: np.zeros((16, 4096), np.float32))
    run = trained(tmp_path, clips, training={"save_every_n_epochs": 1})
    messages = [warning["message"] for warning in run.manifest.record["warnings"]]
    assert any("silence" in text for text in messages)


@pytest.mark.parametrize(
    ("options", "training", "message"),
    [
        ({}, {"batch_size": 5, "devices": 2}, "cannot be shared by 2 devices"),
        ({"dim": 0}, {}, "--dim must be at least 1"),
        ({"ema": 1.0}, {}, "--ema must be"),
        ({"phase_shuffle": 99}, {}, "--phase-shuffle must be"),
        ({"lr": 0.0}, {}, "--lr must be"),
        ({"lr": float("nan")}, {}, "--lr must be"),
        ({"penalty": float("inf")}, {}, "--lr must be"),
        ({}, {"seed": 10**20}, "--seed must be below"),
        ({}, {"max_epochs": 0}, "--max-epochs must be at least 1"),
    ],
)
def test_options_that_cannot_work_are_refused(
    tmp_path: Path, clips: Clips, options: dict[str, Any], training: dict[str, Any], message: str
) -> None:
    with pytest.raises(CanaryganError, match=message):
        trained(tmp_path, clips, training=training, **options)


def test_missing_hardware_is_an_error(tmp_path: Path, clips: Clips) -> None:
    with pytest.raises(CanaryganError, match="--accelerator mps -G 1 -N 1 cannot be had here"):
        trained(tmp_path, clips, training={"accelerator": "mps"})
