"""Inception scores of clips and checkpoints, the scores that give them a scale, and the file of both."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from canarygan_core import CanaryganError, Dataset, runs
from canarygan_core.audio import Hearing
from canarygan_core.audio.noise import draw_white_noise
from canarygan_core.clips import Clips
from canarygan_core.evaluation import holding, streaming
from canarygan_core.fitted import generators, latents
from canarygan_core.plugins import get_registry
from canarygan_core.plugins.options import find_paths, to_json
from canarygan_core.runs import files
from canarygan_core.runs.documents import Format, list_of, read_yaml, table_of
from canarygan_metrics.classifier.classifier import Classifier, load
from canarygan_metrics.inception.options import Scoring
from canarygan_metrics.scores.inception import compute_ceiling, inception_score, shuffled_floor

Record = dict[str, Any]

SCORE = Format(
    "a score",
    {"is_mean": float, "is_std": float, "clips": int},
    {
        **{"splits": int, "is_whole": float, "is_interval_95": list[float]},
        **{"epoch": int, "step": int, "checkpoint": str, "file": str},
    },
)

CLASSIFIER = Format("a classifier", {"digest": str}, {"path": str, "classes": list[str]})

FORMAT = Format(
    "a file of inception scores",
    {"rows": list_of(SCORE), "context": table_of(SCORE)},
    {
        **{"version": str, "classifier": CLASSIFIER, "n_samples": int, "latents": str | None},
        **{"reference": (str | None, dict), "n_split": int, "seed": int},
    },
)
"""The keys of a file of scores."""

INSTEAD = "give another --save-dir, or --overwrite to score all checkpoints anew"


def choose_device(scoring: Scoring) -> str:
    """The device that a scoring runs on, as torch spells it."""
    return generators.choose_device(scoring.device, scoring.device_idx)


def load_classifier(path: Path, scoring: Scoring) -> Classifier:
    """The classifier to score with, on its device."""
    return load(path, choose_device(scoring))


def describe(classifier: Classifier) -> Record:
    """The record of the classifier that a score was computed with."""
    return {"path": str(classifier.path), "digest": classifier.digest, "classes": list(classifier.classes)}


def posteriors_of(classifier: Classifier, batches: Iterable[Clips]) -> NDArray[np.float32]:
    """Posteriors (n, classes) of clips that come in batches, none of which is kept."""
    return np.concatenate([classifier.classify(batch)[1] for batch in batches])


def score_checkpoint(
    classifier: Classifier,
    path: Path,
    source: Path | int,
    scoring: Scoring,
    hearing: Hearing,
    latent_dim: int | None = None,
) -> Record:
    """The row of one checkpoint: the progress of its training, and the score of its sounds.

    Args:
        classifier: to classify with.
        path: the checkpoint.
        source: a file of latents, or how many to draw.
        scoring: how scores are computed.
        hearing: how the sounds are heard, as the real clips are.
        latent_dim: coordinates that the latents must have, or None.

    Raises:
        CanaryganError: where the generator takes latents of other coordinates.
    """
    generator, _, digest = generators.load_with_digest(path, get_registry(), model=None, device=choose_device(scoring))
    dim = generator.latent_dim
    if latent_dim not in (None, dim):
        raise CanaryganError(f"{path} takes latents of {dim} coordinates, not {latent_dim}: leave out --latent-dim.")
    if isinstance(source, Path):
        z = latents.read(source, dim)
    else:
        z = latents.draw_for(generator, source, seed=scoring.seed)
    made = generators.generate_clips(generator, z, scoring.batch_size)
    posteriors = posteriors_of(classifier, map(hearing.hear, made))
    score = inception_score(posteriors, splits=scoring.n_split, seed=scoring.seed)
    progress = {key: int(generator.progress[key]) for key in ("epoch", "step")}
    return {**progress, **score.record(), "checkpoint": digest, "file": path.name}


def score_context(
    classifier: Classifier, clips: Clips, scoring: Scoring, held_out: Collection[str] = ()
) -> dict[str, Record]:
    """Scores to compare another with, under the same classifier: real clips, white noise, and labels shuffled.

    Those of the real clips that were held out are scored too, in parts as large as those of all; and the labels of the
    real clips as if the classifier were certain of each, the ceiling of sounds whose classes are as frequent.

    Args:
        classifier: to classify with.
        clips: real ones.
        scoring: how scores are computed.
        held_out: names of the clips that the generator, or else the classifier, was not trained on.

    Raises:
        CanaryganError: where there are classes that the classifier does not know, or fewer clips than splits.
    """
    classifier.check_classes(clips.classes)
    splits, seed = scoring.n_split, scoring.seed
    if len(clips) < splits:
        raise CanaryganError(f"--n-split {splits} is more than there are real clips, {len(clips)}: take fewer splits.")
    real = posteriors_of(classifier, streaming.iterate_batches(clips, "real clips"))
    noise = posteriors_of(classifier, draw_white_noise(clips, seed).batches(scoring.batch_size))
    labels = clips.labels if clips.labels is not None else real.argmax(1)
    context: dict[str, Record] = {}
    mask = np.isin(holding.list_names(clips), list(held_out))
    if mask.any() and not mask.all():
        parts = max(1, round(splits * int(mask.sum()) / len(clips)))
        context["held_out"] = inception_score(real[mask], splits=parts, seed=seed).record()
    if clips.labels is not None:
        certain = {"is_mean": compute_ceiling(clips.labels), "is_std": 0.0, "clips": len(clips), "splits": 1}
        context["ceiling"] = certain
    return {
        "real": inception_score(real, splits=splits, seed=seed).record(),
        **context,
        "noise": inception_score(noise, splits=min(splits, len(noise)), seed=seed).record(),
        "shuffled": shuffled_floor(real, labels, splits=splits, seed=seed).record(),
    }


def describe_dataset(dataset: Dataset) -> Record:
    """The record of the real clips that scores are compared with; what says where they lie is absolute."""
    options = to_json(dataset)
    places = {name: str(Path(options[name]).resolve()) for name in find_paths(type(dataset)) if options[name]}
    return {"dataset": dataset.name, "options": options | places}


def load_real(classifier: Classifier, dataset: Dataset | None) -> Clips:
    """The real clips to compare a score with: those of a dataset, or those that the classifier was trained on.

    Raises:
        CanaryganError: where nothing says which those were, or they are gone.
    """
    if dataset is not None:
        return dataset.load()
    run = runs.find_by_checkpoint(classifier.path)
    if run is None or "dataset" not in run.manifest.record["options"]:
        raise CanaryganError(
            f"Nothing says which data {classifier.path} was trained on: give the real clips with -d or --dataset."
        )
    try:
        clips: Clips = get_registry().restore("dataset", run.checkpoints, run.manifest.record).load()
    except CanaryganError as error:
        raise CanaryganError(f"{error}\nThis was the data of the classifier: give it with -d or --dataset.") from None
    return clips


def find_held_out(classifier: Classifier, generator: Path | None = None) -> Collection[str]:
    """Names of the clips that a generator was not trained on, or else the classifier."""
    run = None if generator is None else runs.find_by_checkpoint(generator)
    names: Collection[str] = () if run is None else run.manifest.record.get("held_out", {}).get("sources", ())
    return names or classifier.held_out


def find_checkpoints(path: Path) -> tuple[list[Path], str]:
    """The checkpoints to score, in the order of the numbers in their names, and their version.

    Raises:
        CanaryganError: where there is none.
    """
    if path.is_dir():
        run = runs.find(path)
        return run.list_checkpoints() or [runs.find_checkpoint(path)], run.version
    return [path], runs.name_version(runs.find_checkpoint(path))


def check_same_run(path: Path, rows: list[Record], checkpoints: list[Path]) -> None:
    """Raise `CanaryganError` where a file has rows of scores, and none is of a checkpoint of the same run as these."""
    run = runs.find_by_checkpoint(checkpoints[0])
    others = [] if run is None else sorted(run.checkpoints.rglob("*.ckpt"))
    done = {row["checkpoint"] for row in rows}
    if rows and not any(files.compute_digest(one) in done for one in [*checkpoints, *others]):
        raise CanaryganError(f"{path} holds scores of another run than {checkpoints[0]}: {INSTEAD}.")


def read_earlier(path: Path, settings: Mapping[str, Any]) -> tuple[list[Record], Record | None]:
    """The rows and the context of a file of scores, where it is there and was made with the same settings.

    Raises:
        CanaryganError: where it was made with others, or is no such file.
    """
    if not path.is_file():
        return [], None
    content = read(path)
    for name, value in settings.items():
        before, now = content.get(name), value
        if name == "classifier":
            before, now = (before or {}).get("digest"), value["digest"]
        if before != now:
            raise CanaryganError(f"{path} holds scores made with {name} {before}, not {now}: {INSTEAD}.")
    return list(content["rows"]), content["context"]


def read(path: Path) -> Record:
    """A file of scores.

    Raises:
        CanaryganError: where it is none.
    """
    try:
        return FORMAT.check(read_yaml(path), path)
    except CanaryganError as error:
        advice = "remove it, or give another --save-dir"
        raise CanaryganError(f"{path} is no file of inception scores: {advice} ({error})") from None


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file of scores, atomically."""
    files.write_text(path, yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True))
