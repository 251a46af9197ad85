"""What each kind of component promises, checked on toy clips and on odd ones; see `testing`."""

import json
import math
import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canarygan_core.components import Component, Dataset, Decoder, Metric, Model, Projector
from canarygan_core.errors import CanaryganError
from canarygan_core.testing import model_contract
from canarygan_core.testing.toys import odd_clips, refuses, toy_clips

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canarygan_core.clips import Clips

CLOSE = 1e-4
"""How far numbers may lie apart that should be equal, as a share of the largest, for arithmetic in other batches."""


def check(component: Component, folder: Path) -> None:
    """Check that a component does what its kind promises; may write into the folder."""
    if isinstance(component, Dataset):
        _dataset(component)
    elif isinstance(component, Metric):
        _metric(component)
    elif isinstance(component, Decoder):
        _decoder(component, folder)
    elif isinstance(component, Projector):
        _projector(component, folder)
    elif isinstance(component, Model):
        model_contract.check(component, folder, toy_clips())


def _dataset(dataset: Dataset) -> None:
    import numpy as np

    from canarygan_core.clips import Clips

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
    try:
        json.dumps(dict(first.origin))
    except TypeError as error:
        raise AssertionError(f"The origin that {name}.load sets must be JSON values: {error}.") from None


def _metric(metric: Metric) -> None:
    from canarygan_core.clips import concatenated

    name = type(metric).__name__
    listen = metric.listener()
    try:
        shared = listen == metric.listener() and hash(listen) == hash(metric.listener())
    except TypeError as error:
        raise AssertionError(
            f"The listener of {name} cannot be hashed ({error}): make it a frozen dataclass."
        ) from None
    assert shared, f"Two listeners of one {name} differ: make it a frozen dataclass, equal where its fields are."
    generated, reference = toy_clips(seed=1), toy_clips(seed=2)
    kept = generated.audio.copy(), reference.audio.copy()
    scores = metric.score(listen(generated), listen(reference))
    scored = isinstance(scores, dict) and len(scores) > 0
    assert scored, f"{name}.score must return a dict with at least one score, not {scores!r}."
    _check_scores(name, scores)
    again = metric.score(listen(generated), listen(reference))
    assert again == scores, f"{name}.score gives {again} the second time, after {scores}: seed what you draw."
    same = (generated.audio == kept[0]).all() and (reference.audio == kept[1]).all()
    assert same, f"{name}.score changes the clips: work on copies."
    try:
        parts = [concatenated(listen(part) for part in clips.batches(3)) for clips in (generated, reference)]
        apart = metric.score(*parts)
    except CanaryganError as error:
        raise AssertionError(f"What {name} hears of clips 3 at a time cannot be scored: {error}") from error
    equal = scores.keys() == apart.keys() and all(
        math.isclose(scores[key], apart[key], rel_tol=10 * CLOSE, abs_tol=CLOSE) for key in scores
    )
    assert equal, f"{name} scores {apart} where clips come 3 at a time, {scores} at once: hear each clip on its own."
    for odd, clips in odd_clips(8).items():
        for side, pair in {"generated": (clips, reference), "real": (generated, clips)}.items():
            found = refuses(f"{name} with {odd} on the {side} side", partial(_scores, metric, *pair))
            _check_scores(f"With {odd} on the {side} side {name}", found or {})


def _scores(metric: Metric, generated: "Clips", reference: "Clips") -> dict[str, float]:
    listen = metric.listener()
    return metric.score(listen(generated), listen(reference))


def _check_scores(name: str, scores: Mapping[str, float]) -> None:
    for key, value in scores.items():
        assert isinstance(key, str), f"{name}.score must name its scores by strings, not {key!r}."
        number = isinstance(value, int | float) and not isinstance(value, bool)
        told = f"{name}.score must give {key} as a Python float, not {type(value).__name__}: float(...) makes one."
        assert number, told
        assert math.isfinite(value), f"{name}.score gives {key} = {value}, which is no finite number."


def _decoder(decoder: Decoder, folder: Path) -> None:
    import numpy as np

    name = type(decoder).__name__
    clips = toy_clips(count=24, classes=3)
    fitted = decoder.fit(clips)
    classes = [str(label) for label in fitted.classes]
    assert sorted(classes) == clips.classes, f"{name}: classes are {classes} after fitting {clips.classes}."
    told = fitted.posteriors(clips)
    _check_posteriors(name, told, (24, 3))
    order = np.random.default_rng(0).permutation(24)
    moved = fitted.posteriors(clips.select(order))
    assert np.allclose(moved, told[order], atol=CLOSE), f"{name}.posteriors depend on the clips' order: reset state."
    alone = fitted.posteriors(clips.select(slice(5, 6)))
    assert np.allclose(alone, told[5:6], atol=CLOSE), f"{name}.posteriors of a clip depend on the others given with it."
    again = decoder.fit(clips).posteriors(clips)
    assert np.allclose(again, told, atol=CLOSE), f"{name} learns something else the second time: seed what you draw."
    _check_saved(decoder, fitted, folder, lambda one: one.posteriors(clips), told)
    none = refuses(f"{name}.posteriors of no clips", lambda: fitted.posteriors(toy_clips(0)))
    if none is not None:
        _check_posteriors(name, none, (0, 3))
    unlabelled = {"clips without labels": replace(clips, labels=None), "clips of one class": toy_clips(4, classes=1)}
    for odd, given in {**odd_clips(24), **unlabelled}.items():
        if odd != "a clip that is NaN":  # neither folders nor the kernel hand such clips to a decoder
            learnt = refuses(f"{name}.fit on {odd}", partial(decoder.fit, given))
            if learnt is not None:
                _check_posteriors(f"{name} fitted on {odd}", learnt.posteriors(clips), (24, len(learnt.classes)))


def _check_posteriors(name: str, told: "NDArray[np.float32]", shape: tuple[int, int]) -> None:
    import numpy as np

    assert told.shape == shape, f"{name}.posteriors must have shape (clips, classes), {shape}, not {told.shape}."
    sound = np.isfinite(told).all() and (told >= 0).all()
    assert sound, f"{name}.posteriors must be probabilities: finite, from 0."
    assert np.allclose(told.sum(1), 1, atol=1e-3), f"{name}.posteriors: rows must sum to 1, not {told.sum(1)}."


def _projector(projector: Projector, folder: Path) -> None:
    import numpy as np

    name = type(projector).__name__
    clips = toy_clips(count=24, classes=3)
    fitted = projector.fit(clips)
    laid = fitted.project(clips)
    _check_coordinates(name, laid, 24)
    near = CLOSE * max(1.0, float(np.abs(laid).max()))
    again = fitted.project(clips)
    assert np.allclose(again, laid, atol=near), f"{name}.project lays the same clips elsewhere each time: seed it."
    order = np.random.default_rng(0).permutation(24)
    moved = fitted.project(clips.select(order))
    assert np.allclose(moved, laid[order], atol=near), f"{name}.project depends on the clips' order."
    alone = fitted.project(clips.select(slice(5, 6)))
    assert np.allclose(alone, laid[5:6], atol=near), f"{name}.project of a clip depends on the others given with it."
    _check_saved(projector, fitted, folder, lambda one: one.project(clips), laid)
    none = refuses(f"{name}.project of no clips", lambda: fitted.project(toy_clips(0)))
    if none is not None:
        assert none.shape == (0, laid.shape[1]), f"{name}.project of no clips must be (0, k), not {none.shape}."
    for odd, given in odd_clips(24).items():
        found = refuses(f"{name} with {odd}", partial(_fitted_projection, projector, given, clips))
        if found is not None:
            _check_coordinates(f"Fitted on {odd}, {name}", found, 24)
    broken = odd_clips(24)["a clip that is NaN"]
    found = refuses(f"{name}.project of a clip that is NaN", lambda: fitted.project(broken))
    if found is not None:
        _check_coordinates(f"Of a clip that is NaN, {name}", found, 24)


def _fitted_projection(projector: Projector, fitted_on: "Clips", clips: "Clips") -> "NDArray[np.float32]":
    return projector.fit(fitted_on).project(clips)


def _check_coordinates(name: str, laid: "NDArray[np.float32]", count: int) -> None:
    import numpy as np

    shaped = laid.ndim == 2 and len(laid) == count and laid.shape[1] > 0
    assert shaped, f"{name}.project must be (clips, k), not {laid.shape}."
    assert np.isfinite(laid).all(), f"{name}.project gives NaN or infinite coordinates."


def _check_saved(
    component: Any, fitted: Any, folder: Path, use: "Callable[[Any], NDArray[Any]]", told: "NDArray[np.float32]"
) -> None:
    """What was learnt is saved without pickle, and does the same when loaded."""
    import numpy as np

    name = type(component).__name__
    fitted.save(folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files, f"{name}: save writes nothing."
    pickled = [path.name for path in files if _is_pickle(path)]
    assert not pickled, (
        f"{name}: save writes pickle, {pickled[0]}; write arrays as .npz or safetensors, the rest as JSON."
    )
    same = np.allclose(use(type(component).load(folder)), told, atol=1e-5)
    assert same, f"{name} does something else when saved and loaded."


def _is_pickle(path: Path) -> bool:
    with open(path, "rb") as stream:
        start = stream.read(2)
    return len(start) == 2 and start[0] == 0x80 and start[1] <= pickle.HIGHEST_PROTOCOL
