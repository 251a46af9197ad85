"""How good generated syllables are: a classifier, scores and distances on it, acoustics, and UMAP."""

from canarygan_core import Decoder, Metric, Projector, Task, hookimpl
from canarygan_metrics.acoustics.metric import Acoustics
from canarygan_metrics.classifier.decoder import CNN
from canarygan_metrics.scores.metrics import (
    KID,
    ClassBalance,
    DensityCoverage,
    Frechet,
    InceptionScore,
    Memorisation,
    PrecisionRecall,
)
from canarygan_metrics.umap.projector import UMAP


@hookimpl
def register_metrics() -> list[type[Metric]]:
    return [InceptionScore, Frechet, KID, PrecisionRecall, DensityCoverage, Memorisation, ClassBalance, Acoustics]


@hookimpl
def register_decoders() -> list[type[Decoder]]:
    return [CNN]


@hookimpl
def register_projectors() -> list[type[Projector]]:
    return [UMAP]


@hookimpl
def register_tasks() -> list[Task]:
    tasks = {
        "train-inception": ("classifier.task:train_inception", "Train the classifier that scores and distances use."),
        "inception baseline": ("inception.tasks:baseline", "Score real clips, which no generator beats."),
        "inception gan": ("inception.tasks:gan", "Score what a generator makes, over all of its training."),
        "umap": ("umap.task:umap", "Map generated sounds among real ones, and cluster them."),
    }
    reads = {"train-inception": "canarygan_metrics.classifier.classifier:load"}
    return [Task(name, f"canarygan_metrics.{path}", text, reads.get(name, "")) for name, (path, text) in tasks.items()]
