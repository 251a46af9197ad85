"""The garbage classes, together X: sounds of a GAN that had not learnt yet, or for too long, and white noise."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from canarygan_core import runs
from canarygan_core.clips import Clips, fit_length
from canarygan_core.components import Generator
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.fitted import generators, latents
from canarygan_core.plugins import installed
from canarygan_decoders.dataset import joined

log = logging.getLogger("canarygan")

OVERTRAINED, NOISE = "OT", "WN"

BATCH = 100
"""Sounds generated at a time."""


def with_garbage(clips: Clips, run: Path, epochs: Sequence[int], seed: int) -> tuple[Clips, list[str]]:
    """Real clips and as many of each garbage class as a real class has on average; and the garbage classes' names.

    Args:
        clips: labelled.
        run: a version's folder of a GAN training, or the folder of versions, whose newest is taken.
        epochs: those after which the GAN's sounds are an early class, `EARLY15` after 15.
        seed: of latents and noise.

    Raises:
        CanaryganError: where the run has no checkpoint of an epoch, or a class of a garbage class's name is there.
    """
    count = round(len(clips) / len(clips.classes))
    kept = checkpoints(run)
    last = max(kept)
    names = {f"EARLY{epoch}": epoch for epoch in dict.fromkeys(epochs)} | {OVERTRAINED: last}
    missing = sorted(set(names.values()) - kept.keys())
    there = ", ".join(map(str, sorted(kept)))
    if missing:
        raise CanaryganError(
            f"{run} has no checkpoint of epoch {missing[0]}; there are those of {there}. Choose by --early-epochs."
        )
    if last in epochs:
        raise UsageError(
            f"Epoch {last} is the last of {run} and so the over-trained one: give earlier ones of {there}."
        )
    if clash := sorted({*names, NOISE} & set(clips.classes)):
        raise CanaryganError(f"The data has a class {clash[0]} already, which --garbage would add: rename its folder.")
    parts = [clips]
    for number, (name, epoch) in enumerate(names.items()):
        generator = generators.load(kept[epoch], installed(), model=None, device="cpu")[0]
        found = generator.progress["epoch"]
        if found != epoch:
            raise CanaryganError(
                f"{kept[epoch]} is of epoch {found}, not {epoch} as its name says. Give it back its name."
            )
        parts.append(_labelled(_sounds(generator, clips, count, seed + number), clips, name))
    noise = np.random.default_rng([seed, 99]).standard_normal((count, clips.samples), np.float32)
    parts.append(_labelled(noise / np.abs(noise).max(1, keepdims=True), clips, NOISE))
    log.info(f"Garbage classes of {count} clips each: {', '.join([*names, NOISE])}.")
    return joined(parts), [*names, NOISE]


def checkpoints(run: Path) -> dict[int, Path]:
    """The checkpoints of a run by epoch; their names only say where to look, `with_garbage` asks what they hold.

    Raises:
        CanaryganError: where there is none.
    """
    folder = run if (run / "manifest.json").is_file() else runs.latest(run)
    kept = {
        int(found[1]): path
        for path in sorted((folder / "all").glob("*.ckpt"))
        if (found := re.search(r"epoch[_=](\d+)", path.name))
    }
    if not kept:
        raise CanaryganError(
            f"{folder} has no checkpoints in all/: --garbage takes the folder of a GAN training that has saved some."
        )
    return kept


def _sounds(
    generator: Generator, clips: Clips, count: int, seed: int
) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    """Sounds of a generator from uniform latents, at the rate and length of the clips."""
    import soxr

    z = latents.draw(count, generator.latent_dim, seed=seed)
    audio = np.concatenate([generator.generate(z[start : start + BATCH]) for start in range(0, count, BATCH)])
    if generator.rate != clips.rate:
        audio = np.stack([soxr.resample(sound, generator.rate, clips.rate, quality="HQ") for sound in audio])
    return fit_length(audio, clips.samples)


def _labelled(audio: "np.ndarray[tuple[int, int], np.dtype[np.float32]]", like: Clips, name: str) -> Clips:
    count = len(audio)
    return Clips(
        np.ascontiguousarray(audio, np.float32),
        like.rate,
        labels=np.full(count, name),
        sources=np.array([f"{name}/{number:04d}" for number in range(count)]),
        facts={"gain": np.ones(count, np.float32)},
    )
