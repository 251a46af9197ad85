"""Measure whether labels hold: what is rejected, what a shift changes, and whether decoders and classifier agree.

    python benchmarks/labels.py DATA_DIR [--other-bird DIR] [--own-bird DIR] [--run DIR] [--seeds 3] [--name labels]
    python benchmarks/labels.py OTHER_DIR --highpass HZ --run DIR --name labels-other

Each seed holds a fifth of the clips out, trains decoders and the classifier on the others by the commands that a user
types, and asks them about sounds that they have not seen. DIR of --other-bird holds recordings of another bird with
evsonganaly's annotations (.cbin, .not.mat); that of --own-bird holds Wave/ and Annotation.xml of the bird of DATA_DIR,
whose clips must be named syll_LABEL; that of --run is a version of train-gan on DATA_DIR. Writes NAME.json and NAME.md
into benchmarks/results. The second form is for another bird's clips, cut from its recordings by `canarygan cut`: what
learns from them takes out what lies below HZ, as the run did. Where a version of the software rejects by posteriors
alone, so does this script.
"""

import argparse
import functools
import json
import logging
import multiprocessing
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import machine
import numpy as np
import torch
from canarygan_metrics.classifier import classifier as classifiers
from label_tables import JUDGES, text
from sounds_to_label import RATE, Audio, generate, make_noises, move, read_other, read_own, remove_margins, untrained

from canarygan_core.cli import main as cli
from canarygan_core.clips import Clips
from canarygan_core.datasets.folder import Folder
from canarygan_core.evaluation import accuracy
from canarygan_core.fitted import decoders
from canarygan_core.plugins import get_registry

X = "X"

SHIFTS = (-10, 10, 20, 50)
"""Shifts of unseen clips, ms."""

MARGINS = (0, 10, 20)
"""Margins around annotated onsets and offsets, ms."""


class Judges:
    """Trained decoders and a trained classifier."""

    def __init__(self, folder: Path, data: Path, seed: int, highpass: float | None) -> None:
        known = [name for name in (*JUDGES, "cnn") if name in get_registry().names("decoder")]
        chosen = [word for name in known for word in ("-m", name)]
        start = time.process_time()
        shared = ("-d", data, "--seed", seed, *(() if highpass is None else ("--highpass", highpass)))
        run("train-decoders", *shared, "-s", folder / "decoders", *chosen)
        self.training = time.process_time() - start
        run("train-inception", *shared, "-s", folder / "inception", *CLASSIFIER)
        self.decoders = decoders.load_all([folder / "decoders"], get_registry())
        self.classifier = classifiers.load(folder / "inception")

    def ask(self, sounds: Audio) -> dict[str, Any]:
        """Labels by each judge and by the consensus, labels without rejection under `raw`, and P(syllable)."""
        told: dict[str, list[Any]] = {}
        for start in range(0, len(sounds), 100):
            clips = Clips(np.ascontiguousarray(sounds[start : start + 100]), RATE)
            for name, part in self._ask(clips).items():
                told.setdefault(name, []).append(part)
        return {name: np.concatenate(parts) for name, parts in told.items()}

    def _ask(self, clips: Clips) -> dict[str, Any]:
        heard, votes, certainty = {}, [], []
        judgements = [one.judge(clips) if hasattr(one, "judge") else None for one in self.decoders]
        for one, judgement in zip(self.decoders, judgements, strict=True):
            if judgement is None:
                posteriors = one.posteriors(clips)
                label, vote, sure = one.label(posteriors), one.vote(posteriors), posteriors.max(1)
            else:
                label, vote, sure = judgement.labels, judgement.votes, judgement.certainty
            heard[one.key], heard[f"{one.key} raw"] = vote, label
            if one.key in JUDGES:
                votes.append(vote)
                certainty.append(sure)
        among = [judgement for one, judgement in zip(self.decoders, judgements, strict=True) if one.key in JUDGES]
        if None not in among:
            together = decoders.reach_consensus(among)
            heard |= {"consensus": together.labels, "syllable": together.syllable}
            heard["unanimous"] = together.is_unanimous
        else:
            heard["consensus"] = decoders.find_consensus(votes, certainty)[0]
            heard["syllable"] = np.mean(certainty, axis=0)
            heard["unanimous"] = (heard["consensus"] != X) & (np.stack(votes) == heard["consensus"]).all(0)
        posteriors = self.classifier.classify(clips)[1]
        heard["classifier"] = decoders.pick_labels(posteriors, self.classifier.classes)
        return heard


CLASSIFIER = ("--seconds", 0.3, "--max-epochs", 8)
"""Options of the classifier: enough for syllables of 0.1 s, and training takes a tenth of the time."""


def run(*words: object) -> None:
    """Run a command of ours."""
    if cli.main([*map(str, words), "-q"]) != 0:
        raise SystemExit(f"{words[0]} failed")


def measure(folder: Path, clips: Clips, data_dir: Path, extra: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Everything of one seed."""
    assert clips.labels is not None
    assert clips.sources is not None
    train, test = accuracy.split(clips.labels, 0.2, seed)
    for source in clips.sources[train]:
        link = folder / "data" / source
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(data_dir.resolve() / source)
    judges = Judges(folder, folder / "data", seed, extra["highpass"])
    names = [*(one.key for one in judges.decoders), "consensus", "classifier"]
    labels, sounds = clips.labels[test], np.asarray(clips.audio[test])
    result: dict[str, Any] = {"right": {}, "x": {}, "counts": {}, "training_s": judges.training}

    def count_right(name: str, these: Audio, truth: np.ndarray[Any, Any]) -> dict[str, Any]:
        told = judges.ask(these)
        result["right"][name] = {judge: float(np.mean(told[judge] == truth)) for judge in names}
        result["counts"][name] = len(truth)
        return told

    real = count_right("unseen", sounds, labels)
    for shift in SHIFTS:
        count_right(f"shifted by {shift:+d} ms", move(sounds, shift), labels)
    count_right("margin 0 ms", remove_margins(sounds), labels)
    for margin in MARGINS if "own" in extra else ():
        count_right(f"recordings, margin {margin} ms", *extra["own"][margin])
    others = {**make_noises(seed), "untrained generator": untrained(seed), **extra["others"]}
    if "run" in extra:
        others["trained generator"], result["epoch"] = generate(*extra["run"])
    for name, these in {"unseen": sounds, **others}.items():
        told = real if name == "unseen" else judges.ask(these)
        result["counts"][name] = len(these)
        result["x"][name] = {judge: float(np.mean(told[judge] == X)) for judge in names[:-1]}
        if name == "another bird":
            result["area"] = area_under_curve(real["syllable"], told["syllable"])
        if name == "trained generator":
            result["agreement"] = agree(told, [one.key for one in judges.decoders])
    return result


def measure_seed(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Everything of one seed, by what the user gave."""
    logging.getLogger("canarygan").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    clips = Folder(data_dir=options.data_dir).load()
    extra: dict[str, Any] = {"others": {}, "highpass": options.highpass}
    if options.other_bird:
        extra["others"]["another bird"] = read_other(options.other_bird)
    if options.run:
        extra["run"] = options.run, options.sounds
    if options.own_bird:
        extra["own"] = {margin: read_own(options.own_bird, margin / 1000, clips.classes) for margin in MARGINS}
    with tempfile.TemporaryDirectory(prefix="canarygan-labels-") as folder:
        result = measure(Path(folder), clips, options.data_dir, extra, seed)
    print(json.dumps(result), flush=True)
    return result


def area_under_curve(real: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    """The chance that a real clip has a higher P(syllable) than another sound; a tie counts half."""
    difference = real[:, None] - other
    return float(np.mean(difference > 0) + np.mean(difference == 0) / 2)


def agree(told: Mapping[str, Any], names: list[str]) -> dict[str, float]:
    """Shares of generated sounds on whose labels judges agree."""
    raw = np.stack([told[f"{name} raw"] for name in names if name in JUDGES])
    sure = told["consensus"] != X
    same = told["consensus"] == told["classifier"]
    shares = {
        "all decoders alike, X aside": float(np.mean((raw == raw[0]).all(0))),
        "sure": float(np.mean(sure)),
        "all decoders alike, of the sure": float(np.mean(told["unanimous"][sure])),
        "consensus and classifier alike, of the sure": float(np.mean(same[sure])),
        "consensus and classifier alike, of the unanimous": float(np.mean(same[told["unanimous"]])),
    }
    if "cnn" in names:
        shares["consensus and cnn alike, of the sure"] = float(
            np.mean(told["consensus"][sure] == told["cnn raw"][sure])
        )
    return shares


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--other-bird", type=Path)
    parser.add_argument("--own-bird", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--highpass", type=float, help="of all that is learnt, Hz")
    parser.add_argument("--sounds", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="seeds measured at a time")
    parser.add_argument("--name", default="labels")
    options = parser.parse_args()
    told = machine.described()
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn")) as pool:
        results = list(pool.map(functools.partial(measure_seed, options), range(options.seeds)))
    result = {"machine": told, "seeds": results}
    before = Path(__file__).parent / "results" / "labels-0.2.json"
    old = json.loads(before.read_text()) if before.is_file() and options.name == "labels" else None
    machine.keep(options.name, result, text(options.name, result, old))


if __name__ == "__main__":
    main()
