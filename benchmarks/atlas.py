"""Measure the page of `atlas` in a browser: its size, the time to the first interaction, a sound, and how near it is.

    python benchmarks/atlas.py [-x CKPT] [-y DECODERS] [--rounds 5]

With a checkpoint, its page of 20 ** 3 cells is made and measured. Untrained WaveGANs of several sizes follow, with
pages of few cells. Chromium opens each page afresh, and has no network. Writes atlas.json and atlas.md into
benchmarks/results.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import machine
import numpy as np
import torch
from canarygan_latents.atlas.content import Sizes, make_content
from canarygan_latents.atlas.page import compose
from canarygan_latents.opening import Opened, open_generator
from canarygan_report.browser.testing import Tab, open_tab
from canarygan_wavegan.checkpoints import TrainedGenerator
from canarygan_wavegan.model import Generator, Shape

from canarygan_core.fitted import decoders
from canarygan_core.plugins import get_registry

RATE, POINTS = 16000, 40
SHAPES = ((16, 4096), (32, 4096), (64, 4096), (8, 16384), (16, 16384), (32, 16384))

INTERACT = """
(async () => {
  const canvas = document.querySelector("canvas.slice");
  canvas.focus();
  canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  const text = document.querySelector(".sound .foot").textContent;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now();
})()
"""
"""Moves the cursor by a key; gives the time since the page was asked for, ms, once the pictures have followed."""

TIME = """
async (points) => {
  const [sounds, times] = [[], []];
  for (const z of points) {
    const start = performance.now();
    sounds.push(await window.canarygan.sound(z));
    times.push(performance.now() - start);
  }
  return [sounds, times];
}
"""


def build(dim: int, samples: int) -> Opened:
    """An untrained generator of `dim` channels next to the waveform."""
    torch.manual_seed(0)
    network = Generator(Shape(latent_dim=3, dim=dim, samples=samples))
    generator = TrainedGenerator((network, RATE, {"epoch": 0, "step": 0}, torch.float32), "cpu")
    return Opened(generator, Path("none"), "", f"{dim}-{samples}")


def measure(tab: Tab, opened: Opened, content: dict[str, Any], folder: Path, rounds: int) -> dict[str, Any]:
    """What the page of a content is like."""
    path = folder / "page.html"
    path.write_text(compose(content))
    first = []
    for _ in range(rounds):
        tab.open(path)
        first.append(tab.run(INTERACT))
    z = np.random.default_rng(1).uniform(-1, 1, (POINTS, opened.generator.latent_dim)).astype(np.float32)
    network, known = content["network"], {"megabytes": path.stat().st_size / 1e6, "first_ms": float(np.median(first))}
    assert not tab.complaints, tab.complaints
    if network is None:
        return known | {"kept": "sounds", "side": content["sounds"]["views"][0]["side"]}
    sounds, times = tab.page.evaluate(TIME, z.tolist())
    apart = float(np.abs(np.array(sounds) - opened.generator.generate(z)).max())
    more = {"kept": network["weights"], "multiplications": network["operations"], "apart": apart}
    return known | more | {"sound_ms": float(np.median(times)), "sound_p95_ms": float(np.quantile(times, 0.95))}


def format_row(row: dict[str, Any]) -> str:
    kept = row["kept"] if row["kept"] != "sounds" else f"{row['side']} sounds an axis"
    size = f"{row['multiplications'] / 1e6:.0f}" if "multiplications" in row else ""
    sound = f"{row['sound_ms']:.0f} | {row['sound_p95_ms']:.0f} | {row['apart']:.1e}" if size else " | | "
    cells = (row["name"], row["cells"], kept, size, f"{row['megabytes']:.1f}", f"{row['first_ms']:.0f}", sound)
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-x", "--checkpoint", type=Path)
    parser.add_argument("-y", "--decoders", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name, open_tab() as tab:
        folder = Path(name)
        if options.checkpoint:
            opened = open_generator(options.checkpoint, "cpu")
            trained = decoders.load_all([options.decoders] if options.decoders else [], get_registry())
            shown = measure(tab, opened, make_content(opened, trained), folder, options.rounds)
            rows.append({"name": "the checkpoint", "cells": 20**3, **shown})
        for dim, samples in SHAPES:
            opened = build(dim, samples)
            shown = measure(tab, opened, make_content(opened, [], Sizes(side=4)), folder, options.rounds)
            rows.append({"name": f"d = {dim}, {samples:,} samples", "cells": 4**3, **shown})
        version = tab.page.context.browser.version
    head = ("model", "cells", "in the page", "million multiplications", "page, MB", "first interaction, ms")
    table = [
        "| " + " | ".join([*head, "a sound, p50, ms", "p95, ms", "from `generate`, of full scale"]) + " |",
        "| --- |" + " ---: |" * 8,
        *map(format_row, rows),
    ]
    on = machine.described() | {"chromium": version}
    text = ["# atlas: the page in a browser", "", *table, "", f"Chromium {version}. {machine.line(on)}", ""]
    machine.keep("atlas", {"machine": on, "rows": rows}, "\n".join(text))


if __name__ == "__main__":
    main()
