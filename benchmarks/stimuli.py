"""Measure stimuli: whether renditions are what was asked for, how equal the steps of bridges are, and levels.

    python benchmarks/stimuli.py --run RUN --decoders DECODERS [--classifier CLASSIFIER] [--renditions 50]

Of three decoders two choose renditions of every class with `select`, and the third, which took no part, labels the WAV
files; each decoder is the third once. Bridges go from the surest latent of each class to that of each other one, in
nine steps that are linear or equal. Writes stimuli.json and stimuli.md into benchmarks/results.
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

DECODERS = ("esn", "knn", "svm")
STEPS, EQUAL, SEED = 9, 1.2, 1


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


def measure_renditions(source: Path, decoders: Path, judge: str, count: int, work: Path) -> dict[str, Any]:
    """Renditions of every class that two decoders choose, as a third hears them; classes without a region are told."""
    choosing = [word for name in DECODERS if name != judge for word in ("-y", decoders / name)]
    classes = json.loads((decoders / judge / "decoder.json").read_text(encoding="utf-8"))
    wanted = [label for label in classes["classes"] if label not in classes["garbage"]]
    refused: dict[str, str] = {}
    while True:
        labels = [word for label in wanted for word in ("--label", label)]
        target = work / f"select-{judge}"
        answer, error = run("select", "-x", source, *choosing, *labels, "-n", count, "--seed", SEED, "-s", target)
        if answer:
            break
        label = next(label for label in wanted if error.removeprefix("canarygan: ").startswith(label))
        wanted.remove(label)
        refused[label] = error
    run("decode", target / "playback", "-y", decoders / judge, "-s", work / f"decoded-{judge}")
    heard = {Path(row["file"]).name: row["label"] for row in read_table(work / f"decoded-{judge}" / "decoded.csv")}
    facts, rows = {fact["label"]: fact for fact in answer["labels"]}, []
    key = read_table(target / "key.csv")
    for label in wanted:
        given = [heard[row["file"]] for row in key if row["label"] == label]
        right = sum(one == label for one in given)
        row = {"label": label, "renditions": len(given), "right": right, "X": given.count("X")}
        rows.append(row | {"drawn": facts[label]["drawn"], "apart": facts[label]["apart"]})
        print(judge, rows[-1], flush=True)
    return {"judge": judge, "classes": rows, "refused": refused, "levels": measure_levels(target / "playback")}


def measure_bridges(
    source: Path, decoders: Path, steps: str, classifier: Path | None, work: Path
) -> tuple[list[float], dict[str, float]]:
    """For the bridges between all pairs of classes, the longest step over the shortest; and levels."""
    record = json.loads((decoders / DECODERS[0] / "decoder.json").read_text(encoding="utf-8"))
    labels = [label for label in record["classes"] if label not in record["garbage"]]
    target = work / f"morph-{steps}-{'embedding' if classifier else 'log-mel'}"
    target.mkdir()
    pairs = [f"{first},{second}" for first, second in itertools.combinations(labels, 2)]
    (target / "pairs.csv").write_text("\n".join(["from,to", *pairs]), encoding="utf-8")
    measure = [] if classifier is None else ["-m", classifier]
    words = ["--pairs", target / "pairs.csv", "-n", STEPS, "--steps", steps, *measure, "-s", target]
    answer, error = run("morph", "-x", source, "-y", decoders, *words)
    if not answer:
        raise SystemExit(error)
    print(target.name, sorted(round(one["ratio"], 2) for one in answer["bridges"]), flush=True)
    return [one["ratio"] for one in answer["bridges"]], measure_levels(target / "playback")


def format_page(result: dict[str, Any]) -> str:
    """The results as a page."""
    lines = [
        "# Stimuli",
        "",
        "Renditions chosen by two decoders, of those the third gives the same label (X: none):",
        "",
    ]
    judges = [one["judge"] for one in result["renditions"]]
    lines += [f"| class | {' | '.join(f'heard by {judge}' for judge in judges)} |", "| --- |" * (1 + len(judges))]
    labels = sorted({row["label"] for one in result["renditions"] for row in one["classes"]})
    for label in labels:
        cells = []
        for one in result["renditions"]:
            row = next((row for row in one["classes"] if row["label"] == label), None)
            cells.append(f"{row['right']} of {row['renditions']} (X {row['X']})" if row else "refused")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    totals = []
    for one in result["renditions"]:
        right, total = (sum(row[key] for row in one["classes"]) for key in ("right", "renditions"))
        low, high = compute_interval(right, total)
        totals.append(f"{right / total:.1%} ({low:.1%} to {high:.1%})")
    lines += [f"| all | {' | '.join(totals)} |", ""]
    for one in result["renditions"]:
        lines += [f"Refused where {one['judge']} judges: {error}\n" for error in one["refused"].values()]
    lines += [f"Bridges of {STEPS} stimuli between all pairs of classes, the longest step over the shortest:", ""]
    head = f"steps | measure | bridges | median | largest | at most {EQUAL}"
    lines += [f"| {head} |", "| --- |" * 6]
    for row in result["bridges"]:
        ratios = row["ratios"]
        within = sum(ratio <= EQUAL for ratio in ratios)
        cells = [row["steps"], row["measure"], str(len(ratios)), f"{np.median(ratios):.2f}", f"{max(ratios):.2f}"]
        lines.append(f"| {' | '.join(cells)} | {within} |")
    levels = [one["levels"] for one in (*result["renditions"], *result["bridges"])]
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
    parser.add_argument("--run", type=Path, required=True, help="of a GAN")
    parser.add_argument("--decoders", type=Path, required=True, help="folder of the decoders esn, knn and svm")
    parser.add_argument("--classifier", type=Path, help="of train-inception, for steps in its embedding")
    parser.add_argument("--renditions", type=int, default=50, help="of each class")
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": machine.described(), "renditions": [], "bridges": []}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for steps, classifier in itertools.product(("linear", "equal"), dict.fromkeys([None, options.classifier])):
            ratios, levels = measure_bridges(options.run, options.decoders, steps, classifier, work)
            row = {"steps": steps, "measure": "embedding" if classifier else "log-mel", "ratios": ratios}
            result["bridges"].append(row | {"levels": levels})
            save(result)
        for judge in DECODERS:
            found = measure_renditions(options.run, options.decoders, judge, options.renditions, work)
            result["renditions"].append(found)
            save(result)
    machine.keep("stimuli", result, format_page(result))


if __name__ == "__main__":
    main()
