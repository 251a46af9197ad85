"""The garbage classes, together X: sounds of a GAN after few epochs, of an over-trained GAN, and white noise."""

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from canarygan_core import runs
from canarygan_core.audio import Filter, hear, resample
from canarygan_core.clips import Clips, concatenate, fit_length
from canarygan_core.components import Generator
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.fitted import generators, latents
from canarygan_core.plugins import get_registry
from canarygan_decoders.dataset.examples import labels_and_sources

log = logging.getLogger("canarygan")

OVERTRAINED, NOISE = "OT", "WN"

BATCH = 100
"""Sounds generated at a time."""


def add_garbage(clips: Clips, run: Path, epochs: Sequence[int], seed: int) -> tuple[Clips, list[str]]:
    """Add garbage classes, each as large as a real class is on average; returns all clips and the garbage labels.

    The garbage is filtered like the clips.

    Args:
        clips: with labels.
        run: folder of one version of a GAN training, or of its versions, of which the newest is used.
        epochs: epochs whose sounds become a class each, `EARLY15` from epoch 15.
        seed: of latents and noise.

    Raises:
        CanaryganError: where the run has no checkpoint of an epoch, or the data has a class with a garbage label.
    """
    count = round(len(clips) / len(clips.classes))
    checkpoints = find_checkpoints(run)
    last = max(checkpoints)
    epoch_of = {f"EARLY{epoch}": epoch for epoch in dict.fromkeys(epochs)} | {OVERTRAINED: last}
    labels = [*epoch_of, NOISE]
    available = ", ".join(map(str, sorted(checkpoints)))
    if missing := sorted(set(epoch_of.values()) - checkpoints.keys()):
        raise CanaryganError(
            f"{run} has no checkpoint of epoch {missing[0]}; there are those of {available}. Choose by --early-epochs."
        )
    if last in epochs:
        raise UsageError(
            f"Epoch {last} is the last of {run} and so the over-trained one: give earlier ones of {available}."
        )
    if clash := sorted(set(labels) & set(clips.classes)):
        raise CanaryganError(f"The data has a class {clash[0]} already, which --garbage would add: rename its folder.")
    gain = clips.facts.get("gain", np.ones(len(clips), np.float32))
    parts = [replace(clips, sources=labels_and_sources(clips)[1], facts={"gain": gain})]
    filtering = Filter.of(clips.origin)
    for number, (label, epoch) in enumerate(epoch_of.items()):
        generator = generators.load(checkpoints[epoch], get_registry(), model=None, device="cpu")[0]
        actual = generator.progress["epoch"]
        if actual != epoch:
            raise CanaryganError(
                f"{checkpoints[epoch]} is of epoch {actual}, not {epoch} as its name says. Give it its old name again."
            )
        parts.append(hear(_label(_generate(generator, clips, count, seed + number), clips.rate, label), filtering))
    noise = np.random.default_rng([seed, 99]).standard_normal((count, clips.samples), np.float32)
    parts.append(hear(_label(noise / np.abs(noise).max(1, keepdims=True), clips.rate, NOISE), filtering))
    log.info(f"Garbage classes of {count} clips each: {', '.join(labels)}.")
    return concatenate(parts), labels


def find_checkpoints(run: Path) -> dict[int, Path]:
    """The checkpoints of a run by the epoch in their name; `add_garbage` checks which epoch they hold.

    Raises:
        CanaryganError: where there is none.
    """
    paths = runs.find(run).list_checkpoints()
    checkpoints = {int(match[1]): path for path in paths if (match := re.search(r"epoch[_=](\d+)", path.name))}
    if not checkpoints:
        raise CanaryganError(
            f"{run} has no checkpoints in all/: --garbage takes the folder of a GAN training that has saved some."
        )
    return checkpoints


def _generate(generator: Generator, like: Clips, count: int, seed: int) -> NDArray[np.float32]:
    """Sounds of a generator from uniform latents, with the rate and length of some clips."""
    z = latents.draw(count, generator.latent_dim, seed=seed)
    audio = np.concatenate([generator.generate(z[start : start + BATCH]) for start in range(0, count, BATCH)])
    return fit_length(resample(audio, generator.rate, like.rate), like.samples)


def _label(audio: NDArray[np.float32], rate: int, label: str) -> Clips:
    """Clips that all have one label."""
    count = len(audio)
    return Clips(
        np.ascontiguousarray(audio, np.float32),
        rate,
        labels=np.full(count, label),
        sources=np.array([f"{label}/{number:04d}" for number in range(count)]),
        facts={"gain": np.ones(count, np.float32)},
    )
