"""Pages of an atlas with a model and a decoder whose answers are known, and what tests do to them in a browser."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from canarygan_latents.atlas import page
from canarygan_report.browser.testing import Tab

from canarygan_core.clips import Clips
from canarygan_core.fitted.decoders import TrainedDecoder

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


def state(tab: Tab, name: str) -> Any:
    return tab.run(f"window.canarygan.state.{name}")


def corner(tab: Tab, selector: str) -> tuple[float, float]:
    box = tab.run(f"(({{left, top}}) => [left, top])(document.querySelector('{selector}').getBoundingClientRect())")
    return box[0] + 1, box[1] + 1  # 1: the canvas's border


def size(tab: Tab, selector: str) -> tuple[float, float]:
    wide, high = tab.run(
        f"(({{clientWidth, clientHeight}}) => [clientWidth, clientHeight])(document.querySelector('{selector}'))"
    )
    return wide, high


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
