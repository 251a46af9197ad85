"""What each kind of component promises, checked on toy clips and on odd ones; see `testing`."""

import json
import math
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips, concatenate
from canarygan_core.components import Component, Dataset, Decoder, Metric, Model, Projector
from canarygan_core.errors import CanaryganError
from canarygan_core.testing import abilities, model_contract
from canarygan_core.testing.stored import check_damage, check_stored
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
    _check_clips(name, first)
    told: dict[str, Any] = {what: np.array(getattr(first, what)) for what in ("audio", "labels", "sources")}
    if first.audio.flags.writeable:
        first.audio[:] = 0  # what one caller does to its clips is none of the next one's business
        again = dataset.load()
    for what, one in told.items():
        other = getattr(again, what)
        one = None if one.dtype == object else one
        same = np.array_equal(one, other) if one is not None else other is None
        assert same, f"{name}.load returns other {what} the second time: sort what you list, and seed what you draw."
    assert "fingerprint" in first.origin, f"{name}.load must set origin['fingerprint'], which tells its content apart."
    with explain(TypeError, f"The origin that {name}.load sets must be JSON values: ", "."):
        json.dumps(dict(first.origin))
    _check_fingerprint(dataset, first.origin, told["audio"])


def _check_clips(name: str, clips: Clips) -> None:
    """The types and ranges of what a dataset brings."""
    loudest = max(float(np.abs(part.audio).max()) for part in clips.batches(256))
    assert loudest <= 1 + CLOSE, f"{name}.load gives audio up to {loudest:g}, beyond full scale: bring it to -1 to 1."
    assert type(clips.rate) is int, f"{name}.load must give the rate as int, not {type(clips.rate).__name__}."
    assert clips.rate > 0, f"{name}.load gives a rate of {clips.rate} Hz."
    for what in ("labels", "sources"):
        column = getattr(clips, what)
        kind = getattr(column, "dtype", np.dtype(object)).kind
        are = f"{name}.load must give {what} as an array of strings"
        assert column is None or kind == "U", f"{are}, not of {getattr(column, 'dtype', type(column).__name__)}."
        assert column is None or all(column.tolist()), f"{name}.load gives empty {what}: name each, or give None."
    if clips.sources is not None:
        assert len(set(clips.sources)) == len(clips), f"{name}.load gives two clips one source: each has its own."


def _check_fingerprint(dataset: Dataset, origin: Mapping[str, Any], audio: NDArray[np.float32]) -> None:
    """The fingerprint is a string, the same each time, and another one, or beside other options, for other clips."""
    name, fingerprint = type(dataset).__name__, origin["fingerprint"]
    assert isinstance(fingerprint, str), f"{name}: origin['fingerprint'] must be a string, not {fingerprint!r}."
    again = type(dataset)(**{field.name: getattr(dataset, field.name) for field in fields(dataset)}).load()
    now = again.origin["fingerprint"]
    assert now == fingerprint, f"{name}: the same clips have the fingerprint {fingerprint!r}, then {now!r}: seed it."
    for field in fields(dataset):
        value = getattr(dataset, field.name)
        if type(value) not in (int, float):
            continue
        with suppress(CanaryganError):
            other = replace(dataset, **{field.name: value + 1}).load()
            same = np.array_equal(other.audio, audio) or dict(other.origin) != dict(origin)
            advice = f"with another {field.name} and other clips: compute it from what is loaded"
            assert same, f"{name}: the fingerprint stays {advice}."


def _metric(metric: Metric, folder: Path) -> None:
    name = type(metric).__name__
    listen = metric.listener()
    with explain(TypeError, f"The listener of {name} cannot be hashed (", "): make it a frozen dataclass."):
        shared = listen == metric.listener() and hash(listen) == hash(metric.listener())
    assert shared, f"Two listeners of one {name} differ: make it a frozen dataclass, equal where its fields are."
    generated, reference = toy_clips(seed=1), toy_clips(seed=2)
    before = generated.audio.copy(), reference.audio.copy()
    _check_heard(name, listen, generated)
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
    abilities.check_fitting(metric, parts[0], _mark_unseen(parts[1]))
    abilities.check_metric_figures(metric, parts[0], _mark_unseen(parts[1]), folder / "figures")
    for odd, clips in odd_clips(8).items():
        for side, pair in {"generated": (clips, reference), "real": (generated, clips)}.items():
            result = refuses(f"{name} with {odd} on the {side} side", partial(_score, metric, *pair))
            _check_scores(f"With {odd} on the {side} side {name}", result or {})


def _check_heard(name: str, listen: Any, clips: Clips) -> None:
    """A listener keeps the clips that it is given, one by one, and hears each on its own."""
    heard = listen(clips)
    assert isinstance(heard, Clips), f"The listener of {name} must return Clips, not {type(heard).__name__}."
    assert len(heard) == len(clips), f"The listener of {name} keeps {len(heard)} of {len(clips)} clips: keep each."
    sources: Any = heard.sources
    kept = sources is not None and sources.tolist() == np.asarray(clips.sources).tolist()
    assert kept, f"The listener of {name} loses the order or the sources of the clips: use dataclasses.replace."
    alone = listen(clips.select(slice(3, 4)))
    columns: dict[str, Any] = {"audio": (alone.audio, heard.audio)}
    columns |= {key: (alone.facts[key], heard.facts[key]) for key in heard.facts}
    columns |= {key: (alone.posteriors[key], heard.posteriors[key]) for key in heard.posteriors}
    for what, (one, all_of_them) in columns.items():
        near = np.asarray(one).dtype.kind not in "fc" or _are_close(one[0], all_of_them[3])
        advice = "of a clip with others beside it: hear each on its own"
        assert near, f"The listener of {name} hears another {what} {advice}."
    again = listen(clips)
    for key in heard.facts:
        same = _are_close(again.facts[key], heard.facts[key])
        assert same, f"The listener of {name} hears another {key} the second time: seed it, and keep no state."


def _are_close(one: Any, other: Any) -> bool:
    if np.asarray(one).dtype.kind not in "fc":
        return bool(np.array_equal(one, other))
    near = 10 * CLOSE * max(1.0, float(np.abs(other).max()) if np.size(other) else 1.0)
    return np.shape(one) == np.shape(other) and np.allclose(one, other, atol=near, equal_nan=True)


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
    abilities.check_declarations(decoder)
    clips = toy_clips(count=24, classes=3)
    before = clips.audio.copy()
    fitted = decoder.fit(clips)
    classes = list(fitted.classes)
    assert sorted(map(str, classes)) == clips.classes, f"{name}: classes are {classes} after fitting {clips.classes}."
    strings = all(isinstance(label, str) for label in classes)
    assert strings, f"{name}: classes must be strings, not {type(classes[0]).__name__}."
    posteriors = fitted.posteriors(clips)
    _check_posteriors(name, posteriors, (24, 3))
    again = decoder.fit(clips).posteriors(clips)
    assert np.allclose(again, posteriors, atol=CLOSE), f"{name} learns something else the second time: seed it."
    unlabelled = fitted.posteriors(replace(clips, labels=None, sources=None))
    blind = np.allclose(unlabelled, posteriors, atol=CLOSE)
    assert blind, f"{name}.posteriors depends on the labels of the clips, which are not known when they are decoded."
    loaded = _check_fitted(decoder, fitted, "posteriors", clips, folder)
    same = list(loaded.classes) == classes
    assert same, f"{name}: classes are {list(loaded.classes)} after loading, {classes} before: save their order."
    assert np.array_equal(clips.audio, before), f"{name} changes the clips: work on copies."
    none = refuses(f"{name}.posteriors of no clips", partial(fitted.posteriors, toy_clips(0)))
    if none is not None:
        _check_posteriors(name, none, (0, 3))
    odd_labels = {"clips without labels": replace(clips, labels=None), "clips of one class": toy_clips(4, classes=1)}
    for odd, given in {**odd_clips(24), **odd_labels}.items():
        if odd != "a clip that is NaN":  # neither folders nor the kernel hand such clips to a decoder
            other = refuses(f"{name}.fit on {odd}", partial(decoder.fit, given))
            if other is not None:
                _check_posteriors(f"{name} fitted on {odd}", other.posteriors(clips), (24, len(other.classes)))


def _check_posteriors(name: str, posteriors: NDArray[np.float32], shape: tuple[int, int]) -> None:
    shapes = f"{shape}, not {posteriors.shape}"
    assert posteriors.shape == shape, f"{name}.posteriors must have shape (clips, classes), {shapes}."
    single = posteriors.dtype == np.float32
    assert single, f"{name}.posteriors must be float32, not {posteriors.dtype}: astype(numpy.float32) makes it so."
    is_probable = np.isfinite(posteriors).all() and (posteriors >= 0).all()
    assert is_probable, f"{name}.posteriors must be probabilities: finite, from 0."
    sums = posteriors.sum(1)
    assert np.allclose(sums, 1, atol=1e-3), f"{name}.posteriors: rows must sum to 1, not {sums}."


def _projector(projector: Projector, folder: Path) -> None:
    name = type(projector).__name__
    clips = toy_clips(count=24, classes=3)
    before = clips.audio.copy()
    fitted = projector.fit(clips)
    coordinates = fitted.project(clips)
    _check_coordinates(name, coordinates)
    loaded = _check_fitted(projector, fitted, "project", clips, folder)
    for one, place in ((fitted, "figures"), (loaded, "figures again")):
        if drawing := getattr(one, "draw", None):
            sets = {"real": clips, "epoch 1": replace(toy_clips(6), labels=None)}
            abilities.check_figures(name, partial(drawing, sets), folder / place)
    (folder / "again").mkdir()
    projector.fit(clips).save(folder / "again")
    for path in sorted((folder / "again").iterdir()):
        same = path.read_bytes() == (folder / "saved" / path.name).read_bytes()
        assert same, f"{name}: {path.name} differs the second time: a map is known by the digests of its files."
    assert np.array_equal(clips.audio, before), f"{name} changes the clips: work on copies."
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
    assert np.asarray(points).dtype == np.float32, f"{name}.project must give float32, not {points.dtype}."
    assert np.isfinite(points).all(), f"{name}.project gives NaN or infinite coordinates."


def _check_fitted(component: Any, fitted: Any, method: str, clips: Clips, folder: Path) -> Any:
    """What is said of a clip depends on that clip alone, and stays the same when saved, without pickle, and loaded.

    Returns:
        What was loaded.
    """
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
    saved, moved = folder / "saved", folder / "moved"
    saved.mkdir()
    fitted.save(saved)
    paths = list(saved.iterdir())
    assert paths, f"{name}: save writes nothing."
    inside = [path.name for path in paths if path.is_dir()]
    assert not inside, f"{name}: save writes the folder {', '.join(inside)}: write files alone."
    outside = [path.name for path in folder.iterdir() if path != saved]
    assert not outside, f"{name}: save writes {', '.join(outside)} beside its folder: write into it alone."
    check_stored(name, paths)
    shutil.copytree(saved, moved)
    loaded = abilities.load_to_device(type(component), moved)
    shutil.rmtree(moved)
    with explain(OSError, f"{name} reads its folder after it is loaded (", "): read all of it in load."):
        later = getattr(loaded, method)(clips)
    assert np.allclose(later, first, atol=1e-5), f"{name} does something else when saved and loaded."
    check_damage(type(component).__name__, saved, type(component).load, folder / "damaged")
    return loaded


CHECKS: dict[type[Component], Callable[[Any, Path], None]] = {
    Dataset: _dataset,
    Metric: _metric,
    Decoder: _decoder,
    Projector: _projector,
    Model: model_contract.check,
}
"""By kind, what checks that a component does what it promises; may write into the folder."""
