"""From clips to a trained WaveGAN: choose sizes, build the module, fit it."""

import dataclasses
import logging
from typing import TYPE_CHECKING

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError
from canarygan_core.lightning import checkpoints, trainer
from canarygan_core.lightning.checkpointing import Checkpointing, Schedule
from canarygan_core.lightning.training import Training
from canarygan_wavegan.data import lengths
from canarygan_wavegan.model import Shape, count_operations, count_parameters
from canarygan_wavegan.module import WaveGANModule
from canarygan_wavegan.monitor import create_monitor
from canarygan_wavegan.options import Options

if TYPE_CHECKING:
    from canarygan_core.runs import Run

log = logging.getLogger("canarygan")

WORTHWHILE = 1.2
"""Gain in speed that makes a shorter length worth a hint."""


def train(options: Options, clips: Clips, run: "Run", training: Training) -> None:
    """Train a WaveGAN on clips; see `canarygan_core.Model.train`.

    Raises:
        CanaryganError: if sizes cannot work, or if weights or logged values become NaN.
    """
    module = build_module(options, clips, training)
    log_sizes(module)
    monitor = create_monitor(module, run)
    module.on_log = monitor.check_values
    check, saved = monitor.check_weights, monitor.write_previews
    checkpointing = Checkpointing(
        run, module.schedule, training, updates=lambda: module.updates, check=check, saved=saved
    )
    updates = trainer.fit(module, training, run, checkpointing, strategy=checkpoints.create_strategy(training))
    epochs = module.schedule.epoch(updates)
    run.manifest.add(result={"updates": updates, "epochs": epochs, "samples": module.shape.samples})


def build_module(options: Options, clips: Clips, training: Training) -> WaveGANModule:
    """Choose the sizes and build the module; nothing is written.

    Raises:
        CanaryganError: if there are no clips, or if devices cannot share a batch evenly.
    """
    if len(clips) == 0:
        raise CanaryganError("The dataset holds no clips to train on.")
    if options.balance and clips.labels is None:
        raise CanaryganError("--balance shows every class equally often, and these clips have no labels: leave it out.")
    world = training.devices * training.num_nodes
    if training.batch_size % world:
        raise CanaryganError(
            f"--batch-size {training.batch_size} cannot be shared by {world} devices: take a multiple."
        )
    samples = lengths.choose_length(lengths.compute_shares(clips)) if options.slice_len == "auto" else options.slice_len
    shape = Shape(options.latent_dim, options.dim, samples, options.upsampling, options.batch_norm)
    consumed = (options.critic_updates if options.fresh_batches else 1) * training.batch_size
    schedule = Schedule(max(1, round(len(clips) / consumed)), training.max_epochs)
    return WaveGANModule(options, shape, clips, schedule, training)


def log_sizes(module: WaveGANModule) -> None:
    """Log the sizes of clips, networks and epochs, and how much a better length would save."""
    shape, clips, schedule = module.shape, module.clips, module.schedule
    log.info(
        f"{len(clips)} clips of {clips.samples / clips.rate:g} s at {clips.rate} Hz; "
        f"networks for {shape.samples} samples, d = {shape.dim}, "
        f"{count_parameters(module.generator):,} + {count_parameters(module.critic):,} weights, "
        f"{str(module.arithmetic).removeprefix('torch.')}."
    )
    log.info(
        f"An epoch, the critic's pass over the clips, is {schedule.per_epoch} generator updates of "
        f"{module.options.critic_updates} critic updates each; "
        f"{schedule.updates:,} generator updates in all."
    )
    shares = lengths.compute_shares(clips)
    enough = lengths.choose_length(shares)
    gain = count_operations(shape) / count_operations(dataclasses.replace(shape, samples=enough))
    if gain > WORTHWHILE:
        log.info(
            f"Hint: {enough} samples hold {shares[enough]:.1%} of the sound in these clips; "
            f"--slice-len {enough} (or auto) needs {gain:.1f} times fewer operations an update."
        )
    elif shares[shape.samples] < lengths.ENOUGH:
        log.warning(f"{shape.samples} samples hold only {shares[shape.samples]:.1%} of the sound; the rest is cut off.")
    if cut := lengths.find_cut_classes(clips, shape.samples):
        whose = f"{shape.samples} samples (--slice-len {module.options.slice_len})"
        log.warning(
            "\n  ".join([f"{whose} cut sounds short. Take a longer --slice-len, in samples, for", *map(str, cut)])
        )
