"""Measure labels of whole songs against annotations, and songs that are made of generated syllables.

    python benchmarks/songs.py --songs FOLDER [FOLDER ...] [--folds 4] [--name songs]
    python benchmarks/songs.py --run RUN --clips DATA_DIR [--name songs]

The first form takes folders of annotated recordings. `segment` finds syllables at its defaults, within 10 ms at both
ends. Decoders are trained on all recordings but a part of them, filtered above 700 Hz, and label that part, which
`decode` segments itself; so each recording is left out once. The second form trains decoders on clips, makes three
songs of 20 syllables from the run with two of them, and has another judge them. Each form leaves the rows of the other
as they are. Writes NAME.json and NAME.md into benchmarks/results.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import machine
import numpy as np
import soundfile

CHOOSING, JUDGING = ("esn", "knn"), "svm"
SYLLABLES, GAP_MS = 20, 40


def run(*words: object) -> dict[str, Any]:
    """Run a command of canarygan; gives what it answers to programs."""
    command = [sys.executable, "-m", "canarygan", *map(str, words), "--json", "-q"]
    answer: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return answer


def list_recordings(folder: Path) -> list[str]:
    """The names of the annotated recordings in a folder."""
    from canarygan_recordings.annotations.pairing import pair_folder

    return [pair.name for pair in pair_folder(folder).pairs]


def measure_segments(folder: Path, work: Path) -> dict[str, Any]:
    """How what `segment` finds agrees with the annotation."""
    found: dict[str, Any] = run("segment", folder, "--truth", folder, "-s", work / "segments", "--no-overview")
    agreement: dict[str, Any] = found["agreement"]
    return agreement | {"seconds": sum(row["seconds"] for row in found["recordings"])}


def measure_labels(folder: Path, folds: int, work: Path) -> list[dict[str, Any]]:
    """For each part of the recordings that is left out, how its labels agree with the annotation."""
    names, rows = list_recordings(folder), []
    for fold in range(folds):
        held = names[fold::folds]
        decoders, row = work / f"decoders-{fold}", dict[str, Any]({"held out": held})
        run("train-decoders", "-d", folder, "--highpass", 700, "--skip-recordings", ",".join(held), "-s", decoders)
        for name, flags in (("rejecting", []), ("no rejection", ["--no-reject"])):
            target = work / f"decoded-{fold}-{name}"
            songs = [folder / one for one in held]
            run("decode", *songs, "-y", decoders, "--truth", folder, "-s", target, *flags)
            row[name] = json.loads((target / "truth.json").read_text(encoding="utf-8"))
        rows.append(row)
        print(folder.name, fold, {key: f"{row[key]['syllable_error_rate']:.4f}" for key in list(row)[1:]}, flush=True)
    return rows


def measure_song(made: Path, decoders: Path, wanted: list[str]) -> dict[str, Any]:
    """What an independent decoder hears in a song, and its levels, gaps and ends."""
    song, rate = soundfile.read(made / "song.wav", dtype="float32")
    with open(made / "song.csv", encoding="utf-8", newline="") as stream:
        spans = [tuple(round(float(row[end]) * rate) for end in ("onset", "offset")) for row in csv.DictReader(stream)]
    run("decode", made / "song.wav", "-y", decoders, "--onsets", made / "song.labels.txt", "-s", made / "decoded")
    with open(made / "decoded" / "decoded.csv", encoding="utf-8", newline="") as stream:
        heard = [row["label"] for row in csv.DictReader(stream)]
    sounds = [song[start:stop] for start, stop in spans]
    gaps = [(after - before, np.abs(song[before:after]).max()) for (_, before), (after, _) in pairwise(spans)]
    peaks = [20 * np.log10(np.abs(one).max()) for one in sounds]
    levels = [10 * np.log10(np.square(one, dtype=np.float64).mean()) for one in sounds]
    ends = [20 * np.log10(max(abs(one[0]), abs(one[-1]), 1e-9) / np.abs(one).max()) for one in sounds]
    return {
        "syllables": len(wanted),
        "heard as wanted": sum(one == other for one, other in zip(heard, wanted, strict=True)),
        "peaks differ, dB": float(np.ptp(peaks)),
        "levels differ, dB": float(np.ptp(levels)),
        "gaps wrong": sum(bool(count != round(GAP_MS / 1000 * rate) or loud > 0) for count, loud in gaps),
        "loudest end, dB below its peak": float(-max(ends)),
    }


def measure_composition(source: Path, clips: Path, work: Path) -> list[dict[str, Any]]:
    """Three songs of a run, chosen by two decoders and judged by a third."""
    models = [word for name in (*CHOOSING, JUDGING) for word in ("-m", name)]
    decoders = work / "decoders"
    run("train-decoders", "-d", clips, *models, "-s", decoders)
    classes = sorted(path.name for path in clips.iterdir() if path.is_dir())
    chosen, rows = [word for name in CHOOSING for word in ("-y", decoders / name)], []
    for seed in range(3):
        wanted = np.random.default_rng(seed).choice(classes, SYLLABLES).tolist()
        made = work / f"song-{seed}"
        asked = ["--sequence", " ".join(wanted), "--gap", GAP_MS, "--seed", seed]
        run("compose", "-x", source, *chosen, *asked, "-s", made)
        rows.append(measure_song(made, decoders / JUDGING, wanted))
        print(rows[-1], flush=True)
    return rows


def format_set(name: str, rows: dict[str, Any]) -> tuple[str, str]:
    """A row of the table of segments, and one of the table of labels."""
    found = rows["segments"]
    cells = [name, f"{found['seconds']:.0f} s", f"{found['right']} of {found['given']}"]
    cells += [f"{found['right'] / found['given']:.1%}", f"{found['extra'] / found['found']:.1%}"]
    cells += [f"{found[key]['median']:+.1f}" for key in ("onset_error_ms", "offset_error_ms")]
    labels = [name, str(sum(one["rejecting"]["syllables"] for one in rows["folds"]))]
    for way in ("rejecting", "no rejection"):
        folds = [one[way] for one in rows["folds"]]
        edits, syllables = (sum(one[key] for one in folds) for key in ("edits", "syllables"))
        rates = [one["syllable_error_rate"] for one in folds]
        labels.append(f"{edits / syllables:.2%} ({min(rates):.2%} to {max(rates):.2%})")
    folds = [one["rejecting"] for one in rows["folds"]]
    shares = ("frame_accuracy", "frame_accuracy_in_syllables")
    labels += [f"{np.mean([one[key] for one in folds]):.1%}" for key in shares]
    labels += [str(sum(one[key] for one in folds)) for key in ("missed", "extra")]
    return f"| {' | '.join(cells)} |", f"| {' | '.join(labels)} |"


def format_page(result: dict[str, Any]) -> str:
    """The results as a page."""
    lines = ["# Songs labelled and songs made", ""]
    tables = [format_set(name, rows) for name, rows in result.get("sets", {}).items()]
    if tables:
        lines += ["Segments within 10 ms at both ends:", ""]
        lines += ["| songs | sound | found | share | extra | onset error, ms | offset error, ms |", "| --- |" * 7]
        lines += [*(one for one, _ in tables), "", "Labels of songs that decoders were not trained on:", ""]
        ways = "syllable error rate (over the parts) | the same, `--no-reject`"
        lines += [f"| songs | syllables | {ways} | frames right | in syllables | missed | extra |", "| --- |" * 8]
        lines += [*(other for _, other in tables), ""]
    if rows := result.get("songs"):
        told = f"Songs of {SYLLABLES} syllables, chosen by {' and '.join(CHOOSING)}, heard by {JUDGING}:"
        lines += [told, "", f"| {' | '.join(rows[0])} |", "| ---: |" * len(rows[0])]
        lines += [f"| {' | '.join(f'{value:.4g}' for value in row.values())} |" for row in rows]
        lines.append("")
    return "\n".join([*lines, *(machine.line(told) for told in result["machines"].values()), ""]).replace("||", "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=Path, nargs="+", default=[], help="folders of annotated recordings")
    parser.add_argument("--folds", type=int, default=4, help="parts that are left out in turn")
    parser.add_argument("--run", type=Path, help="of a GAN")
    parser.add_argument("--clips", type=Path, help="that the run was trained on")
    parser.add_argument("--name", default="songs")
    options = parser.parse_args()
    path = Path(__file__).parent / "results" / f"{options.name}.json"
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"machines": {}}
    with tempfile.TemporaryDirectory() as folder:
        for songs in options.songs:
            work = Path(folder) / songs.name
            row = {"segments": measure_segments(songs, work), "folds": measure_labels(songs, options.folds, work)}
            result.setdefault("sets", {})[songs.name] = row
            path.write_text(json.dumps(result, indent=2), encoding="utf-8")  # what took an hour is not lost
        if options.run is not None:
            result["songs"] = measure_composition(options.run, options.clips, Path(folder))
    result["machines"]["songs made" if options.run else "songs labelled"] = machine.described()
    machine.keep(options.name, result, format_page(result))


if __name__ == "__main__":
    main()
