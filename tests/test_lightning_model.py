"""The base of Lightning models: what a subclass gets for a network, a loss and a way to make sounds."""

import csv
import errno
import json
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from canarygan_core import CanaryganError, Request, runs
from canarygan_core.fitted import latents
from canarygan_core.lightning import checkpointing
from canarygan_core.lightning.model import LightningModel
from canarygan_core.lightning.module import Batches
from canarygan_core.lightning.monitor import Monitor
from canarygan_core.lightning.training import Training
from canarygan_core.testing import toy_clips

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("matplotlib")

from lightning.pytorch.loggers import TensorBoardLogger  # noqa: E402 after what may skip

FEW = Training(max_epochs=2, batch_size=4, num_workers=0, log_every_n_steps=1, save_every_n_epochs=1, precision="32")
REQUEST = Request("train-gan", options={"model": {}})


@dataclass(frozen=True)
class Lines(LightningModel):
    """Sounds are linear in the latents."""

    name: ClassVar[str] = "lines"
    curves: ClassVar[Any] = {"loss": "loss", "noise": "noise"}

    hidden: tuple[int, ...] = (4,)
    """Widths, units."""

    def choose_samples(self, clips: Any) -> int:
        return 256

    def build(self, samples: int) -> Any:
        return torch.nn.Sequential(torch.nn.Linear(self.latent_dim, self.hidden[0]), torch.nn.Linear(4, samples))

    def loss(self, network: Any, sounds: Any, draw: Any) -> Any:
        z = torch.rand((len(sounds), self.latent_dim), generator=draw) * 2 - 1
        return {"noise": z.mean(), "loss": (network(z) - sounds).square().mean()}

    def decode(self, network: Any, latents: Any) -> Any:
        return network(latents)


@dataclass(frozen=True)
class Broken(Lines):
    name: ClassVar[str] = "broken"

    def loss(self, network: Any, sounds: Any, draw: Any) -> Any:
        return {"loss": network(torch.zeros(1, 3)).mean() * float("nan")}


@dataclass(frozen=True)
class Lossless(Lines):
    name: ClassVar[str] = "lossless"

    def loss(self, network: Any, sounds: Any, draw: Any) -> Any:
        return {"error": network(torch.zeros(1, 3)).mean()}


@pytest.fixture
def clips():
    return toy_clips(8, samples=512)


def trained(folder, clips, model=Lines(), training=FEW, resume=False):
    with runs.open_run(folder, REQUEST, resume=resume) as run:
        model.train(clips, run, training=training)
    return run


def weights(run):
    return torch.load(run.last, weights_only=True)["state_dict"]


def test_a_run_has_checkpoints_logs_curves_and_previews(tmp_path, clips):
    run = trained(tmp_path, clips)
    assert [path.name for path in run.list_checkpoints()] == ["epoch_1-step_2.ckpt", "epoch_2-step_4.ckpt"]
    with open(run.logs("csv") / "metrics.csv") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    assert {"loss", "noise", "epoch"} <= rows[0].keys()
    names = {path.name for path in run.previews.iterdir()}
    assert names >= {"curves.png", "epoch_0-step_0.wav", "epoch_2-step_4.wav", "epoch_2-step_4.png"}
    record = json.loads(run.manifest.path.read_text())
    assert record["result"] == {"updates": 4, "epochs": 2, "samples": 256}


def test_a_training_that_stops_and_goes_on_equals_one_that_does_not(tmp_path, clips):
    whole = trained(tmp_path / "whole", clips)
    trained(tmp_path / "parts", clips, training=replace(FEW, max_epochs=1))
    parts = trained(tmp_path / "parts", clips, resume=True)
    assert all(torch.equal(one, weights(parts)[name]) for name, one in weights(whole).items())
    other = trained(tmp_path / "other", clips, training=replace(FEW, seed=1))
    assert not torch.equal(weights(other)["network.0.weight"], weights(whole)["network.0.weight"])


def test_a_generator_is_built_from_the_options_in_its_checkpoint(tmp_path, clips):
    run = trained(tmp_path, clips, Lines(latent_dim=2, hidden=(4, 5)))
    generator = Lines.load(run.last)
    assert (generator.latent_dim, generator.rate, generator.samples) == (2, 16000, 256)
    assert (generator.model.hidden, generator.progress) == ((4, 5), {"epoch": 2, "step": 4})
    before = torch.get_rng_state()
    sounds = Lines.load(run.last).generate(np.zeros((3, 2), np.float32))
    assert (sounds.shape, sounds.dtype) == ((3, 256), np.float32)
    assert torch.equal(torch.get_rng_state(), before), "loading draws from nobody's generator"
    with pytest.raises(CanaryganError, match="but not of broken: it is of lines"):
        Broken.load(run.last)
    torch.save({"state_dict": {}}, tmp_path / "x.ckpt")
    with pytest.raises(CanaryganError, match="but not of lines: it is of no such model"):
        Lines.load(tmp_path / "x.ckpt")
    saved = torch.load(run.last, weights_only=True)
    saved["state_dict"].pop("network.0.weight")
    torch.save(saved, tmp_path / "x.ckpt")
    with pytest.raises(CanaryganError, match="do not fit its own description"):
        Lines.load(tmp_path / "x.ckpt")


def test_a_generator_draws_latents_and_gives_its_network(tmp_path, clips):
    @dataclass(frozen=True)
    class Normal(Lines):
        name: ClassVar[str] = "normal"

        def draw_latents(self, count: int, rng: Any) -> Any:
            return rng.normal(5, 1, (count, self.latent_dim)).astype(np.float32)

    run = trained(tmp_path / "lines", clips)
    generator = Lines.load(run.last)
    drawn = generator.draw_latents(100, np.random.default_rng(0))
    assert np.array_equal(drawn, latents.draw(100, 3, seed=0))
    given = torch.from_numpy(drawn).requires_grad_()
    made = generator.module()(given)
    np.testing.assert_allclose(made.detach().numpy(), generator.generate(drawn), atol=1e-6)
    made.sum().backward()
    assert given.grad.abs().min() > 0
    seen = []
    patched = Monitor.write_previews
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Monitor, "write_previews", lambda self, *rest: (seen.append(self.latents), patched(self, *rest)))
        run = trained(tmp_path / "normal", clips, Normal())
    assert all(z.mean() > 4 for z in seen)
    assert seen
    assert Normal.load(run.last).draw_latents(100, np.random.default_rng(0)).mean() > 4


def test_a_dry_run_tells_how_long_it_takes(tmp_path, clips, caplog, monkeypatch):
    import logging

    monkeypatch.setattr(logging.getLogger("canarygan"), "propagate", True)
    caplog.set_level(logging.INFO, logger="canarygan")
    trained(tmp_path, clips, training=replace(FEW, dry_run=True, max_epochs=100))
    assert "for 200 updates" in caplog.text


def test_values_that_are_no_numbers_stop_the_training(tmp_path, clips):
    with pytest.raises(CanaryganError, match="Training broke by update 1: NaN in loss"):
        trained(tmp_path / "nan", clips, Broken())
    with pytest.raises(CanaryganError, match=r"Lossless.loss must give a loss, not only error"):
        trained(tmp_path / "none", clips, Lossless())


def test_what_cannot_be_trained_is_refused(tmp_path, clips):
    with pytest.raises(CanaryganError, match="no clips"):
        trained(tmp_path / "a", toy_clips(0))
    with pytest.raises(CanaryganError, match="--batch-size 4 cannot be shared by 3 devices"):
        trained(tmp_path / "b", clips, training=replace(FEW, devices=3))
    for wrong in ({"latent_dim": 0}, {"lr": 0.0}, {"lr": float("nan")}):
        with pytest.raises(CanaryganError, match="must be"):
            Lines(**wrong)


def test_batches_show_every_clip_equally_often_and_start_anywhere(clips):
    batches = Batches(clips, 600, FEW, slice(0, 4), 0, 6)
    rows = np.concatenate([batches.list_rows(update) for update in range(6)])
    assert np.bincount(rows).tolist() == [3] * 8
    assert sorted(rows[:8]) == sorted(rows[8:16]) == list(range(8))
    whole = list(batches)
    assert [batch.shape for batch in whole] == [(4, 600)] * 6
    later = list(Batches(clips, 600, FEW, slice(2, 4), 4, 6))
    assert all(torch.equal(one, other[2:4]) for one, other in zip(later, whole[4:], strict=True))


def state(folder):
    """What a training leaves that must not depend on whether it was killed: weights, logs, sounds, and the result."""
    run = runs.find(folder)
    record = json.loads(run.manifest.path.read_text())
    saved = {path.relative_to(run.checkpoints).as_posix(): path for path in run.checkpoints.glob("*/*.ckpt")}
    contents = {name: torch.load(path, weights_only=True) for name, path in saved.items()}
    sounds = {path.name: path.read_bytes() for path in run.previews.glob("*.wav")}
    steps = {name: (one["updates"], one["global_step"]) for name, one in contents.items()}
    weights = {name: one["state_dict"]["network.0.weight"].tolist() for name, one in contents.items()}
    log = (run.logs("csv") / "metrics.csv").read_bytes()
    return weights, steps, log, sounds, record["result"], sorted(record["outputs"])


@pytest.mark.parametrize("step", ["copyfile", "write_previews", "add_output", "log_metrics"])
def test_a_training_killed_around_its_checkpoint_ends_like_one_that_was_not(tmp_path, clips, monkeypatch, step):
    trained(tmp_path / "whole", clips)
    places = {"copyfile": checkpointing.shutil, "write_previews": Monitor, "add_output": runs.Manifest}
    before, calls = getattr(places.get(step, TensorBoardLogger), step), []

    def die_second(*words, **options):
        calls.append(step)
        if len(calls) == 3 - (step in ("copyfile", "add_output")):
            raise KeyboardInterrupt
        return before(*words, **options)

    with monkeypatch.context() as patch:
        patch.setattr(places.get(step, TensorBoardLogger), step, die_second)
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "killed", clips)
    trained(tmp_path / "killed", clips, resume=True)
    assert state(tmp_path / "killed") == state(tmp_path / "whole")


def test_a_finished_training_that_goes_on_keeps_its_result(tmp_path, clips):
    trained(tmp_path, clips)
    before = state(tmp_path)
    trained(tmp_path, clips, resume=True)
    assert state(tmp_path) == before


@pytest.mark.parametrize("is_told_as_value", [False, True])
def test_a_log_that_cannot_be_written_ends_the_training_and_names_it(tmp_path, clips, monkeypatch, is_told_as_value):
    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    class Writer:
        add_scalar = refuse

        def flush(self):
            pass

    if is_told_as_value:  # Lightning raises a ValueError from what the writer met
        monkeypatch.setattr(TensorBoardLogger, "experiment", Writer())
    else:
        monkeypatch.setattr(TensorBoardLogger, "log_metrics", refuse)
    monkeypatch.setattr(TensorBoardLogger, "finalize", refuse)
    with pytest.raises(CanaryganError, match=r"Cannot write the log .*tensorboard/version_0: No space left"):
        trained(tmp_path, clips)
    assert json.loads(runs.find(tmp_path).manifest.path.read_text())["status"] == "failed"
