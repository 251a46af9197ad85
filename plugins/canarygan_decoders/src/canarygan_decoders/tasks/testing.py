"""The test of a trained decoder on held-out examples: accuracy by condition, and what is called X."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.components import Decoder, FittedDecoder
from canarygan_core.evaluation import accuracy
from canarygan_core.evaluation.accuracy import ClassificationReport
from canarygan_core.fitted import decoders
from canarygan_core.fitted.decoders import Judgement, X
from canarygan_decoders.dataset.decoder_dataset import DecoderDataset

Told = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Posteriors (n, classes), and resemblance to training clips (n,)."""

REJECTED = 0.01
"""Share of held-out real clips that the threshold of a decoder may send to X."""

EVEN = 0.5
"""Highest threshold: a class that is likelier than all others together is no reason to reject."""


def judge(decoder: Decoder, fitted: FittedDecoder, dataset: DecoderDataset, condition: str) -> Told:
    """Posteriors (n, classes) of the held-out examples of a condition, and their resemblance to training clips (n,)."""
    test = dataset.tests[condition]
    if decoder.learns_from == "features":
        known: Any = fitted
        compare = getattr(known, "compare", lambda features: np.ones(len(features), np.float32))
        return known.predict(test.features), compare(test.features)
    assert dataset.test_clips is not None
    clips = dataset.test_clips[condition]
    resemblance = getattr(fitted, "resemblance", lambda clips: np.ones(len(clips), np.float32))
    return fitted.posteriors(clips), resemblance(clips)


def score(
    fitted: FittedDecoder, dataset: DecoderDataset, condition: str, posteriors: NDArray[np.float32]
) -> ClassificationReport:
    """How many examples of a condition have their own class as their likeliest; all garbage classes are one, X."""

    def merge(labels: NDArray[np.str_]) -> NDArray[np.str_]:
        return np.where(np.isin(labels, dataset.garbage), X, labels)

    real = [label for label in fitted.classes if label not in dataset.garbage]
    given = merge(decoders.pick_labels(posteriors, fitted.classes))
    return accuracy.compute_report(merge(dataset.tests[condition].labels), given, real)


def as_judgement(
    fitted: FittedDecoder,
    dataset: DecoderDataset,
    posteriors: NDArray[np.float32],
    resemblance: NDArray[np.float32],
    threshold: float = 0.0,
) -> Judgement:
    known = {"garbage": dataset.garbage, "resemblance": resemblance, "threshold": threshold}
    return Judgement.of(posteriors, fitted.classes, **known)  # type: ignore[arg-type]


def count_rejected(
    fitted: FittedDecoder, dataset: DecoderDataset, judged: Mapping[str, Told], threshold: float
) -> tuple[dict[str, Any], str]:
    """The share of real clips, and of garbage, that are called X, by condition; as a record and as a line."""
    record, words = {}, []
    for name, told in judged.items():
        is_x = as_judgement(fitted, dataset, *told, threshold).votes == X
        is_x = is_x[np.isin(dataset.tests[name].labels, dataset.garbage) == (name == "garbage")]
        record[name] = {"share": float(is_x.mean()), "rejected": int(is_x.sum()), "clips": len(is_x)}
        words.append(f"{name} {is_x.mean():.3f} ({int(is_x.sum())} of {len(is_x)})")
    return record, f"  called X     {', '.join(words)}"


def list_confusions(score: ClassificationReport) -> list[str]:
    """A line on the classes that are confused most often, where any are."""
    rows, columns = np.nonzero(score.confusion * (1 - np.eye(len(score.classes), dtype=int)))
    counts = score.confusion[rows, columns]
    pairs = [
        f"{score.classes[rows[index]]} as {score.classes[columns[index]]} ({counts[index]})"
        for index in np.argsort(-counts, kind="stable")[:5]
    ]
    return [f"  taken for another: {', '.join(pairs)}"] if pairs else []


def choose_threshold(fitted: FittedDecoder, dataset: DecoderDataset, told: Told) -> float:
    """The posterior below which the decoder rejects, from its posteriors of the unaltered held-out clips."""
    is_real = ~np.isin(dataset.tests["clean"].labels, dataset.garbage)
    given = as_judgement(fitted, dataset, *told).posteriors
    return min(decoders.choose_threshold(given[is_real], REJECTED), EVEN)
