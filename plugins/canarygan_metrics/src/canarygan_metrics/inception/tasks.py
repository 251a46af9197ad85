"""`inception baseline` and `inception gan`: inception scores, never without what stands beside them."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from canarygan_core.components import Answer, Dataset, Slot
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.runs.manifest import Manifest, ending
from canarygan_core.runs.request import Request

log = logging.getLogger("canarygan")


def baseline(
    *,
    model_ckpt: Annotated[Path, Parameter(alias="-m")],
    dataset: Annotated[Dataset, Slot("folder")],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("inception-scores"),
    n_split: int = 10,
    batch_size: int = 100,
    devices: Annotated[int, Parameter(alias="-G")] = 1,
    num_nodes: Annotated[int, Parameter(alias="-N")] = 1,
    num_workers: Annotated[int, Parameter(alias="-c")] = 1,
    device: str = "auto",
    device_idx: int = 0,
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Score real clips: what a perfect generator would get under this classifier, and white noise and chance beside it.

    Args:
        model_ckpt: Classifier of train-inception: a checkpoint, or the folder of a version, whose best one is taken.
        save_dir: Folder for is_scores-baseline.yml and its manifest.
        n_split: Equal parts that are scored on their own.
        batch_size: Clips heard at a time.
        devices: Devices; scoring runs on one.
        num_nodes: Nodes; scoring runs on one.
        num_workers: Kept for the original's command lines; reading is memory-mapped and needs none.
        device: auto, cpu, cuda or mps.
        device_idx: Which GPU.
        seed: Seed of the splits, the noise and the bootstrap.
        overwrite: Replace scores that are there.
    """
    from canarygan_core.fitted import generators
    from canarygan_metrics.classifier import classifier
    from canarygan_metrics.inception import record as inception_record

    _check(devices, num_nodes, num_workers, n_split=n_split, batch_size=batch_size)
    target = save_dir / "is_scores-baseline.yml"
    if target.exists() and not overwrite:
        raise CanaryganError(f"{target} is there already: give another --save-dir, or --overwrite.")
    judge = classifier.load(model_ckpt, generators.device(device, device_idx))
    clips = dataset.load()
    record = save_dir / "is_scores-baseline.manifest.json"
    with ending(Manifest.begin(record, request, dataset=dict(clips.origin), seed=seed)) as manifest:
        manifest.add_input("classifier", judge.path)
        context = inception_record.context(judge, clips, splits=n_split, seed=seed, batch=batch_size)
        real = context.pop("real")
        told = {
            **real,
            "n_split": n_split,
            "seed": seed,
            "classifier": inception_record.named(judge),
            "context": context,
        }
        inception_record.write(target, told)
        manifest.add_output(target)
    lines = [
        f"Inception score of {real['clips']} real clips: {_told(real)}, of at most {len(judge.classes)}",
        *_beside(context),
        f"Written: {target}",
    ]
    return Answer("\n".join(lines), {"path": str(target), **told})


def gan(
    *,
    model_ckpt: Annotated[Path, Parameter(alias="-m")],
    generator_ckpt: Annotated[Path, Parameter(alias="-x")],
    data_dir: Annotated[Path | None, Parameter(alias="-d")] = None,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("inception-scores"),
    vec_file: Annotated[Path | None, Parameter(alias="-z")] = None,
    n_samples: Annotated[int | None, Parameter(alias="-n")] = None,
    n_split: int = 10,
    batch_size: int = 100,
    devices: Annotated[int, Parameter(alias="-G")] = 1,
    num_nodes: Annotated[int, Parameter(alias="-N")] = 1,
    num_workers: Annotated[int, Parameter(alias="-c")] = 1,
    device: str = "auto",
    device_idx: int = 0,
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Score what a generator makes: one checkpoint, or all of a version, drawn against epochs and generator updates.

    Sounds are heard as they are made and kept nowhere. What was stopped goes on with the checkpoints that are left.

    Args:
        model_ckpt: Classifier of train-inception: a checkpoint, or the folder of a version, whose best one is taken.
        generator_ckpt: Checkpoint of a model, or the folder of a version, all of whose checkpoints are scored.
        data_dir: Folder of the real clips that stand beside. [default: the data that the classifier was trained on]
        save_dir: Folder for is_scores-version_V.yml, the curve and their manifest.
        vec_file: File of latents (n, d), the same for every checkpoint.
        n_samples: Sounds to make of latents drawn anew, the same for every checkpoint. [default: 50000 without -z]
        n_split: Equal parts that are scored on their own.
        batch_size: Sounds made at a time.
        devices: Devices; scoring runs on one.
        num_nodes: Nodes; scoring runs on one.
        num_workers: Kept for the original's command lines; sounds are made where they are heard.
        device: auto, cpu, cuda or mps.
        device_idx: Which GPU.
        seed: Seed of the latents, the splits, the noise and the bootstrap.
        overwrite: Score all checkpoints anew.
    """
    from canarygan_core.fitted import generators
    from canarygan_core.runs import files
    from canarygan_metrics.classifier import classifier
    from canarygan_metrics.inception import figure as inception_curve
    from canarygan_metrics.inception import record as inception_record

    _check(
        devices,
        num_nodes,
        num_workers,
        n_split=n_split,
        batch_size=batch_size,
        n_samples=1 if n_samples is None else n_samples,
    )
    if vec_file is not None and n_samples is not None:
        raise UsageError("Give latents with -z or a number with --n-samples, not both.")
    where = generators.device(device, device_idx)
    judge = classifier.load(model_ckpt, where)
    checkpoints, version = inception_record.checkpoints_of(generator_ckpt)
    count = n_samples if n_samples is not None or vec_file is not None else 50000
    if count is not None and count < n_split:
        raise UsageError(f"--n-split {n_split} is more than there are sounds, {count}: make more, or fewer parts.")
    settings = {
        "classifier": inception_record.named(judge),
        "n_samples": count,
        "latents": None if vec_file is None else files.digest(vec_file),
        "reference": None if data_dir is None else str(data_dir.resolve()),
        "n_split": n_split,
        "seed": seed,
    }
    target = save_dir / f"is_scores-version_{version}.yml"
    rows, context = ([], None) if overwrite else inception_record.earlier(target, settings)
    inception_record.check_same_run(target, rows, checkpoints)
    record = target.with_suffix(".manifest.json")
    with ending(Manifest.begin(record, request, seed=seed)) as manifest:
        manifest.add_input("classifier", judge.path)
        if context is None:
            real = inception_record.real_clips(judge, data_dir)
            context = inception_record.context(judge, real, splits=n_split, seed=seed, batch=batch_size)
        done = {row["checkpoint"] for row in rows}
        for number, path in enumerate(checkpoints, 1):
            if files.digest(path) in done:
                log.info(f"{path.name} is scored already.")
                continue
            log.info(f"Scoring {path.name}, {number} of {len(checkpoints)}.")
            z = inception_record.Latents(vec_file, count, seed)
            row = inception_record.scored(judge, path, z, where, splits=n_split, seed=seed, batch=batch_size)
            rows = sorted([*rows, row], key=lambda one: (one["step"], one["epoch"]))
            inception_record.write(target, {"version": version, **settings, "context": context, "rows": rows})
        figure = target.with_suffix(".png")
        inception_curve.draw(figure, rows, context, len(judge.classes), f"version {version}")
        for made in (target, figure):
            manifest.add_output(made)
    best = max(rows, key=lambda one: one["is_mean"])
    lines = [
        f"Inception score of {best['clips']} sounds a checkpoint, of at most {len(judge.classes)}:",
        *(f"  epoch {row['epoch']}, {row['step']} updates: {_told(row)}" for row in rows[-10:]),
        *([f"Best: epoch {best['epoch']}, {_told(best)}"] if len(rows) > 1 else []),
        *_beside(context),
        f"Written: {target}, {figure.name}",
    ]
    return Answer("\n".join(lines), {"path": str(target), "figure": str(figure), "rows": rows, "context": context})


def _check(devices: int, num_nodes: int, num_workers: int, **least: int) -> None:
    """Refuse numbers that make no sense, and more devices than one."""
    for name, value in {**least, "devices": devices, "num_nodes": num_nodes}.items():
        if value < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be at least 1, not {value}.")
    if num_workers < 0:
        raise UsageError(f"--num-workers must be at least 0, not {num_workers}.")
    if devices * num_nodes > 1:
        raise UsageError(
            f"-G {devices} -N {num_nodes}: scoring runs on one device. Score checkpoints side by side instead, "
            "each with its own -x and --device-idx."
        )


def _told(row: Mapping[str, Any]) -> str:
    low, high = row["is_interval_95"]
    score = f"{row['is_mean']:.3f} +- {row['is_std']:.3f}"
    return f"{score} (all together {row['is_whole']:.3f}, 95 % from {low:.3f} to {high:.3f})"


def _beside(context: Mapping[str, Mapping[str, Any]]) -> list[str]:
    names = {"real": "real clips", "noise": "white noise", "shuffled": "labels shuffled"}
    return [
        f"  {names[name]:<16} {row['is_mean']:.3f} +- {row['is_std']:.3f} ({row['clips']} clips, {row['splits']} parts)"
        for name, row in context.items()
    ]
