"""Measure what scores say of copies under noise, of later onsets, and of durations under noise.

    python benchmarks/robustness.py CLASSIFIER DATA_DIR

Copies are of clips that a model would have seen; a tenth of the clips it would not have seen. Onsets are moved by zeros
before each clip. Durations are of tone bursts of 100 ms under white noise, with an offset of a fifth of their peak.
Writes robustness.json and robustness.md into benchmarks/results. BEFORE holds what 0.1 gave, as users measured it.
"""

import argparse
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import machine
import numpy as np
from canarygan_metrics.acoustics.measures import measure
from canarygan_metrics.scores.metrics import InceptionScore, Memorisation

from canarygan_core.audio.noise import add_noise
from canarygan_core.clips import Clips
from canarygan_core.datasets.folder import Folder
from canarygan_core.evaluation import accuracy, holding

BEFORE = {
    "copies, exact: memorised": "1.00",
    "copies under 40 dB: memorised": "0.86",
    "copies under 35 dB: memorised": "0.46",
    "copies under 30 dB: memorised": "0.14",
    "copies under 20 dB: memorised": "0.00",
    "real clips as they are: inception score": "8.75",
    "real clips 50 ms later: inception score": "3.0",
}

RATE, BURST = 16000, 0.1
"""Hz; seconds."""


def score_copies(clips: Clips) -> Iterator[tuple[str, float]]:
    """The probability `memorised` of 300 copies, and of clips that nobody has seen."""
    metric = Memorisation()
    listen = metric.listener()
    rows = np.random.default_rng(0).permutation(len(clips))
    others, reference = rows[: len(rows) // 9], rows[len(rows) // 9 :]
    real = listen(clips.select(reference))
    unseen = np.isin(np.arange(len(real)), accuracy.split(np.asarray(real.labels), 0.1, 1)[1])
    marked = holding.mark_unseen(real, unseen)
    seen = clips.select(reference[~unseen][:300])
    for level in (None, 40, 35, 30, 20):
        rng = np.random.default_rng(level or 0)
        audio = np.asarray(seen.audio)
        if level is not None:
            audio = np.stack([add_noise(one, clips.rate, level, rng) for one in audio])
        what = "copies, exact" if level is None else f"copies under {level} dB"
        yield f"{what}: memorised", metric.score(listen(replace(seen, audio=audio, labels=None)), marked)["memorised"]
    new = listen(replace(clips.select(others), labels=None))
    yield "new real clips: memorised (0.5 is right)", metric.score(new, marked)["memorised"]


def score_shifts(clips: Clips, classifier: Path) -> Iterator[tuple[str, float]]:
    """The inception score of all clips, as they are and later."""
    metric = InceptionScore(model_ckpt=classifier)
    listen = metric.listener()
    for shift in (0, 20, 50):
        samples = round(shift * clips.rate / 1000)
        later = np.pad(np.asarray(clips.audio), ((0, 0), (samples, 0)))[:, : clips.samples]
        heard = listen(replace(clips, audio=np.ascontiguousarray(later)))
        what = "as they are" if not shift else f"{shift} ms later"
        yield f"real clips {what}: inception score", metric.score(heard, heard)["is_whole"]


def measure_bursts() -> Iterator[tuple[str, float]]:
    """The greatest error of 200 durations, ms."""
    for level in (20, 15, 10):
        rng = np.random.default_rng(level)
        moments = np.arange(RATE)
        start, pitch = rng.integers(800, 9000, (200, 1)), rng.uniform(700, 7500, (200, 1))
        sounding = (moments >= start) & (moments < start + round(BURST * RATE))
        tone = 0.5 * np.sin(2 * np.pi * pitch * moments / RATE) * sounding
        noise = rng.standard_normal(tone.shape) * 0.5 / np.sqrt(2) * 10 ** (-level / 20)
        found = measure((tone + noise + 0.1).astype(np.float32), RATE)["duration"]
        what = f"bursts of {1000 * BURST:.0f} ms under {level} dB, offset a fifth of the peak: greatest error, ms"
        yield what, float(1000 * np.abs(found - BURST).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("classifier", type=Path)
    parser.add_argument("data_dir", type=Path)
    options = parser.parse_args()
    logging.getLogger("canarygan").setLevel(logging.ERROR)
    clips = Folder(data_dir=options.data_dir).load()
    rows = dict([*score_copies(clips), *score_shifts(clips, options.classifier), *measure_bursts()])
    told = machine.described()
    lines = ["# robustness: copies, shifts and durations under noise", "", "| figure | before | now |"]
    lines += [
        "| --- | ---: | ---: |",
        *(f"| {what} | {BEFORE.get(what, '')} | {now:.2f} |" for what, now in rows.items()),
    ]
    machine.keep("robustness", {"machine": told, "rows": rows}, "\n".join([*lines, "", machine.line(told), ""]))


if __name__ == "__main__":
    main()
