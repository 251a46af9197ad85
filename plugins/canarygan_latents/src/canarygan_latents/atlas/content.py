"""The content of an atlas as JSON values."""

import base64
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips
from canarygan_core.fitted import latents
from canarygan_core.fitted.decoders import TrainedDecoder
from canarygan_latents.atlas import network, relations, views
from canarygan_latents.atlas.judging import Heard, hear, label_clips, list_classes
from canarygan_latents.atlas.measures import UNITS
from canarygan_latents.atlas.views import View
from canarygan_latents.opening import Opened, find_box
from canarygan_latents.options import BATCHES, SEEDS, check_range

Json = dict[str, Any]

SIDES = (2, 40)
"""Fewest and most cells along an axis."""

DRAWS = (100, 100_000)
"""Fewest and most latents drawn beyond three dimensions."""


@dataclass(frozen=True)
class Sizes:
    """How much of the space is looked at.

    Attributes:
        side: cells along each axis of a view.
        axes: of the first view, from 1; None for the first three.
        at: latent whose coordinates the other axes keep, with commas; None for the middle of the box.
        draws: latents drawn as in training, by which shares and relations are taken beyond three dimensions.
        batch_size: sounds made at a time.
        seed: of what is drawn.

    Raises:
        UsageError: on a number that makes no sense.
    """

    side: int = 20
    axes: Sequence[int] | None = None
    at: str | None = None
    draws: int = 4000
    batch_size: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        check_range("side", self.side, SIDES)
        check_range("draws", self.draws, DRAWS)
        check_range("batch-size", self.batch_size, BATCHES)
        check_range("seed", self.seed, SEEDS)


def plan_views(opened: Opened, sizes: Sizes) -> list[View]:
    """The views of a generator's space.

    Raises:
        UsageError: on axes or a point that the space does not have.
    """
    low, high = find_box(opened.generator)
    at = views.choose_point(low, high, sizes.at)
    axes = views.choose_axes(len(low), sizes.axes)
    return views.make_views(low, high, side=sizes.side, axes=axes, at=at)


def make_content(
    opened: Opened,
    trained: Sequence[TrainedDecoder],
    sizes: Sizes = Sizes(),
    *,
    clips: Clips | None = None,
    record: Mapping[str, Any] | None = None,
    server: Json | None = None,
) -> Json:
    """All that the page shows.

    Args:
        opened: the generator.
        trained: decoders that label its sounds, or none.
        sizes: how much of the space.
        clips: real clips, whose shares of labels are shown beside those of the space.
        record: the page's own manifest.
        server: where a generator answers behind the page, `{"sound": URL, "token": TEXT}`; the page then holds none.

    Raises:
        UsageError: on axes or a point that the space does not have.
    """
    generator = opened.generator
    shown = plan_views(opened, sizes)
    low, high, at = shown[0].low, shown[0].high, shown[0].at
    parts = [view.latents() for view in shown]
    is_whole = len(shown[0].axes) == len(low)  # the first view is the whole box
    if not is_whole:
        parts.append(latents.draw_for(generator, sizes.draws, seed=sizes.seed))
    heard = hear(opened, trained, np.concatenate(parts), sizes.batch_size)
    ends = np.cumsum([len(part) for part in parts]).tolist()
    each = [heard.select(slice(end - len(part), end)) for part, end in zip(parts, ends, strict=True)]
    sample, spread = (parts[0], each[0]) if is_whole else (parts[-1], each[-1])
    classes = list_classes(trained)
    kept, why = (None, "") if server else network.describe_network(generator, low, high)
    sounds = None if kept or server else network.gather_sounds(generator, shown, sizes.batch_size)
    known = record or {}
    return {
        "title": f"Latent space of version {opened.version}",
        "made": known.get("started", ""),
        "system": known.get("versions", {}).get("canarygan-latents", ""),
        "command": shlex.join(["canarygan", *known.get("argv", [])]),
        "server": server,
        "model": _describe_model(opened),
        "box": {"low": low.tolist(), "high": high.tolist(), "at": at.tolist()},
        "classes": classes,
        "decoders": [one.key for one in trained],
        "measures": UNITS,
        "views": [_show(view, heard, classes) for view, heard in zip(shown, each, strict=False)],
        "network": kept,
        "sounds": sounds and {"why": why, "views": sounds},
        "sample": {"count": len(sample), "whole": is_whole},
        "shares": _count_shares(spread.labels, clips, trained, classes),
        "relations": relations.relate(sample, spread.measures, tuple(range(len(low))), seed=sizes.seed),
    }


def _describe_model(opened: Opened) -> Json:
    generator = opened.generator
    size = {"dim": generator.latent_dim, "rate": generator.rate, "samples": generator.samples}
    return {"version": opened.version, "stem": opened.stem, **generator.progress, **size}


def _show(view: View, heard: Heard, classes: Sequence[str]) -> Json:
    """A view with what its sounds are, in base64: labels as uint16, shares as bytes, measures as float32."""
    places = {label: number for number, label in enumerate(classes)}
    labels = [] if heard.labels is None else [places[label] for label in heard.labels.tolist()]
    shares = {name: _encode_shares(getattr(heard, name)) for name in ("posterior", "agreement", "syllable")}
    measures = {name: _encode(values.astype(np.float32)) for name, values in heard.measures.items()}
    return {
        "axes": list(view.axes),
        "side": view.side,
        "label": _encode(np.asarray(labels, np.uint16)) if labels else None,
        **shares,
        "measures": measures,
    }


def _encode(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode()


def _encode_shares(values: NDArray[np.float64]) -> str:
    return _encode(np.round(255 * np.clip(values, 0, 1)).astype(np.uint8))


def _count_shares(
    labels: NDArray[np.str_] | None, clips: Clips | None, trained: Sequence[TrainedDecoder], classes: Sequence[str]
) -> Json | None:
    """How often each label is given in the space, and to real clips, by their dataset and by the decoders.

    None without labels of the space.
    """
    if labels is None:
        return None
    counts = {"latent space": Counter(labels.tolist())}
    if clips is not None and clips.labels is not None:
        counts["real clips"] = Counter(clips.labels.tolist())
        counts["real clips as decoded"] = Counter(label_clips(trained, clips).tolist())
    known = sorted(
        {*classes} | {label for count in counts.values() for label in count}, key=lambda one: (one == "X", one)
    )
    sides = [
        {"name": name, "count": count.total(), "counts": [count[label] for label in known]}
        for name, count in counts.items()
    ]
    return {"classes": known, "sides": sides}
