"""A model and a decoder of tones, so that it is known what a latent sounds like."""

import numpy as np

from canarygan_core.fitted import decoders

RATE, SAMPLES = 16000, 3200
CLASSES = ("high", "low", "mid")
EDGES = {"low": (-1.0, -0.2), "mid": (-0.2, 0.4), "high": (0.4, 1.0)}
"""Of the first coordinate, from where to where a sound is of a class."""


class Tones:
    """The first latent sets the pitch, 500 to 4000 Hz, the second the length and the third the level."""

    latent_dim, rate, samples = 3, RATE, SAMPLES
    latent_range = (-1.0, 1.0)
    progress = {"epoch": 1, "step": 1}  # noqa: RUF012

    def generate(self, z):
        time = np.arange(SAMPLES) / RATE
        z = np.asarray(z, np.float64)
        pitch = 500 * 8 ** ((z[:, :1] + 1) / 2)
        length = 0.07 + 0.04 * z[:, 1:2]
        envelope = np.clip(1 - np.square((time - 0.1) / (length / 2)), 0, None)
        level = 0.4 * 10 ** (z[:, 2:3] / 2)
        return (0.02 + level * envelope * np.sin(2 * np.pi * pitch * time)).astype(np.float32)


class Pitch:
    """A decoder by the loudest frequency: sure of a class but near its edges, and of none beyond 1 in the latents."""

    key, classes, garbage, threshold = "pitch", CLASSES, (), 0.5
    hearing = None

    def __init__(self, folder=None):
        self.folder = folder

    def judge(self, clips):
        spectrum = np.abs(np.fft.rfft(clips.audio - clips.audio.mean(1, keepdims=True), axis=1))
        hertz = spectrum.argmax(1) * clips.rate / clips.samples
        z = 2 * np.log(np.maximum(hertz, 1) / 500) / np.log(8) - 1
        inside = [np.minimum(z - EDGES[name][0], EDGES[name][1] - z) for name in CLASSES]
        odds = np.exp(20 * np.stack(inside, axis=1))
        usable = np.abs(clips.audio).max(1) > 1e-5
        posteriors = (odds / odds.sum(1, keepdims=True)).astype(np.float32)
        return decoders.Judgement.of(posteriors, CLASSES, threshold=self.threshold, usable=usable)


def judge_all(trained, clips):
    return [one.judge(clips) for one in trained]
