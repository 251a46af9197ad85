"""The report in a browser: headless Chromium, spoken to over its own pipe (DevTools protocol), with no network."""

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from canarygan_core.audio import archives
from canarygan_core.cli import main

PATIENCE = 60.0
"""Seconds after which what was waited for will not come."""

HOOK = """
(() => {
  const start = AudioBufferSourceNode.prototype.start;
  window.started = [];
  AudioBufferSourceNode.prototype.start = function (...given) {
    window.started.push({ rate: this.buffer.sampleRate, samples: Array.from(this.buffer.getChannelData(0)) });
    return start.apply(this, given);
  };
})();
"""
"""Keeps what is played: run in a page before its own script."""

PIPED = """
import fcntl, os, sys
aside = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for number, standing in enumerate(aside, 3):
    os.dup2(standing, number)
os.execvp(sys.argv[3], sys.argv[3:])
"""
"""Starts a program with two given pipes as its numbers 3 and 4, where Chromium listens and answers."""


def chromium() -> str | None:
    """The browser to test with: CANARYGAN_CHROMIUM, or the first found on PATH."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return os.environ.get("CANARYGAN_CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)


class Page:
    """A tab: commands go out, answers and events come back, as JSON between null bytes."""

    def __init__(self, into: int, out: int) -> None:
        self._into, self._out = into, out
        self._number, self._rest, self._session = 0, b"", None
        self.events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")
        self.ask("Page.addScriptToEvaluateOnNewDocument", source=HOOK)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._into, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._heard()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def _heard(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._out, 1 << 20)
            assert part, "the browser has gone"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        said = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def until(self, script: str) -> Any:
        """The value of an expression once it is true."""
        deadline = time.monotonic() + PATIENCE
        while not (value := self.run(script)):
            assert time.monotonic() < deadline, f"never true: {script}"
            time.sleep(0.02)
        return value

    def open(self, path: Path, width: int = 1280, height: int = 900, theme: str = "light") -> None:
        self.ask("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.ask("Page.navigate", url=path.absolute().as_uri())
        self.until("document.readyState === 'complete' && location.protocol === 'file:'")

    def click(self, x: float, y: float) -> None:
        self.move(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def move(self, x: float, y: float) -> None:
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def press(self, key: str, text: str = "") -> None:
        self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, **({"text": text} if text else {}))
        self.ask("Input.dispatchKeyEvent", type="keyUp", key=key)

    def picture(self) -> bytes:
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])

    def complaints(self) -> list[str]:
        """What the console and the log were told."""
        told = [one["params"] for one in self.events if one.get("method") == "Runtime.consoleAPICalled"]
        told += [one["params"] for one in self.events if one.get("method") == "Runtime.exceptionThrown"]
        told += [one["params"]["entry"] for one in self.events if one.get("method") == "Log.entryAdded"]
        return [json.dumps(one) for one in told]

    def requests(self) -> list[str]:
        """What the page asked for, but for what stands in it."""
        asked = [
            one["params"]["request"]["url"] for one in self.events if one.get("method") == "Network.requestWillBeSent"
        ]
        return [url for url in asked if not url.startswith("data:")]


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """Chromium with a profile of its own, ended with the block."""
    name = chromium()
    if name is None:
        pytest.skip("no Chromium: install chromium, or name one by CANARYGAN_CHROMIUM")
    theirs, into = os.pipe()
    out, ours = os.pipe()
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio"]
    flags += ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    flags += ["--host-resolver-rules=MAP * ~NOTFOUND"]
    command = [name, *flags, f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"]
    started = [sys.executable, "-c", PIPED, str(theirs), str(ours), *command]
    with subprocess.Popen(started, pass_fds=(theirs, ours), stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        os.close(ours)
        try:
            yield Page(into, out)
        finally:
            os.close(into)
            os.close(out)
            process.terminate()


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, toy_run: Any) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    assert main.main(["report", *toy_run.words, "-s", str(folder)]) == 0
    return folder / "version_3.html"


@pytest.fixture
def opened(tab: Page, made: Path) -> Page:
    tab.events.clear()
    tab.open(made)
    tab.until("window.canarygan !== undefined")
    tab.run("document.querySelector('#map').scrollIntoView({behavior: 'instant'})")
    return tab


def whereabouts(tab: Page, name: str) -> tuple[int, float, float]:
    """The number of a point, and where it is in the window, in CSS pixels."""
    names = json.loads(tab.run("document.getElementById('content').textContent"))["map"]["name"]
    number = names.index(name)
    left, top = tab.run(
        "(({left, top}) => [left, top])(document.querySelector('.stage canvas').getBoundingClientRect())"
    )
    x, y = tab.run(f"window.canarygan.points[{number}].place")
    return number, left + x + 1, top + y + 1  # 1: the canvas's border


def brightest(tab: Page, selector: str) -> tuple[float, float]:
    """Where the brightest row of a picture is, from 0 at the bottom to 1, and how far its pixels differ, 0 to 255."""
    script = """(() => {
      const canvas = document.querySelector(SELECTOR);
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return [canvas.width, canvas.height, Array.from(data)];
    })()"""
    width, height, values = tab.run(script.replace("SELECTOR", json.dumps(selector)))
    pixels = np.array(values).reshape(height, width, 4)[..., :3].sum(2) / 3
    return 1 - (pixels.mean(1).argmax() + 0.5) / height, float(np.ptp(pixels))


def test_the_page_opens_without_complaint_or_request(opened: Page, made: Path) -> None:
    assert opened.run("document.querySelectorAll('main > section').length") == 8
    assert opened.run("document.querySelectorAll('section.absent').length") == 0
    assert opened.run("document.querySelectorAll('figure svg').length") == 2
    assert opened.complaints() == []
    assert set(opened.requests()) == {made.as_uri()}


def test_a_click_plays_the_sound_and_pins_its_spectrogram(opened: Page, toy_run: Any) -> None:
    number, x, y = whereabouts(opened, "sound 4")
    opened.click(x, y)
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
    assert opened.until("window.canarygan.playing === null")
    assert opened.complaints() == []


def test_pointing_shows_and_does_not_play(opened: Page) -> None:
    number, x, y = whereabouts(opened, "A/3.wav")
    opened.move(x, y)
    assert opened.until(f"window.canarygan.shown === {number}")
    assert opened.run("[window.started.length, window.canarygan.pinned.length]") == [0, 0]
    assert brightest(opened, ".sound canvas")[0] == pytest.approx(1000 / 8000, abs=0.02)
    assert "real, A" in opened.run("document.querySelector('[aria-live]').textContent")


def test_the_keyboard_steps_and_plays(opened: Page) -> None:
    opened.run("document.querySelector('.stage canvas').focus()")
    opened.press("ArrowRight")
    first = opened.run("window.canarygan.shown")
    opened.press("ArrowRight")
    second = opened.run("window.canarygan.shown")
    places = opened.run("window.canarygan.points.map((point) => point.place)")
    assert places[second][0] > places[first][0]
    opened.press("ArrowLeft")
    assert opened.run("window.canarygan.shown") == first
    opened.press("Enter", "\r")
    opened.press(" ", " ")
    assert opened.run("[window.canarygan.played, window.started.length]") == [2, 2]


def test_the_legend_hides_a_class(opened: Page) -> None:
    seen = "window.canarygan.points.filter((point) => point.label === 'A' && point.seen).length"
    assert opened.run(seen) == 8 + 12
    button = "[...document.querySelectorAll('.legend button')].find((one) => one.textContent.startsWith('A'))"
    opened.run(f"{button}.click()")
    assert opened.run(seen) == 0
    assert opened.run(f"{button}.getAttribute('aria-pressed')") == "false"


def test_the_wheel_zooms_about_the_pointer_once_the_map_was_clicked(opened: Page) -> None:
    number, x, y = whereabouts(opened, "sound 0")
    place = f"window.canarygan.points[{number}].place"
    width = "window.canarygan.points.reduce((most, {place: [x]}) => Math.max(most, Math.abs(x)), 0)"
    wheel = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": -400}
    opened.click(x, y)
    before, size = opened.run(place), opened.run(width)
    opened.ask("Input.dispatchMouseEvent", **wheel)
    assert opened.until(f"{width} > {1.5 * size}")
    np.testing.assert_allclose(opened.run(place), before, atol=2)


def test_names_that_would_be_markup_are_text(opened: Page) -> None:
    assert opened.run("document.querySelectorAll('script, img, main b b, img').length") == 2
    assert "<img src=x onerror=alert(1)>" in opened.run("document.querySelector('.legend').textContent")
    assert "</script><script>alert(2)</script><b>" in opened.run("document.querySelector('#top').textContent")


def test_light_and_dark_differ_and_can_be_changed(tab: Page, made: Path) -> None:
    tab.events.clear()
    shade = (
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((sum, part) => sum + Number(part), 0)"
    )
    tab.open(made, theme="dark")
    assert tab.until("window.canarygan !== undefined")
    assert tab.run(shade) < 150
    tab.run("document.querySelector('.top button').click()")
    assert tab.run(shade) > 600
    tab.open(made, theme="light")
    assert tab.until(f"window.canarygan && {shade}") > 600
    assert tab.complaints() == []


def test_the_page_is_no_wider_than_a_laptop(tab: Page, made: Path) -> None:
    for width in (1024, 400):
        tab.open(made, width=width)
        assert tab.until("window.canarygan !== undefined")
        assert tab.run("document.documentElement.scrollWidth") <= width


def test_two_thousand_sounds_of_a_second_stay_under_20_mb(tab: Page, tmp_path: Path, capsys: Any) -> None:
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
    tab.events.clear()
    tab.open(made)
    assert tab.until("window.canarygan !== undefined && window.canarygan.points.length") == 2000
    assert "2,000 sounds were cut to their loudest 0.3937 s" in tab.run("document.querySelector('#map').textContent")
    assert tab.run("document.querySelectorAll('section.absent code.command').length") >= 3
    assert tab.complaints() == []
