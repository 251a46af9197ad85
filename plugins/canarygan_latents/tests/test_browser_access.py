"""The atlas for all who use it: by keyboard, by touch, in the light and in the dark."""

from pathlib import Path

import numpy as np
import pytest
from atlas_pages import SIDE, corner, picture, press, state, whereabouts
from canarygan_report.browser.testing import Tab


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


def test_touch_plays_turns_and_adds(tab: Tab, atlas_page: Path) -> None:
    tab.open(atlas_page, width=400, height=800)
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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_texts_can_be_read(tab: Tab, atlas_page: Path, theme: str) -> None:
    tab.open(atlas_page, theme=theme)
    tab.run("document.querySelector('canvas.slice').focus()")
    tab.keyboard.press("a")
    tab.run("document.querySelector('.legend button').click()")
    assert tab.find_faint() == []
    tab.run("document.querySelector('#shares p').style.color = '#777a'")
    assert len(tab.find_faint()) == 1


def test_what_is_pressed_can_be_hit_by_a_finger(opened: Tab) -> None:
    small = (
        "[...document.querySelectorAll('button, select, input')].filter((one) => one.checkVisibility())"
        ".map((one) => [one.getBoundingClientRect(), one.outerHTML])"
        ".filter(([{ width, height }]) => width < 24 || height < 24).map(([, text]) => text)"
    )
    opened.run("document.querySelector('canvas.slice').focus()")
    opened.keyboard.press("a")
    assert opened.run(small) == []


def test_forced_colours_leave_bars_and_classes_their_own(tab: Tab, atlas_page: Path) -> None:
    tab.page.emulate_media(forced_colors="active")
    tab.open(atlas_page)
    colours = tab.run(
        "[document.body, ...document.querySelectorAll('#shares tr:first-child .bar i')]"
        ".map((one) => getComputedStyle(one).backgroundColor)"
    )
    assert len(set(colours)) == len(colours) == 4
    button = tab.page.get_by_role("button", name="Add to path")
    before = button.evaluate("(one) => getComputedStyle(one).border")
    button.click()
    assert button.evaluate("(one) => getComputedStyle(one).border") != before
    tab.page.emulate_media(forced_colors="none")
    assert tab.complaints == []


def test_the_focus_goes_from_part_to_part_as_they_are_seen(tab: Tab, atlas_page: Path) -> None:
    for width in (1280, 400):
        tab.open(atlas_page, width=width)
        tab.run("window.seen = []; document.querySelector('#space select').focus()")
        for _ in range(22):
            tab.keyboard.press("Tab")
            tab.run("window.seen.push(document.activeElement)")
        tops = tab.run(
            "window.seen.map((one) => one.closest('.space > *')).filter((one, i, all) => one && one !== all[i - 1])"
            ".map((one) => one.getBoundingClientRect()).map(({ left, top }) => [Math.round(top + scrollY), left])"
        )
        assert len(tops) == 3
        assert tops == sorted(tops)


def test_the_focus_stays_in_the_path_when_a_point_goes(opened: Tab) -> None:
    opened.run("document.querySelector('canvas.slice').focus()")
    for key in ("a", "ArrowRight", "a", "ArrowRight", "a"):
        opened.keyboard.press(key)
    focused = "document.activeElement.getAttribute('aria-label')"
    opened.page.get_by_role("button", name="Move point 3 forward").press("Enter")
    assert opened.run(focused).startswith("Play point 2")
    for number, after in ((3, "Play point 2"), (1, "Play point 1")):
        opened.page.get_by_role("button", name=f"Remove point {number}").press("Enter")
        assert opened.run(focused).startswith(after)
    assert "1 point, 1 sound of" in opened.run("document.querySelector('#path p').textContent")
    opened.page.get_by_role("button", name="Remove point 1").press("Enter")
    assert opened.run("document.activeElement.tagName") == "INPUT"


def test_light_and_dark_differ_and_can_be_changed(tab: Tab, atlas_page: Path) -> None:
    tab.open(atlas_page, theme="dark")
    dark = picture(tab, "canvas.slice")
    press(tab, "Light or dark")
    assert picture(tab, "canvas.slice") != dark
    assert tab.complaints == []
