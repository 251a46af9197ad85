"""How good generated syllables are: a classifier, scores and distances on it, acoustics, UMAP and a report."""

from canarygan_core import Metric, Projector, Task, hookimpl
from canarygan_metrics.acoustics_metric import Acoustics
from canarygan_metrics.components import (
    KID,
    ClassBalance,
    DensityCoverage,
    Frechet,
    InceptionScore,
    Memorisation,
    PrecisionRecall,
)
from canarygan_metrics.umap_projector import UMAP


@hookimpl
def register_metrics() -> list[type[Metric]]:
    return [InceptionScore, Frechet, KID, PrecisionRecall, DensityCoverage, Memorisation, ClassBalance, Acoustics]


@hookimpl
def register_projectors() -> list[type[Projector]]:
    return [UMAP]


@hookimpl
def register_tasks() -> list[Task]:
    here = "canarygan_metrics"
    return [
        Task(
            "train-inception",
            f"{here}.train_inception:train_inception",
            "Train the classifier that inception scores and distances listen with.",
        ),
        Task("inception baseline", f"{here}.inception:baseline", "Score real clips, which no generator beats."),
        Task("inception gan", f"{here}.inception:gan", "Score what a generator makes, over all of its training."),
        Task("umap", f"{here}.umap_task:umap", "Map generated sounds among real ones, and cluster them."),
        Task("report", f"{here}.report.task:report", "Gather a run into one HTML file: scores, maps, sounds."),
    ]
