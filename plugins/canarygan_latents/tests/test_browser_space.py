"""The space of an atlas in a browser: pointing, slicing, turning, colouring, in one to five dimensions."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from atlas_pages import (
    EVIL,
    RATE,
    SIDE,
    Halves,
    Slopes,
    corner,
    decode,
    picture,
    press,
    size,
    state,
    whereabouts,
    write,
)
from canarygan_latents.atlas import content
from canarygan_latents.atlas.content import Sizes
from canarygan_latents.opening import Opened, open_generator
from canarygan_report.browser.testing import Tab


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


def test_what_is_said_of_a_sound_and_of_its_cell_are_told_apart(opened: Tab, atlas_page: Path) -> None:
    z = [0.1, 0.1, 0.1]
    opened.mouse.move(*whereabouts(opened, z))
    assert opened.wait_for("document.querySelector('.sound .foot').textContent.includes('(0.10, 0.10')")
    own, cell = opened.run("document.querySelector('.sound .foot').innerText").split("\n")
    peak = 20 * np.log10(np.abs(opened.run(f"window.canarygan.sound({state(opened, 'cursor')})")).max())
    assert own.endswith(f"peak \u2212{abs(peak):.1f} dBFS")
    shown = json.loads(opened.run("document.getElementById('content').textContent"))["views"][0]
    number = 3 + 3 * SIDE + 3 * SIDE**2
    duration = np.frombuffer(base64.b64decode(shown["measures"]["duration"]), "<f4")[number]
    assert cell.startswith("Middle of its cell: ")
    assert f"duration {duration:.0f} ms" in cell
    picture = opened.page.locator(".panel .scaled")
    assert picture.inner_text().split() == ["8", "kHz", "0.256", "s"]
    assert "0.256 s, 0 to 8 kHz, peak" in str(picture.locator("canvas").get_attribute("aria-label"))


@pytest.mark.parametrize(("posteriors", "said"), [([0.5, 0.5], "2 of 2 decoders"), ([1.0, 0.0], "1.00 \u00b7 2 of 2")])
def test_a_point_says_how_many_decoders_gave_or_rejected_its_label(
    tab: Tab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, posteriors: list[float], said: str
) -> None:
    given = np.array([posteriors], np.float32)
    monkeypatch.setattr(Halves, "posteriors", lambda self, clips: given.repeat(len(clips.audio), 0))
    generator: Any = Slopes(2)
    trained = [decode(), decode("again")]
    tab.open(write(tmp_path, content.make_content(Opened(generator, Path("a"), "", "0"), trained, Sizes(side=3))))
    foot = tab.run("document.querySelector('.sound .foot').textContent")
    assert said in foot
    assert ("rejected it" in foot) == (posteriors[0] == 0.5)
    assert ("gave it" in foot) == (posteriors[0] == 1)


def test_what_is_said_of_a_point_is_what_its_cell_has(opened: Tab, atlas_page: Path) -> None:
    shown = json.loads(opened.run("document.getElementById('content').textContent"))
    grid = content.views.View((0, 1, 2), SIDE, *(np.float32([end] * 3) for end in (-1, 1)), np.zeros(3, np.float32))
    labels = np.frombuffer(base64.b64decode(shown["views"][0]["label"]), "<u2").tolist()
    assert len(set(labels)) == 3
    for number in {labels.index(kind) for kind in set(labels)}:
        z = grid.latents()[number].tolist()
        label = shown["classes"][labels[number]]
        assert opened.run(f"window.canarygan.label({json.dumps(z)})") == label


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
    wide, high = size(opened, "canvas.cube")
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


def test_pointing_at_the_cube_leaves_the_slice_and_a_click_moves_it(opened: Tab) -> None:
    left, top = corner(opened, "canvas.cube")
    wide, high = opened.run(
        "(({clientWidth, clientHeight}) => [clientWidth, clientHeight])(document.querySelector('canvas.cube'))"
    )
    before = picture(opened, "canvas.slice")
    opened.mouse.move(left + 0.35 * wide, top + 0.7 * high)
    assert opened.wait_for("window.canarygan.state.cursor[1] < -0.5")
    assert state(opened, "cursor")[2] < 0
    assert state(opened, "slice") == SIDE // 2
    assert picture(opened, "canvas.slice") != before  # the cursor is in dashes there
    opened.mouse.click(left + 0.35 * wide, top + 0.7 * high)
    assert opened.wait_for("window.canarygan.state.played === 1")
    assert state(opened, "slice") == int((state(opened, "cursor")[2] + 1) / 2 * SIDE)
    assert state(opened, "slice") < SIDE // 2


COLOURS = """
(() => {
  const canvas = document.querySelector("canvas.slice");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = new Set();
  for (let i = 0; i < data.length; i += 4) found.add([...data.slice(i, i + 3)].join());
  return [...found];
})()
"""
"""The colours of the slice, each as red, green and blue with commas."""


def test_the_legend_of_a_measure_has_the_colours_of_its_cells(opened: Tab) -> None:
    opened.page.get_by_label("Colour by").select_option("duration")
    shown = json.loads(opened.run("document.getElementById('content').textContent"))["views"][0]
    values = np.sort(np.frombuffer(base64.b64decode(shown["measures"]["duration"]), "<f4"))
    low, high = values[int(0.02 * len(values))], values[int(np.ceil(0.98 * len(values))) - 1]
    assert f"at most {low:.0f} ms" in opened.page.locator(".legend").inner_text()
    assert f"at least {high:.0f} ms" in opened.page.locator(".legend").inner_text()
    bar = str(opened.page.locator(".legend i").get_attribute("style"))
    ends = re.findall(r"rgb\((\d+),(\d+),(\d+)\)", bar)[::10]
    colours = opened.run(COLOURS)
    assert len(ends) == 2
    assert any(",".join(end) in colours for end in ends)


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


def test_a_line_is_walked_by_arrows(tab: Tab, tmp_path: Path) -> None:
    generator: Any = Slopes(1)
    tab.open(write(tmp_path, content.make_content(Opened(generator, Path("a"), "", "0"), [decode()], Sizes(side=20))))
    tab.run("document.querySelector('canvas.slice').focus()")
    before = state(tab, "cursor")[0]
    tab.keyboard.press("ArrowRight")
    assert state(tab, "cursor")[0] == pytest.approx(before + 0.1)
    tab.keyboard.press("ArrowUp")
    assert state(tab, "cursor")[0] == pytest.approx(before + 0.1)
    assert "slice" not in tab.run("document.querySelector('canvas.slice').ariaLabel").lower()
    assert "Page Up" not in tab.run("document.getElementById('space-help').textContent")
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
