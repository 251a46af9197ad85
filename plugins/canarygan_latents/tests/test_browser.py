"""The atlas in a browser: headless Chromium, driven by Playwright, with no network."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from atlas_pages import EVIL, RATE, SAMPLES, Slopes, decode, state, whereabouts, write
from canarygan_latents.atlas import content, network
from canarygan_latents.atlas.content import Sizes
from canarygan_latents.opening import Opened, open_generator
from canarygan_report.browser.testing import Tab


def test_the_page_opens_without_complaint_or_request(opened: Tab, atlas_page: Path) -> None:
    assert opened.run("[...document.querySelectorAll('main > section')].map((one) => one.id)") == [
        *("space", "path", "shares", "acoustics", "again"),
    ]
    assert opened.run("document.querySelectorAll('#acoustics figure svg').length") == 3 * 4
    assert opened.complaints == []
    assert set(opened.requests) == {atlas_page.as_uri()}


def test_sounds_of_the_page_are_those_of_generate(opened: Tab, checkpoint: Path) -> None:
    z = np.random.default_rng(0).uniform(-1, 1, (8, 3)).astype(np.float32)
    wanted = open_generator(checkpoint, "cpu").generator.generate(z)
    given = np.array([opened.run(f"window.canarygan.sound({one.tolist()})") for one in z])
    assert np.abs(wanted).max() > 0.01
    np.testing.assert_allclose(given, wanted, atol=1e-4)


@pytest.mark.parametrize("rounded", ["int16", "bfloat16"])
def test_rounded_numbers_are_read_and_made_as_numpy_does(
    tab: Tab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rounded: str
) -> None:
    rng = np.random.default_rng(0)
    weight = rng.normal(0, 0.2, (64, 2)).astype(np.float32)
    layers: list[dict[str, Any]] = [{"kind": "linear", "weight": weight, "bias": np.zeros(64, np.float32)}]
    if rounded == "bfloat16":
        layers.append({"kind": "bfloat16"})
    else:
        monkeypatch.setattr(network, "BYTES", 16 * 192 // 3 - 1)
    generator = SimpleNamespace(rate=RATE, samples=64, latent_dim=2, latent_range=(-1.0, 1.0))
    generator.progress, generator.layers = {"epoch": 0, "step": 0}, lambda: layers
    generator.generate = lambda z: network.compute_layers(layers, z)
    made = content.make_content(Opened(generator, Path("a"), "", "0"), [], Sizes(side=2))
    assert made["network"]["weights"] == ("int16" if rounded == "int16" else "float32")
    tab.open(write(tmp_path, made))
    scale = np.abs(weight).max() / 32767
    kept = [{**layers[0], "weight": np.float32(np.round(weight / scale) * scale)}, *layers[1:]]
    wanted = network.compute_layers(kept if rounded == "int16" else layers, np.array([[0.75, -0.5]], np.float32))[0]
    given = np.array(tab.run("window.canarygan.sound([0.75, -0.5])"), np.float32)
    np.testing.assert_allclose(given, wanted, rtol=2**-8 if rounded == "bfloat16" else 1e-4, atol=1e-7)
    assert np.abs(given - wanted).mean() < 1e-4 * np.abs(wanted).mean()


def test_a_network_that_normalises_in_bfloat16_is_in_the_page(tab: Tab, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    wavegan = pytest.importorskip("canarygan_wavegan.model")
    checkpoints = pytest.importorskip("canarygan_wavegan.checkpoints")
    built = wavegan.Generator(wavegan.Shape(latent_dim=2, dim=4, samples=SAMPLES, batch_norm=True))
    with torch.no_grad():
        for _ in range(20):
            built.train()(torch.rand(32, 2) * 2 - 1)
    generator = checkpoints.TrainedGenerator((built, RATE, {"epoch": 1, "step": 2}, torch.bfloat16), "cpu")
    generator.arithmetic = torch.bfloat16  # whatever this machine is fast at
    made = content.make_content(Opened(generator, Path("a"), "", "0"), [], Sizes(side=2))
    tab.open(write(tmp_path, made))
    assert state(tab, "source") == "network"
    z = np.random.default_rng(0).uniform(-1, 1, (9, 2)).astype(np.float32)
    given = np.array([tab.run(f"window.canarygan.sound({one.tolist()})") for one in z])
    apart = np.abs(given - generator.generate(z)).max(1)
    assert np.median(apart) < network.PARITY
    assert apart.max() < network.FLIPPED


def test_a_page_says_where_roundings_fall_to_the_other_side(tab: Tab, tmp_path: Path) -> None:
    layers: list[dict[str, Any]] = [
        {"kind": "linear", "weight": np.ones((64, 2), np.float32), "bias": np.zeros(64, np.float32)},
        {"kind": "bfloat16"},
    ]
    generator = SimpleNamespace(rate=RATE, samples=64, latent_dim=2, latent_range=(-1.0, 1.0), layers=lambda: layers)

    def describe(shifts: list[float]) -> tuple[Any, str]:
        generator.generate = lambda z: network.compute_layers(layers, z) + np.resize(np.float32(shifts), (len(z), 1))
        return network.describe_network(generator, -np.ones(2, np.float32), np.ones(2, np.float32))  # type: ignore[arg-type]

    assert describe([0.02] + [0.0] * 7)[0]["parity"] == pytest.approx(0.02, rel=1e-3)
    assert describe([0.02] * 5 + [0.0] * 3)[0] is None
    assert describe([0.2] + [0.0] * 7)[0] is None
    generator.progress = {"epoch": 0, "step": 0}
    describe([0.02] + [0.0] * 7)
    tab.open(write(tmp_path, content.make_content(Opened(generator, Path("a"), "", "0"), [], Sizes(side=2))))
    assert "the furthest lay 0.02 of full scale away" in tab.run("document.querySelector('.notice').textContent")
    assert layers.pop() == {"kind": "bfloat16"}
    assert describe([0.02] + [0.0] * 7)[0] is None


def test_a_model_that_does_not_describe_itself_is_heard_by_the_nearest_sound(tab: Tab, tmp_path: Path) -> None:
    generator: Any = Slopes(2)
    tab.open(write(tmp_path, content.make_content(Opened(generator, Path("a"), "", "0"), [decode()], Sizes(side=8))))
    assert "does not describe its layers" in tab.run("document.querySelector('.notice').textContent")
    assert state(tab, "source") == "grid"
    given = tab.run("window.canarygan.sound([0.6, 0.6])")
    nearest = generator.generate(np.array([[0.625, 0.625]], np.float32))[0]
    np.testing.assert_allclose(given, nearest, atol=0.02)
    assert not tab.run("document.querySelector('canvas.cube').checkVisibility()")
    tab.mouse.click(*whereabouts(tab, [0.6, -0.6]))
    assert tab.wait_for("window.canarygan.state.played === 1")
    assert tab.complaints == []


def test_names_that_would_be_markup_are_text(opened: Tab) -> None:
    assert opened.run("document.querySelectorAll('img').length") == 0
    assert EVIL in opened.run("document.querySelector('.legend').textContent")
    assert EVIL in opened.run("document.querySelector('#shares').textContent")
    assert EVIL in opened.run("document.querySelector('#again').textContent")


def test_shares_stand_beside_those_of_real_clips(opened: Tab) -> None:
    text = opened.run("document.querySelector('#shares').textContent")
    assert "1. latent space (216)" in text
    assert "2. real clips (3)" in text
    assert "3. real clips as decoded (3)" in text
    assert "In the real clips as decoded: 0 of 2 classes are there" in text
    assert "66.7 %" in text
