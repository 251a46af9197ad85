"""Score a graded series of sounds by every metric: do the metrics order sounds of known quality?

    python benchmarks/graded.py CLASSIFIER DATA_DIR [--name graded-finch]

This compares clips that the classifier did not learn, clean and under more and more noise, with those that it learnt.
It also compares one half of the set, with all classes and with two thirds of them, with the other half. Writes
NAME.json and NAME.md into benchmarks/results.
"""

import argparse
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import machine
import numpy as np
from canarygan_metrics.acoustics.metric import Acoustics
from canarygan_metrics.scores.metrics import (
    KID,
    ClassBalance,
    DensityCoverage,
    Frechet,
    InceptionScore,
    PrecisionRecall,
)

from canarygan_core.audio.noise import add_noise, draw_white_noise
from canarygan_core.clips import Clips
from canarygan_core.datasets.folder import Folder
from canarygan_core.evaluation import streaming

SHOWN = {
    "frechet": "smaller",
    "kid": "smaller",
    "precision": "larger",
    "recall": "larger",
    "density": "larger",
    "coverage": "larger",
    "class_recall": "larger",
    "kl": "smaller",
    "is_whole": "larger",
    "duration.distance": "smaller",
    "entropy.distance": "smaller",
}
"""The scores in the table, and which values are better."""


def noisy(clips: Clips, snr: float) -> Clips:
    """Add white noise to clips, so many dB below the mean power of their sound."""
    rng = np.random.default_rng(int(snr))
    return replace(clips, audio=np.stack([add_noise(sound, clips.rate, snr, rng) for sound in np.asarray(clips.audio)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("classifier", type=Path)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--name", default="graded-finch")
    options = parser.parse_args()
    logging.getLogger("canarygan").setLevel(logging.ERROR)
    clips = Folder(data_dir=options.data_dir).load()
    listening = [
        metric(model_ckpt=options.classifier)
        for metric in (Frechet, KID, PrecisionRecall, DensityCoverage, ClassBalance)
    ]
    metrics = [*listening, InceptionScore(model_ckpt=options.classifier, n_split=1), Acoustics(enough=1000)]
    heard_by = {metric.listener() for metric in metrics}
    held_out = next(one for one in heard_by if hasattr(one, "classifier")).classifier.held_out
    held = clips.select(np.isin(clips.sources, held_out))
    one, other = (clips.select(rows) for rows in streaming.split_halves(clips, 0))
    kept = clips.classes[: len(clips.classes) * 2 // 3]
    series = {
        "held out": (held, clips),
        "+ 20 dB noise": (noisy(held, 20.0), clips),
        "+ 0 dB noise": (noisy(held, 0.0), clips),
        "white noise": (draw_white_noise(held, 0), clips),
        "half of the set": (one, other),
        f"{len(kept)} of {len(clips.classes)} classes": (one.select(np.isin(one.labels, kept)), other),
    }
    listened: dict[int, streaming.Listened] = {}

    def heard(these: Clips) -> streaming.Listened:
        if id(these) not in listened:
            listened[id(these)] = streaming.listen(these.batches(streaming.BATCH), heard_by)
        return listened[id(these)]

    table = {}
    for name, (generated, reference) in series.items():
        row: dict[str, float] = {}
        for metric in metrics:
            side = heard(reference)[metric.listener()]
            if reference is clips:
                side = side.select(~np.isin(side.sources, held_out))
            row |= metric.score(heard(generated)[metric.listener()], side)
        table[name] = {"clips": len(generated), **{key: row[key] for key in SHOWN}}
        print(name, table[name], flush=True)
    told = machine.described()
    results = Path(__file__).parent / "results"
    (results / f"{options.name}.json").write_text(json.dumps({"machine": told, "scores": table}, indent=2) + "\n")
    (results / f"{options.name}.md").write_text(text(options.name, table, told), encoding="utf-8")


def text(name: str, table: Mapping[str, Mapping[str, float]], told: dict[str, object]) -> str:
    """Format the table as Markdown."""
    lines = [
        f"# {name}: metrics on sounds that are known to be worse and worse",
        "",
        "| score | better | " + " | ".join(f"{key} ({row['clips']})" for key, row in table.items()) + " |",
        "| --- | --- | " + " | ".join("---:" for _ in table) + " |",
    ]
    for key, better in SHOWN.items():
        lines.append(f"| {key} | {better} | " + " | ".join(f"{row[key]:.3g}" for row in table.values()) + " |")
    return "\n".join([*lines, "", machine.line(told), ""])


if __name__ == "__main__":
    main()
