"""What each kind of component promises, checked on toy clips and on odd ones; see `testing`."""

import json
import math
import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips, concatenate
from canarygan_core.components import Component, Dataset, Decoder, Metric, Model, Projector
from canarygan_core.errors import CanaryganError
from canarygan_core.testing import model_contract
from canarygan_core.testing.toys import explain, odd_clips, refuses, toy_clips

CLOSE = 1e-4
"""How far numbers may lie apart that should be equal, as a share of the largest, for arithmetic in other batches."""


def _dataset(dataset: Dataset, _: Path) -> None:
    name = type(dataset).__name__
    first, again = dataset.load(), dataset.load()
    assert isinstance(first, Clips), f"{name}.load must return Clips, not {type(first).__name__}."
    assert first.audio.size, f"{name}.load must return at least one clip of at least one sample."
    finite = all(np.isfinite(part.audio).all() for part in first.batches(256))
    assert finite, f"{name}.load returns NaN or infinite samples."
    for what in ("audio", "labels", "sources"):
        one, other = getattr(first, what), getattr(again, what)
        same = np.array_equal(one, other) if one is not None else other is None
        assert same, f"{name}.load returns other {what} the second time: sort what you list, and seed what you draw."
    assert "fingerprint" in first.origin, f"{name}.load must set origin['fingerprint'], which tells its content apart."
    with explain(TypeError, f"The origin that {name}.load sets must be JSON values: ", "."):
        json.dumps(dict(first.origin))


def _metric(metric: Metric, _: Path) -> None:
    name = type(metric).__name__
    listen = metric.listener()
    with explain(TypeError, f"The listener of {name} cannot be hashed (", "): make it a frozen dataclass."):
        shared = listen == metric.listener() and hash(listen) == hash(metric.listener())
    assert shared, f"Two listeners of one {name} differ: make it a frozen dataclass, equal where its fields are."
    generated, reference = toy_clips(seed=1), toy_clips(seed=2)
    before = generated.audio.copy(), reference.audio.copy()
    scores = _score(metric, generated, reference)
    scored = isinstance(scores, dict) and len(scores) > 0
    assert scored, f"{name}.score must return a dict with at least one score, not {scores!r}."
    _check_scores(name, scores)
    again = _score(metric, generated, reference)
    assert again == scores, f"{name}.score gives {again} the second time, after {scores}: seed what you draw."
    same = (generated.audio == before[0]).all() and (reference.audio == before[1]).all()
    assert same, f"{name}.score changes the clips: work on copies."
    with explain(CanaryganError, f"What {name} hears of clips 3 at a time cannot be scored: "):
        parts = [concatenate(listen(part) for part in clips.batches(3)) for clips in (generated, reference)]
        apart = metric.score(parts[0], _mark_unseen(parts[1]))
    equal = scores.keys() == apart.keys() and all(
        math.isclose(scores[key], apart[key], rel_tol=10 * CLOSE, abs_tol=CLOSE) for key in scores
    )
    assert equal, f"{name} scores {apart} where clips come 3 at a time, {scores} at once: hear each clip on its own."
    for odd, clips in odd_clips(8).items():
        for side, pair in {"generated": (clips, reference), "real": (generated, clips)}.items():
            result = refuses(f"{name} with {odd} on the {side} side", partial(_score, metric, *pair))
            _check_scores(f"With {odd} on the {side} side {name}", result or {})


def _score(metric: Metric, generated: Clips, reference: Clips) -> dict[str, float]:
    listen = metric.listener()
    return metric.score(listen(generated), _mark_unseen(listen(reference)))


def _mark_unseen(listened: Clips) -> Clips:
    """Real clips of which the generator has not seen each fourth, as `score` tells a metric."""
    return replace(listened, facts={**listened.facts, "unseen": np.arange(len(listened)) % 4 == 0})


def _check_scores(name: str, scores: Mapping[str, float]) -> None:
    for key, value in scores.items():
        assert isinstance(key, str), f"{name}.score must name its scores by strings, not {key!r}."
        number = isinstance(value, int | float) and not isinstance(value, bool)
        advice = f"not {type(value).__name__}: float(...) makes one"
        assert number, f"{name}.score must give {key} as a Python float, {advice}."
        assert math.isfinite(value), f"{name}.score gives {key} = {value}, which is no finite number."


def _decoder(decoder: Decoder, folder: Path) -> None:
    name = type(decoder).__name__
    clips = toy_clips(count=24, classes=3)
    fitted = decoder.fit(clips)
    classes = [str(label) for label in fitted.classes]
    assert sorted(classes) == clips.classes, f"{name}: classes are {classes} after fitting {clips.classes}."
    posteriors = fitted.posteriors(clips)
    _check_posteriors(name, posteriors, (24, 3))
    again = decoder.fit(clips).posteriors(clips)
    assert np.allclose(again, posteriors, atol=CLOSE), f"{name} learns something else the second time: seed it."
    _check_fitted(decoder, fitted, "posteriors", clips, folder)
    none = refuses(f"{name}.posteriors of no clips", partial(fitted.posteriors, toy_clips(0)))
    if none is not None:
        _check_posteriors(name, none, (0, 3))
    unlabelled = {"clips without labels": replace(clips, labels=None), "clips of one class": toy_clips(4, classes=1)}
    for odd, given in {**odd_clips(24), **unlabelled}.items():
        if odd != "a clip that is NaN":  # neither folders nor the kernel hand such clips to a decoder
            other = refuses(f"{name}.fit on {odd}", partial(decoder.fit, given))
            if other is not None:
                _check_posteriors(f"{name} fitted on {odd}", other.posteriors(clips), (24, len(other.classes)))


def _check_posteriors(name: str, posteriors: NDArray[np.float32], shape: tuple[int, int]) -> None:
    shapes = f"{shape}, not {posteriors.shape}"
    assert posteriors.shape == shape, f"{name}.posteriors must have shape (clips, classes), {shapes}."
    is_probable = np.isfinite(posteriors).all() and (posteriors >= 0).all()
    assert is_probable, f"{name}.posteriors must be probabilities: finite, from 0."
    sums = posteriors.sum(1)
    assert np.allclose(sums, 1, atol=1e-3), f"{name}.posteriors: rows must sum to 1, not {sums}."


def _projector(projector: Projector, folder: Path) -> None:
    name = type(projector).__name__
    clips = toy_clips(count=24, classes=3)
    fitted = projector.fit(clips)
    coordinates = fitted.project(clips)
    _check_coordinates(name, coordinates)
    _check_fitted(projector, fitted, "project", clips, folder)
    none = refuses(f"{name}.project of no clips", partial(fitted.project, toy_clips(0)))
    if none is not None:
        shape = (0, coordinates.shape[1])
        assert none.shape == shape, f"{name}.project of no clips must be (0, k), not {none.shape}."
    for odd, given in odd_clips(24).items():
        other = refuses(f"{name} with {odd}", partial(lambda given: projector.fit(given).project(clips), given))
        _check_coordinates(f"Fitted on {odd}, {name}", other)
    broken = odd_clips(24)["a clip that is NaN"]
    other = refuses(f"{name}.project of a clip that is NaN", partial(fitted.project, broken))
    _check_coordinates(f"Of a clip that is NaN, {name}", other)


def _check_coordinates(name: str, points: NDArray[np.float32] | None) -> None:
    """Check coordinates of 24 clips, where they were not refused."""
    if points is None:
        return
    is_table = points.ndim == 2 and len(points) == 24 and points.shape[1] > 0
    assert is_table, f"{name}.project must be (clips, k), not {points.shape}."
    assert np.isfinite(points).all(), f"{name}.project gives NaN or infinite coordinates."


def _check_fitted(component: Any, fitted: Any, method: str, clips: Clips, folder: Path) -> None:
    """What is said of a clip depends on that clip alone, and stays the same when saved, without pickle, and loaded."""
    name = f"{type(component).__name__}.{method}"
    use = getattr(fitted, method)
    first = use(clips)
    near = CLOSE * max(1.0, float(np.abs(first).max()))
    order = np.random.default_rng(0).permutation(len(clips))
    selections: dict[str, Any] = {"the clips' order": order, "the others given with it": slice(5, 6)}
    for what, rows in selections.items():
        other = use(clips.select(rows))
        assert np.allclose(other, first[rows], atol=near), f"{name} of a clip depends on {what}: reset state."
    assert np.allclose(use(clips), first, atol=near), f"{name} gives something else each time: seed it."
    fitted.save(folder)
    paths = [path for path in folder.rglob("*") if path.is_file()]
    assert paths, f"{name}: save writes nothing."
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    pickles = [path.name for path in paths if path.read_bytes()[:2] in {bytes([0x80, one]) for one in protocols}]
    advice = "write arrays as .npz or safetensors, the rest as JSON"
    assert not pickles, f"{name}: save writes pickle, {', '.join(pickles)}; {advice}."
    loaded = getattr(type(component).load(folder), method)(clips)
    assert np.allclose(loaded, first, atol=1e-5), f"{name} does something else when saved and loaded."


CHECKS: dict[type[Component], Callable[[Any, Path], None]] = {
    Dataset: _dataset,
    Metric: _metric,
    Decoder: _decoder,
    Projector: _projector,
    Model: model_contract.check,
}
"""By kind, what checks that a component does what it promises; may write into the folder."""
