"""The atlas for all who use it: by keyboard, by touch, in the light and in the dark."""

from pathlib import Path

import numpy as np
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


def test_light_and_dark_differ_and_can_be_changed(tab: Tab, atlas_page: Path) -> None:
    tab.open(atlas_page, theme="dark")
    dark = picture(tab, "canvas.slice")
    press(tab, "Light or dark")
    assert picture(tab, "canvas.slice") != dark
    assert tab.complaints == []
