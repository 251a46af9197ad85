"""Training as a whole: what it leaves, how it is counted, and that it learns."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from canarygan_wavegan import module as wavegan_module
from canarygan_wavegan.component import WaveGAN
from canarygan_wavegan.model import Generator, Shape
from trainings import COMMAND, last, rows, trained

from canarygan_core.clips import Clips


def test_what_a_training_leaves(tmp_path: Path, clips: Clips) -> None:
    run = trained(tmp_path, clips, training={"save_every_n_epochs": 1})
    assert sorted(path.name for path in (run.checkpoints / "all").iterdir()) == [
        "epoch_1-step_3.ckpt",
        "epoch_2-step_6.ckpt",
        "epoch_3-step_9.ckpt",
    ]
    assert run.last.read_bytes() == (run.checkpoints / "all" / "epoch_3-step_9.ckpt").read_bytes()
    assert [row["step"] for row in rows(tmp_path)] == list(range(1, 10))
    assert list(run.logs("tensorboard").glob("events*"))
    previews = sorted(path.name for path in run.previews.iterdir())
    assert previews[0] == "curves.png"
    assert len(previews) == 9
    sound, rate = soundfile.read(run.previews / "epoch_3-step_9.wav")
    assert rate == 16000
    assert np.abs(sound).max() > 0
    outputs = run.manifest.record["outputs"]
    assert set(outputs) == {f"all/epoch_{epoch}-step_{3 * epoch}.ckpt" for epoch in (1, 2, 3)}
    assert run.manifest.record["status"] == "finished"
    assert run.manifest.record["result"] == {"updates": 9, "epochs": 3, "samples": 4096}


def test_logged_values_are_those_of_the_losses(tmp_path: Path, clips: Clips) -> None:
    trained(tmp_path, clips)
    for row in rows(tmp_path):
        expected = 10 * row["critic/gradient_penalty"] - row["critic/wasserstein"]
        assert row["critic/loss"] == pytest.approx(expected, rel=1e-4)
        assert row["epoch"] == pytest.approx(row["step"] / 3)
        assert row["critic/gradient_norm"] > 0
        assert row["generator/gradient_norm"] > 0


def float32_flags() -> tuple[str, bool, bool]:
    """How torch multiplies float32 numbers on a GPU: of matrices, and whether as TF32, there and in cuDNN."""
    matrices = torch.backends.cuda.matmul.allow_tf32
    return torch.get_float32_matmul_precision(), matrices, torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize(("precision", "within"), [("32", ("highest", False, False)), ("bf16", ("high", True, True))])
def test_precision_32_trains_and_generates_without_tf32(
    tmp_path: Path, clips: Clips, monkeypatch: pytest.MonkeyPatch, precision: str, within: tuple[str, bool, bool]
) -> None:
    seen: list[tuple[str, bool, bool]] = []
    step, forward = wavegan_module.WaveGANModule.training_step, Generator.forward
    monkeypatch.setattr(
        wavegan_module.WaveGANModule, "training_step", lambda *given: (seen.append(float32_flags()), step(*given))[1]
    )
    before = float32_flags()
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    try:
        run = trained(tmp_path, clips, training={"precision": precision, "max_epochs": 1})
        assert set(seen) == {within}
        monkeypatch.setattr(Generator, "forward", lambda *given: (seen.append(float32_flags()), forward(*given))[1])
        generator = WaveGAN.load(run.last)
        monkeypatch.setattr(generator, "arithmetic", torch.float32 if precision == "32" else torch.bfloat16)
        generator.generate(np.zeros((1, 3), np.float32))
        assert seen[-1] == within
        assert float32_flags() == ("high", True, True)
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[2]


def test_the_generator_of_sounds_is_the_average(tmp_path: Path, clips: Clips) -> None:
    trained(tmp_path, clips)
    weights = last(tmp_path)["state_dict"]
    assert not torch.equal(weights["average.project.weight"], weights["generator.project.weight"])
    loaded = WaveGAN.load(tmp_path / "checkpoints" / "version_0" / "last" / "last.ckpt")
    assert torch.equal(loaded.network.project.weight, weights["average.project.weight"])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "options",
    [
        {"upsampling": "nearest"},
        {"batch_norm": True},
        {"ema": 0.0},
        {"latent_dim": 1},
        {"phase_shuffle": 0},
        {"critic_step": "plain"},
    ],
)
def test_every_variant_trains_and_generates(tmp_path: Path, clips: Clips, options: dict[str, Any]) -> None:
    run = trained(tmp_path, clips, training={"max_epochs": 1}, **options)
    generator = WaveGAN.load(run.last)
    z = np.random.default_rng(0).uniform(-1, 1, (5, generator.latent_dim)).astype(np.float32)
    sounds = generator.generate(z)
    assert sounds.shape == (5, 4096)
    assert np.isfinite(sounds).all()
    np.testing.assert_array_equal(sounds, generator.generate(z))


def test_training_lowers_the_distance_between_real_and_generated(tmp_path: Path, clips: Clips) -> None:
    run = trained(tmp_path, clips, training={"max_epochs": 40, "save_every_n_epochs": 20}, dim=4)
    z = np.random.default_rng(0).uniform(-1, 1, (24, 3)).astype(np.float32)

    def spectrum(audio: np.ndarray) -> np.ndarray:
        return np.log(np.square(np.abs(np.fft.rfft(audio.reshape(len(audio), 16, 256)))).mean(0) + 1e-3)

    def distance(sounds: np.ndarray) -> float:
        return float(np.abs(spectrum(sounds) - spectrum(clips.audio)).mean())

    torch.manual_seed(0)
    first = Generator(Shape(dim=4, samples=4096))(torch.from_numpy(z)).detach().numpy()

    assert distance(WaveGAN.load(run.last).generate(z)) < 0.8 * distance(first)


def test_a_dry_run_estimates_the_time_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "-s", str(tmp_path / "runs"), "--dry-run"], capture_output=True, text=True, check=True
    )
    assert "s an update" in done.stderr
    assert "for 240 updates" in done.stderr
    assert not (tmp_path / "runs").exists()
