"""Measure what answers are worth, before and now, in one table: labels, rumble, and what scores are compared with.

    python benchmarks/answers.py DATA_DIR --classifier DIR [--other-bird DIR] [--own-bird DIR] [--run DIR]
        [--other-clips DIR --other-run DIR]
    python benchmarks/answers.py --collect

The first form runs labels.py, rumble.py, clusters.py, nulls.py and robustness.py, which explain their arguments, and
takes hours. --other-clips are the clips cut from the recordings of --other-bird, and --other-run is a version of
train-gan on them with --highpass 700. The second makes the table of what they left. `labels-0.2.json` holds the figures
of the software before labels rejected, as labels.py of today measured them. Writes answers.json and answers.md into
benchmarks/results.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import machine
from robustness import BEFORE

HERE = Path(__file__).parent
RESULTS = HERE / "results"

REJECTED = {
    "white noise": "white noise called X",
    "pink noise": "pink noise called X",
    "noise bursts, 20 to 150 ms": "bursts called X",
    "untrained generator": "sounds of an untrained generator called X",
    "unseen": "unseen syllables called X",
    "another bird": "another bird's syllables called X",
    "trained generator": "sounds of a trained generator called X",
}
SHIFTED = {
    "unseen": "unseen syllables labelled rightly",
    "shifted by -10 ms": "10 ms earlier",
    "shifted by +20 ms": "20 ms later",
    "shifted by +50 ms": "50 ms later",
    "recordings, margin 0 ms": "cut out of recordings, exactly at their ends",
    "recordings, margin 20 ms": "cut out of recordings, 20 ms around them",
}
AGREED = {
    "sure": "sounds of a trained generator that decoders are sure of",
    "all decoders alike, of the sure": "all decoders alike, of the sure",
    "consensus and classifier alike, of the sure": "consensus and classifier alike, of the sure",
}
OTHER = "labels-other"
"""The results of another bird and its run."""

OTHER_BEFORE = {"esn": "0.58", "knn": "0.06", "svm": "0.40", "all decoders alike, X aside": "0.68"}
"""What 0.1 gave of the sounds of a run on another Bengalese finch, 1,108 clips of 12 classes, as users measured it."""

NOISES = {"copies": "exact copies"} | {
    f"copies, {level} dB noise": f"copies under {level} dB" for level in (40, 30, 20)
}


def read(name: str) -> Mapping[str, Any]:
    """The results of a benchmark."""
    found: Mapping[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def compare_labels() -> Iterator[tuple[str, str, str]]:
    """Shares of the consensus, of the classifier and of pairs: what, before, now."""
    seeds = {name: read(name)["seeds"] for name in ("labels-0.2", "labels")}

    def both(*keys: str) -> tuple[str, str]:
        cells = []
        for runs in seeds.values():
            values: list[Any] = list(runs)
            for key in keys:
                values = [value.get(key) if isinstance(value, dict) else None for value in values]
            known = [value for value in values if value is not None]
            cells.append(f"{mean(known):.3f}" if known else "")
        return cells[0], cells[1]

    for key, what in REJECTED.items():
        yield (what, *both("x", key, "consensus"))
    for judge in ("consensus", "classifier"):
        for key, what in SHIFTED.items():
            yield (f"{judge}: {what}", *both("right", key, judge))
    for key, what in AGREED.items():
        yield (what, *both("agreement", key))
    yield ("area under the curve of P(syllable), another bird", *both("area"))


def compare_other_bird() -> Iterator[tuple[str, str, str]]:
    """Labels of the sounds of a run on another bird, by decoders of that bird: shares of X, and of labels alike."""
    seeds = read(OTHER)["seeds"]
    for key in ("esn", "knn", "svm", "consensus"):
        called = mean(seed["x"]["trained generator"][key] for seed in seeds)
        yield f"another bird's run: its sounds called X by {key}", OTHER_BEFORE.get(key, ""), f"{called:.3f}"
    for key in ("all decoders alike, X aside", "sure", *list(AGREED)[1:]):
        alike = mean(seed["agreement"][key] for seed in seeds)
        yield f"another bird's run: {key}", OTHER_BEFORE.get(key, ""), f"{alike:.3f}"


def compare_clusters() -> Iterator[tuple[str, str, str]]:
    """Unseen clips called X on a map; before, they were clustered without the clips that the map was fitted on."""
    rows = read("clusters")["rows"]
    for size in dict.fromkeys(row["size"] for row in rows):
        cells = (mean(row[way] for row in rows if row["size"] == size) for way in ("alone", "together"))
        before, now = (f"{cell:.3f}" for cell in cells)
        yield f"unseen syllables called X on a map of {size} clips", before, now


def compare_rumble() -> Iterator[tuple[str, str, str]]:
    """Distance to the nearest real clip after a short training under rumble, without and with a filter."""
    rows = read("rumble")["rows"]
    conditions = list(dict.fromkeys(row["condition"] for row in rows))
    clean, without, filtered = (
        [mean(row[key] for row in rows if row["condition"] == one) for key in ("near", "classes")] for one in conditions
    )
    for number, what in enumerate(("distance to the nearest real clip, dB", "classes")):
        name = f"trained under rumble: {what} (clean: {clean[number]:.2f})"
        yield name, f"{without[number]:.2f}", f"{filtered[number]:.2f}"


def compare_scores() -> Iterator[tuple[str, str, str]]:
    """How often scores are outside what chance gives; before, nothing told."""
    outside = read("nulls")["outside"]
    sets = ("genuine", "two thirds of the classes", "10 dB noise")
    for name in [name for name in outside["genuine"] if name not in ("times", "memorisation")]:
        cells = [f"{outside[key][name]} of {outside[key]['times']}" for key in sets]
        yield f"{name} outside: genuine, classes missing, noise", "", ", ".join(cells)
    for key, what in NOISES.items():
        yield f"memorisation outside: {what}", "", f"{outside[key]['memorisation']} of {outside[key]['times']}"


def compare_robustness() -> Iterator[tuple[str, str, str]]:
    """Copies, later onsets and durations; what was before is in the script that measures them."""
    for what, now in read("robustness")["rows"].items():
        yield what, BEFORE.get(what, ""), f"{now:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", nargs="?")
    parser.add_argument("--classifier")
    for flag in ("--other-bird", "--own-bird", "--run", "--other-clips", "--other-run"):
        parser.add_argument(flag)
    parser.add_argument("--collect", action="store_true")
    given = parser.parse_args()
    if not given.collect:
        if given.data_dir is None or given.classifier is None:
            parser.error("give DATA_DIR and --classifier, or --collect")
        flags = {"--other-bird": given.other_bird, "--own-bird": given.own_bird, "--run": given.run}
        labels = [given.data_dir, *(word for flag, value in flags.items() if value for word in (flag, value))]
        other = [given.other_clips, "--run", given.other_run, "--highpass", "700", "--name", OTHER]
        for name, words in (
            ("labels", labels),
            *([("labels", other)] if given.other_clips and given.other_run else []),
            ("rumble", [given.data_dir]),
            ("clusters", [given.data_dir]),
            ("nulls", [given.classifier, given.data_dir]),
            ("robustness", [given.classifier, given.data_dir]),
        ):
            subprocess.run([sys.executable, HERE / f"{name}.py", *words], check=True)
    rows = [*compare_labels(), *compare_other_bird(), *compare_rumble(), *compare_clusters()]
    rows += [*compare_scores(), *compare_robustness()]
    lines = ["# answers: what labels and scores are worth", "", "| figure | before | now |", "| --- | ---: | ---: |"]
    lines += [f"| {what} | {before} | {now} |" for what, before, now in rows]
    about = machine.described()
    lines += ["", "Means over seeds. Before: version 0.2 as it was before labels rejected.", "", machine.line(about)]
    (RESULTS / "answers.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    record = {"machine": about, "rows": [list(row) for row in rows]}
    (RESULTS / "answers.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
