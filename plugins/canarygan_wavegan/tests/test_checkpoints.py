"""Checkpoints of ours and of the original, and files that are neither."""

import dataclasses
import enum
import os
import pathlib
import sys
import types
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from canarygan_wavegan import checkpoints
from canarygan_wavegan.checkpoints import load
from canarygan_wavegan.fast.convolutions import accelerate
from canarygan_wavegan.model import Generator, Shape
from torch import Tensor

from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.errors import CanaryganError


def original_weights(dim: int, latent_dim: int, depth: int = 5) -> dict[str, Tensor]:
    """Random weights under the names and in the shapes of the original CanaryGAN."""
    widths = [dim * 2 ** (depth - 1 - level) for level in range(depth)] + [1]
    weights = {
        "generator.linear_block.0.weight": torch.randn(16 * widths[0], latent_dim) * 0.5,
        "generator.linear_block.0.bias": torch.randn(16 * widths[0]) * 0.1,
        "critic.readout.weight": torch.randn(1, 16 * widths[0]),
        "critic.readout.bias": torch.randn(1),
    }
    for level in range(depth):
        inp, out = widths[level], widths[level + 1]
        weights[f"generator.deconvnet.{2 * level}.block.weight"] = torch.randn(inp, out, 25) / (inp * 6) ** 0.5
        weights[f"generator.deconvnet.{2 * level}.block.bias"] = torch.randn(out) * 0.1
        weights[f"critic.convnet.{3 * level}.weight"] = torch.randn(widths[-2 - level], widths[-1 - level], 25)
        weights[f"critic.convnet.{3 * level}.bias"] = torch.randn(widths[-2 - level])
    return weights


def reference(weights: dict[str, Tensor], z: Tensor, strides: tuple[int, ...]) -> Tensor:
    """The original's generator, straight from torch's functions."""
    h = F.linear(z, weights["generator.linear_block.0.weight"], weights["generator.linear_block.0.bias"])
    h = F.relu(h).view(len(z), -1, 16)
    for level, stride in enumerate(strides):
        name = f"generator.deconvnet.{2 * level}.block"
        pad = 11 if stride == 4 else 12
        h = F.conv_transpose1d(
            h, weights[f"{name}.weight"], weights[f"{name}.bias"], stride=stride, padding=pad, output_padding=1
        )
        h = torch.tanh(h) if level == len(strides) - 1 else F.relu(h)
    return h.squeeze(1)


def save_as_the_original(path: Path, weights: dict[str, Tensor], slice_len: int) -> None:
    """Write a checkpoint whose hyper-parameters hold an enum of a package that is then no longer there."""
    package = types.ModuleType("canarygan_of_old")
    package.SliceLengths = enum.Enum(  # type: ignore[attr-defined]
        "SliceLengths", {"SHORT": 16384, "MEDIUM": 32768, "LONG": 65536}, module="canarygan_of_old"
    )
    sys.modules["canarygan_of_old"] = package
    try:
        content = {
            "state_dict": weights,
            "hyper_parameters": {"dim": 64, "slice_len": package.SliceLengths(slice_len)},  # type: ignore[attr-defined]
            "epoch": 984,
            "global_step": 295212,
        }
        torch.save(content, path)
    finally:
        del sys.modules["canarygan_of_old"]


@pytest.mark.parametrize(("fast", "arithmetic"), [(True, torch.bfloat16), (False, torch.float32)])
def test_sounds_are_made_in_the_arithmetic_of_the_training_where_that_is_fast(
    fast: bool, arithmetic: torch.dtype, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    network, z = accelerate(Generator(Shape(dim=4, samples=4096))), torch.rand(5, 3) * 2 - 1
    record = {"schema": 1, "shape": dataclasses.asdict(network.shape), "rate": 16000, "average": False, "per_epoch": 1}
    weights = {f"generator.{name}": weight for name, weight in network.state_dict().items()}
    content = {"state_dict": weights, "updates": 3, "wavegan": record | {"arithmetic": "bfloat16"}}
    torch.save(content, tmp_path / "last.ckpt")
    monkeypatch.setattr(checkpoints, "is_bfloat16_fast", lambda device: fast)
    sounds = load(tmp_path / "last.ckpt").generate(z.numpy())
    with torch.no_grad():
        np.testing.assert_array_equal(sounds, network(z, arithmetic).numpy())
        error = sounds - network(z).numpy()
    assert np.square(error).mean() < 1e-3 * np.square(sounds).mean()


@pytest.mark.parametrize(
    ("samples", "strides"),
    [(16384, (4,) * 5), (32768, (4, 4, 4, 4, 4, 2)), (65536, (4,) * 6)],
)
def test_the_original_generator_sounds_the_same(tmp_path: Path, samples: int, strides: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    weights = original_weights(dim=2, latent_dim=4, depth=len(strides))
    save_as_the_original(tmp_path / "old.ckpt", weights, samples)
    generator = load(tmp_path / "old.ckpt")
    z = torch.rand(3, 4) * 2 - 1
    assert (generator.latent_dim, generator.samples, generator.rate) == (4, samples, 16000)
    assert generator.progress == {"epoch": 984, "step": 295212}
    np.testing.assert_allclose(generator.generate(z.numpy()), reference(weights, z, strides).numpy(), atol=1e-5)
    assert "canarygan_of_old" not in sys.modules


def test_sounds_of_the_original_say_which_version_made_them(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "version_5" / "last" / "last.ckpt"
    path.parent.mkdir(parents=True)
    save_as_the_original(path, original_weights(dim=2, latent_dim=3), 16384)
    for given, folder in ((path, "a"), (tmp_path, "b")):
        assert main.main(["generate", "-x", str(given), "-n", "2", "-s", str(tmp_path / folder)]) == 0
        (made,) = (tmp_path / folder).glob("generation-version_5-epoch_984-*.npz")
        assert str(archives.read(made)["version"]) == "5"  # by which umap --version chooses


def test_the_original_at_full_size(tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights = {name: w for name, w in original_weights(64, 3).items() if name.startswith("generator")}
    save_as_the_original(tmp_path / "old.ckpt", weights, 16384)
    z = torch.rand(2, 3) * 2 - 1
    sounds = load(tmp_path / "old.ckpt").generate(z.numpy())
    np.testing.assert_allclose(sounds, reference(weights, z, (4,) * 5).numpy(), atol=1e-5)


def test_the_original_with_batch_normalisation_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights = original_weights(dim=2, latent_dim=3)
    weights = {name.replace("deconvnet.2.block", "deconvnet.2.block.1"): weight for name, weight in weights.items()}
    torch.save({"state_dict": weights}, tmp_path / "old.ckpt")
    with pytest.raises(CanaryganError, match="default architecture"):
        load(tmp_path / "old.ckpt")


class Payload:
    """Calls a function on a path where it is unpickled as Python would."""

    def __init__(self, function: Callable[[str], object], mark: Path) -> None:
        self.function, self.mark = function, mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return self.function, (str(self.mark),)


@pytest.mark.parametrize(("function", "refused"), [(os.mkdir, True), (pathlib.Path.touch, True), (exec, False)])
def test_no_code_in_a_checkpoint_is_run(tmp_path: Path, function: Callable[[str], object], refused: bool) -> None:
    weights = original_weights(dim=2, latent_dim=3)
    torch.save(
        {"state_dict": weights, "hyper_parameters": {"a": Payload(function, tmp_path / "mark")}}, tmp_path / "evil.ckpt"
    )
    if refused:
        with pytest.raises(CanaryganError, match="it was not run"):
            load(tmp_path / "evil.ckpt")
    else:
        assert load(tmp_path / "evil.ckpt").latent_dim == 3
    assert not (tmp_path / "mark").exists()


def test_the_payload_of_the_test_above_would_work(tmp_path: Path) -> None:
    torch.save(Payload(os.mkdir, tmp_path / "mark"), tmp_path / "evil.ckpt")
    torch.load(tmp_path / "evil.ckpt", weights_only=False)
    assert (tmp_path / "mark").exists()


def ours(path: Path, **changes: object) -> Generator:
    shape = Shape(latent_dim=2, dim=1, samples=4096)
    network = accelerate(Generator(shape))
    record = {"schema": 1, "shape": vars(shape), "rate": 16000, "average": False, "per_epoch": 5}
    weights = {f"generator.{name}": weight for name, weight in network.state_dict().items()}
    torch.save({"updates": 12, "wavegan": record | changes, "state_dict": weights}, path)
    return network


def test_ours_keep_their_progress(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = ours(tmp_path / "a.ckpt")
    generator = load(tmp_path / "a.ckpt")
    z = np.random.default_rng(0).uniform(-1, 1, (3, 2)).astype(np.float32)
    assert generator.progress == {"epoch": 2, "step": 12}
    np.testing.assert_array_equal(generator.generate(z), network(torch.from_numpy(z)).detach().numpy())


def test_files_that_hold_no_generator_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    with pytest.raises(CanaryganError, match="no checkpoint at"):
        load(path)
    path.write_text("not a checkpoint")
    with pytest.raises(CanaryganError, match="not a checkpoint, or was cut short"):
        load(path)
    torch.save({"state_dict": {}, "epoch": 1}, path)
    with pytest.raises(CanaryganError, match="not of a WaveGAN"):
        load(path)
    for content in ({"wavegan": 1}, {"wavegan": {"schema": 1}}, {"state_dict": None}):
        torch.save(content, path)
        with pytest.raises(CanaryganError, match=r"(is not a checkpoint|but not) of a WaveGAN"):
            load(path)
    torch.save([1, 2], path)
    with pytest.raises(CanaryganError, match="a list"):
        load(path)
    ours(path, schema=99)
    with pytest.raises(CanaryganError, match="newer"):
        load(path)
    ours(path, shape=vars(Shape(latent_dim=2, dim=2, samples=4096)))
    with pytest.raises(CanaryganError, match="do not fit"):
        load(path)
    ours(path)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 255
    path.write_bytes(damaged)
    with pytest.raises(CanaryganError, match="damaged"):
        load(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(CanaryganError, match="cut short"):
        load(path)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"per_epoch": 0}, "per_epoch is 0, and may be 1 to"),
        ({"per_epoch": -3}, "per_epoch is -3"),
        ({"rate": 0}, "rate is 0"),
        ({"rate": 1 << 62}, "rate is 4611686018427387904"),
        ({"rate": "fast"}, "rate is 'fast', and not a whole number"),
        ({"average": None}, "average is null, and not true or false"),
        ({"shape": {"latent_dim": 2, "dim": 1 << 40, "samples": 4096}}, "describes no network that can be|do not fit"),
        ({"shape": {"latent_dim": 1 << 50, "dim": 1, "samples": 4096}}, "describes no network that can be|do not fit"),
        ({"shape": {"latent_dim": 2, "dim": 0, "samples": 4096}}, "describes no network that can be"),
        ({"shape": {"latent_dim": 0, "dim": 1, "samples": 4096}}, "describes no network that can be"),
        ({"shape": {"latent_dim": 2, "dim": -1, "samples": 4096}}, "describes no network that can be"),
        ({"shape": {"latent_dim": 2, "dim": 1, "samples": 4097}}, "describes no network that can be"),
        ({"shape": {"latent_dim": 2}}, "it has no shape.dim"),
    ],
)
def test_a_record_that_cannot_be_is_named_before_memory_is_taken(
    changes: dict[str, object], told: str, tmp_path: Path
) -> None:
    ours(tmp_path / "a.ckpt", **changes)
    with pytest.raises(CanaryganError, match=told):
        load(tmp_path / "a.ckpt")


@pytest.mark.parametrize("part", [None, 3, "text", [1.0], torch.zeros(1, device="meta"), torch.zeros(2).to_sparse()])
def test_weights_that_are_none_are_named(part: object, tmp_path: Path) -> None:
    ours(tmp_path / "a.ckpt")
    content = torch.load(tmp_path / "a.ckpt", weights_only=True)
    content["state_dict"]["generator.project.bias"] = part
    torch.save(content, tmp_path / "a.ckpt")
    with pytest.raises(CanaryganError, match=r"holds no weights under generator\.project\.bias|is damaged"):
        load(tmp_path / "a.ckpt")


def test_a_compressed_checkpoint_is_refused_unread(tmp_path: Path) -> None:
    ours(tmp_path / "a.ckpt")
    with zipfile.ZipFile(tmp_path / "a.ckpt") as before, zipfile.ZipFile(tmp_path / "b.ckpt", "w", 8) as after:
        for info in before.infolist():
            after.writestr(info.filename, before.read(info))
    assert torch.load(tmp_path / "b.ckpt", weights_only=True)["updates"] == 12, "else nothing is tested"
    with pytest.raises(CanaryganError, match="it is compressed, which no checkpoint is"):
        load(tmp_path / "b.ckpt")
