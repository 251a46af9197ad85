"""Training as a whole: what it leaves, how it is counted, resumed, stopped, and what it says when it breaks."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from canarygan_wavegan import module as wavegan_module
from canarygan_wavegan.component import WaveGAN
from canarygan_wavegan.model import Generator, Shape

from canarygan_core import runs
from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError
from canarygan_core.lightning.monitor import Monitor
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


@pytest.fixture
def clips() -> Clips:
    rng = np.random.default_rng(0)
    time = np.arange(4096) / 16000
    tones = [np.sin(2 * np.pi * f * time) * (time < 0.1) for f in rng.uniform(500, 4000, 24)]
    return Clips(np.asarray(tones, np.float32), 16000, labels=np.repeat(["a", "b"], 12))


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


def test_equal_seeds_give_equal_trainings_and_others_do_not(tmp_path: Path, clips: Clips) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        trained(tmp_path / name, clips, training={"seed": seed, "num_workers": 0 if name == "b" else 1})
    assert_same_training(tmp_path / "a", tmp_path / "b")
    assert rows(tmp_path / "a") != rows(tmp_path / "c")


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


def test_a_damaged_checkpoint_is_an_error_on_resuming(tmp_path: Path, clips: Clips) -> None:
    run = trained(tmp_path, clips)
    run.last.write_bytes(run.last.read_bytes()[:5000])
    with pytest.raises(CanaryganError, match=r"damaged .*copy the newest whole one"):
        trained(tmp_path, clips, training={"max_epochs": 5}, resume=True)


def test_a_dry_run_estimates_the_time_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "-s", str(tmp_path / "runs"), "--dry-run"], capture_output=True, text=True, check=True
    )
    assert "s an update" in done.stderr
    assert "for 240 updates" in done.stderr
    assert not (tmp_path / "runs").exists()


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
