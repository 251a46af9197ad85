"""The report in a browser: headless Chromium, driven by Playwright, with no network."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canarygan_report import browser
from canarygan_report.browser.testing import Tab, open_tab

from canarygan_core.audio import archives
from canarygan_core.cli import main


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with open_tab() as tab:
        yield tab


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, toy_run: Any) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    assert main.main(["report", *toy_run.words, "-s", str(folder)]) == 0
    return folder / "version_3.html"


@pytest.fixture
def opened(tab: Tab, made: Path) -> Tab:
    tab.open(made)
    tab.run("document.querySelector('#map').scrollIntoView({behavior: 'instant'})")
    return tab


def whereabouts(tab: Tab, name: str) -> tuple[int, float, float]:
    """The number of a point, and where it is in the window, in CSS pixels."""
    names = json.loads(tab.run("document.getElementById('content').textContent"))["map"]["name"]
    number = names.index(name)
    left, top = tab.run(
        "(({left, top}) => [left, top])(document.querySelector('.stage canvas').getBoundingClientRect())"
    )
    x, y = tab.run(f"window.canarygan.points[{number}].place")
    return number, left + x + 1, top + y + 1  # 1: the canvas's border


def brightest(tab: Tab, selector: str) -> tuple[float, float]:
    """Where the brightest row of a picture is, from 0 at the bottom to 1, and how far its pixels differ, 0 to 255."""
    script = """(() => {
      const canvas = document.querySelector(SELECTOR);
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return [canvas.width, canvas.height, Array.from(data)];
    })()"""
    width, height, values = tab.run(script.replace("SELECTOR", json.dumps(selector)))
    pixels = np.array(values).reshape(height, width, 4)[..., :3].sum(2) / 3
    return 1 - (pixels.mean(1).argmax() + 0.5) / height, float(np.ptp(pixels))


def test_the_page_opens_without_complaint_or_request(opened: Tab, made: Path) -> None:
    assert opened.run("document.querySelectorAll('main > section').length") == 8
    assert opened.run("document.querySelectorAll('section.absent').length") == 0
    assert opened.run("document.querySelectorAll('figure svg').length") == 2
    assert opened.complaints == []
    assert set(opened.requests) == {made.as_uri()}


def test_a_click_plays_the_sound_and_pins_its_spectrogram(opened: Tab, toy_run: Any) -> None:
    number, x, y = whereabouts(opened, "sound 4")
    opened.mouse.click(x, y)
    assert opened.run("[window.canarygan.shown, window.canarygan.pinned, window.canarygan.played]") == [
        number,
        [number],
        1,
    ]
    (started,) = opened.run("window.started")
    assert started["rate"] == 16000
    np.testing.assert_allclose(started["samples"], toy_run.sounds[4][321:1920], atol=0.012)
    height, contrast = brightest(opened, ".sound.pinned canvas")
    assert height == pytest.approx(2000 / 8000, abs=0.02)
    assert contrast > 100
    assert opened.wait_for("window.canarygan.playing === null")
    assert opened.complaints == []


def test_pointing_shows_and_does_not_play(opened: Tab) -> None:
    number, x, y = whereabouts(opened, "A/3.wav")
    opened.mouse.move(x, y)
    assert opened.wait_for(f"window.canarygan.shown === {number}")
    assert opened.run("[window.started.length, window.canarygan.pinned.length]") == [0, 0]
    assert brightest(opened, ".sound canvas")[0] == pytest.approx(1000 / 8000, abs=0.02)
    assert "real, A" in opened.run("document.querySelector('[aria-live]').textContent")


def test_the_keyboard_steps_and_plays(opened: Tab) -> None:
    opened.run("document.querySelector('.stage canvas').focus()")
    opened.keyboard.press("ArrowRight")
    first = opened.run("window.canarygan.shown")
    opened.keyboard.press("ArrowRight")
    second = opened.run("window.canarygan.shown")
    places = opened.run("window.canarygan.points.map((point) => point.place)")
    assert places[second][0] > places[first][0]
    opened.keyboard.press("ArrowLeft")
    assert opened.run("window.canarygan.shown") == first
    opened.keyboard.press("Enter")
    opened.keyboard.press(" ")
    assert opened.run("[window.canarygan.played, window.started.length]") == [2, 2]


def test_the_legend_hides_a_class(opened: Tab) -> None:
    seen = "window.canarygan.points.filter((point) => point.label === 'A' && point.seen).length"
    assert opened.run(seen) == 8 + 12
    button = "[...document.querySelectorAll('.legend button')].find((one) => one.textContent.startsWith('A'))"
    opened.run(f"{button}.click()")
    assert opened.run(seen) == 0
    assert opened.run(f"{button}.getAttribute('aria-pressed')") == "false"


def test_the_wheel_zooms_about_the_pointer_once_the_map_was_clicked(opened: Tab) -> None:
    number, x, y = whereabouts(opened, "sound 0")
    place = f"window.canarygan.points[{number}].place"
    width = "window.canarygan.points.reduce((most, {place: [x]}) => Math.max(most, Math.abs(x)), 0)"
    opened.mouse.click(x, y)
    before, size = opened.run(place), opened.run(width)
    opened.mouse.wheel(0, -400)
    assert opened.wait_for(f"{width} > {1.5 * size}")
    np.testing.assert_allclose(opened.run(place), before, atol=2)


def test_names_that_would_be_markup_are_text(opened: Tab) -> None:
    assert opened.run("document.querySelectorAll('script, img, main b b, img').length") == 2
    assert "<img src=x onerror=alert(1)>" in opened.run("document.querySelector('.legend').textContent")
    assert "</script><script>alert(2)</script><b>" in opened.run("document.querySelector('#top').textContent")


def test_light_and_dark_differ_and_can_be_changed(tab: Tab, made: Path) -> None:
    shade = (
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((sum, part) => sum + Number(part), 0)"
    )
    tab.open(made, theme="dark")
    assert tab.run(shade) < 150
    tab.run("document.querySelector('.top button').click()")
    assert tab.run(shade) > 600
    tab.open(made, theme="light")
    assert tab.run(shade) > 600
    assert tab.complaints == []


def test_the_page_is_no_wider_than_a_laptop(tab: Tab, made: Path) -> None:
    for width in (1024, 400):
        tab.open(made, width=width)
        assert tab.run("document.documentElement.scrollWidth") <= width


def test_two_thousand_sounds_of_a_second_stay_under_20_mb(tab: Tab, tmp_path: Path, capsys: Any) -> None:
    noise = np.random.default_rng(0).normal(0, 0.2, (2000, 16000)).astype(np.float32)
    path = tmp_path / "generation-version_0-epoch_1-step_1.npz"
    with archives.writing(path, noise.nbytes) as archive:
        archive.add("x", noise)
        archive.add("rate", np.asarray(16000))
    with archives.writing(path.with_name(f"{path.stem}.umap.npz"), 0) as archive:
        archive.add("coordinates", np.random.default_rng(0).normal(size=(2000, 2)).astype(np.float32))
        archive.add("label", np.array(["A", "B"] * 1000))
    assert main.main(["report", "-g", str(path), "-s", str(tmp_path)]) == 0
    made = tmp_path / "report.html"
    assert 15e6 < made.stat().st_size < 20e6
    tab.open(made)
    assert tab.run("window.canarygan.points.length") == 2000
    assert "2,000 sounds were cut to their loudest 0.3937 s" in tab.run("document.querySelector('#map').textContent")
    assert tab.run("document.querySelectorAll('section.absent code.command').length") >= 3
    assert tab.complaints == []


def test_a_page_of_another_plugin_shows_a_map_with_the_parts_alone(tab: Tab, tmp_path: Path) -> None:
    silence = {"sound": [None, None], "level": [None, None], "cluster": [None, None]}
    names = {"name": ["one", "two"], "label": [0, 1], "labels": ["A", "B"], "real": [1, 0]}
    data = {
        "x": [0, 1],
        "y": [0, 1],
        **names,
        **silence,
        "totals": {"real": 1, "generated": 1},
        "rates": {"real": 16000},
    }
    script = f"{browser.read_scripts()}\nwindow.canarygan = soundMap(document.body, {json.dumps(data)}).state;"
    page = tmp_path / "other.html"
    html = f"<!doctype html><meta charset=utf-8><link rel=icon href=data:,><style>{browser.read_style()}</style>"
    page.write_text(f"{html}<body><script>(() => {{'use strict';\n{script}\n}})();</script>", encoding="utf-8")
    tab.open(page)
    assert [point["label"] for point in tab.run("window.canarygan.points")] == ["A", "B"]
    assert tab.run("document.querySelectorAll('.legend button').length") == 2
    assert tab.complaints == []


def test_complaints_of_a_page_are_noticed(tab: Tab, tmp_path: Path) -> None:
    policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; script-src 'unsafe-inline'\">"
    page = tmp_path / "bad.html"
    page.write_text(
        f"<!doctype html>{policy}<img src=a.png><script>window.canarygan = 1; throw new Error('odd')</script>"
    )
    tab.open(page)
    assert any("odd" in complaint for complaint in tab.complaints)
    assert any("Content Security Policy" in complaint for complaint in tab.complaints)


def test_classes_differ_by_shape_too_and_are_named_on_the_map(opened: Tab) -> None:
    looks = opened.run(
        "[...document.querySelectorAll('.legend button i')].map((one) => [one.dataset.shape, one.style.color])"
    )
    assert len(looks) > 2
    assert len({shape for shape, _ in looks}) == len(looks)
    assert len({colour for _, colour in looks}) == len(looks)
    named = opened.run(
        """(() => {
          const told = [];
          const fill = CanvasRenderingContext2D.prototype.fillText;
          CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
            told.push(text);
            return fill.call(this, text, ...rest);
          };
          document.querySelector('.bar-of-tools button[aria-label="Show the whole map"]').click();
          return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(told))));
        })()"""
    )
    labels = opened.run("[...document.querySelectorAll('.legend button span')].map((one) => one.textContent)")
    assert set(labels) <= set(named)


def test_what_is_shown_of_the_map_is_said_plainly(opened: Tab) -> None:
    text = opened.run("document.querySelector('#map').textContent")
    assert "Shown: all " in text
    assert " real and all " in text or " generated" in text


def test_no_page_shows_raw_json(opened: Tab) -> None:
    for name in ("inception", "scores", "curves", "classes"):
        text = opened.run(f"document.getElementById('{name}')?.textContent ?? ''")
        assert "{" not in text
        assert '":' not in text


def test_series_of_shares_have_colours_of_their_own(opened: Tab) -> None:
    colours = opened.run("[...document.querySelectorAll('#classes .key i')].map((one) => one.style.background)")
    assert len(colours) > 1
    assert len(set(colours)) == len(colours)


def test_any_number_of_series_is_told_apart_with_colour_and_without(tab: Tab, tmp_path: Path) -> None:
    with archives.writing(tmp_path / "many.npz", 0) as archive:
        archive.add("x", np.zeros((4, 3200), np.float32))
        archive.add("rate", np.asarray(16000))
        for number in range(9):
            archive.add(f"y_decoder{number}", np.array(["A", "A", "B", "X"]))
    assert main.main(["report", "-g", str(tmp_path / "many.npz"), "-s", str(tmp_path)]) == 0
    tab.open(tmp_path / "report.html")
    seen = "[...document.querySelectorAll('#classes .key i')].map((one) => getComputedStyle(one).backgroundColor)"
    colours = tab.run(seen)
    assert len(set(colours)) == len(colours) >= 9
    numbers = [f"{number + 1}" for number in range(len(colours))]
    keys = tab.run("[...document.querySelectorAll('#classes .key')].map((one) => one.textContent.split('.')[0])")
    assert keys == numbers
    bars = "(one) => [...one.children].map((bar) => bar.textContent.split('.')[0])"
    assert tab.run(f"[...document.querySelectorAll('#classes td')].map({bars})") == [numbers] * 3


def test_scores_are_grouped_and_explained_and_long_tables_are_folded(tab: Tab, tmp_path: Path) -> None:
    several = {f"part{number}.ks": number / 20 for number in range(12)} | {"A/part0.ks": 0.1}
    metrics = {"acoustics": {"scores": several}, "kid": {"scores": {"kid": 0.2, "kid_std": 0.01}}}
    (tmp_path / "scores.json").write_text(json.dumps({"metrics": metrics}))
    assert main.main(["report", "--scores", str(tmp_path / "scores.json"), "-s", str(tmp_path)]) == 0
    tab.open(tmp_path / "report.html")
    headings = tab.run(
        "[...document.querySelectorAll('#scores tr.metric th')].map((one) => one.firstChild.textContent)"
    )
    assert headings == ["kid", "acoustics", "acoustics"]
    told = tab.run("[...document.querySelectorAll('#scores tr.metric .about')].map((one) => one.textContent)")
    assert [len(text.split()) > 3 for text in told] == [True, True, True]
    counts = "(one) => [one.open, one.querySelectorAll('.mine').length]"
    assert tab.run(f"[...document.querySelectorAll('#scores details')].map({counts})") == [[False, 12], [False, 1]]
    shown = "[...document.querySelectorAll('#scores .mine')].filter((one) => !one.closest('details')).length"
    assert tab.run(shown) == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_texts_can_be_read(tab: Tab, made: Path, theme: str) -> None:
    tab.open(made, theme=theme)
    tab.run("document.querySelector('.legend button').click()")
    assert tab.find_faint() == []
