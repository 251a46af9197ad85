"""Pages tested in a browser: headless Chromium, driven by Playwright, with no network."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TIMEOUT = 60_000.0
"""Milliseconds after which what was waited for will not come."""

RECORD_SOUNDS = """
(() => {
  const start = AudioBufferSourceNode.prototype.start;
  window.started = [];
  AudioBufferSourceNode.prototype.start = function (...given) {
    window.started.push({ rate: this.buffer.sampleRate, samples: Array.from(this.buffer.getChannelData(0)) });
    window.heard = this.context;
    return start.apply(this, given);
  };
})();
"""
"""Records what is played, and the context that plays it: run in a page before its own script."""

FIND_FAINT = """
(() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const read = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = pen.getImageData(0, 0, 1, 1).data;
    return { parts: [red, green, blue], alpha: alpha / 255 };
  };
  const lay = ({ parts, alpha }, under) => parts.map((part, i) => part * alpha + under[i] * (1 - alpha));
  const linear = (part) => (part <= 10 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const light = (parts) => parts.reduce((sum, part, i) => sum + [0.2126, 0.7152, 0.0722][i] * linear(part), 0);
  const above = (node) => (node ? [...above(node.parentElement), node] : []);
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const [node, text] = [texts.currentNode.parentElement, texts.currentNode.textContent.trim()];
    if (!text || !node.checkVisibility() || node.closest("option, .aloud, button:disabled")) continue;
    const styles = above(node).map((one) => getComputedStyle(one));
    const back = styles.reduce((under, one) => lay(read(one.backgroundColor), under), [255, 255, 255]);
    const ink = read(node instanceof SVGElement ? styles.at(-1).fill : styles.at(-1).color);
    ink.alpha *= styles.reduce((product, one) => product * one.opacity, 1);
    const [high, low] = [light(lay(ink, back)), light(back)].sort((one, other) => other - one);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) faint.push(`${contrast.toFixed(2)}: ${node.tagName} ${text}`);
  }
  return faint;
})()
"""

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def find_chromium() -> str | None:
    """The browser to test with: CANARYGAN_CHROMIUM, or the first found on PATH."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return os.environ.get("CANARYGAN_CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)


class Tab:
    """A page of Chromium without a network, and what it complained of and asked for."""

    def __init__(self, page: Any) -> None:
        self.page, self.mouse, self.keyboard = page, page.mouse, page.keyboard
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.context.set_offline(True)
        page.set_default_timeout(TIMEOUT)
        page.add_init_script(RECORD_SOUNDS)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: Path, width: int = 1280, height: int = 900, theme: Any = "light") -> None:
        """Open a page anew, with no complaints or requests yet, and wait until its script has run."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=theme)
        self.complaints.clear()
        self.requests.clear()
        self.page.goto(path.absolute().as_uri())
        self.wait_for("window.canarygan !== undefined")

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        return self.page.evaluate(script)

    def find_faint(self) -> list[str]:
        """Texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, criterion 1.4.3), and how high it is.

        A text of several colours behind it, such as one on a picture, is not understood.
        """
        return [str(one) for one in self.run(FIND_FAINT)]

    def wait_for(self, script: str) -> Any:
        """The value of an expression once it is true.

        The page is asked again and again. To wait in the page would be to evaluate a text there, which pages forbid.

        Raises:
            TimeoutError: where it does not become true.
        """
        end = time.monotonic() + TIMEOUT / 1000
        while not (value := self.run(script)):
            if time.monotonic() > end:
                raise TimeoutError(f"Not true after {TIMEOUT / 1000:g} s: {script}")
            self.page.wait_for_timeout(10)
        return value


@contextmanager
def open_tab(*, has_touch: bool = False) -> Iterator[Tab]:
    """A tab, whose screen is touched where that is wished; the test is skipped where there is no browser to drive.

    After `tab.page.context.set_offline(False)` it reaches this machine, and nothing else.
    """
    import pytest

    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium: install chromium, or name one by CANARYGAN_CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright to drive the browser")
    with playwright.sync_playwright() as driver:
        chrome = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield Tab(chrome.new_page(has_touch=has_touch))
        chrome.close()
