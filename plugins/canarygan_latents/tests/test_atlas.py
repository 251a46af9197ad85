"""What an atlas knows: views, measures, relations, and what of the generator goes into the page."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from canarygan_latents.atlas import content, measures, network, page, real, relations, views
from canarygan_latents.atlas.content import Sizes
from canarygan_latents.atlas.judging import Heard
from canarygan_latents.opening import Opened

from canarygan_core.cli import main
from canarygan_core.errors import UsageError
from canarygan_core.testing import toy_clips

RATE = 16000
BOX = np.array([-1.0, -1.0, -1.0], np.float32), np.array([1.0, 1.0, 3.0], np.float32)


def tone(frequency: float, seconds: float, *, harmonics: int = 1, samples: int = 4096) -> np.ndarray:
    """A tone with equal harmonics from 0.02 s on, float32 (samples,)."""
    time = np.arange(round(seconds * RATE)) / RATE
    sound = sum(np.sin(2 * np.pi * number * frequency * time) for number in range(1, harmonics + 1))
    return np.pad(0.3 * np.asarray(sound) / harmonics, (320, samples - 320 - len(time))).astype(np.float32)


def read_content(path: Path) -> dict[str, Any]:
    """The content that stands in a page."""
    found = re.search(r'<script type="application/json" id="content">(.*?)</script>', path.read_text(), re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


def test_a_view_lies_in_the_middle_of_its_cells_with_the_first_axis_fastest() -> None:
    view = views.View((0, 2), 4, *BOX, np.array([0.1, 0.2, 0.3], np.float32))
    z = view.latents()
    assert z.shape == (16, 3)
    np.testing.assert_allclose(z[:5, 0], [-0.75, -0.25, 0.25, 0.75, -0.75])
    np.testing.assert_allclose(z[::4, 2], [-0.5, 0.5, 1.5, 2.5])
    np.testing.assert_allclose(z[:, 1], 0.2)


def test_beyond_three_dimensions_there_is_a_view_of_each_pair_of_axes_while_there_is_room() -> None:
    low, high = -np.ones(5, np.float32), np.ones(5, np.float32)
    made = views.make_views(low, high, side=10, axes=(0, 3, 4), at=np.zeros(5, np.float32))
    assert [view.axes for view in made][:3] == [(0, 3, 4), (0, 1), (0, 2)]
    assert len(made) == 1 + 10
    many = -np.ones(100, np.float32), np.ones(100, np.float32)
    made = views.make_views(*many, side=20, axes=(0, 1, 2), at=np.zeros(100, np.float32))
    assert sum(view.count for view in made[1:]) <= views.PAIRS
    assert len(views.make_views(*BOX, side=5, axes=(0, 1), at=np.zeros(3, np.float32))) == 1


@pytest.mark.parametrize("given", [[0], [4], [1, 1], [1, 2, 3, 1], []])
def test_axes_that_the_space_does_not_have_are_refused(given: list[int]) -> None:
    with pytest.raises(UsageError, match="--axes"):
        views.choose_axes(3, given)


def test_axes_are_counted_from_1() -> None:
    assert views.choose_axes(5, [1, 4, 5]) == (0, 3, 4)
    assert views.choose_axes(5, None) == (0, 1, 2)
    assert views.choose_axes(2, None) == (0, 1)


def test_a_point_has_a_number_for_each_coordinate() -> None:
    np.testing.assert_allclose(views.choose_point(*BOX, None), [0, 0, 1])
    np.testing.assert_allclose(views.choose_point(*BOX, "0.5, -0.5,2"), [0.5, -0.5, 2])
    for given in ("0.5", "0.5,0.5,nan", "a,b,c"):
        with pytest.raises(UsageError, match="give 3 numbers, one for each coordinate"):
            views.choose_point(*BOX, given)


@pytest.mark.parametrize("frequency", [250, 440, 1000, 3217, 6100])
def test_the_pitch_of_a_tone_is_its_frequency(frequency: float) -> None:
    told = measures.measure(np.stack([tone(frequency, 0.1)]), RATE)
    assert told["pitch"][0] == pytest.approx(frequency, rel=0.01)
    assert told["mean frequency"][0] == pytest.approx(frequency, rel=0.01, abs=15)
    assert told["duration"][0] == pytest.approx(100, abs=6)
    assert told["bandwidth"][0] <= 125


def test_the_pitch_of_a_stack_of_harmonics_is_the_fundamental() -> None:
    told = measures.measure(np.stack([tone(600, 0.1, harmonics=8)]), RATE)
    assert told["pitch"][0] == pytest.approx(600, rel=0.01)
    assert told["mean frequency"][0] == pytest.approx(600 * 4.5, rel=0.02)
    assert told["bandwidth"][0] == pytest.approx(600 * 7, rel=0.05)


def test_noise_has_no_pitch_and_silence_no_measure() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 4096).astype(np.float32)
    told = measures.measure(np.stack([noise, np.zeros(4096, np.float32), np.full(4096, np.nan, np.float32)]), RATE)
    assert np.isnan(told["pitch"]).all()
    assert told["bandwidth"][0] > 6000
    for values in told.values():
        assert np.isnan(values[1:]).all()


def test_a_measure_depends_on_one_sound_alone() -> None:
    sounds = np.stack([tone(500 + 300 * number, 0.05 + 0.01 * number) for number in range(6)])
    together = measures.measure(sounds, RATE)
    alone = measures.measure(sounds[3:4], RATE)
    for name, values in together.items():
        assert values[3] == pytest.approx(alone[name][0], rel=1e-6)


def relate(z: np.ndarray, values: np.ndarray) -> list[dict[str, Any]]:
    told = relations.relate(z, dict.fromkeys(measures.UNITS, values), (0, 1))
    return [one for one in told if one["measure"] == "pitch"]


@pytest.mark.parametrize("is_grid", [True, False])
def test_relations_tell_what_a_coordinate_does(is_grid: bool) -> None:
    rng = np.random.default_rng(0)
    view = views.View((0, 1), 30, -np.ones(2, np.float32), np.ones(2, np.float32), np.zeros(2, np.float32))
    z = view.latents() if is_grid else rng.uniform(-1, 1, (2000, 2)).astype(np.float32)
    raised, other = relate(z, 1000 + 500 * z[:, 0] + rng.normal(0, 1, len(z)))
    assert raised["pearson"] > 0.99
    assert raised["spearman"] > 0.99
    assert raised["information"] > 2
    assert abs(other["spearman"]) < 0.1
    assert other["information"] < 0.1
    bent = relate(z, 500 * np.square(z[:, 0]) + rng.normal(0, 1, len(z)))[0]
    assert abs(bent["spearman"]) < 0.1
    assert bent["information"] > 1.5
    curve = raised["curve"]
    assert [row["y"] for row in curve] == sorted(row["y"] for row in curve)
    assert all(row["low"] <= row["y"] <= row["high"] for row in curve)
    assert curve[0]["y"] == pytest.approx(500, abs=40)


def test_the_curve_of_a_line_goes_through_each_of_its_sounds() -> None:
    z = views.View((0,), 20, -np.ones(1, np.float32), np.ones(1, np.float32), np.zeros(1, np.float32)).latents()
    values = np.where(z[:, 0] > 0.8, np.nan, 1000 + 500 * z[:, 0])
    told = relations.relate(z, dict.fromkeys(measures.UNITS, values), (0,))[0]
    wanted = [{"x": x, "y": y, "low": y, "high": y} for x, y in zip(z[:, 0].tolist(), values.tolist(), strict=True)]
    assert told["curve"] == [row for row in wanted if np.isfinite(row["y"])]
    assert len(told["curve"]) == told["count"] == 18
    assert told["spearman"] == pytest.approx(1)
    assert told["information"] > 1


def test_what_has_no_measure_is_left_out_of_relations() -> None:
    z = np.random.default_rng(0).uniform(-1, 1, (300, 2)).astype(np.float32)
    values = np.where(z[:, 0] > 0, 100 * z[:, 0], np.nan)
    first = relate(z, values)[0]
    assert first["count"] == int((z[:, 0] > 0).sum())
    assert min(row["x"] for row in first["curve"]) > 0
    assert relate(z, np.full(300, np.nan))[0]["information"] is None
    assert relate(z, np.full(300, 5.0))[0]["pearson"] is None


class Doubler:
    """A generator of four samples, each twice the sum of two latents; `weight` goes into its description."""

    rate, samples, latent_dim, latent_range = RATE, 4, 2, (-0.1, 0.1)

    def __init__(self, weight: float = 2.0, size: int = 4) -> None:
        self.weight, self.size = np.full((size, 2), weight, np.float32), size
        self.progress = {"epoch": 1, "step": 2}

    def generate(self, z: np.ndarray) -> np.ndarray:
        return np.asarray(np.repeat(2 * z.sum(1, keepdims=True), self.size, axis=1), np.float32)

    def layers(self) -> list[dict[str, Any]]:
        return [{"kind": "linear", "weight": self.weight, "bias": np.zeros(self.size, np.float32)}]


def describe(generator: Any) -> tuple[dict[str, Any] | None, str]:
    return network.describe_network(generator, np.full(2, -0.1, np.float32), np.full(2, 0.1, np.float32))


def test_weights_are_float32_while_there_is_room_and_16_bits_where_that_is_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = describe(Doubler())[0]
    assert known is not None
    assert known["weights"] == "float32"
    assert known["parity"] < 1e-6
    monkeypatch.setattr(network, "BYTES", 40)
    known = describe(Doubler())[0]
    assert known is not None
    assert known["weights"] == "int16"
    monkeypatch.setattr(network, "BYTES", 20)
    assert "too many for a page" in describe(Doubler())[1]


def test_a_description_that_makes_other_sounds_is_not_used() -> None:
    known, why = describe(Doubler(weight=2.1))
    assert known is None
    assert "from those of generate" in why
    assert describe(SimpleNamespace())[1] == "the model does not describe its layers"


def test_a_page_is_below_15_mb_with_the_largest_network_and_with_sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    def hear(opened: Any, trained: Any, z: np.ndarray, batch_size: int) -> Heard:
        rng, count = np.random.default_rng(0), len(z)
        values = {name: rng.uniform(100, 8000, count) for name in measures.UNITS}
        return Heard(rng.choice(["A", "B", "X"], count), *rng.uniform(0, 1, (3, count)), values)

    monkeypatch.setattr(content, "hear", hear)
    monkeypatch.setattr(network, "OPERATIONS", 1e12)
    trained: Any = [SimpleNamespace(key="esn", classes=("A", "B"), garbage=())]

    class Large(Doubler):
        latent_dim = 6

        def __init__(self, size: int) -> None:
            super().__init__()
            self.weight, self.size, self.samples = np.zeros((size, 6), np.float32), size, size

        def generate(self, z: np.ndarray) -> np.ndarray:
            return np.zeros((len(z), self.size), np.float32)

    made = content.make_content(Opened(Large(650_000), Path("a"), "", "0"), trained, Sizes(side=20))
    assert made["network"]["weights"] == "int16"
    assert 12e6 < len(page.compose(made)) < 15e6
    noise = np.random.default_rng(0).normal(0, 0.1, (100, 16384)).astype(np.float32)
    large = Large(16384)
    monkeypatch.setattr(large, "generate", lambda z: noise[: len(z)])
    made = content.make_content(Opened(large, Path("a"), "", "0"), trained, Sizes(side=20))
    assert made["network"] is None
    assert 10e6 < len(page.compose(made)) < 15e6
    assert made["sounds"]["views"][0]["side"] ** 3 == len(made["sounds"]["views"][0]["audio"])


def test_beyond_what_is_shown_latents_are_those_of_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[np.ndarray] = []

    def hear(opened: Any, trained: Any, z: np.ndarray, batch_size: int) -> Heard:
        heard.append(z)
        nothing = np.zeros(len(z))
        return Heard(None, nothing, nothing, nothing, dict.fromkeys(measures.UNITS, nothing + 1))

    class Coded(Doubler):
        """The first three coordinates say which syllable, one of them 1 and the others 0."""

        latent_dim, latent_range = 5, (-1.0, 1.0)

        def __init__(self) -> None:
            super().__init__()
            self.weight = np.full((self.size, 5), 2, np.float32)

        def draw_latents(self, count: int, rng: np.random.Generator) -> np.ndarray:
            codes = np.eye(3)[rng.integers(0, 3, count)]
            return np.concatenate([codes, rng.uniform(-1, 1, (count, 2))], axis=1).astype(np.float32)

    monkeypatch.setattr(content, "hear", hear)
    made = content.make_content(Opened(Coded(), Path("a"), "", "0"), [], Sizes(side=2, draws=100))
    assert made["sample"] == {"count": 100, "whole": False}
    assert (np.sort(heard[0][-100:, :3], axis=1) == [0, 0, 1]).all()


def test_the_task_writes_a_page_with_its_record(checkpoint: Path, tmp_path: Path, capsys: Any) -> None:
    words = ["atlas", "-x", str(checkpoint), "-s", str(tmp_path), "--side", "4", "--json"]
    assert main.main(words) == 0
    told = json.loads(capsys.readouterr().out)
    path = tmp_path / "version_0-epoch_2-step_10.html"
    assert told == {"path": str(path), "bytes": path.stat().st_size, "generator": "network"}
    record = json.loads(path.with_suffix(".manifest.json").read_text())
    assert record["status"] == "finished"
    assert record["inputs"].keys() == {"generator"}
    shown = read_content(path)
    assert shown["box"] == {"low": [-1] * 3, "high": [1] * 3, "at": [0] * 3}
    assert [view["axes"] for view in shown["views"]] == [[0, 1, 2]]
    assert shown["network"]["parity"] < 1e-4
    assert shown["server"] is None
    assert shown["classes"] == []
    assert main.main(words) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main.main([*words, "--overwrite", "--axes", "3", "1", "--at", "-0.5,-0.25,0", "--draws", "100"]) == 0
    shown = read_content(path)
    assert shown["views"][0]["axes"] == [2, 0]
    assert shown["box"]["at"] == [-0.5, -0.25, 0]
    assert shown["sample"] == {"count": 100, "whole": False}


def test_decoders_of_another_bird_are_told(
    checkpoint: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Opened(Doubler(), checkpoint, "", "0")
    clips = toy_clips(6, classes=6)
    monkeypatch.setattr(real, "find_dataset", lambda *given: SimpleNamespace(load=lambda: clips))
    own: Any = SimpleNamespace(classes=(clips.classes[0], "noise"), garbage=("noise",))
    other: Any = SimpleNamespace(classes=("A", "B", "noise"), garbage=("noise",))
    for trained, told in (([], ""), ([own], ""), ([own, other], "")):
        assert real.find_real(None, [], opened, trained) == (clips, told)
    _, note = real.find_real(None, [], opened, [other])
    more = f"{', '.join(clips.classes[:4])} and 2 more"
    assert f"they know A, B, and the clips are of {more}. Were they trained on another bird?" in note
    assert note in caplog.text


def test_numbers_that_make_no_sense_are_refused(checkpoint: Path, tmp_path: Path, capsys: Any) -> None:
    for words in (
        ["--side", "1"],
        ["--draws", "5"],
        ["--axes", "7"],
        ["--at", "1"],
        ["--batch-size", "0"],
        ["--batch-size", "9" * 10],
    ):
        assert main.main(["atlas", "-x", str(checkpoint), "-s", str(tmp_path), *words]) == 2
        assert words[0] in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
