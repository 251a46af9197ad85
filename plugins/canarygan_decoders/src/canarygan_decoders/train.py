"""`train-decoders`: train decoders, and tell how often they are right on clips that they have not heard."""

import dataclasses
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from canarygan_core.components import Answer, Decoder, FittedDecoder, Slot
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins.options import shared
from canarygan_core.runs.manifest import Manifest, ending
from canarygan_core.runs.request import Request
from canarygan_decoders.config import contradictions
from canarygan_decoders.feature_decoder import FeatureDecoder, FittedFeatureDecoder
from canarygan_decoders.features import Features

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canarygan_core.evaluation.accuracy import Score
    from canarygan_decoders.dataset import Material

log = logging.getLogger("canarygan")

REJECTED = 0.02
"""Share of held-out real clips that the threshold of a decoder may send to X."""


def train_decoders(
    *,
    model: Annotated[list[Decoder], Slot(default=("esn", "knn", "svm"), alias="-m")],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("decoders"),
    preprocessed_dir: Annotated[Path | None, Parameter(alias="-p")] = None,
    data_dir: Annotated[Path | None, Parameter(alias="-d")] = None,
    features: Features = Features(),  # noqa: B008 frozen
    split: float = 0.1,
    augment: int = 3,
    reservoirs: Path | None = None,
    seeds: int = 1,
    search: int = 0,
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Train decoders on a preprocessed set (-p) or on a folder of clips (-d), and test them on clips held out.

    Args:
        save_dir: Folder for a folder a decoder, their metrics, confusion figures, summary and manifest.
        preprocessed_dir: Folder that build-decoder-dataset has made; it says what the features are.
        data_dir: Folder that holds one folder of sound files a class; needs no preprocessed set.
        split: Share of each class to test on, with -d.
        augment: Copies of each training clip, shifted up to 10 ms and under noise 15 to 40 dB below it, with -d.
        reservoirs: An .npz, or a folder of some for several seeds: W, Win and bias of the reservoirs to use.
        seeds: Trainings of each decoder that draws anything, each with the next seed; the first is kept.
        search: Sets of options to try first by cross-validation, for each decoder that names some; 0 for none.
        seed: Seed of the split, the copies and the decoders.
        overwrite: Replace decoders of the same names; others in the folder stay.
    """
    if seeds < 1 or search < 0 or augment < 0:
        raise UsageError(f"--seeds must be at least 1, --search and --augment 0, not {seeds}, {search} and {augment}.")
    from canarygan_core.runs import files
    from canarygan_decoders.search import search as searched

    chosen = [shared(decoder, request.given, seed=seed) for decoder in model]
    if search and not any(hasattr(decoder, "searched") for decoder in chosen):
        raise UsageError(
            f"--search: {', '.join(decoder.name for decoder in chosen)} names no options to search; esn does."
        )
    given = _reservoirs(reservoirs)
    _check_place(save_dir, [decoder.name for decoder in chosen], overwrite)
    manifest = Manifest.begin(save_dir / "manifest.json", request, seed=seed)
    with ending(manifest), _material(preprocessed_dir, data_dir, features, split, augment, seed, request) as material:
        manifest.add(dataset=dict(material.origin))
        lines, summary = [], {}
        for decoder in chosen:
            best = decoder
            if search and isinstance(decoder, FeatureDecoder) and hasattr(decoder, "searched"):
                journal = save_dir / f"search-{decoder.name}.jsonl"
                best = searched(decoder, material, trials=search, seed=seed, journal=journal)
            record, told = _trained(best, material, save_dir, manifest, seeds=seeds, reservoirs=given)
            summary[decoder.name] = record
            lines += told
        path = save_dir / "summary.json"
        files.write_text(path, json.dumps(summary, indent=2) + "\n")
        manifest.add_output(path)
    sizes = ", ".join(f"{name} {len(test)}" for name, test in material.tests.items()) or "no clips held out"
    originals = len(set(material.train.groups.tolist()))
    head = f"{originals} clips trained on ({len(material.train)} with altered copies); {sizes}."
    ending_lines = [f"Decoders: {save_dir}", f"Use them: canarygan decode -y {save_dir} SOUNDS"]
    return Answer("\n".join([head, *lines, *ending_lines]), {"path": str(save_dir), "decoders": summary})


def _check_place(save_dir: Path, names: Sequence[str], overwrite: bool) -> None:
    """Refuse to replace decoders unasked, and say which others lie there, for `decode` will ask them too."""
    from canarygan_core.fitted import decoders

    there = sorted(path.parent.name for path in save_dir.glob(f"*/{decoders.RECORD}"))
    taken = [name for name in there if name in names]
    if taken and not overwrite:
        raise CanaryganError(f"{save_dir} holds {', '.join(taken)} already: give another --save-dir, or --overwrite.")
    if others := [name for name in there if name not in names]:
        log.warning(f"{save_dir} holds {', '.join(others)} too, trained before: -y {save_dir} will ask them as well.")


def _reservoirs(path: Path | None) -> list[Path]:
    if path is None:
        return []
    found = sorted(path.glob("*.npz")) if path.is_dir() else [path]
    if not found or not found[0].is_file():
        raise UsageError(f"--reservoirs {path} is no .npz and no folder of some.")
    return found


@contextmanager
def _material(
    preprocessed: Path | None,
    data_dir: Path | None,
    features: Features,
    split: float,
    augment: int,
    seed: int,
    request: Request,
) -> "Iterator[Material]":
    """What to train on, from a preprocessed set or from clips."""
    from canarygan_decoders import dataset

    if (preprocessed is None) == (data_dir is None):
        raise UsageError("Give a preprocessed set with -p, or a folder of clips with -d: one of the two.")
    if data_dir is not None:
        clips = dataset.clips_in(data_dir, features)
        with dataset.prepared(clips, features, share=split, copies=augment, seed=seed) as material:
            yield material
        return
    assert preprocessed is not None
    material = dataset.read(preprocessed)
    asked = {name.replace("-", "_") for name in request.given}
    names = {field.name for field in dataclasses.fields(Features)} & asked
    mine = dataclasses.replace(material.parameters, **{name: getattr(features, name) for name in names})
    differences = contradictions(material.parameters, mine)
    if differences:
        raise UsageError(
            f"{preprocessed} was made with {'; '.join(differences)}. Leave these out, or build another set."
        )
    if fixed := sorted({"split", "augment"} & asked):
        raise UsageError(f"--{fixed[0]} was settled when {preprocessed} was built: leave it out, or build another set.")
    yield material


def _trained(
    decoder: Decoder,
    material: "Material",
    save_dir: Path,
    manifest: Manifest,
    *,
    seeds: int,
    reservoirs: Sequence[Path],
) -> tuple[dict[str, Any], list[str]]:
    """Train a decoder, test it and write all that is known of it; gives the same for programs and for people."""
    import numpy as np

    from canarygan_core.evaluation import accuracy
    from canarygan_core.fitted import decoders
    from canarygan_core.runs import files

    trials = _variants(decoder, seeds, reservoirs)
    log.info(f"Training {decoder.name}{f', {len(trials)} times' if len(trials) > 1 else ''}.")
    fitted = _fitted(trials[0], material)
    posteriors = {name: _judged(fitted, material, name) for name in material.tests}
    scores = {
        name: accuracy.score(test.labels, decoders.labels_of(posteriors[name], fitted.classes), fitted.classes)
        for name, test in material.tests.items()
    }
    record: dict[str, Any] = {"test": {name: score.record() for name, score in scores.items()}}
    lines = [f"{decoder.name}"]
    lines += [f"  {name:<12} accuracy {score.told()}" for name, score in scores.items()]
    limit = 0.0
    if "clean" in scores:
        clean = scores["clean"]
        lines[1] += f", macro F1 {clean.macro_f1:.3f}"
        lines += _confused(clean)
        real = ~np.isin(material.tests["clean"].labels, material.garbage)
        limit = decoders.threshold(posteriors["clean"][real], REJECTED)
        accuracies = [clean.accuracy]
        for other in trials[1:]:
            again = _fitted(other, material)
            labels = decoders.labels_of(_judged(again, material, "clean"), again.classes)
            accuracies.append(accuracy.score(material.tests["clean"].labels, labels, again.classes).accuracy)
        if len(trials) > 1:
            mean, spread = float(np.mean(accuracies)), float(np.std(accuracies, ddof=1))
            lines.append(f"  {len(trials)} seeds      accuracy {mean:.3f}, standard deviation {spread:.3f}")
            record["seeds"] = {"accuracies": accuracies, "mean": mean, "std": spread}
    record["threshold"] = limit
    facts = {"dataset": dict(material.origin), "test": record["test"], "trained_on": len(material.train)}
    decoders.save(save_dir / decoder.name, trials[0], fitted, threshold=limit, garbage=material.garbage, facts=facts)
    manifest.add_output(save_dir / decoder.name / decoders.RECORD)
    if "clean" in scores:
        path = save_dir / f"metrics-{decoder.name}.npz"
        with files.replacing(path) as partial, open(partial, "wb") as stream:
            np.savez(stream, **_arrays(scores))  # type: ignore[arg-type]
        manifest.add_output(path)
        figure = save_dir / f"confusion-{decoder.name}.png"
        accuracy.draw(figure, scores["clean"], f"{decoder.name}: accuracy {scores['clean'].accuracy:.3f}")
        manifest.add_output(figure)
    return record, lines


def _variants(decoder: Decoder, seeds: int, reservoirs: Sequence[Path]) -> list[Decoder]:
    """The trainings of a decoder: with given reservoirs or successive seeds where it takes them, else one."""
    named = {field.name for field in dataclasses.fields(decoder)}
    if "reservoirs" in named and reservoirs:
        return [dataclasses.replace(decoder, reservoirs=path) for path in reservoirs]  # type: ignore[call-arg]
    if "seed" in named:
        first: int = decoder.seed  # type: ignore[attr-defined]
        return [dataclasses.replace(decoder, seed=first + number) for number in range(seeds)]  # type: ignore[call-arg]
    return [decoder]


def _fitted(decoder: Decoder, material: "Material") -> FittedDecoder:
    if isinstance(decoder, FeatureDecoder):
        return decoder.fit_examples(material.train, material.parameters)
    if material.clips is None:
        raise UsageError(
            f"Decoder {decoder.name} learns from sounds, and a preprocessed set holds features: give clips with -d."
        )
    return decoder.fit(material.clips)


def _judged(fitted: FittedDecoder, material: "Material", condition: str) -> "NDArray[np.float32]":
    if isinstance(fitted, FittedFeatureDecoder):
        return fitted.of_features(material.tests[condition].features)
    if material.test_clips is None:
        raise CanaryganError("There are no held-out sounds to test on.")
    return fitted.posteriors(material.test_clips[condition])


def _confused(score: Any) -> list[str]:
    """A line on the classes that are most often missed, where any is."""
    import numpy as np

    rows, columns = np.nonzero(score.confusion * (1 - np.eye(len(score.classes), dtype=int)))
    order = np.argsort(-score.confusion[rows, columns], kind="stable")[:5]
    said = [
        f"{score.classes[rows[one]]} as {score.classes[columns[one]]} ({score.confusion[rows[one], columns[one]]})"
        for one in order
    ]
    return [f"  taken for another: {', '.join(said)}"] if said else []


def _arrays(scores: "Mapping[str, Score]") -> "dict[str, NDArray[Any]]":
    """The content of `metrics-<name>.npz`."""
    import numpy as np

    return scores["clean"].arrays() | {
        f"accuracy_{name}": np.asarray(score.accuracy) for name, score in scores.items() if name != "clean"
    }
