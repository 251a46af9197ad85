"""The task `export`: the graph makes the sounds of the model, for any number of latents, and says what it is."""

import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canarygan_latents import exporting
from canarygan_latents.opening import Opened, open_generator

from canarygan_core.cli import main
from canarygan_core.errors import CanaryganError

torch = pytest.importorskip("torch")
wavegan = pytest.importorskip("canarygan_wavegan.model")

CASES = [
    *[(4096, "zeros", False), (4096, "nearest", True), (8192, "zeros", True), (8192, "nearest", False)],
    *[(16384, "zeros", False), (16384, "nearest", True), (32768, "zeros", True), (32768, "nearest", False)],
    *[(65536, "zeros", True), (65536, "nearest", True)],
]
"""Every length of a slice with both upsamplings, and with and without batch normalisation."""


def run(graph: Any, z: np.ndarray) -> np.ndarray:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    (sound,) = session.run(["sound"], {"z": z})
    return np.asarray(sound)


@pytest.mark.parametrize(("samples", "upsampling", "batch_norm"), CASES)
def test_the_graph_makes_the_sounds_of_the_model(
    samples: int, upsampling: str, batch_norm: bool, tmp_path: Path
) -> None:
    pytest.importorskip("onnxscript")
    shape = wavegan.Shape(latent_dim=3, dim=2, samples=samples, upsampling=upsampling, batch_norm=batch_norm)
    network = wavegan.Generator(shape)
    with torch.no_grad():
        for norm in network.norms if batch_norm else ():
            norm.running_mean.normal_(0, 0.1)
            norm.running_var.uniform_(0.5, 2)
    weights = {f"generator.{name}": weight for name, weight in network.state_dict().items()}
    record = {"schema": 1, "shape": asdict(shape), "rate": 16000, "average": False, "per_epoch": 5}
    torch.save({"state_dict": weights, "updates": 10, "wavegan": record}, tmp_path / "last.ckpt")
    opened = open_generator(tmp_path / "last.ckpt", "cpu")
    graph = exporting.export(opened, exporting.describe(opened))
    for count in (1, 5):
        z = np.random.default_rng(count).uniform(-1, 1, (count, 3)).astype(np.float32)
        made = run(graph, z)
        assert made.shape == (count, samples)
        np.testing.assert_allclose(made, opened.generator.generate(z), atol=1e-4)


def test_the_command_writes_a_graph_that_says_what_it_is(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    onnx = pytest.importorskip("onnx")
    words = ["export", "-x", str(checkpoint), "-s", str(tmp_path), "--json"]
    assert main.main(words) == 0
    answer = json.loads(capsys.readouterr().out)
    path = tmp_path / "generator-version_0-epoch_2-step_10.onnx"
    assert answer["path"] == str(path)
    assert answer["apart"] < 1e-4
    model = onnx.load(path)
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert {key: facts[key] for key in ("rate", "samples", "latent_dim", "latent_low", "version")} == {
        "rate": "16000",
        "samples": "4096",
        "latent_dim": "3",
        "latent_low": "-1 -1 -1",
        "version": "0",
    }
    assert facts["checkpoint"] == answer["checkpoint"]
    assert facts["checkpoint"].startswith("sha256:")
    assert [one.name for one in model.graph.input] == ["z"]
    before = path.read_bytes()
    assert main.main(words) == 1
    assert "is there already" in capsys.readouterr().err
    assert main.main([*words, "--overwrite"]) == 0
    assert path.read_bytes() == before
    assert main.main(["verify", str(path)]) == 0


def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "NEEDED", ("numpy>=1", "no_such_library>=1,<2"))
    with pytest.raises(CanaryganError, match=r"needs no_such_library: pip install 'no_such_library>=1,<2'$"):
        exporting.check_installed()


def test_what_is_advised_is_the_extra_of_the_distribution() -> None:
    told = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    assert list(exporting.NEEDED) == told["project"]["optional-dependencies"]["onnx"]


def test_another_format_is_refused(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["export", "-x", str(checkpoint), "-s", str(tmp_path), "--format", "wave"]
    assert main.main(words) == 2
    assert "there is onnx" in capsys.readouterr().err


class Closed:
    """A generator that does not give its network."""

    latent_dim, rate, samples, latent_range = 3, 16000, 4096, (-1.0, 1.0)


def test_a_model_without_a_network_is_refused(tmp_path: Path) -> None:
    opened = Opened(Closed(), tmp_path / "a.ckpt", "", "0")  # type: ignore[arg-type]
    with pytest.raises(CanaryganError, match=r"a\.ckpt does not give its network"):
        exporting.export(opened, {})


def test_a_graph_that_is_too_large_for_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript")
    onnx = pytest.importorskip("onnx")

    class Huge:
        metadata_props = onnx.ModelProto().metadata_props

        def SerializeToString(self, **options: Any) -> bytes:
            raise ValueError("Message onnx.ModelProto exceeds maximum protobuf size of 2GB: 2200000000")

    class Exported:
        model_proto = Huge()

    monkeypatch.setattr(torch.onnx, "export", lambda *given, **options: Exported)
    generator = Closed()
    generator.module = Branching  # type: ignore[attr-defined]
    opened = Opened(generator, tmp_path / "a.ckpt", "", "0")  # type: ignore[arg-type]
    with pytest.raises(CanaryganError, match=r"torch cannot export the network of .*a\.ckpt: .* size of 2GB"):
        exporting.export(opened, {"rate": "16000"})


class Branching(torch.nn.Module):
    """A network that no graph can hold."""

    def forward(self, z: Any) -> Any:
        return z if float(z.sum()) > len(str(z.tolist())) else z * 2


def test_a_network_that_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    generator = Closed()
    generator.module = Branching  # type: ignore[attr-defined]
    opened = Opened(generator, tmp_path / "a.ckpt", "", "0")  # type: ignore[arg-type]
    with pytest.raises(CanaryganError, match=r"torch cannot export the network of .*a\.ckpt"):
        exporting.export(opened, {})
