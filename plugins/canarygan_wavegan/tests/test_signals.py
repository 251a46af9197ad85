"""Signals that come at an awkward moment."""

import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from canarygan_wavegan.component import WaveGAN

from canarygan_core import runs
from canarygan_core.clips import Clips
from canarygan_core.errors import Interrupted
from canarygan_core.lightning.training import Training
from canarygan_core.runs import Request


def test_a_signal_that_comes_while_a_checkpoint_is_saved_costs_no_update(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copyfile

    def copied(source: Path, target: Path) -> None:
        copy(source, target)
        monkeypatch.undo()
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(shutil, "copyfile", copied)
    noise = np.random.default_rng(0).uniform(-1, 1, (24, 4096)).astype(np.float32)
    model = WaveGAN(dim=2, slice_len=4096, critic_updates=2)
    training = Training(batch_size=4, max_epochs=3, save_every_n_epochs=1, accelerator="cpu", precision="32")
    with (
        pytest.raises(Interrupted, match="after 4 updates"),
        runs.open_run(tmp_path, Request("train-gan")) as run,
    ):
        model.train(Clips(noise, 16000), run, training=training)
    assert torch.load(run.last, weights_only=True)["updates"] == 4
