"""Measure stimuli: whether renditions are what was asked for, how equal the steps of bridges are, and levels.

    python benchmarks/stimuli.py --run RUN [RUN ...] --decoders DIR [DIR ...] [--classifier CLASSIFIER]

Renditions are of every class and every run: of esn, knn and svm two choose them with `select`, and the third, which
took no part, labels the WAV files; each is the third once. Any other decoder in the folder labels what all three chose.
Bridges are of the first run: from the surest latent of each class to that of each other one, in nine steps that are
linear or equal. Writes stimuli.json and stimuli.md into benchmarks/results.
"""

import argparse
import csv
import itertools
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import machine
import numpy as np
import soundfile

from canarygan_core.evaluation.accuracy import compute_interval

CHOOSING = ("esn", "knn", "svm")
STEPS, EQUAL, SEED, ENOUGH = 9, 1.2, 1, 0.95


def run(*words: object) -> tuple[dict[str, Any], str]:
    """Run a command of canarygan; gives what it answers to programs, or nothing and its error."""
    command = [sys.executable, "-m", "canarygan", *map(str, words), "--json", "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (json.loads(done.stdout), "") if done.returncode == 0 else ({}, done.stderr.strip())


def read_table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def measure_levels(folder: Path) -> dict[str, float]:
    """Levels of the files in a folder, root mean square in dB of full scale, and the largest first or last sample."""
    sounds = [soundfile.read(path)[0] for path in sorted(folder.glob("*.wav"))]
    levels = [10 * np.log10(np.mean(np.square(sound))) for sound in sounds]
    ends = max(max(abs(sound[0]), abs(sound[-1])) for sound in sounds)
    return {"files": len(sounds), "least, dB": min(levels), "greatest, dB": max(levels), "largest end": float(ends)}


def read_classes(decoder: Path) -> list[str]:
    record = json.loads((decoder / "decoder.json").read_text(encoding="utf-8"))
    return [label for label in record["classes"] if label not in record["garbage"]]


def measure_renditions(source: Path, decoders: Path, judge: str, options: argparse.Namespace) -> dict[str, Any]:
    """Renditions of every class as a decoder hears them that took no part; classes that were refused are told."""
    choosing = [name for name in CHOOSING if name != judge]
    chosen_by = [word for name in choosing for word in ("-y", decoders / name)]
    wanted, refused = read_classes(decoders / judge), dict[str, str]()
    with tempfile.TemporaryDirectory() as folder:
        target, decoded = Path(folder) / "selected", Path(folder) / "decoded"
        limits = ["-n", options.renditions, "--tries", options.tries, "--seed", SEED, "--no-sheet"]
        while wanted:
            labels = [word for label in wanted for word in ("--label", label)]
            answer, error = run("select", "-x", source, *chosen_by, *labels, *limits, "-s", target)
            if answer:
                break
            lines = error.removeprefix("canarygan: ").splitlines()
            told = {label: line for label in wanted for line in lines if line.split(":")[0].split(" ")[0] == label}
            if not told:
                raise SystemExit(error)
            refused |= told
            wanted = [label for label in wanted if label not in told]
        rows: list[dict[str, Any]] = []
        if wanted:
            run("decode", target / "playback", "-y", decoders / judge, "-s", decoded)
            heard = {Path(row["file"]).name: row["label"] for row in read_table(decoded / "decoded.csv")}
            drawn = {fact["label"]: fact["drawn"] for fact in answer["labels"]}
            key = read_table(target / "key.csv")
            for label in wanted:
                given = [heard[row["file"]] for row in key if row["label"] == label]
                right = sum(one == label for one in given)
                row = {"label": label, "renditions": len(given), "right": right, "X": given.count("X")}
                rows.append(row | {"drawn": drawn[label]})
        levels = measure_levels(target / "playback") if wanted else {}
    found = {"run": source.name, "judge": judge, "chosen by": choosing, "classes": rows, "refused": refused}
    print(found, flush=True)
    return found | {"levels": levels}


def measure_bridges(
    source: Path, decoders: Path, steps: str, classifier: Path | None, work: Path
) -> tuple[list[float], dict[str, float]]:
    """For the bridges between all pairs of classes, the longest step over the shortest; and levels."""
    labels = read_classes(decoders / CHOOSING[0])
    target = work / f"morph-{steps}-{'embedding' if classifier else 'log-mel'}"
    target.mkdir()
    pairs = [f"{first},{second}" for first, second in itertools.combinations(labels, 2)]
    (target / "pairs.csv").write_text("\n".join(["from,to", *pairs]), encoding="utf-8")
    measure = [] if classifier is None else ["-m", classifier]
    words = ["--pairs", target / "pairs.csv", "-n", STEPS, "--steps", steps, *measure, "-s", target]
    chosen_by = [word for name in CHOOSING for word in ("-y", decoders / name)]
    answer, error = run("morph", "-x", source, *chosen_by, *words)
    if not answer:
        raise SystemExit(error)
    print(target.name, sorted(round(one["ratio"], 2) for one in answer["bridges"]), flush=True)
    return [one["ratio"] for one in answer["bridges"]], measure_levels(target / "playback")


def format_share(right: int, total: int) -> str:
    low, high = compute_interval(right, total)
    return f"{right / total:.1%} ({low:.1%} to {high:.1%})"


def format_renditions(found: list[dict[str, Any]], by: str) -> list[str]:
    """A table of what decoders that took no part say, a row for each judge or run."""
    head = (by, "regions", "refused", "renditions", "given the label", "X", "another", f"regions under {ENOUGH:.0%}")
    lines = [f"| {' | '.join(head)} |", "| --- |" + " ---: |" * (len(head) - 1)]
    for name in dict.fromkeys(one[by] for one in found):
        mine = [one for one in found if one[by] == name]
        rows = [row for one in mine for row in one["classes"]]
        right, rejected, total = (sum(row[key] for row in rows) for key in ("right", "X", "renditions"))
        under = sum(row["right"] < ENOUGH * row["renditions"] for row in rows)
        refused = sum(len(one["refused"]) for one in mine)
        told = name if by == "run" else f"{name}, of what {', '.join(mine[0]['chosen by'])} chose"
        share = format_share(right, total) if total else "-"
        cells = (told, len(rows), refused, total, share, rejected, total - right - rejected, under)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return [*lines, ""]


def format_page(result: dict[str, Any]) -> str:
    """The results as a page."""
    found = result["renditions"]
    few = [
        f"{one['run']} {row['label']}, heard by {one['judge']}: {row['right']} of {row['renditions']} (X {row['X']})"
        for one in found
        for row in one["classes"]
        if row["right"] < ENOUGH * row["renditions"]
    ]
    lines = [
        "# Stimuli",
        "",
        "Renditions of classes, as a decoder hears them that took no part in the choice. A region is a class of a run. "
        "It is refused where there are too few sounds that every choosing decoder is sure of.",
        "",
        *format_renditions(found, "judge"),
        *format_renditions(found, "run"),
        f"Regions of which less than {ENOUGH:.0%} are given the label: {'; '.join(few) or 'none'}.",
        "",
    ]
    lines += [f"Bridges of {STEPS} stimuli between all pairs of classes, the longest step over the shortest:", ""]
    head = f"steps | measure | bridges | median | largest | at most {EQUAL}"
    lines += [f"| {head} |", "| --- |" * 6]
    for row in result["bridges"]:
        ratios = row["ratios"]
        within = sum(ratio <= EQUAL for ratio in ratios)
        cells = [row["steps"], row["measure"], str(len(ratios)), f"{np.median(ratios):.2f}", f"{max(ratios):.2f}"]
        lines.append(f"| {' | '.join(cells)} | {within} |")
    levels = [one["levels"] for one in (*found, *result["bridges"]) if one["levels"]]
    least, greatest = min(one["least, dB"] for one in levels), max(one["greatest, dB"] for one in levels)
    files, end = sum(one["files"] for one in levels), max(one["largest end"] for one in levels)
    told = f"Levels of {files} WAV files: {least:.3f} to {greatest:.3f} dB, where full scale is 0"
    lines += ["", f"{told}; the largest first or last sample is {end:g}.", "", machine.line(result["machine"]), ""]
    return "\n".join(lines).replace("||", "|")


def save(result: dict[str, Any]) -> None:
    """Write what was measured so far, so that what took an hour is not lost."""
    path = Path(__file__).parent / "results" / "stimuli.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, nargs="+", required=True, help="runs of GANs")
    known = "folder of the decoders esn, knn, svm, and others, for all runs or for each"
    parser.add_argument("--decoders", type=Path, nargs="+", required=True, help=known)
    parser.add_argument("--classifier", type=Path, help="of train-inception, for steps in its embedding")
    parser.add_argument("--renditions", type=int, default=20, help="of each class")
    parser.add_argument("--tries", type=int, default=8000, help="latents drawn at most")
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": machine.described(), "renditions": [], "bridges": []}
    for source, decoders in zip(options.run, itertools.cycle(options.decoders), strict=False):
        others = sorted({path.parent.name for path in decoders.glob("*/decoder.json")} - {*CHOOSING})
        for judge in (*CHOOSING, *others):
            result["renditions"].append(measure_renditions(source, decoders, judge, options))
            save(result)
    with tempfile.TemporaryDirectory() as folder:
        for steps, classifier in itertools.product(("linear", "equal"), dict.fromkeys([None, options.classifier])):
            ratios, levels = measure_bridges(options.run[0], options.decoders[0], steps, classifier, Path(folder))
            row = {"steps": steps, "measure": "embedding" if classifier else "log-mel", "ratios": ratios}
            result["bridges"].append(row | {"levels": levels})
            save(result)
    machine.keep("stimuli", result, format_page(result))


if __name__ == "__main__":
    main()
