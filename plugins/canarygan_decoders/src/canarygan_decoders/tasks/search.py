"""A random search of a decoder's options by cross-validation, which continues where it was stopped."""

import dataclasses
import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np

from canarygan_core.clips import Clips
from canarygan_core.components import Decoder, FittedDecoder
from canarygan_core.console import show_bar
from canarygan_core.errors import CanaryganError
from canarygan_core.plugins.options import to_json
from canarygan_core.runs import files
from canarygan_core.runs.documents import Format
from canarygan_decoders.dataset.examples import Examples
from canarygan_decoders.feature_decoder import FeatureDecoder
from canarygan_decoders.features import Features

log = logging.getLogger("canarygan")

FOLDS = 3

TRIAL = Format("a trial", {"search": str, "trial": int, "options": dict[str, float], "folds": list[float]})
"""A line of a journal."""


def search_options(
    decoder: Decoder, examples: Examples, clips: Clips | None = None, *, trials: int, seed: int, journal: Path
) -> Decoder:
    """The decoder with the best options of all trials; the first trial has the options that were given.

    Args:
        decoder: its `search_ranges` are searched.
        examples: training examples; held-out clips are never used.
        clips: those that the first examples are of; needed by a decoder that learns from clips.
        trials: sets of options to try, those in the journal included.
        seed: of the draws.
        journal: JSON lines, one a trial; it is written again after every trial.

    Raises:
        CanaryganError: where the journal belongs to another search.
    """
    key = _search_key(decoder, examples, seed)
    done = _read_journal(journal, key)
    with show_bar(f"searching {decoder.name}", trials) as advance:
        for trial in range(trials):
            if trial not in done:
                options = _draw_options(decoder, trial, seed)
                accuracies = cross_validate(dataclasses.replace(decoder, **options), examples, clips)
                done[trial] = {"search": key, "trial": trial, "options": options, "folds": accuracies}
                files.write_text(journal, "".join(json.dumps(line) + "\n" for line in done.values()))
            advance(1, note=f"best {max(np.mean(line['folds']) for line in done.values()):.3f}")
    best = max(range(trials), key=lambda trial: (np.mean(done[trial]["folds"]), -trial))
    log.info(
        f"{decoder.name}: the best of {trials} trials, number {best}, reaches {np.mean(done[best]['folds']):.3f} in "
        f"{FOLDS}-fold cross-validation with {done[best]['options'] or 'the options given'}; all in {journal}."
    )
    return dataclasses.replace(decoder, **done[best]["options"])


def cross_validate(decoder: Decoder, examples: Examples, clips: Clips | None = None) -> list[float]:
    """Accuracy on the unaltered clips of each fold after learning from the examples, or clips, of the other folds."""
    folds, accuracies = examples.folds(FOLDS), []
    for fold in range(FOLDS):
        test = np.flatnonzero((folds == fold) & examples.is_original)
        if clips is None:
            fitted: Any = decoder.fit_examples(examples.select(np.flatnonzero(folds != fold)))  # type: ignore[attr-defined]
            posteriors = fitted.predict(examples.features[test])
        else:
            fitted = fit_clips(decoder, clips.select(np.flatnonzero(folds[: len(clips)] != fold)), examples.parameters)
            posteriors = fitted.posteriors(clips.select(test))
        labels = np.asarray(fitted.classes)[posteriors.argmax(1)]
        accuracies.append(float(np.mean(labels == examples.labels[test])))
    return accuracies


def fit_clips(decoder: Decoder, clips: Clips, parameters: Features) -> FittedDecoder:
    """A decoder that has learnt from clips; one with features of its own gets the rate and length of the parameters."""
    return decoder.fit(clips, parameters=parameters) if isinstance(decoder, FeatureDecoder) else decoder.fit(clips)


def _draw_options(decoder: Decoder, trial: int, seed: int) -> dict[str, float]:
    """The options of a trial; the first trial changes nothing. An option that is a whole number stays one."""
    if trial == 0:
        return {}
    rng = np.random.default_rng([seed, trial])
    drawn = {
        name: float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.4g}")
        for name, (low, high) in decoder.search_ranges.items()
    }
    return {name: round(value) if isinstance(getattr(decoder, name), int) else value for name, value in drawn.items()}


def _search_key(decoder: Decoder, examples: Examples, seed: int) -> str:
    """Identifies a search by the decoder, the examples and the seed."""
    text = json.dumps([decoder.name, to_json(decoder), to_json(examples.parameters), seed], sort_keys=True)
    digest = hashlib.sha256(text.encode())
    digest.update("\0".join([*examples.labels.tolist(), *examples.sources.tolist()]).encode())
    digest.update(np.ascontiguousarray(examples.features[:: max(1, len(examples) // 50)]).tobytes())
    return digest.hexdigest()[:16]


def _read_journal(journal: Path, key: str) -> dict[int, dict[str, Any]]:
    """The trials in a journal by number; a trial whose line was cut short is run again."""
    done: dict[int, dict[str, Any]] = {}
    for line in files.read_text(journal).splitlines() if journal.is_file() else []:
        try:
            entry = TRIAL.check(json.loads(line), journal)
        except (ValueError, RecursionError, CanaryganError):
            continue
        if entry["search"] != key:
            raise CanaryganError(
                f"{journal} is of a search with other clips, options or seed: give another --save-dir, or delete it."
            )
        done[entry["trial"]] = entry
    if done:
        log.info(f"{len(done)} trials are in {journal} already.")
    return done
