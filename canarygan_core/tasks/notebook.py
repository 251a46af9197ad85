"""The verbs for a program or a notebook: what tasks do, without a command line. `canarygan_core` offers them all."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import runs
from canarygan_core.audio import Hearing
from canarygan_core.audio import conform as conform
from canarygan_core.clips import Clips, concatenate
from canarygan_core.components import Component, Dataset, Generator, Metric, Model
from canarygan_core.errors import CanaryganError, UsageError, did_you_mean
from canarygan_core.evaluation import scoring, streaming
from canarygan_core.fitted import decoders, generators, latents, projectors
from canarygan_core.lightning.session import open_training
from canarygan_core.lightning.training import SHAPING, Training
from canarygan_core.plugins import get_registry
from canarygan_core.plugins.options import to_json
from canarygan_core.runs import Request, Run


def get(kind: str, name: str, **options: Any) -> Any:
    """A component with its options, such as `get("metric", "frechet", model_ckpt="inception")`.

    Args:
        kind: model, dataset, decoder, metric or projector.
        name: as `canarygan plugins` lists it.
        options: fields of the component; a path may be a string.

    Raises:
        CanaryganError: where nothing has that name, or cannot have these options.
    """
    cls: type[Component] = get_registry().get(kind, name)
    known = {field.name for field in fields(cls)}
    for option in options:
        if option not in known:
            raise UsageError(f"{kind} {name} has no option {option!r}.{did_you_mean(option, known)}")
    hints = {field.name: str(field.type) for field in fields(cls)}
    paths = {key: Path(value) for key, value in options.items() if isinstance(value, str) and "Path" in hints[key]}
    try:
        return cls(**options | paths)
    except TypeError as error:
        raise UsageError(f"{kind} {name} cannot be had so: {error}.") from None


def dataset(path: str | Path, **options: Any) -> Clips:
    """The clips of a folder that holds one folder of sound files a class, or of a dataset by its name.

    Args:
        path: the folder, or such as `synthetic`.
        options: of the dataset.

    Raises:
        CanaryganError: where there is neither, or the clips cannot be used.
    """
    is_name = str(path) in get_registry().names("dataset") and not Path(path).exists()
    place = {} if is_name else {"data_dir": str(path)}
    made: Dataset = get("dataset", str(path) if is_name else "folder", **place, **options)
    return made.load()


def load(path: str | Path, *, device: str = "auto") -> Any:
    """What lies at a path: a generator, a decoder, a projector, or what the task that left it reads back.

    A folder of runs, or of a version, means its newest run and the last checkpoint in it, or the best of a task that
    judges its own. No code in a file is run.

    Args:
        path: a checkpoint, a folder of runs, the folder of a version, of a trained decoder or of a fitted projector.
        device: auto, cpu, cuda or mps.

    Returns:
        A `canarygan_core.Generator`, a `TrainedDecoder`, a `SavedProjector`, or what a plugin's loader gives, such as
        the classifier of train-inception.

    Raises:
        CanaryganError: where nothing that can be read lies there.
    """
    place, registry = Path(path), get_registry()
    if not place.exists():
        raise CanaryganError(f"There is nothing at {place}.")
    if (place / projectors.RECORD).is_file():
        return projectors.load(place, registry)
    if decoders.FORMAT.find(place):
        found = decoders.load_all([place], registry, device=device)
        if len(found) > 1:
            several = ", ".join(str(one.folder) for one in found)
            raise CanaryganError(f"{place} holds {len(found)} decoders: give one of {several}.")
        return found[0]
    run = runs.find(place) if place.is_dir() else runs.find_by_checkpoint(place)
    spelled = generators.choose_device(device, 0)
    reader = None if run is None else _find_reader(run.manifest.record.get("task", ""))
    if reader is not None:
        return reader(place, spelled)
    try:
        return generators.load(runs.find_checkpoint(place), registry, model=None, device=spelled)[0]
    except CanaryganError:
        for task in registry.tasks() if run is None else ():
            other = _find_reader(task.name)
            with suppress(CanaryganError):
                if other is not None:
                    return other(place, spelled)
        raise


def _find_reader(task: str) -> Callable[[Path, str], Any] | None:
    """What reads back what a task left, from a path and a device; None where the kernel does, or nobody."""
    found = get_registry().task(task.split()) if task else None
    if found is None or not found.reads:
        return None
    module, _, function = found.reads.partition(":")
    reader: Callable[[Path, str], Any] = getattr(importlib.import_module(module), function)
    return reader


def train(
    model: Model,
    clips: Clips | Dataset,
    save_dir: str | Path = "runs",
    *,
    version: str = runs.INFER,
    resume: bool = False,
    **training: Any,
) -> Run:
    """Train a model into a run, as `train-gan` does; the command line can go on with it.

    Args:
        model: with its options.
        clips: to learn from, or the dataset that brings them.
        save_dir: folder of all versions.
        version: number or name of this version; infer takes the next free number, or the newest where it goes on.
        resume: go on with a version.
        training: options of `canarygan_core.lightning.training.Training`, such as `max_epochs`.

    Returns:
        The run: `run.last` is its newest checkpoint, `run.previews` the folder of sounds and pictures.

    Raises:
        CanaryganError: where the training cannot work, or the version cannot be opened.
    """
    known = {field.name for field in fields(Training)}
    for option in training.keys() - known:
        raise UsageError(f"A training has no option {option!r}.{did_you_mean(option, known)}")
    options = Training(**training)
    if isinstance(clips, Clips):
        origin = clips.origin
        own = {**origin.get("options", {}), **({"data_dir": origin["path"]} if "path" in origin else {})}
        source = {"name": str(origin.get("dataset", "clips")), "options": own}
    else:
        source = {"name": clips.name, "options": to_json(clips)}
    asked = {
        "model": {"name": model.name, "options": to_json(model)},
        "dataset": source,
        "training": to_json(options),
        "task": {"save_dir": str(save_dir), "version": version, "resume": resume},
    }
    request = Request("train-gan", options=asked, places={"dataset": frozenset({"data_dir"})})
    fixed = {"model": None, "dataset": None, "training": SHAPING}
    places: dict[str, Any] = {"save_dir": Path(save_dir), "version": version, "resume": resume}
    bring = clips.load if isinstance(clips, Dataset) else lambda: clips
    with open_training(bring, options, request, **places, fixed=fixed) as (brought, run, chosen):
        model.train(brought, run, training=chosen)
    return run


def generate(
    generator: Generator, latent: int | NDArray[np.float32] = 100, *, seed: int = 0, batch_size: int = 100
) -> Clips:
    """Sounds of a generator, with the latents that they were made from.

    Args:
        generator: as `load` gives it.
        latent: how many to make, from latents drawn uniformly in -1 to 1; or latents (n, latent_dim).
        seed: of the draw.
        batch_size: sounds computed at a time.
    """
    z = latents.draw_for(generator, latent, seed=seed) if isinstance(latent, int) else np.asarray(latent, "f4")
    if z.ndim != 2 or z.shape[1] != generator.latent_dim or not len(z):
        raise CanaryganError(f"This generator wants latents of shape (n, {generator.latent_dim}), not {z.shape}.")
    clips = concatenate(generators.generate_clips(generator, z, batch_size))
    return replace(clips, origin={"dataset": "generated", **generator.progress})


def score(
    metrics: Metric | Sequence[Metric],
    generated: Clips | Mapping[str, Clips],
    reference: Clips,
    *,
    batch_size: int = 100,
) -> dict[str, Any]:
    """What metrics say of generated clips against real ones, by the name of each, as `score` computes it.

    Of several sets it is given for each set, and a metric is fitted to the real clips only once.

    Args:
        metrics: one or several.
        generated: clips, or sets of clips by any name, of any rate and length; they are heard as the real ones are
            (`canarygan_core.audio.Hearing`).
        reference: the real clips.
        batch_size: clips heard at a time.

    Raises:
        CanaryganError: where a metric has no score.
    """
    chosen = [metrics] if isinstance(metrics, Metric) else list(metrics)
    listeners = {one.name: one.listener() for one in chosen}
    hearing, listen = Hearing.of(reference), partial(streaming.listen, listeners=set(listeners.values()))
    real = listen(reference.batches(batch_size))
    asks = {one.name: scoring.fit(one, real[listeners[one.name]]) for one in chosen}
    told = {}
    for name, clips in {"": generated}.items() if isinstance(generated, Clips) else generated.items():
        heard = listen(map(hearing.hear, clips.batches(batch_size)))
        told[name] = {key: ask(heard[listeners[key]]) for key, ask in asks.items()}
    return told[""] if isinstance(generated, Clips) else told
