"""The training of the decoder `cnn`: a plain loop, since it takes a minute and nobody resumes it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from canarygan_core.clips import Clips
from canarygan_core.console import track
from canarygan_core.fitted.novelty import MOST, Novelty
from canarygan_metrics.classifier.module import alter_some
from canarygan_metrics.classifier.network import Network
from canarygan_metrics.classifier.spectrogram import Spectrogram

CHUNK = 64
"""Clips whose spectrograms are made at a time."""

HELD_OUT = 10
"""One of so many clips of each class is held out to calibrate on."""

KEPT = 1 / 3
"""Level below which novelty hears nothing: 40 of the 60 dB that a spectrogram shows count."""

SHARPNESSES = np.geomspace(0.1, 10, 41)
"""Factors of the logits that calibration tries."""


@dataclass(frozen=True)
class Plan:
    """How to train; see the options of the decoder `cnn`."""

    sizes: Spectrogram
    channels: int
    epochs: int
    batch_size: int
    lr: float
    altered: float
    seed: int


def train(plan: Plan, clips: Clips) -> tuple[Network, float]:
    """The network after its training, in evaluation mode; and by what its logits are multiplied."""
    sizes, seed = plan.sizes, plan.seed
    assert clips.labels is not None
    targets = np.searchsorted(clips.classes, clips.labels)
    train, held = _hold_out(targets, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Network(sizes.n_mels, sizes.frames, len(clips.classes), plan.channels)
    batches = max(1, len(train) // plan.batch_size)
    optimiser = torch.optim.AdamW(network.parameters(), plan.lr, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.lr, total_steps=plan.epochs * batches)
    network.train()
    for number in track(range(plan.epochs * batches), "training cnn", plan.epochs * batches):
        epoch, batch = divmod(number, batches)
        rng = np.random.default_rng([seed, number])
        rows = np.array_split(np.random.default_rng([seed, 1, epoch]).permutation(train), batches)[batch]
        part = alter_some(clips.select(rows), plan.altered, rng)
        _, logits = network(sizes.of(part))
        loss = F.cross_entropy(logits, torch.from_numpy(targets[rows]), label_smoothing=0.05)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
    network.eval()
    if not len(held):
        return network, 1.0
    logits = torch.cat([compute_logits(network, part) for part in iterate_inputs(plan.sizes, clips.select(held))])
    truth = torch.from_numpy(targets[held])
    losses = [float(F.cross_entropy(logits * float(factor), truth)) for factor in SHARPNESSES]
    return network, float(SHARPNESSES[int(np.argmin(losses))])


def learn_novelty(plan: Plan, clips: Clips) -> Novelty | None:
    """The novelty test by the clips that are no garbage, at most as many as it keeps, and one altered copy of each."""
    is_real = ~clips.facts["garbage"] if "garbage" in clips.facts else np.ones(len(clips), bool)
    rows = np.flatnonzero(is_real)
    real = clips.select(rows[:: max(1, -(-len(rows) // MOST))])
    altered = alter_some(real, 1.0, np.random.default_rng([plan.seed, 2]))
    parts = [keep_loud(part) for these in (real, altered) for part in iterate_inputs(plan.sizes, these)]
    return Novelty.fit(np.concatenate(parts), np.tile(np.arange(len(real)), 2))


def iterate_inputs(sizes: Spectrogram, clips: Clips) -> Iterator[Tensor]:
    """Spectrograms (some, bands, frames) of clips, in order."""
    for part in clips.batches(CHUNK):
        yield sizes.of(part)


def keep_loud(spectrograms: Tensor) -> NDArray[np.float32]:
    """Spectrograms, frame by frame (n, frames, bands), with zero where they are quiet."""
    loud: NDArray[np.float32] = (spectrograms - KEPT).clamp(min=0).mT.contiguous().numpy()
    return loud


def compute_logits(network: Network, spectrograms: Tensor) -> Tensor:
    """Logits (n, classes) of spectrograms (n, bands, frames), computed where the network is."""
    with torch.inference_mode():
        logits: Tensor = network(spectrograms.to(next(network.parameters()).device))[1]
    return logits.cpu()


def _hold_out(targets: NDArray[np.intp], seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows to train on, and one of `HELD_OUT` of each class; all are trained on where that leaves too few."""
    held = []
    for target in np.unique(targets):
        rows = np.random.default_rng([seed, 3, target]).permutation(np.flatnonzero(targets == target))
        held += rows[: len(rows) // HELD_OUT].tolist()
    is_held = np.isin(np.arange(len(targets)), held)
    return np.flatnonzero(~is_held), np.flatnonzero(is_held)
