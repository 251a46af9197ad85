"""The garbage classes, together X: noise, the clips spoilt, and sounds of a GAN while it trains."""

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import runs
from canarygan_core.audio import Hearing, align, find_extent
from canarygan_core.audio.noise import draw_coloured_noise
from canarygan_core.clips import Clips, concatenate
from canarygan_core.components import Generator
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.fitted import generators, latents
from canarygan_core.plugins import get_registry
from canarygan_decoders.dataset.examples import GARBAGE, labels_and_sources

log = logging.getLogger("canarygan")

OVERTRAINED, NOISE = "OT", "WN"

MADE = ("X-noise", "X-burst", "X-reversed", "X-shuffled", "X-mixed")
"""The garbage classes of `make_garbage`."""

BANDS = 8
"""Bands of equal width that are shuffled."""

BURST = (0.01, 0.3)
"""Shortest and longest burst of noise, s."""

SLOPE = (0.001, 0.5)
"""Shortest and longest attack, and decay, of a burst, of its length."""

LATER = 0.03
"""How much later the second sound of a mixture starts, at most, s."""

Audio = NDArray[np.float32]

BATCH = 100
"""Sounds generated at a time."""


def make_garbage(clips: Clips, seed: int, copies: int = 0) -> Clips:
    """The classes `MADE`, which need no GAN, each as large as a real class is on average.

    No two bursts are alike, and the nearest neighbour of one is soon a real clip under noise where those are many. So
    there are as many bursts as clips of a real class with their altered copies.

    `X-noise` is white, pink or of a random spectrum and lasts for a random time; `X-burst` is a short burst of such
    noise under a random envelope. `X-reversed` are syllables backwards, `X-shuffled` have their frequency bands in
    another order, and `X-mixed` are two syllables of different classes at once.

    Args:
        clips: with labels; the garbage is filtered like them.
        seed: of all that is random.
        copies: altered copies that each real clip has.
    """
    count = max(1, round(len(clips) / len(clips.classes)))
    rng = np.random.default_rng([seed, 7])
    parts = [
        _mask(_draw_noise((count, clips.samples), clips.rate, rng), _draw_ends(count, clips, rng)),
        _draw_bursts(((1 + copies) * count, clips.samples), clips.rate, rng),
        _reverse(_pick(clips, count, rng), clips.rate),
        _shuffle_bands(_pick(clips, count, rng), rng),
        _mix(clips, count, rng),
    ]
    hearing = Hearing.of(clips)
    return concatenate(
        _label(hearing.hear(Clips(np.asarray(part, np.float32), clips.rate)), label)
        for part, label in zip(parts, MADE, strict=True)
    )


def _draw_noise(shape: tuple[int, int], rate: int, rng: np.random.Generator) -> Audio:
    """Noise (n, samples), in turn white, pink and of random spectra, with a peak of 1."""
    white, pink = (draw_coloured_noise(shape, rate, rng, slopes=(a, a), roughness=0.0) for a in (0.0, 1.0))
    other, turn = draw_coloured_noise(shape, rate, rng, slopes=(-2.0, 3.0), roughness=9.0), np.arange(shape[0])[:, None]
    return _to_peak(np.choose(turn % 4, [white, pink, other, other]))


def _draw_ends(count: int, clips: Clips, rng: np.random.Generator) -> NDArray[np.intp]:
    """Where noises (count,) end: half of them last as long as a clip."""
    ends = rng.integers(clips.samples // 20, clips.samples + 1, count)
    return np.where(rng.random(count) < 0.5, ends, clips.samples)


def _draw_bursts(shape: tuple[int, int], rate: int, rng: np.random.Generator) -> Audio:
    """Bursts of noise (n, samples) from the start, of random length, attack and decay."""
    moments = np.arange(shape[1])

    def draw(least: float, most: float) -> NDArray[np.float64]:
        return np.exp(rng.uniform(np.log(least), np.log(most), (shape[0], 1)))

    length = draw(*BURST) * rate
    attack, decay = (length * draw(*SLOPE) for _ in range(2))
    envelope = np.clip(np.minimum(moments / attack, (length - moments) / decay), 0, 1)
    return _to_peak(_draw_noise(shape, rate, rng) * envelope.astype(np.float32))


def _pick(clips: Clips, count: int, rng: np.random.Generator) -> Audio:
    return np.array(clips.audio[np.sort(rng.choice(len(clips), count, replace=count > len(clips)))])


def _reverse(audio: Audio, rate: int) -> Audio:
    """Sounds (n, samples) backwards within their extent."""
    for sound, start, end in zip(audio, *find_extent(audio, rate, background=None), strict=True):
        sound[start:end] = sound[start:end][::-1].copy()
    return audio


def _shuffle_bands(audio: Audio, rng: np.random.Generator) -> Audio:
    """Sounds (n, samples) with their frequency bands in another order, none where it was."""
    spectrum = np.fft.rfft(audio, axis=1)
    width = spectrum.shape[1] // BANDS
    for row in spectrum:
        step = int(rng.integers(1, BANDS))
        order = rng.permutation(BANDS)
        bands = row[: BANDS * width].reshape(BANDS, width)
        bands[order] = bands[np.roll(order, step)]
    return _to_peak(np.fft.irfft(spectrum, audio.shape[1], axis=1))


def _mix(clips: Clips, count: int, rng: np.random.Generator) -> Audio:
    """Sums (count, samples) of two sounds of different classes and equal peaks, which start at about the same time."""
    labels = labels_and_sources(clips)[0]
    one = np.sort(rng.choice(len(clips), count, replace=count > len(clips)))
    other = np.array([rng.choice(np.flatnonzero(labels != label)) for label in labels[one]])
    first, second = (_to_peak(align(clips.audio[rows], clips.rate)) for rows in (one, other))
    for row, later in enumerate(rng.integers(0, round(LATER * clips.rate) + 1, count)):
        first[row, later:] += second[row, : clips.samples - later]
    return _to_peak(first)


def _mask(audio: Audio, ends: NDArray[np.intp]) -> Audio:
    return np.where(np.arange(audio.shape[1]) < ends[:, None], audio, np.float32(0))


def _to_peak(audio: NDArray[np.floating[Any]]) -> Audio:
    """Sounds (n, samples) brought to a peak of 1, where they are not silent."""
    peak = np.abs(audio).max(1, keepdims=True)
    return np.asarray(audio / np.where(peak > 0, peak, 1), np.float32)


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
    hearing = Hearing.of(clips)
    facts = {"gain": gain, GARBAGE: np.zeros(len(clips), bool)}
    parts = [replace(clips, sources=labels_and_sources(clips)[1], facts=facts)]
    for number, (label, epoch) in enumerate(epoch_of.items()):
        generator = generators.load(checkpoints[epoch], get_registry(), model=None, device="cpu")[0]
        actual = generator.progress["epoch"]
        if actual != epoch:
            raise CanaryganError(
                f"{checkpoints[epoch]} is of epoch {actual}, not {epoch} as its name says. Give it its old name again."
            )
        parts.append(_label(_generate(generator, hearing, count, seed + number), label))
    noise = np.random.default_rng([seed, 99]).standard_normal((count, clips.samples), np.float32)
    parts.append(_label(hearing.hear(Clips(noise / np.abs(noise).max(1, keepdims=True), clips.rate)), NOISE))
    log.info(f"Garbage classes of {count} clips each: {', '.join(labels)}.")
    log.warning(f"{OVERTRAINED} are sounds of the last epoch of {run}: these decoders will call what it makes X.")
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


def _generate(generator: Generator, hearing: Hearing, count: int, seed: int) -> Clips:
    """Sounds of a generator from uniform latents, as they are heard."""
    z = latents.draw_for(generator, count, seed=seed)
    return hearing.hear(concatenate(generators.generate_clips(generator, z, BATCH)))


def _label(clips: Clips, label: str) -> Clips:
    """Clips that all have one label."""
    count = len(clips)
    return replace(
        clips,
        labels=np.full(count, label),
        latents=None,
        sources=np.array([f"{label}/{number:04d}" for number in range(count)]),
        facts={"gain": np.ones(count, np.float32), GARBAGE: np.ones(count, bool)},
    )
