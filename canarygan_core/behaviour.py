"""What each kind of component promises, checked on toy clips; see `testing`."""

import functools
import json
import math
import os
import pickle
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canarygan_core.components import Component, Dataset, Decoder, Metric, Model, Projector
from canarygan_core.errors import CanaryganError
from canarygan_core.training import Training

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canarygan_core.clips import Clips


def toy_clips(count: int = 8, classes: int = 2, samples: int = 4096, rate: int = 16000, seed: int = 0) -> "Clips":
    """Clips that are quick to make and easy to tell apart: a tone of its own pitch a class, with a little noise.

    Args:
        count: clips; their classes take turns.
        classes: labels `s0`, `s1`, ...; their pitches are spread over a twentieth to a third of the rate.
        samples: length of a clip, samples.
        rate: Hz.
        seed: of the phases, the detuning (up to 2 %) and the noise (40 dB below the tone).
    """
    import numpy as np

    from canarygan_core.clips import Clips

    rng = np.random.default_rng(seed)
    label = np.arange(count) % classes
    pitch = np.linspace(rate / 20, rate / 3, classes)[label] * rng.uniform(0.98, 1.02, count)  # Hz
    phase = rng.uniform(0, 2 * np.pi, count)
    tone = np.sin(2 * np.pi * pitch[:, None] * np.arange(samples) / rate + phase[:, None]) * np.hanning(samples)
    audio = 0.5 * tone + 0.005 * rng.standard_normal((count, samples))
    return Clips(
        audio=audio.astype(np.float32),
        rate=rate,
        labels=np.array([f"s{number}" for number in label], dtype=np.str_),
        sources=np.array([f"s{number}/{row:04d}.wav" for row, number in enumerate(label)], dtype=np.str_),
        origin={"dataset": "toy", "fingerprint": f"toy-{count}-{classes}-{samples}-{rate}-{seed}"},
    )


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
        _model(component, folder)


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
    name = type(metric).__name__
    generated, reference = toy_clips(seed=1), toy_clips(seed=2)
    kept = generated.audio.copy(), reference.audio.copy()
    scores = metric.score(generated, reference)
    scored = isinstance(scores, dict) and len(scores) > 0
    assert scored, f"{name}.score must return a dict with at least one score, not {scores!r}."
    for key, value in scores.items():
        assert isinstance(key, str), f"{name}.score must name its scores by strings, not {key!r}."
        number = isinstance(value, int | float) and not isinstance(value, bool)
        assert number, (
            f"{name}.score must give {key} as a Python float, not {type(value).__name__}: float(...) makes one."
        )
        assert math.isfinite(value), f"{name}.score gives {key} = {value}, which is no finite number."
    again = metric.score(generated, reference)
    assert again == scores, f"{name}.score gives {again} the second time, after {scores}: seed what you draw."
    same = (generated.audio == kept[0]).all() and (reference.audio == kept[1]).all()
    assert same, f"{name}.score changes the clips: work on copies."


def _decoder(decoder: Decoder, folder: Path) -> None:
    import numpy as np

    name = type(decoder).__name__
    clips = toy_clips(count=24, classes=3)
    fitted = decoder.fit(clips)
    classes = [str(label) for label in fitted.classes]
    assert sorted(classes) == clips.classes, f"{name}: classes are {classes} after fitting {clips.classes}."
    told = fitted.posteriors(clips)
    assert told.shape == (24, 3), f"{name}.posteriors must have shape (clips, classes), (24, 3), not {told.shape}."
    sound = np.isfinite(told).all() and (told >= 0).all()
    assert sound, f"{name}.posteriors must be probabilities: finite, from 0."
    assert np.allclose(told.sum(1), 1, atol=1e-3), f"{name}.posteriors: rows must sum to 1, not {told.sum(1)}."
    order = np.random.default_rng(0).permutation(24)
    moved = fitted.posteriors(clips.select(order))
    assert np.allclose(moved, told[order], atol=1e-4), f"{name}.posteriors depend on the clips' order: reset the state."
    alone = fitted.posteriors(clips.select(slice(5, 6)))
    assert np.allclose(alone, told[5:6], atol=1e-4), f"{name}.posteriors of a clip depend on the others given with it."
    _check_saved(decoder, fitted, folder, lambda one: one.posteriors(clips), told)


def _projector(projector: Projector, folder: Path) -> None:
    import numpy as np

    name = type(projector).__name__
    clips = toy_clips(count=24, classes=3)
    fitted = projector.fit(clips)
    laid = fitted.project(clips)
    shaped = laid.ndim == 2 and len(laid) == 24 and laid.shape[1] > 0
    assert shaped, f"{name}.project must be (clips, k), not {laid.shape}."
    assert np.isfinite(laid).all(), f"{name}.project gives NaN or infinite coordinates."
    again = fitted.project(clips)
    assert np.allclose(again, laid, atol=1e-4), (
        f"{name}.project lays the same clips elsewhere the second time: seed it."
    )
    _check_saved(projector, fitted, folder, lambda one: one.project(clips), laid)


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


class _Trap:
    """Unpickling it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return functools.partial(os.mkdir, str(self.mark)), ()


def _model(model: Model, folder: Path) -> None:
    name = type(model).__name__
    mark = folder / "mark"
    for what, content in {"junk": b"no checkpoint", "pickle": pickle.dumps(_Trap(mark))}.items():
        path = folder / f"{what}.ckpt"
        path.write_bytes(content)
        try:
            type(model).load(path)
        except CanaryganError:
            pass
        except Exception as error:
            raise AssertionError(f"{name}.load must raise CanaryganError on {what}, not {error!r}.") from error
        else:
            raise AssertionError(f"{name}.load must raise CanaryganError on a file that is no checkpoint ({what}).")
        assert not mark.exists(), f"{name}.load runs code from the file: load tensors alone, with weights_only=True."
    for preset, options in model.presets.items():
        known = {field.name for cls in (type(model), Training) for field in fields(cls)}
        unknown = [key for key in options if key.replace("-", "_") not in known]
        assert not unknown, f"{name}: preset {preset} sets {unknown[0]}, which is no option of it or of Training."
