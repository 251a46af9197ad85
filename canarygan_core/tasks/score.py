"""`score`: put numbers on how good generated sounds are, by any metric that is installed."""

import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from canarygan_core import audio
from canarygan_core.audio import UnusableAudio, archives
from canarygan_core.audio.noise import draw_white_noise
from canarygan_core.audio.sounds import Sound, collect_sounds, read_clips
from canarygan_core.clips import Clips
from canarygan_core.components import Answer, Dataset, Generator, Listener, Metric, Slot
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.evaluation import streaming
from canarygan_core.fitted import generators, latents
from canarygan_core.plugins import installed
from canarygan_core.plugins.options import jsonable, shared
from canarygan_core.runs import files
from canarygan_core.runs.manifest import Manifest, ending
from canarygan_core.runs.request import Request

log = logging.getLogger("canarygan")

OUTPUT = "scores.json"


def score(
    *paths: Path,
    metric: Annotated[list[Metric], Slot(every=True)],
    dataset: Annotated[Dataset, Slot("folder")],
    model_ckpt: Annotated[Path | None, Parameter(alias="-m")] = None,
    generator_ckpt: Annotated[Path | None, Parameter(alias="-x")] = None,
    vec_file: Annotated[Path | None, Parameter(alias="-z")] = None,
    num_samples: Annotated[int | None, Parameter(alias="-n")] = None,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("scores"),
    context: bool = True,
    batch_size: int = 100,
    device: str = "auto",
    device_idx: int = 0,
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Score generated sounds against the real clips of a dataset; real sound and noise are scored beside them.

    Generated sounds are archives, files or folders, or come straight from a model (-x), which needs no disk for them.

    Args:
        paths: Archives that generate made, sound files, and folders of either.
        model_ckpt: Trained model that metrics listen with, such as the classifier of train-inception; given to each
            metric that wants one and has none by --NAME.model-ckpt.
        generator_ckpt: Checkpoint, or the folder of a version, of a model that makes the sounds on the way.
        vec_file: File of latents (n, d) for the model.
        num_samples: Sounds the model makes from latents drawn anew. [default: 10000 without -z]
        save_dir: Folder for scores.json and its manifest.
        context: Score half of the real clips against the other half, and white noise, besides.
        batch_size: Sounds made at a time.
        device: auto, cpu, cuda or mps, for the model.
        device_idx: Which GPU.
        seed: Seed of the latents, the halves, the noise, and of metrics that take one.
        overwrite: Replace scores that are there.
    """
    _check(paths, generator_ckpt, vec_file, num_samples, batch_size)
    target = save_dir / OUTPUT
    if target.exists() and not overwrite:
        raise CanaryganError(f"{target} is there already: give another --save-dir, or --overwrite.")
    metrics = [shared(one, request.given, seed=seed, **_listening(model_ckpt)) for one in metric]
    if model_ckpt is not None and not any(hasattr(one, "model_ckpt") for one in metrics):
        log.warning(
            f"-m {model_ckpt}: none of these metrics listens with a model: {', '.join(m.name for m in metrics)}."
        )
    listeners, refused = streaming.listeners_of(metrics)
    told_why = [f"{', '.join(names)}: {reason}" for reason, names in refused.items()]
    if refused and ("metric" in request.given or not listeners):
        raise CanaryganError("\n".join(told_why))
    for why in told_why:
        log.warning(f"Left out: {why}")
    metrics = [one for one in metrics if one.name in listeners]
    clips = dataset.load()
    if generator_ckpt is not None:
        checkpoint = generators.resolve(generator_ckpt)
        generator, _ = generators.load(
            checkpoint, installed(), model=None, device=generators.device(device, device_idx)
        )
        z = _latents(generator, vec_file, num_samples, seed)
        made, count = _generated(generator, z, clips.rate, batch_size), len(z)
    else:
        sounds = collect_sounds(paths)
        made, count = _read(sounds, clips), len(sounds)
    with ending(Manifest.begin(save_dir / "manifest.json", request, dataset=dict(clips.origin), seed=seed)) as manifest:
        if generator_ckpt is not None:
            manifest.add_input("generator", checkpoint)
        if model_ckpt is not None and model_ckpt.is_file():
            manifest.add_input("model", model_ckpt)
        generated = streaming.hear(made, set(listeners.values()))
        reference = streaming.hear(streaming.in_batches(clips, "real clips"), set(listeners.values()))
        noise = {}
        if context:
            noisy = streaming.in_batches(draw_white_noise(clips, seed), "white noise")
            noise = streaming.hear(noisy, set(listeners.values()))
        told = {one.name: _scored(one, listeners[one.name], generated, reference, noise, seed) for one in metrics}
        if not any("scores" in record for record in told.values()):
            raise CanaryganError("\n".join(["No metric gave a score:", *(record["error"] for record in told.values())]))
        for record in told.values():
            for message in record.get("warnings", [record["error"]] if "error" in record else []):
                manifest.warn(message)
        data = {
            "metrics": told | {name: {"error": why} for why, names in refused.items() for name in names},
            "generated": {"clips": count, "from": [str(path) for path in paths] or [str(checkpoint)]},
            "reference": {"clips": len(clips), "classes": clips.classes, "origin": dict(clips.origin)},
        }
        files.write_text(target, json.dumps(jsonable(data), indent=2) + "\n")
        manifest.add_output(target)
    failed = [name for name, record in told.items() if "error" in record]
    text = f"{count} generated sounds against {len(clips)} real clips.\n{_table(told)}\nWritten: {target}"
    return Answer(text, data | {"path": str(target)}, exit_code=1 if failed else 0)


def _check(
    paths: Sequence[Path],
    generator: Path | None,
    vec_file: Path | None,
    num_samples: int | None,
    batch_size: int,
) -> None:
    """Refuse flags that contradict one another."""
    if bool(paths) == (generator is not None):
        raise UsageError("Give generated sounds (archives, files, folders), or a model that makes them with -x.")
    if generator is None and (vec_file is not None or num_samples is not None):
        raise UsageError("-z and -n say what a model makes: give the model with -x.")
    if vec_file is not None and num_samples is not None:
        raise UsageError("Give latents with -z or a number with -n, not both.")
    if batch_size < 1:
        raise UsageError(f"--batch-size must be at least 1, not {batch_size}.")


def _listening(model_ckpt: Path | None) -> dict[str, Path]:
    return {} if model_ckpt is None else {"model_ckpt": model_ckpt}


def _latents(generator: Generator, vec_file: Path | None, count: int | None, seed: int) -> NDArray[np.float32]:
    if vec_file is not None:
        return latents.read(vec_file, generator.latent_dim)
    return latents.draw(10000 if count is None else count, generator.latent_dim, seed=seed)


def _generated(generator: Generator, z: NDArray[np.float32], rate: int, batch_size: int) -> Iterator[Clips]:
    """The sounds of latents, at the rate of the real clips, as they are made."""
    for batch in generators.sounds(generator, z, batch_size):
        yield Clips(audio.resample(batch, generator.rate, rate), rate)


def _read(sounds: Sequence[Sound], clips: Clips) -> Iterator[Clips]:
    """Generated sounds at the rate of the real clips and no shorter, with the labels that their archives give them."""
    own = [sound.offset - sound.onset for sound in sounds if np.isfinite(sound.offset)]
    seconds = max([clips.samples / clips.rate, *own])
    labels = _labels({sound.file for sound in sounds})
    for heard, batch, problems in read_clips(sounds, clips.rate, seconds, "reading sounds"):
        if problems:
            raise UnusableAudio(problems, "", "Mend or remove them.")
        made = Clips(batch, clips.rate, sources=np.array([f"{sound.file}#{sound.row}" for sound in heard]))
        yield replace(made, labels=np.array([labels[sound.file][sound.row] for sound in heard])) if labels else made


def _labels(names: Collection[str]) -> dict[str, Any]:
    """By archive, the labels that one decoder gave its sounds; none where no decoder labelled all of them."""
    held = {name: archives.read(Path(name)) if name.lower().endswith(".npz") else {} for name in names}
    found = [{key for key in content if key.startswith("y_")} for content in held.values()]
    common = sorted(set.intersection(*found)) if found else []
    if common:
        log.info(f"Generated sounds are labelled by {common[0].removeprefix('y_')}.")
        return {name: content[common[0]] for name, content in held.items()}
    if any(found):
        log.warning("No decoder labelled all of the sounds: they are scored without labels.")
    return {}


def _scored(
    metric: Metric,
    listener: Listener,
    generated: streaming.Heard,
    reference: streaming.Heard,
    noise: streaming.Heard,
    seed: int,
) -> dict[str, Any]:
    """What a metric says: its scores with warnings and context, or why it says nothing."""
    record: dict[str, Any] = {"options": jsonable(metric)}
    try:
        with streaming.noting() as warnings:
            record["scores"] = metric.score(generated[listener], reference[listener])
        record["warnings"] = [_by(metric, message) for message in warnings]
    except CanaryganError as error:
        log.warning(_by(metric, str(error)))
        return record | {"error": _by(metric, str(error))}
    if noise:
        record["context"] = streaming.beside(metric, reference[listener], noise[listener], seed)
    return record


def _by(metric: Metric, message: str) -> str:
    """A message that says which metric it is of."""
    return message if message.startswith(metric.name) else f"{metric.name}: {message}"


def _table(told: Mapping[str, Mapping[str, Any]]) -> str:
    """Scores as lines for people: those of single classes are left to the file."""
    rows: list[tuple[str, ...]] = [("", "generated", "real halves", "white noise")]
    for name, record in told.items():
        rows.append((name, "" if "scores" in record else "no score", "", ""))
        beside = record.get("context", {})
        for key, value in record.get("scores", {}).items():
            if "/" not in key:
                others = (beside.get(side, {}).get(key) for side in ("real", "noise"))
                rows.append((f"  {key}", *(_shown(one) for one in (value, *others))))
    width = max(len(row[0]) for row in rows)
    return "\n".join(f"{row[0]:<{width}} {row[1]:>12} {row[2]:>12} {row[3]:>12}".rstrip() for row in rows)


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
