"""The atlas in a browser: headless Chromium, driven by Playwright, with no network."""

import base64
import csv
import itertools
import json
import wave
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from canarygan_latents.atlas import content, network, page
from canarygan_latents.atlas.content import Sizes
from canarygan_latents.opening import Opened, open_generator
from canarygan_report.browser.testing import Tab, open_tab

from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.clips import Clips
from canarygan_core.fitted.decoders import TrainedDecoder
from canarygan_core.runs import tables

RATE, SAMPLES, SIDE = 16000, 4096, 6
EVIL = "<img src=x onerror=alert(1)>"


class Halves:
    """Hears whether the first half of a sound has more energy than the second, surely where it has far more."""

    classes = ("early", EVIL)

    def posteriors(self, clips: Clips) -> np.ndarray:
        first, second = (np.square(part).sum(1) for part in np.split(clips.audio, 2, axis=1))
        share = np.clip(0.5 + 6 * (first / (first + second) - 0.5), 0, 1)
        return np.stack([share, 1 - share], 1).astype(np.float32)


def decode(name: str = "halves") -> TrainedDecoder:
    record = {"rate": RATE, "seconds": SAMPLES / RATE}
    return TrainedDecoder(name, Halves(), Halves.classes, 0.6, (), Path("nowhere"), record)  # type: ignore[arg-type]


class Slopes:
    """A generator that does not describe itself: a tone whose pitch and length are its first two latents."""

    rate, samples, latent_range = RATE, SAMPLES, (-1.0, 1.0)

    def __init__(self, dim: int) -> None:
        self.latent_dim, self.progress = dim, {"epoch": 1, "step": 2}

    def generate(self, z: np.ndarray) -> np.ndarray:
        time = np.arange(SAMPLES) / RATE
        pitch, length = 2000 + 1000 * z[:, :1], 0.15 + 0.1 * z[:, -1:]
        return np.asarray(0.5 * np.sin(2 * np.pi * pitch * time) * (time < length), np.float32)


def write(folder: Path, made: Any) -> Path:
    path = folder / "atlas.html"
    path.write_text(page.compose(made))
    return path


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with open_tab(has_touch=True) as tab:
        yield tab


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Path:
    opened = open_generator(checkpoint, "cpu")
    real = Clips(np.zeros((3, 8), np.float32), RATE, labels=np.array(["early", "early", EVIL]))
    record = {"started": "2026-01-02T03:04:05", "argv": ["atlas", "-x", EVIL]}
    made = content.make_content(opened, [decode(), decode("again")], Sizes(side=SIDE), clips=real, record=record)
    return write(tmp_path_factory.mktemp("atlas"), made)


@pytest.fixture
def opened(tab: Tab, made: Path) -> Tab:
    tab.open(made)
    tab.run("document.querySelector('#space').scrollIntoView({behavior: 'instant'})")
    return tab


def state(tab: Tab, name: str) -> Any:
    return tab.run(f"window.canarygan.state.{name}")


def corner(tab: Tab, selector: str) -> tuple[float, float]:
    box = tab.run(f"(({{left, top}}) => [left, top])(document.querySelector('{selector}').getBoundingClientRect())")
    return box[0] + 1, box[1] + 1  # 1: the canvas's border


def whereabouts(tab: Tab, z: list[float]) -> tuple[float, float]:
    """Where a latent is in the window on the slice, in CSS pixels."""
    left, top = corner(tab, "canvas.slice")
    x, y = tab.run(f"window.canarygan.spot({json.dumps(z)})")
    return left + x, top + y


def picture(tab: Tab, selector: str) -> str:
    """What a canvas shows once all that is to be drawn is drawn."""
    frames = (
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))))"
    )
    return str(tab.run(f"{frames}.then(() => document.querySelector('{selector}').toDataURL())"))


def press(tab: Tab, text: str) -> None:
    tab.page.get_by_role("button", name=text, exact=True).click()


def test_the_page_opens_without_complaint_or_request(opened: Tab, made: Path) -> None:
    assert opened.run("[...document.querySelectorAll('main > section')].map((one) => one.id)") == [
        *("space", "path", "shares", "acoustics", "again"),
    ]
    assert opened.run("document.querySelectorAll('#acoustics figure svg').length") == 3 * 4
    assert opened.complaints == []
    assert set(opened.requests) == {made.as_uri()}


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


def test_a_click_plays_the_point_that_was_clicked(opened: Tab, checkpoint: Path) -> None:
    z = [0.5, -0.25, state(opened, "cursor")[2]]
    opened.mouse.click(*whereabouts(opened, z))
    assert opened.wait_for("window.started.length === 1")
    np.testing.assert_allclose(state(opened, "cursor"), z, atol=0.01)
    (started,) = opened.run("window.started")
    assert started["rate"] == RATE
    wanted = open_generator(checkpoint, "cpu").generator.generate(np.array([state(opened, "cursor")], np.float32))[0]
    np.testing.assert_allclose(started["samples"], wanted, atol=1e-4)
    assert opened.wait_for("window.heard.currentTime > 0.1")
    assert opened.wait_for("!window.canarygan.state.playing")
    assert opened.complaints == []


def test_pointing_shows_a_sound_and_does_not_play_it(opened: Tab) -> None:
    before = picture(opened, ".sound canvas")
    opened.mouse.move(*whereabouts(opened, [-0.9, 0.9, 0]))
    assert opened.wait_for("window.canarygan.state.cursor[0] < -0.8")
    assert opened.wait_for("document.querySelector('.sound .foot').textContent.includes('(\u22120.9')")
    assert picture(opened, ".sound canvas") != before
    assert state(opened, "played") == 0
    assert "ms" in opened.run("document.querySelector('.latency').textContent")


def test_what_is_said_of_a_point_is_what_its_cell_has(opened: Tab, made: Path) -> None:
    shown = json.loads(opened.run("document.getElementById('content').textContent"))
    grid = content.views.View((0, 1, 2), SIDE, *(np.float32([end] * 3) for end in (-1, 1)), np.zeros(3, np.float32))
    labels = np.frombuffer(base64.b64decode(shown["views"][0]["label"]), "<u2").tolist()
    assert len(set(labels)) == 3
    for number in {labels.index(kind) for kind in set(labels)}:
        z = grid.latents()[number].tolist()
        label = shown["classes"][labels[number]]
        assert opened.run(f"window.canarygan.label({json.dumps(z)})") == label


def test_a_path_of_five_points_is_saved_and_made_again_by_generate(
    opened: Tab, checkpoint: Path, tmp_path: Path
) -> None:
    press(opened, "Add to path")
    for x, y in ((-0.8, -0.8), (0.7, -0.6), (0.2, 0.1), (-0.5, 0.9), (0.9, 0.9)):
        opened.mouse.click(*whereabouts(opened, [x, y, 0]))
    assert len(state(opened, "path")) == 5
    opened.page.get_by_label("Steps from point to point").fill("3")
    opened.page.get_by_label("Silence between steps").fill("25")
    opened.page.get_by_label("Silence between steps").press("Tab")
    files = {}
    for name in ("Save WAV", "Save latents (CSV)", "Save latents (npy)"):
        with opened.page.expect_download() as waited:
            press(opened, name)
        path = tmp_path / waited.value.suggested_filename
        waited.value.save_as(path)
        files[path.suffix] = path
    recording, rate = read_wave(files[".wav"])
    steps, gap = 4 * 3 + 1, 400
    assert rate == RATE
    assert len(recording) == steps * SAMPLES + (steps - 1) * gap
    rows = list(csv.DictReader(files[".csv"].read_text().splitlines()))
    z = np.array([[row[f"z{axis}"] for axis in (1, 2, 3)] for row in rows], np.float32)
    np.testing.assert_array_equal(z, np.load(files[".npy"]))
    np.testing.assert_array_equal(z[::3], np.array(state(opened, "path"), np.float32))
    np.testing.assert_allclose(np.diff(z[:4], axis=0), np.diff(z[:2], axis=0).repeat(3, 0), atol=1e-6)
    assert main.main(["generate", "-x", str(checkpoint), "-z", str(files[".npy"]), "-s", str(tmp_path), "-q"]) == 0
    wanted = archives.read(next(tmp_path.glob("*.npz")))["x"]
    for row, sound in zip(rows, wanted, strict=True):
        np.testing.assert_allclose(recording[int(row["start"]) : int(row["end"])], sound, atol=1e-3)
    silence = [recording[int(one["end"]) : int(two["start"])] for one, two in itertools.pairwise(rows)]
    assert not np.concatenate(silence).any()
    assert opened.complaints == []


CELLS = ["A", "", "a,b", 'a "b"', "=1+1", "-a", "'=x", "''@x", "'a", "a\rb", "\rb", "\n", "\t=1", "+1,2"]


def test_cells_of_a_table_are_those_of_the_system(tab: Tab) -> None:
    source = Path(page.__file__).parents[1].joinpath("browser", "path.js").read_text()
    sounds, spans = [{"z": [-0.5, 2]}] * len(CELLS), [[0, 4]] * len(CELLS)
    made = tab.run(f"(() => {{ {source}; return encodeTable({json.dumps(sounds)}, {spans}, {json.dumps(CELLS)}); }})()")
    rows = [
        {"step": step, "start": 0, "end": 4, "label": cell, "z1": -0.5, "z2": 2} for step, cell in enumerate(CELLS, 1)
    ]
    assert made == tables.format_table(rows)
    assert [row["label"] for row in tables.parse_table(made, "it")[1]] == CELLS


def test_a_coordinate_may_be_constant(tab: Tab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = np.array([-1, 0.5, -1], np.float32), np.array([1, 0.5, 1], np.float32)
    monkeypatch.setattr(content, "find_box", lambda generator: box)
    opened = Opened(Slopes(3), Path("a.ckpt"), "", "0")
    tab.open(write(tmp_path, content.make_content(opened, [decode()], Sizes(side=SIDE))))
    tab.run("document.querySelector('#space').scrollIntoView({behavior: 'instant'})")
    tab.mouse.click(*whereabouts(tab, [0.4, 0.5, 0]))
    tab.wait_for("window.canarygan.state.cursor !== null")
    assert state(tab, "cursor")[1] == 0.5
    assert tab.run("window.canarygan.label([0.4, 0.5, 0])") in ("early", EVIL, "X")
    assert "NaN" not in tab.run("document.body.innerHTML")
    assert tab.complaints == []


def read_wave(path: Path) -> tuple[np.ndarray, int]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768, file.getframerate()


def test_a_path_plays_as_a_whole_and_its_points_can_be_moved_and_removed(opened: Tab) -> None:
    press(opened, "Add to path")
    for x in (-0.5, 0.5):
        opened.mouse.click(*whereabouts(opened, [x, 0, 0]))
    press(opened, "Add to path")
    opened.run("window.started.length = 0")
    opened.page.get_by_role("button", name="▶ Play the path").click()
    assert opened.wait_for("window.started.length === 1")
    assert len(opened.run("window.started[0].samples")) == 5 * SAMPLES + 4 * 800
    assert opened.wait_for("window.canarygan.state.cursor[0] > -0.3")
    press(opened, "Stop")
    assert not state(opened, "playing")
    first, second = state(opened, "path")
    opened.page.get_by_role("button", name="Move point 2 forward").click()
    assert state(opened, "path") == [second, first]
    opened.page.get_by_role("button", name="Remove point 1").click()
    assert state(opened, "path") == [first]
    press(opened, "Clear")
    assert state(opened, "path") == []


def test_slicing_changes_both_pictures(opened: Tab) -> None:
    pictures = [(picture(opened, "canvas.slice"), picture(opened, "canvas.cube"))]
    slider = opened.page.get_by_role("slider")
    slider.focus()
    for _ in range(2):
        slider.press("ArrowRight")
        pictures.append((picture(opened, "canvas.slice"), picture(opened, "canvas.cube")))
    assert state(opened, "slice") == SIDE // 2 + 2
    assert "z3 = 0.8333" in opened.run("document.querySelector('.slicer output').textContent")
    opened.page.get_by_label("Slice across").select_option("0")
    pictures.append((picture(opened, "canvas.slice"), picture(opened, "canvas.cube")))
    assert len({one for one, _ in pictures}) == len({other for _, other in pictures}) == 4
    assert "along z2 and z3" in opened.run("document.querySelector('canvas.slice').getAttribute('aria-label')")


def test_the_cube_turns_and_its_sides_play(opened: Tab) -> None:
    left, top = corner(opened, "canvas.cube")
    wide, high = opened.run(
        "[document.querySelector('canvas.cube').clientWidth, document.querySelector('canvas.cube').clientHeight]"
    )
    before = picture(opened, "canvas.cube")
    opened.mouse.move(left + wide / 2, top + high / 2)
    opened.mouse.down()
    opened.mouse.move(left + wide / 2 + 60, top + high / 2 + 10, steps=4)
    opened.mouse.up()
    turned = picture(opened, "canvas.cube")
    assert turned != before
    assert state(opened, "played") == 0
    press(opened, "Turn left")
    assert picture(opened, "canvas.cube") != turned
    opened.mouse.click(left + wide / 2, top + high / 2)
    assert opened.wait_for("window.canarygan.state.played === 1")
    cursor = np.array(state(opened, "cursor"))
    assert np.abs(cursor).max() > 1 - 1.01 / SIDE or state(opened, "slice") == int((cursor[2] + 1) / 2 * SIDE)
    for style in ("cloud", "block"):
        shown = picture(opened, "canvas.cube")
        opened.page.get_by_label("Cube", exact=True).last.select_option(style)
        assert picture(opened, "canvas.cube") != shown


def test_classes_can_be_hidden_and_measures_coloured(opened: Tab) -> None:
    before = picture(opened, "canvas.slice")
    button = opened.page.locator(".legend button", has_text="early")
    button.click()
    hidden = picture(opened, "canvas.slice")
    assert hidden != before
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert picture(opened, "canvas.slice") == before
    opened.page.get_by_label("Colour by").select_option("bandwidth")
    assert picture(opened, "canvas.slice") not in (before, hidden)
    assert "Hz" in opened.run("document.querySelector('.legend').textContent")


def test_the_keyboard_alone_reaches_everything(opened: Tab) -> None:
    wanted = opened.run(
        "[...document.querySelectorAll('a[href], button:not(:disabled), select, input, canvas[tabindex]')]"
        ".filter((one) => one.checkVisibility()).length"
    )
    opened.run("window.reached = new Set(); document.body.focus()")
    for _ in range(wanted + 5):
        opened.keyboard.press("Tab")
        opened.run("window.reached.add(document.activeElement)")
    assert opened.run("[...window.reached].filter((one) => one !== document.body).length") >= wanted
    nameless = (
        "[...window.reached].filter((one) => one !== document.body && !(one.getAttribute('aria-label')"
        " || one.textContent.trim() || one.labels?.length)).map((one) => one.outerHTML)"
    )
    assert opened.run(nameless) == []


def test_keys_move_play_slice_and_add(opened: Tab) -> None:
    opened.run("document.querySelector('canvas.slice').focus()")
    x, y, z = state(opened, "cursor")
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("ArrowUp")
    opened.keyboard.press("PageUp")
    np.testing.assert_allclose(state(opened, "cursor"), np.array([x, y, z]) + 2 / SIDE, atol=1e-6)
    opened.keyboard.press("Enter")
    assert opened.wait_for("window.canarygan.state.played === 1")
    opened.keyboard.press("a")
    np.testing.assert_allclose(state(opened, "path"), [state(opened, "cursor")], atol=1e-6)
    opened.keyboard.press("Escape")
    assert not state(opened, "playing")
    spoken = opened.run("document.querySelector('.aloud').textContent")
    assert "(0.5" in spoken
    before = picture(opened, "canvas.cube")
    opened.run("document.querySelector('canvas.cube').focus()")
    opened.keyboard.press("ArrowLeft")
    assert picture(opened, "canvas.cube") != before
    opened.keyboard.press(" ")
    assert opened.wait_for("window.canarygan.state.played === 2")


def test_touch_plays_turns_and_adds(tab: Tab, made: Path) -> None:
    tab.open(made, width=400, height=800)
    assert tab.run("document.documentElement.scrollWidth") <= 400
    tab.run("document.querySelector('canvas.slice').scrollIntoView({behavior: 'instant', block: 'center'})")
    tab.page.touchscreen.tap(*whereabouts(tab, [0.5, 0.5, 0]))
    assert tab.wait_for("window.canarygan.state.played === 1")
    np.testing.assert_allclose(state(tab, "cursor")[:2], [0.5, 0.5], atol=0.02)
    tab.page.get_by_role("button", name="Add to path").tap()
    tab.run("document.querySelector('canvas.slice').scrollIntoView({behavior: 'instant', block: 'center'})")
    tab.page.touchscreen.tap(*whereabouts(tab, [-0.5, 0.5, 0]))
    assert tab.wait_for("window.canarygan.state.path.length === 1")
    before = picture(tab, "canvas.cube")
    tab.page.get_by_role("button", name="Turn right").tap()
    assert picture(tab, "canvas.cube") != before
    before = picture(tab, "canvas.cube")
    tab.run("document.querySelector('canvas.cube').scrollIntoView({behavior: 'instant', block: 'center'})")
    scrolled = tab.run("window.scrollY")
    x, y = (round(part) + 100 for part in corner(tab, "canvas.cube"))
    fingers = tab.page.context.new_cdp_session(tab.page)
    for kind, along in (("touchStart", 0), *(("touchMove", 10 * step) for step in range(1, 7)), ("touchEnd", None)):
        points = [] if along is None else [{"x": x + along, "y": y + along}]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert picture(tab, "canvas.cube") != before
    assert tab.run("window.scrollY") == scrolled
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
    assert "66.7 %" in text


def test_light_and_dark_differ_and_can_be_changed(tab: Tab, made: Path) -> None:
    tab.open(made, theme="dark")
    dark = picture(tab, "canvas.slice")
    press(tab, "Light or dark")
    assert picture(tab, "canvas.slice") != dark
    assert tab.complaints == []


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


def test_a_line_is_walked_by_arrows(tab: Tab, tmp_path: Path) -> None:
    generator: Any = Slopes(1)
    tab.open(write(tmp_path, content.make_content(Opened(generator, Path("a"), "", "0"), [decode()], Sizes(side=20))))
    tab.run("document.querySelector('canvas.slice').focus()")
    before = state(tab, "cursor")[0]
    tab.keyboard.press("ArrowRight")
    assert state(tab, "cursor")[0] == pytest.approx(before + 0.1)
    tab.keyboard.press("ArrowUp")
    assert state(tab, "cursor")[0] == pytest.approx(before + 0.1)
    assert tab.complaints == []


def test_axes_of_many_are_chosen_on_the_page(tab: Tab, tmp_path: Path) -> None:
    generator: Any = Slopes(5)
    made = content.make_content(Opened(generator, Path("a"), "", "0"), [decode()], Sizes(side=4, draws=200))
    tab.open(write(tmp_path, made))
    names = tab.run("[...document.querySelector('select[aria-label=Axes]').options].map((one) => one.textContent)")
    assert names[:3] == ["z1, z2, z3", "z1, z2", "z1, z3"]
    assert len(names) == 11
    assert "Fixed: z4 = 0, z5 = 0." in tab.run("document.getElementById('space-help').textContent")
    tab.page.get_by_label("Axes").select_option(str(names.index("z1, z5")))
    assert not tab.run("document.querySelector('canvas.cube').checkVisibility()")
    tab.mouse.click(*whereabouts(tab, [0.5, 0, 0, 0, 0.5]))
    np.testing.assert_allclose(state(tab, "cursor"), [0.5, 0, 0, 0, 0.5], atol=0.01)
    assert tab.complaints == []
