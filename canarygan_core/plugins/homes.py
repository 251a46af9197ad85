"""Which distribution of ours brings a name: what to install where it is missing."""

WAVEGAN, DECODERS, METRICS = "canarygan-wavegan", "canarygan-decoders", "canarygan-metrics"
REPORT = "canarygan-report"

HOMES: dict[str, dict[str, str]] = {
    "model": {"wavegan": WAVEGAN},
    "decoder": dict.fromkeys(("esn", "knn", "svm"), DECODERS),
    "metric": dict.fromkeys(
        (
            *("acoustics", "class-balance", "density-coverage", "frechet", "inception-score", "kid", "memorisation"),
            "precision-recall",
        ),
        METRICS,
    ),
    "projector": {"umap": METRICS},
    "task": dict.fromkeys(("build-decoder-dataset", "train-decoders"), DECODERS)
    | dict.fromkeys(("inception", "inception baseline", "inception gan", "train-inception", "umap"), METRICS)
    | {"report": REPORT},
}
"""Distributions of ours that bring a name, by kind, for the message when it is missing."""


def home(name: str, kind: str = "") -> str:
    """A closing sentence on what to install for a name of ours, of a kind or of any; or nothing."""
    homes = [names[name] for one, names in HOMES.items() if name in names and kind in ("", one)]
    return f" It comes with {homes[0]}: {advice(homes[0])}." if homes else ""


def advice(*distributions: str) -> str:
    """How to install one of these distributions of ours."""
    named, folders = (
        " or ".join(names) for names in (distributions, [f"plugins/{d.replace('-', '_')}" for d in distributions])
    )
    return f"pip install {named}, or in a clone pip install -e {folders}"
