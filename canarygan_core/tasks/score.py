"""`score`: put numbers on how good generated sounds are, by any metric that is installed."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from canarygan_core import runs
from canarygan_core.audio import Hearing, archives
from canarygan_core.audio.noise import draw_white_noise
from canarygan_core.audio.sounds import Sound, collect_sounds, is_archive, read_clips
from canarygan_core.clips import Clips
from canarygan_core.components import Answer, Dataset, Listener, Metric, Slot
from canarygan_core.console import log, track
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.evaluation import holding, scoring, streaming
from canarygan_core.fitted import generators, latents
from canarygan_core.plugins import get_registry
from canarygan_core.plugins.options import share_values, to_json
from canarygan_core.runs import Manifest, Request, files

OUTPUT = "scores.json"

NEEDS_UNSEEN = (
    "real clips that the model was not trained on are needed, and none are known: train it with train-gan --hold-out "
    "0.1, then score it with -x, or archives that generate makes of it."
)

NOISE = 200
"""Clips of white noise that are scored beside, at most; more would tell no more."""


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
    resamplings: int = 50,
    figures: bool = False,
    batch_size: int = 100,
    device: str = "auto",
    device_idx: int = 0,
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Score generated sounds against the real clips of a dataset; as many real sounds, and noise, are scored beside.

    Generated sounds are archives, files or folders, or come straight from a model (-x), which needs no disk for them.

    Args:
        paths: Archives that generate made, sound files, and folders of either.
        model_ckpt: Trained model that metrics listen with, such as the classifier of train-inception; given to each
            metric that wants one and has none by --NAME.model-ckpt.
        generator_ckpt: Checkpoint, or the folder of a version, of a model that makes the sounds on the way; in a
            folder of runs, the newest version's.
        vec_file: File of latents (n, d) for the model.
        num_samples: Sounds the model makes from latents drawn anew. [default: 10000 without -z]
        save_dir: Folder for scores.json and its manifest.
        context: Score real clips in the place of generated ones, and white noise, besides.
        resamplings: Times that real clips are drawn in the place of generated ones, which tells what scores chance
            alone gives; 0 for never, 20 at least.
        figures: Draw the figures that metrics bring of their own, as NAME-FIGURE.png beside the scores.
        batch_size: Sounds made at a time.
        device: auto, cpu, cuda or mps, for the model.
        device_idx: Which GPU.
        seed: Seed of the latents, the resamplings, the noise, and of metrics that take one.
        overwrite: Replace scores that are there.
    """
    if bool(paths) == (generator_ckpt is not None):
        raise UsageError("Give generated sounds (archives, files, folders), or a model that makes them with -x.")
    if generator_ckpt is None and (vec_file is not None or num_samples is not None):
        raise UsageError("-z and -n say what a model makes: give the model with -x.")
    if resamplings and not 20 <= resamplings <= 10_000:
        raise UsageError(f"--resamplings is {resamplings}: 20 to 10000, or 0 for none.")
    latents.check_flags(vec_file, num_samples, batch_size=batch_size)
    target = save_dir / OUTPUT
    absent = files.check_absent(target, overwrite=overwrite)
    metrics = [
        share_values(one, request.given, seed=seed, **({} if model_ckpt is None else {"model_ckpt": model_ckpt}))
        for one in metric
    ]
    if model_ckpt is not None and not any(hasattr(one, "model_ckpt") for one in metrics):
        log.warning(
            f"-m {model_ckpt}: none of these metrics listens with a model: {', '.join(m.name for m in metrics)}."
        )
    listeners, refused = streaming.find_listeners(metrics)
    _check_refused(refused, request, listeners)
    clips = dataset.load()
    hearing = Hearing.of(clips)
    batches: Iterator[Clips]
    if generator_ckpt is not None:
        checkpoint = runs.find_checkpoint(generator_ckpt)
        place = generators.choose_device(device, device_idx)
        generator, run, digest = generators.load_with_digest(checkpoint, get_registry(), model=None, device=place)
        if vec_file is not None:
            z = latents.read(vec_file, generator.latent_dim)
        else:
            z = latents.draw_for(generator, 10000 if num_samples is None else num_samples, seed=seed)
        batches, count = map(hearing.hear, generators.generate_clips(generator, z, batch_size)), len(z)
        held_out, heard = {} if run is None else run.manifest.record.get("held_out", {}), set[str]()
    else:
        sounds = collect_sounds(paths)
        held_out = _read_held_out({sound.file for sound in sounds})
        heard = {sound.file for sound in sounds if is_archive(sound.file)}
        batches, count = _read_batches(sounds, hearing), len(sounds)
    unseen = holding.find_unseen(clips, held_out.get("sources"))
    groups = None if unseen is None else holding.find_groups(clips, held_out.get("group_by", "none"))
    if unseen is not None:
        log.info(f"{unseen.sum()} of {len(clips)} real clips are unseen: the model was not trained on them.")
    elif blind := [one.name for one in metrics if one.needs_unseen and one.name in listeners]:
        listeners = {name: listener for name, listener in listeners.items() if name not in blind}
        refused[NEEDS_UNSEEN] = blind
        _check_refused({NEEDS_UNSEEN: blind}, request, listeners)
    metrics = [one for one in metrics if one.name in listeners]
    facts = {"dataset": dict(clips.origin), "seed": seed}
    with Manifest.begin(save_dir / "manifest.json", request, absent=absent, **facts) as manifest:
        if generator_ckpt is not None:
            manifest.add_input("generator", checkpoint, digest)
        for file in sorted(heard):
            manifest.add_input(file, Path(file))
        for name, model in _find_models(metrics).items():
            manifest.add_input(name, model)
        failures: dict[Listener, str] = {}
        listen = partial(streaming.listen, listeners=set(listeners.values()), failures=failures)
        generated, reference = listen(batches), listen(streaming.iterate_batches(clips, "real clips"))
        noise: streaming.Listened = {}
        if context:
            some = draw_white_noise(clips, seed).select(slice(0, NOISE))
            noise = listen(streaming.iterate_batches(hearing.hear(some), "white noise"))
        results = {}
        for one in track(metrics, "comparing", len(metrics)):
            listener = listeners[one.name]
            if listener in failures:
                results[one.name] = {"options": to_json(one), **scoring.note_failure(one, failures[listener])}
                continue
            real = holding.mark_unseen(reference[listener], unseen, groups)
            sides = generated[listener], real, noise.get(listener)
            told = scoring.score_one(one, *sides, resamplings=resamplings if context else 0, seed=seed)
            results[one.name] = {"options": to_json(one), **told}
            for path in scoring.draw(one, *sides[:2], save_dir) if figures and "scores" in told else ():
                manifest.add_output(path)
        tests = scoring.add_verdicts(results)
        if not any("scores" in record for record in results.values()):
            errors = [record["error"] for record in results.values()]
            raise CanaryganError("\n".join(["No metric gave a score:", *errors]))
        for record in results.values():
            for message in record.get("warnings", [record["error"]] if "error" in record else []):
                manifest.warn(message)
        data = {
            "metrics": results | {name: {"error": why} for why, names in refused.items() for name in names},
            "generated": {"clips": count, "from": [str(path) for path in paths] or [str(checkpoint)]},
            "reference": {
                "clips": len(clips),
                **({} if unseen is None else {"unseen": int(unseen.sum())}),
                "classes": clips.classes,
                "origin": dict(clips.origin),
            },
            "tests": tests,
        }
        files.write_text(target, json.dumps(to_json(data), indent=2) + "\n")
        manifest.add_output(target)
    table = scoring.format_table(results, tests)
    text = f"{count} generated sounds against {len(clips)} real clips.\n{table}\nWritten: {target}"
    return Answer(text, data | {"path": str(target)}, exit_code=int(any("error" in one for one in results.values())))


def _find_models(metrics: Sequence[Metric]) -> dict[str, Path]:
    """By name, the checkpoints that metrics listen with: of a folder the best one, or else the last."""
    found: dict[str, Path] = {}
    for one in metrics:
        path: Path | None = getattr(one, "model_ckpt", None)
        with suppress(CanaryganError):  # whether it can be used, the metric tells
            found |= {} if path is None else {f"model of {one.name}": runs.find_checkpoint(path, best=True)}
    return {"model": min(found.values())} if len({*found.values()}) == 1 else found


def _check_refused(refused: Mapping[str, list[str]], request: Request, left: Collection[str]) -> None:
    """Tell which metrics are left out, by reason; it is an error where they were asked for or none is left."""
    reasons = [f"{', '.join(names)}: {reason}" for reason, names in refused.items()]
    if refused and ("metric" in request.given or not left):
        raise CanaryganError("\n".join(reasons))
    for reason in reasons:
        log.warning(f"Left out: {reason}")


def _read_batches(sounds: Sequence[Sound], hearing: Hearing) -> Iterator[Clips]:
    """Generated sounds as they are heard, with the labels and the latents that their archives know."""
    contents = _read_contents({sound.file for sound in sounds})
    known = {"labels": _pick_labels(contents), "latents": _pick_latents(contents)}
    for found, part, _ in read_clips(sounds, hearing, "reading sounds", strict=True):
        columns: dict[str, Any] = {
            name: np.array([arrays[sound.file][sound.row] for sound in found])
            for name, arrays in known.items()
            if arrays
        }
        yield replace(part, **columns)


def _read_contents(names: Collection[str]) -> dict[str, dict[str, Any]]:
    """By file, what an archive holds; nothing of another file."""
    return {name: archives.read(Path(name)) if is_archive(name) else {} for name in names}


def _read_held_out(names: Collection[str]) -> dict[str, Any]:
    """What archives say of the clips that their model was not trained on; nothing where they differ."""
    contents = list(_read_contents(names).values())
    told = {tuple(map(str, content.get("held_out", ()))) for content in contents}
    if len(told) != 1 or not (sources := told.pop()):
        return {}
    return {"sources": sources, "group_by": str(contents[0].get("group_by", "none"))}


def _pick_latents(contents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """By archive, the latents of its sounds; none where one does not know them, or they are of several sizes."""
    found = {name: np.asarray(content["z"], np.float32) for name, content in contents.items() if "z" in content}
    sizes = {rows.shape[1:] for rows in found.values()}
    is_whole = all(rows.ndim == 2 and len(rows) == len(contents[name]["x"]) for name, rows in found.items())
    return found if len(found) == len(contents) and len(sizes) == 1 and is_whole else {}


def _pick_labels(contents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """By archive, the labels that one decoder gave its sounds; none where no decoder labelled all of them."""
    keys = [{key for key in content if key.startswith("y_")} for content in contents.values()]
    common = sorted(set.intersection(*keys)) if keys else []
    if common:
        log.info(f"Generated sounds are labelled by {common[0].removeprefix('y_')}.")
        return {name: content[common[0]] for name, content in contents.items()}
    if any(keys):
        log.warning("No decoder labelled all of the sounds: they are scored without labels.")
    return {}
