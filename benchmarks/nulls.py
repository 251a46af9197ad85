"""Do scores say "inside" of genuine sounds, and "outside" of worse ones and of copies?

    python benchmarks/nulls.py CLASSIFIER DATA_DIR [--times 100] [--few 20] [--name nulls]

Each time the real clips are divided anew: a third stands for generated sounds, and the rest is the reference, a tenth
of which the generator is said not to have seen. The same is done with clips of two thirds of the classes, with clips
under white noise, with clips that the classifier did not learn against those that it did, and with copies of clips of
the reference. A metric is outside where one of its scores is, after correction for all scores of the file, as in the
task `score`. Writes NAME.json and NAME.md into benchmarks/results.
"""

import argparse
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import machine
import numpy as np
from canarygan_metrics.acoustics.metric import Acoustics
from canarygan_metrics.scores.base import posteriors_and_classes
from canarygan_metrics.scores.metrics import (
    KID,
    ClassBalance,
    DensityCoverage,
    Frechet,
    InceptionScore,
    Memorisation,
    PrecisionRecall,
)

from canarygan_core.audio.noise import add_noise
from canarygan_core.clips import Clips
from canarygan_core.datasets.folder import Folder
from canarygan_core.evaluation import accuracy, holding, scoring, streaming

Case = tuple[str, np.ndarray, np.ndarray]
"""Which sounds stand for generated ones (`clean` or a level of noise), their rows, and the rows of the reference."""

NOISES = ("10 dB", "20 dB", "30 dB", "35 dB", "40 dB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("classifier", type=Path)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--times", type=int, default=100, help="resamplings of genuine sounds")
    parser.add_argument("--few", type=int, default=20, help="of each of the others")
    parser.add_argument("--only", help="one metric, whose scores are then corrected for their own number alone")
    parser.add_argument("--name", default="nulls")
    options = parser.parse_args()
    logging.getLogger("canarygan").setLevel(logging.ERROR)
    clips = Folder(data_dir=options.data_dir).load()
    kinds = (InceptionScore, Frechet, KID, PrecisionRecall, DensityCoverage, ClassBalance)
    metrics = [*(kind(model_ckpt=options.classifier) for kind in kinds), Acoustics(), Memorisation()]
    metrics = [metric for metric in metrics if options.only in (None, metric.name)]
    heard_by = {metric.name: metric.listener() for metric in metrics}
    heard = {"clean": streaming.listen(clips.batches(streaming.BATCH), set(heard_by.values()))}
    for level in NOISES:
        some = [one for name, one in heard_by.items() if level == NOISES[0] or name == "memorisation"]
        if some:
            heard[level] = streaming.listen(noisy(clips, float(level.split()[0])), set(some))
    listener: Any = next(one for one in heard_by.values() if hasattr(one, "classifier"))
    classifier = listener.classifier
    right = {level: count_right(heard[level][listener], clips) for level in ("clean", NOISES[0])}
    learnt = ~np.isin(clips.sources, classifier.held_out)
    copies = {} if "memorisation" not in heard_by else {"copies": options.few}
    copies |= {f"copies, {level} noise": options.few for level in NOISES[1:] if copies}
    counts: dict[str, dict[str, int]] = {}
    shares: dict[str, list[float]] = {}
    began = time.perf_counter()
    for name, times in {
        **copies,
        "two thirds of the classes": options.few,
        "10 dB noise": options.few,
        "genuine": options.times,
        "not learnt by the classifier": options.few,
    }.items():
        outside = dict.fromkeys(heard_by, 0)
        for number, (level, rows, others) in zip(range(times), cases(name, clips, learnt), strict=False):
            copied = name.startswith("copies")
            results = {}
            for metric in metrics:
                if copied and not isinstance(metric, Memorisation):
                    continue
                listener = heard_by[metric.name]
                generated = replace(heard[level][listener].select(rows), labels=None)
                real = heard["clean"][listener].select(others)
                unseen = np.isin(np.arange(len(others)), accuracy.split(real.labels, 0.1, 1)[1])
                real = holding.mark_unseen(real, unseen)
                if copied:  # of what the generator has seen
                    generated = replace(heard[level][listener].select(others[~unseen][::3]), labels=None)
                results[metric.name] = scoring.score_one(metric, generated, real, None, resamplings=50, seed=number)
            scoring.add_verdicts(results)
            for key, record in results.items():
                told = record["null"]["scores"].values()
                outside[key] += any(one["verdict"] != "inside" for one in told)
                if name == "genuine":
                    within = [one["low"] <= one["score"] <= one["high"] for one in told]
                    shares.setdefault(key, []).append(float(np.mean(within)))
        counts[name] = {"times": times, **(outside if not copied else {"memorisation": outside["memorisation"]})}
        print(f"{time.perf_counter() - began:.0f} s", name, counts[name], flush=True)
    told = machine.described()
    mean = {key: float(np.mean(values)) for key, values in shares.items()}
    result = {"machine": told, "outside": counts, "uncorrected_share_inside": mean, "clips": len(clips)}
    result["labels_right"] = right
    machine.keep(options.name, result, text(options.name, counts, mean, right, told))


def count_right(heard: Clips, clips: Clips) -> float:
    """The share of clips whose likeliest class, by the classifier, is their label."""
    posteriors, classes = posteriors_and_classes(heard)
    return float(np.mean(np.take(classes, posteriors.argmax(1)) == clips.labels))


def noisy(clips: Clips, snr: float) -> Iterator[Clips]:
    """Clips under white noise, so many dB below the mean power of their sound."""
    rng = np.random.default_rng(int(snr))
    for part in clips.batches(streaming.BATCH):
        yield replace(part, audio=np.stack([add_noise(one, part.rate, snr, rng) for one in np.asarray(part.audio)]))


def cases(name: str, clips: Clips, learnt: np.ndarray) -> Iterator[Case]:
    """Endless divisions of the clips."""
    rng = np.random.default_rng(0)
    kept = np.isin(clips.labels, clips.classes[: len(clips.classes) * 2 // 3])
    while True:
        rows = rng.permutation(len(clips))
        first, rest = rows[: len(rows) // 3], rows[len(rows) // 3 :]
        if name == "not learnt by the classifier":
            new, known = (rng.permutation(np.flatnonzero(mask)) for mask in (~learnt, learnt))
            yield "clean", new[: len(new) * 2 // 3], known[: len(known) * 2 // 3]
        elif name == "two thirds of the classes":
            yield "clean", first[kept[first]], rest
        elif "dB" in name:
            yield next(level for level in NOISES if level in name), first, rest
        else:
            yield "clean", first, rest


def text(
    name: str,
    counts: dict[str, dict[str, int]],
    within: dict[str, float],
    right: dict[str, float],
    told: dict[str, object],
) -> str:
    """Format the table as Markdown."""
    wide = [key for key in counts if not key.startswith("copies")]
    lines = [
        f"# {name}: how often scores are outside what chance alone gives",
        "",
        "The last column is the share of a metric's scores of genuine sounds within the 95 % interval, uncorrected.",
        "",
        "| metric | " + " | ".join(f"{key} (of {counts[key]['times']})" for key in wide) + " | within |",
        "| --- | " + " | ".join("---:" for _ in wide) + " | ---: |",
    ]
    lines += [
        f"| {metric} | " + " | ".join(str(counts[key][metric]) for key in wide) + f" | {share:.3f} |"
        for metric, share in within.items()
    ]
    copied = [key for key in counts if key.startswith("copies")]
    lines += ["", "| memorisation of | outside |", "| --- | ---: |"] if copied else []
    lines += [f"| {key} | {counts[key]['memorisation']} of {counts[key]['times']} |" for key in copied]
    lines += ["", "| clips | labelled rightly by the classifier |", "| --- | ---: |"]
    lines += [f"| {level} | {share:.3f} |" for level, share in right.items()]
    return "\n".join([*lines, "", machine.line(told), ""])


if __name__ == "__main__":
    main()
