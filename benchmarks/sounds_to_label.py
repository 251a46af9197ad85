"""Sounds to ask decoders about: clips moved or cut anew, noise, generated sounds, and other recordings."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import torch

from canarygan_core import audio, runs
from canarygan_core.clips import fit_length
from canarygan_core.fitted import generators, latents
from canarygan_core.plugins import get_registry

RATE, SAMPLES = 16000, 16000


MANY = 300
"""Sounds of each kind that is no syllable."""


Audio = np.ndarray[Any, np.dtype[np.float32]]


def move(sounds: Audio, milliseconds: float) -> Audio:
    """Clips as if they had been cut so much earlier: the sound starts later."""
    shift = round(milliseconds * RATE / 1000)
    moved = np.roll(sounds, shift, axis=1)
    moved[:, slice(shift) if shift > 0 else slice(shift, None)] = 0
    return moved if shift else sounds


def remove_margins(sounds: Audio, milliseconds: float = 10) -> Audio:
    """Clips without the background before and after their sound."""
    width = round(milliseconds * RATE / 1000)
    bare = np.zeros_like(sounds)
    for sound, clip in zip(sounds, bare, strict=True):
        last = int(np.flatnonzero(sound)[-1]) + 1
        clip[: last - 2 * width] = sound[width : last - width]
    return bare


def make_noises(seed: int) -> dict[str, Audio]:
    """Noise and bursts, by a generator of random numbers that training does not use."""
    rng = np.random.default_rng([seed, 12345])
    white = rng.standard_normal((MANY, SAMPLES), np.float32)
    spectrum = np.fft.rfft(rng.standard_normal((MANY, SAMPLES)))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(spectrum.shape[1]), 1)), SAMPLES).astype(np.float32)
    length, start = rng.integers(320, 2400, (MANY, 1)), rng.integers(0, 800, (MANY, 1))
    moments = np.arange(SAMPLES)
    bursts = np.where((moments >= start) & (moments < start + length), rng.standard_normal((MANY, SAMPLES)), 0)
    return {"white noise": white, "pink noise": pink, "noise bursts, 20 to 150 ms": bursts.astype(np.float32)}


def untrained(seed: int) -> Audio:
    """Sounds of a generator before its first update."""
    from canarygan_wavegan.model import Generator, Shape

    torch.manual_seed(seed)
    with torch.inference_mode():
        sounds = Generator(Shape(latent_dim=3, dim=16, samples=4096))(torch.rand(MANY, 3) * 2 - 1)
    return fit_length(sounds.numpy().reshape(MANY, -1), SAMPLES)


def generate(run: Path, count: int) -> tuple[Audio, int]:
    """Sounds of the last checkpoint of a run, and its epoch."""
    generator, _ = generators.load(runs.find_checkpoint(run), get_registry(), model=None, device="cpu")
    z = latents.draw(count, generator.latent_dim, seed=0)
    sounds = np.concatenate([*generators.generate_sounds(generator, z, 100)])
    return fit_length(sounds, SAMPLES), generator.progress["epoch"]


def read_other(folder: Path) -> Audio:
    """The syllables of recordings with evsonganaly's annotations, with 10 ms around them, at one peak."""
    import scipy.io

    clips = []
    for path in sorted(folder.glob("*.cbin")):
        sound = np.fromfile(path, ">i2").reshape(-1, 2)[:, 0].astype(np.float32) / 32768
        sound = audio.resample(sound[None], 32000, RATE)[0]
        table = scipy.io.loadmat(f"{path}.not.mat", squeeze_me=True)
        spans = zip(table["onsets"] / 1000, table["offsets"] / 1000, table["labels"], strict=True)
        clips += [cut(sound, onset - 0.01, offset + 0.01) for onset, offset, label in spans if label not in "-0"]
    return np.stack(clips)


def cut(sound: Audio, onset: float, offset: float) -> Audio:
    """A stretch (s) of a recording, padded to a second, without offset and at one peak."""
    part = sound[max(round(onset * RATE), 0) : round(offset * RATE)]
    part = part - part.mean()
    return fit_length(0.95 * part[None] / np.abs(part).max(), SAMPLES)[0].astype(np.float32)


def read_own(folder: Path, margin: float, labels: list[str]) -> tuple[Audio, np.ndarray[Any, Any]]:
    """The annotated notes of recordings, with a margin (s), and their labels."""
    clips, names, sounds = [], [], {}
    for sequence in ElementTree.parse(folder / "Annotation.xml").getroot().iter("Sequence"):
        path = folder / "Wave" / sequence.findtext("WaveFileName", "")
        if not path.is_file():
            continue
        if path not in sounds:
            sounds[path] = audio.read(path, RATE).audio
        begin = int(sequence.findtext("Position", "0"))
        for note in sequence.iter("Note"):
            onset = (begin + int(note.findtext("Position", "0"))) / 32000
            label = f"syll_{note.findtext('Label')}"
            if label in labels:
                offset = onset + int(note.findtext("Length", "0")) / 32000
                clips.append(cut(sounds[path], onset - margin, offset + margin))
                names.append(label)
    return np.stack(clips), np.array(names)
