"""Options that restore what the original does: one batch for all critic updates, and shares of samples."""

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from canarygan_wavegan.component import WaveGAN
from canarygan_wavegan.module import Draws, WaveGANModule
from canarygan_wavegan.train import build_module

from canarygan_core import runs
from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError
from canarygan_core.lightning.training import Training
from canarygan_core.runs import Request

CLIPS = Clips(np.random.default_rng(0).uniform(-1, 1, (13, 4096)).astype(np.float32), 16000)
SMALL: dict[str, Any] = {"batch_size": 4, "max_epochs": 1, "accelerator": "cpu", "precision": "32"}


def seen(monkeypatch: pytest.MonkeyPatch, folder: Any, **options: Any) -> list[list[torch.Tensor]]:
    """By update, the real clips of each of the critic's updates; and the shares of the penalty."""
    batches: list[list[torch.Tensor]] = [[]]
    critic, generator = WaveGANModule.update_critic, WaveGANModule.update_generator

    def update_critic(self: WaveGANModule, real: torch.Tensor, *rest: Any) -> Any:
        batches[-1].append(real.clone())
        return critic(self, real, *rest)

    def update_generator(self: WaveGANModule, *rest: Any) -> Any:
        batches.append([])
        return generator(self, *rest)

    monkeypatch.setattr(WaveGANModule, "update_critic", update_critic)
    monkeypatch.setattr(WaveGANModule, "update_generator", update_generator)
    with runs.open_run(folder, Request("train-gan")) as run:
        WaveGAN(dim=2, slice_len=4096, critic_updates=3, **options).train(CLIPS, run, training=Training(**SMALL))
    return batches[:-1]


def test_one_batch_is_for_all_updates_of_the_critic(monkeypatch: Any, tmp_path: Any) -> None:
    updates = seen(monkeypatch, tmp_path, fresh_batches=False, interpolate="samples", phase_shuffle=0)
    assert len(updates) == 3  # of 13 clips in batches of 4, as many as the original's loader gives
    for batches in updates:
        assert len(batches) == 3
        assert all(torch.equal(batch, batches[0]) for batch in batches)
    assert len({float(batches[0].sum()) for batches in updates}) == 3


def test_each_update_of_the_critic_has_a_batch_of_its_own_else(monkeypatch: Any, tmp_path: Any) -> None:
    (batches,) = seen(monkeypatch, tmp_path)
    assert len({float(batch.sum()) for batch in batches}) == 3


@pytest.mark.parametrize(("interpolate", "shape"), [("clips", (4, 1)), ("samples", (4, 4096))])
def test_shares_of_the_penalty(monkeypatch: Any, tmp_path: Any, interpolate: Any, shape: tuple[int, int]) -> None:
    drawn = []
    fractions = Draws.fractions

    def draw(self: Draws, samples: int = 1) -> torch.Tensor:
        drawn.append(fractions(self, samples))
        return drawn[-1]

    monkeypatch.setattr(Draws, "fractions", draw)
    seen(monkeypatch, tmp_path, interpolate=interpolate)
    assert {tuple(one.shape) for one in drawn} == {shape}
    assert all(float(one.min()) >= 0 and float(one.max()) <= 1 for one in drawn)


def test_an_epoch_counts_what_is_shown() -> None:
    for fresh, updates in ((True, 1), (False, 3)):
        model = WaveGAN(dim=2, slice_len=4096, critic_updates=3, fresh_batches=fresh)
        assert build_module(model, CLIPS, Training(**SMALL)).schedule.per_epoch == updates


def test_the_balance_needs_labels_and_reaches_the_stream(monkeypatch: Any, tmp_path: Any) -> None:
    model = WaveGAN(dim=2, slice_len=4096, critic_updates=3, balance=True)
    with pytest.raises(CanaryganError, match="--balance shows every class equally often"):
        build_module(model, CLIPS, Training(**SMALL))
    labelled = replace(CLIPS, labels=np.array(["rare"] + ["common"] * 12))
    monkeypatch.setattr(sys.modules[__name__], "CLIPS", labelled)
    updates = seen(monkeypatch, tmp_path, balance=True)
    rare = torch.from_numpy(labelled.audio[0])
    shown = [bool(torch.equal(clip, rare)) for batches in updates for batch in batches for clip in batch]
    assert 4 <= sum(shown) <= 8
    assert len(shown) == 12
