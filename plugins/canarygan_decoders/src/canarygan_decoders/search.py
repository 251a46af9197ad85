"""A small random search of a decoder's options by cross-validation, which goes on where it was stopped."""

import dataclasses
import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.console import bar
from canarygan_core.errors import CanaryganError
from canarygan_core.plugins.options import jsonable
from canarygan_decoders.dataset import Material
from canarygan_decoders.feature_decoder import FeatureDecoder

log = logging.getLogger("canarygan")

FOLDS = 3


def search(decoder: FeatureDecoder, material: Material, *, trials: int, seed: int, journal: Path) -> FeatureDecoder:
    """The decoder with the best of so many sets of options, its own among them; a line of the journal a trial.

    Args:
        decoder: says by `searched` which options to draw, and from where to where on a logarithmic scale.
        material: its training examples are what is cross-validated; held-out ones are never seen.
        trials: sets of options, those in the journal included.
        seed: of the draws.
        journal: JSON lines, appended to.

    Raises:
        CanaryganError: where the journal is of another search.
    """
    ranges = decoder.searched  # type: ignore[attr-defined]
    mark = _mark(decoder, material, seed)
    done = _read(journal, mark)
    with bar(f"searching {decoder.name}", trials) as advance:
        for trial in range(trials):
            if trial not in done:
                tried = dataclasses.replace(decoder, **_drawn(ranges, trial, seed))
                done[trial] = {
                    "search": mark,
                    "trial": trial,
                    "options": _drawn(ranges, trial, seed),
                    "folds": crossed(tried, material),
                }
                _append(journal, done[trial])
            advance(1, note=f"best {max(np.mean(line['folds']) for line in done.values()):.3f}")
    best = max(range(trials), key=lambda trial: (np.mean(done[trial]["folds"]), -trial))
    log.info(
        f"{decoder.name}: the best of {trials} trials, number {best}, reaches {np.mean(done[best]['folds']):.3f} in "
        f"{FOLDS}-fold cross-validation with {done[best]['options'] or 'the options given'}; all in {journal}."
    )
    return dataclasses.replace(decoder, **done[best]["options"])


def crossed(decoder: FeatureDecoder, material: Material) -> list[float]:
    """Accuracy on each fold of the training clips when learnt from the others and their altered copies."""
    train = material.train
    fold = folds(train.labels, train.groups)
    originals = np.zeros(len(train), bool)
    originals[np.unique(train.groups, return_index=True)[1]] = True
    accuracies = []
    for number in range(FOLDS):
        fitted = decoder.fit_examples(train.select(np.flatnonzero(fold != number)), material.parameters)
        held = np.flatnonzero((fold == number) & originals)
        given = np.asarray(fitted.classes)[fitted.of_features(train.features[held]).argmax(1)]
        accuracies.append(float(np.mean(given == train.labels[held])))
    return accuracies


def folds(labels: NDArray[np.str_], groups: NDArray[np.intp]) -> NDArray[np.intp]:
    """The fold of each example (n,): of every class each gets its share, and a clip's copies go with it."""
    clips, first = np.unique(groups, return_index=True)
    fold_of = np.zeros(int(clips.max()) + 1, np.intp)
    for label in np.unique(labels):
        mine = clips[labels[first] == label]
        fold_of[mine] = np.arange(len(mine)) % FOLDS
    return fold_of[groups]


def _drawn(ranges: Mapping[str, tuple[float, float]], trial: int, seed: int) -> dict[str, float]:
    """The options of a trial; the first one changes nothing."""
    if trial == 0:
        return {}
    rng = np.random.default_rng([seed, trial])
    return {
        name: float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.4g}") for name, (low, high) in ranges.items()
    }


def _mark(decoder: FeatureDecoder, material: Material, seed: int) -> str:
    """What tells one search from another: the decoder, the examples and the seed."""
    said = json.dumps([decoder.name, jsonable(decoder), jsonable(material.parameters), seed], sort_keys=True)
    mark = hashlib.sha256(said.encode())
    mark.update("\0".join([*material.train.labels.tolist(), *material.train.sources.tolist()]).encode())
    mark.update(np.ascontiguousarray(material.train.features[:: max(1, len(material.train) // 50)]).tobytes())
    return mark.hexdigest()[:16]


def _read(journal: Path, mark: str) -> dict[int, dict[str, Any]]:
    """The trials in a journal by number; a line that was cut short is done again."""
    done: dict[int, dict[str, Any]] = {}
    for line in journal.read_text(encoding="utf-8").splitlines() if journal.is_file() else []:
        try:
            entry = json.loads(line)
            known, trial = entry["search"] == mark, int(entry["trial"])
        except (ValueError, KeyError, TypeError):
            continue
        if not known:
            raise CanaryganError(
                f"{journal} is of a search with other clips, options or seed: give another --save-dir, or delete it."
            )
        done[trial] = entry
    if done:
        log.info(f"{len(done)} trials are in {journal} already.")
    return done


def _append(journal: Path, entry: Mapping[str, Any]) -> None:
    journal.parent.mkdir(parents=True, exist_ok=True)
    with open(journal, "a+", encoding="utf-8") as stream:
        stream.seek(0)
        text = stream.read()
        stream.write(("\n" if text and not text.endswith("\n") else "") + json.dumps(entry) + "\n")
