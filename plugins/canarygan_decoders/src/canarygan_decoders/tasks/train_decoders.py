"""`train-decoders`: train decoders, and measure their accuracy on clips that they were not trained on."""

import dataclasses
import json
import logging
import shlex
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from canarygan_core.components import Answer, Dataset, Decoder, FittedDecoder, Slot
from canarygan_core.console import show_bar
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins.options import share_values
from canarygan_core.runs import Manifest, Request
from canarygan_decoders.dataset import SUPPLIED
from canarygan_decoders.features import Features

if TYPE_CHECKING:
    from canarygan_core.clips import Clips
    from canarygan_decoders.dataset.decoder_dataset import DecoderDataset

log = logging.getLogger("canarygan")


def train_decoders(
    *,
    model: Annotated[list[Decoder], Slot(default=("esn", "knn", "svm"), alias="-m")],
    dataset: Annotated[Dataset, Slot("folder", supplied=SUPPLIED)],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("decoders"),
    preprocessed_dir: Annotated[Path | None, Parameter(alias="-p")] = None,
    features: Features = Features(),  # noqa: B008 frozen
    dim: int | None = None,
    split: float = 0.1,
    group_by: str = "auto",
    augment: int = 3,
    default_garbage: bool = True,
    reservoirs: Path | None = None,
    seeds: int = 1,
    search: int = 0,
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Train decoders on a preprocessed set (-p) or on a folder of clips (-d), and test them on held-out clips.

    Args:
        save_dir: Folder for one folder per decoder, metrics, confusion figures, a summary and the manifest.
        preprocessed_dir: Folder that build-decoder-dataset wrote; its feature parameters are used.
        dim: The same as --n-mfcc, as in the original.
        split: Share of each class to test on, with -d.
        group_by: What is kept on one side of the split, as train-gan takes it: auto, none, recording, folder, or a
            regular expression that finds the group in a file's path.
        augment: Altered copies of each training clip, with -d: shifted, tilted in frequency, and under noises; 0 for
            none.
        default_garbage: Add garbage classes, together X, with -d: noise, bursts, syllables that are reversed, shuffled
            in frequency, or two at once.
        reservoirs: An .npz file with W, Win and bias of a reservoir to use, or a folder of such files to try each.
        seeds: Trainings of each decoder that has a seed, each with the next seed; the first is saved.
        search: Sets of options to try first by cross-validation, for each decoder that has search ranges; 0 for none.
        seed: Seed of the split, the copies and the decoders.
        overwrite: Replace decoders of the same names; others in the folder stay.
    """
    if seeds < 1 or search < 0 or augment < 0:
        raise UsageError(f"--seeds must be at least 1, --search and --augment 0, not {seeds}, {search} and {augment}.")
    if dim not in (None, features.n_mfcc):
        if {"n-mfcc", "n_mfcc"} & request.given or preprocessed_dir is not None:
            known = "" if preprocessed_dir is None else f", and {preprocessed_dir} has its own"
            raise UsageError(f"--dim {dim} is the number of coefficients, as is --n-mfcc{known}: leave --dim out.")
        features = dataclasses.replace(features, n_mfcc=dim)
    from canarygan_core.fitted.decoders import RECORD
    from canarygan_core.runs import files
    from canarygan_decoders.dataset.decoder_dataset import ARCHIVE
    from canarygan_decoders.tasks.search import search_options

    decoders = [share_values(decoder, request.given, seed=seed) for decoder in model]
    names = [decoder.name for decoder in decoders]
    if search and not any(decoder.search_ranges for decoder in decoders):
        raise UsageError(f"--search: {', '.join(names)} names no options to search; esn does.")
    reservoir_paths = _find_reservoirs(reservoirs)
    _check_save_dir(save_dir, set(names), overwrite)
    absent = () if overwrite else [save_dir / name / RECORD for name in names]
    manifest = Manifest.begin(save_dir / "manifest.json", request, absent=absent, seed=seed)
    source = (preprocessed_dir, dataset, features, split, group_by, augment, default_garbage, seed, request)
    with manifest, _open_dataset(*source) as prepared:
        manifest.add(dataset=dict(prepared.origin))
        if preprocessed_dir is not None:
            manifest.add_input("set", preprocessed_dir / ARCHIVE)
        lines, summary = [], {}
        for decoder in decoders:
            if search and decoder.search_ranges:
                journal, clips = save_dir / f"search-{decoder.name}.jsonl", _get_clips(decoder, prepared)
                decoder = search_options(decoder, prepared.train, clips, trials=search, seed=seed, journal=journal)
            variants = _list_variants(decoder, seeds, reservoir_paths)
            summary[decoder.name], text = _train_and_test(variants, prepared, save_dir, manifest)
            lines += text
        path = save_dir / "summary.json"
        files.write_text(path, json.dumps(summary, indent=2) + "\n")
        manifest.add_output(path)
    sizes = ", ".join(f"{name} {len(test)}" for name, test in prepared.tests.items()) or "no clips held out"
    is_real = ~prepared.train.is_garbage
    originals, garbage = int((prepared.train.is_original & is_real).sum()), int((~is_real).sum())
    first = (
        f"{originals} clips trained on ({int(is_real.sum())} with altered copies) and {garbage} of garbage; {sizes}."
    )
    use = f"canarygan decode, which takes -y {shlex.quote(str(save_dir))} and sounds"
    data_dir, channel = getattr(dataset, "data_dir", None), getattr(dataset, "channel", None)
    if preprocessed_dir is not None:
        with suppress(CanaryganError):  # a set may lie without its manifest
            known = Manifest.read(preprocessed_dir / "manifest.json").record.get("dataset", {})
            data_dir, channel = known.get("path"), known.get("options", {}).get("channel")
    if data_dir is not None and Path(data_dir).exists():
        taken = [] if channel is None else ["--channel", str(channel)]
        use = shlex.join(["canarygan", "decode", "-y", str(save_dir), *taken, str(data_dir)])
    last = [f"Decoders: {save_dir}", f"Use them: {use}"]
    return Answer("\n".join([first, *lines, *last]), {"path": str(save_dir), "decoders": summary})


def _check_save_dir(save_dir: Path, names: set[str], overwrite: bool) -> None:
    """Refuse to replace decoders without --overwrite; warn of other decoders there, which `decode` will use too."""
    from canarygan_core.fitted import decoders

    present = {folder.name for folder in decoders.FORMAT.find(save_dir)}
    same, others = sorted(present & names), sorted(present - names)
    if same and not overwrite:
        raise CanaryganError(f"{save_dir} holds {', '.join(same)} already: give another --save-dir, or --overwrite.")
    if others:
        log.warning(f"{save_dir} holds {', '.join(others)} too, trained before: -y {save_dir} will use them as well.")


def _find_reservoirs(path: Path | None) -> list[Path]:
    if path is None:
        return []
    paths = sorted(path.glob("*.npz")) if path.is_dir() else [path]
    if not paths or not paths[0].is_file():
        raise UsageError(f"--reservoirs {path} is no .npz and no folder of some.")
    return paths


def _open_dataset(
    preprocessed: Path | None,
    dataset: Dataset,
    features: Features,
    split: float,
    group_by: str,
    augment: int,
    default_garbage: bool,
    seed: int,
    request: Request,
) -> "AbstractContextManager[DecoderDataset]":
    """What to train on: a preprocessed set, or one prepared from clips for as long as it is open."""
    from canarygan_decoders.dataset import decoder_dataset

    is_given = getattr(dataset, "data_dir", dataset) is not None or "dataset" in request.given
    if preprocessed is None and is_given:
        clips = decoder_dataset.load_clips(dataset, features)
        return decoder_dataset.prepare_dataset(
            clips,
            features,
            share=split,
            copies=augment,
            seed=seed,
            default_garbage=default_garbage,
            group_by=group_by,
        )
    if preprocessed is None or is_given:
        raise UsageError("Give a preprocessed set with -p, or clips with -d or --dataset: one of the two.")
    read = decoder_dataset.read_dataset(preprocessed)
    given = {flag.replace("_", "-") for flag in request.given}
    if differences := read.train.parameters.differences(features, given):
        raise UsageError(
            f"{preprocessed} was made with {'; '.join(differences)}. Leave these out, or build another set."
        )
    settled = {"split", "group-by", "augment", "default-garbage", "highpass", "lowpass", "remove-mean", "channel"}
    if fixed := sorted(settled & given):
        raise UsageError(f"--{fixed[0]} was settled when {preprocessed} was built: leave it out, or build another set.")
    return nullcontext(read)


def _list_variants(decoder: Decoder, seeds: int, reservoirs: Sequence[Path]) -> list[Decoder]:
    """The decoder once for each given reservoir, else for each seed, where it has such an option."""
    options = dataclasses.asdict(decoder)
    changes: list[dict[str, Any]] = [{}]
    if "reservoirs" in options and reservoirs:
        changes = [{"reservoirs": path} for path in reservoirs]
    elif "seed" in options:
        changes = [{"seed": options["seed"] + number} for number in range(seeds)]
    return [dataclasses.replace(decoder, **change) for change in changes]


def _train_and_test(
    variants: Sequence[Decoder], dataset: "DecoderDataset", save_dir: Path, manifest: Manifest
) -> tuple[dict[str, Any], list[str]]:
    """Train and test all variants of a decoder and save the first; returns the results for programs and as lines."""
    import numpy as np

    from canarygan_core.evaluation import accuracy
    from canarygan_core.fitted import decoders
    from canarygan_decoders.tasks import testing

    decoder, count = variants[0], len(variants)
    log.info(f"Training {decoder.name}{f', {count} times' if count > 1 else ''}.")
    fitted = _fit(decoder, dataset)
    judged = {condition: testing.judge(decoder, fitted, dataset, condition) for condition in dataset.tests}
    scores = {name: testing.score(fitted, dataset, name, judged[name][0]) for name in judged if name != "garbage"}
    record: dict[str, Any] = {"test": {name: score.to_json() for name, score in scores.items()}}
    lines = [decoder.name]
    lines += [f"  {name:<12} accuracy {score.describe()}" for name, score in scores.items()]
    threshold = 0.0
    if "clean" in scores:
        lines[1] += f", macro F1 {scores['clean'].macro_f1:.3f}"
        lines += testing.list_confusions(scores["clean"])
        threshold = testing.choose_threshold(fitted, dataset, judged["clean"])
        record["rejected"], line = testing.count_rejected(fitted, dataset, judged, threshold)
        lines.append(line)
        others = {f"accuracy_{name}": score.accuracy for name, score in scores.items() if name != "clean"}
        for path in accuracy.save_report(save_dir, decoder.name, scores["clean"], **others):
            manifest.add_output(path)
    if "clean" in scores and count > 1:
        accuracies = [scores["clean"].accuracy]
        for variant in variants[1:]:
            other = _fit(variant, dataset)
            score = testing.score(other, dataset, "clean", testing.judge(variant, other, dataset, "clean")[0])
            accuracies.append(score.accuracy)
        mean, std = float(np.mean(accuracies)), float(np.std(accuracies, ddof=1))
        lines.append(f"  {count} seeds      accuracy {mean:.3f}, standard deviation {std:.3f}")
        record["seeds"] = {"accuracies": accuracies, "mean": mean, "std": std}
    record["threshold"] = threshold
    decoders.save(
        save_dir / decoder.name,
        decoder,
        fitted,
        threshold=threshold,
        garbage=dataset.garbage,
        facts={
            "dataset": dict(dataset.origin),
            "rate": dataset.train.parameters.sampling_rate,
            "seconds": dataset.train.parameters.max_length,
            "test": record["test"],
            "trained_on": len(dataset.train),
        },
    )
    manifest.add_output(save_dir / decoder.name / decoders.RECORD)
    return record, lines


def _fit(decoder: Decoder, dataset: "DecoderDataset") -> FittedDecoder:
    from canarygan_decoders.tasks.search import fit_clips

    clips = _get_clips(decoder, dataset)
    with show_bar(f"training {decoder.name}", None):
        if clips is not None:
            return fit_clips(decoder, clips, dataset.train.parameters)
        fitted: FittedDecoder = decoder.fit_examples(dataset.train)  # type: ignore[attr-defined]
        return fitted


def _get_clips(decoder: Decoder, dataset: "DecoderDataset") -> "Clips | None":
    """The clips that a decoder learns from; None for one that learns from features."""
    if decoder.learns_from == "clips" and dataset.clips is None:
        raise UsageError(
            f"Decoder {decoder.name} learns from sounds, and a preprocessed set holds features: give clips with -d."
        )
    return dataset.clips if decoder.learns_from == "clips" else None
