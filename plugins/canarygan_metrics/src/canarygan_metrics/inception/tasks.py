"""`inception baseline` and `inception gan`: inception scores, each with the scores that give it a scale."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from canarygan_core import Answer, Dataset, Request, Slot
from canarygan_core.errors import UsageError
from canarygan_core.plugins.options import fill_in
from canarygan_core.runs import Manifest
from canarygan_metrics.inception.options import CONTEXT, Scoring

log = logging.getLogger("canarygan")


def baseline(
    *,
    model_ckpt: Annotated[Path, Parameter(alias="-m")],
    dataset: Annotated[Dataset, Slot("folder")],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("inception-scores"),
    scoring: Scoring = Scoring(),  # noqa: B008 frozen
    request: Request,
) -> Answer:
    """Score real clips: what a perfect generator would get under this classifier, and white noise and chance beside it.

    Args:
        model_ckpt: Classifier of train-inception: a checkpoint, or the folder of a version, whose best one is taken.
        save_dir: Folder for is_scores-baseline.yml and its manifest.
    """
    from canarygan_core.runs import files
    from canarygan_metrics.inception import record

    target = save_dir / "is_scores-baseline.yml"
    absent = files.check_absent(target, overwrite=scoring.overwrite)
    trained = record.load_classifier(model_ckpt, scoring)
    clips = dataset.load()
    path, facts = target.with_suffix(".manifest.json"), {"dataset": dict(clips.origin), "seed": scoring.seed}
    with Manifest.begin(path, request, absent=absent, **facts) as manifest:
        manifest.add_input("classifier", trained.path, trained.digest)
        context = record.score_context(trained, clips, scoring, record.find_held_out(trained))
        real = context.pop("real")
        settings = {"n_split": scoring.n_split, "seed": scoring.seed, "classifier": record.describe(trained)}
        content = {**real, **settings, "context": context}
        record.write(target, content)
        manifest.add_output(target)
    first = f"Inception score of {real['clips']} real clips: {_score_text(real)}{_most_text(context)}"
    lines = [first, *_context_lines(context), f"Written: {target}"]
    return Answer("\n".join(lines), {"path": str(target), **content})


def gan(
    *,
    model_ckpt: Annotated[Path, Parameter(alias="-m")],
    generator_ckpt: Annotated[Path, Parameter(alias="-x")],
    dataset: Annotated[Dataset | None, Slot(implied={"--data-dir": "folder", "-d": "folder"})] = None,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("inception-scores"),
    vec_file: Annotated[Path | None, Parameter(alias="-z")] = None,
    n_samples: Annotated[int | None, Parameter(alias="-n")] = None,
    latent_dim: int | None = None,
    scoring: Scoring = Scoring(),  # noqa: B008 frozen
    request: Request,
) -> Answer:
    """Score what a generator makes: one checkpoint, or all of a version, drawn against epochs and generator updates.

    No sounds are saved. A command that was stopped goes on with the checkpoints that are left.

    Beside them are scored the real clips of --dataset or -d, or those the classifier was trained on.

    Args:
        model_ckpt: Classifier of train-inception: a checkpoint, or the folder of a version, whose best one is taken.
        generator_ckpt: Checkpoint of a model, or the folder of a version, all of whose checkpoints are scored; in a
            folder of runs, the newest version's.
        save_dir: Folder for is_scores-version_V.yml, its figure and its manifest.
        vec_file: File of latents (n, d), the same for every checkpoint.
        n_samples: Number of latents to draw, the same for every checkpoint. [default: 50000 without -z]
        latent_dim: Coordinates that the generator's latents must have; not needed, a checkpoint knows its own.
    """
    from canarygan_core.audio import Hearing
    from canarygan_core.runs import files
    from canarygan_metrics.inception import figure, record

    if n_samples is not None and n_samples < 1:
        raise UsageError(f"--n-samples must be at least 1, not {n_samples}.")
    if vec_file is not None and n_samples is not None:
        raise UsageError("Give latents with -z or a number with --n-samples, not both.")
    trained = record.load_classifier(model_ckpt, scoring)
    dataset = None if dataset is None else fill_in(dataset, request.given, asdict(trained.filtering))
    checkpoints, version = record.find_checkpoints(generator_ckpt)
    source = vec_file if vec_file is not None else n_samples or 50000
    if isinstance(source, int) and source < scoring.n_split:
        raise UsageError(f"--n-split {scoring.n_split} is more than there are sounds, {source}: take fewer parts.")
    settings = {
        "classifier": record.describe(trained),
        "n_samples": source if isinstance(source, int) else None,
        "latents": None if vec_file is None else files.compute_digest(vec_file),
        "reference": None if dataset is None else record.describe_dataset(dataset),
        "n_split": scoring.n_split,
        "seed": scoring.seed,
    }
    target = save_dir / f"is_scores-version_{version}.yml"
    picture = target.with_suffix(".png")
    rows, context = ([], None) if scoring.overwrite else record.read_earlier(target, settings)
    record.check_same_run(target, rows, checkpoints)
    with Manifest.begin(target.with_suffix(".manifest.json"), request, seed=scoring.seed) as manifest:
        manifest.add_input("classifier", trained.path, trained.digest)
        done = {row["checkpoint"] for row in rows}
        digests = {checkpoint: files.compute_digest(checkpoint) for checkpoint in checkpoints}
        left = [checkpoint for checkpoint, digest in digests.items() if digest not in done]
        if context is None or left:
            clips = record.load_real(trained, dataset)
            hearing = Hearing.of(clips)
        if context is None:
            context = record.score_context(trained, clips, scoring, record.find_held_out(trained, checkpoints[0]))
        for number, checkpoint in enumerate(checkpoints, 1):
            if checkpoint not in left:
                log.info(f"{checkpoint.name} is scored already.")
                manifest.add_input(checkpoint.name, checkpoint, digests[checkpoint])
                continue
            log.info(f"Scoring {checkpoint.name}, {number} of {len(checkpoints)}.")
            row = record.score_checkpoint(trained, checkpoint, source, scoring, hearing, latent_dim)
            manifest.add_input(checkpoint.name, checkpoint, row["checkpoint"])
            rows = sorted([*rows, row], key=lambda one: (one["step"], one["epoch"]))
            record.write(target, {"version": version, **settings, "context": context, "rows": rows})
        figure.draw(picture, rows, context, len(trained.classes), f"version {version}")
        for output in (target, picture):
            manifest.add_output(output)
    best = max(rows, key=lambda one: one["is_mean"])
    lines = [
        f"Inception score of {best['clips']} sounds a checkpoint{_most_text(context)}:",
        *(f"  epoch {row['epoch']}, {row['step']} updates: {_score_text(row)}" for row in rows[-10:]),
        *([f"Best: epoch {best['epoch']}, {_score_text(best)}"] if len(rows) > 1 else []),
        *_context_lines(context),
        f"Written: {target}, {picture.name}",
    ]
    return Answer("\n".join(lines), {"path": str(target), "figure": str(picture), "rows": rows, "context": context})


def _score_text(row: Mapping[str, Any]) -> str:
    low, high = row["is_interval_95"]
    return f"{_mean_text(row)} (all together {row['is_whole']:.3f}, 95 % from {low:.3f} to {high:.3f})"


def _most_text(context: Mapping[str, Mapping[str, Any]]) -> str:
    """How high a score can be, where the classes of the real clips are known."""
    if "ceiling" not in context:
        return ""
    return f", of at most {context['ceiling']['is_mean']:.3g} classes at the frequencies of the real clips"


def _context_lines(context: Mapping[str, Mapping[str, Any]]) -> list[str]:
    sizes = {name: f"({row['clips']} clips, {row['splits']} parts)" for name, row in context.items()}
    return [f"  {CONTEXT[name]:<16} {_mean_text(row)} {sizes[name]}" for name, row in context.items()]


def _mean_text(row: Mapping[str, Any]) -> str:
    return f"{row['is_mean']:.3f} +- {row['is_std']:.3f}"
