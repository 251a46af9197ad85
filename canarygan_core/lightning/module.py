"""How a `LightningModel` is trained and read back: the module that Lightning runs, built around the network."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips, check_whole, fit_length
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.lightning import checkpoints, trainer
from canarygan_core.lightning.checkpointing import Checkpointing, Schedule
from canarygan_core.lightning.learner import Learner
from canarygan_core.lightning.monitor import PREVIEWED, Monitor
from canarygan_core.lightning.training import Training, uses_bfloat16
from canarygan_core.plugins.options import restore, to_json
from canarygan_core.runs.documents import Format

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule
    from torch import nn

    from canarygan_core.runs import Run

KEY, SCHEMA = "lightning_model", 1
"""The checkpoint's key for what is known of the network, and the version of that record."""

NETWORK = Format(
    "the record of a network",
    {"schema": int, "model": str, "options": dict[str, Any], "samples": int, "rate": int, "per_epoch": int},
    schema=SCHEMA,
    bounds={"samples": (1, 1 << 24), "rate": (1, 10**7), "per_epoch": (1, 1 << 62)},
)

FORMAT = Format("a checkpoint of this system", {"state_dict": dict, "updates": int, KEY: dict})
"""What is read of a checkpoint."""


def train(model: Learner, clips: Clips, run: "Run", training: Training) -> None:
    """Train a model; see `LightningModel.train`."""
    world = training.devices * training.num_nodes
    if len(clips) == 0:
        raise CanaryganError("The dataset holds no clips to train on.")
    if training.batch_size % world:
        shared = f"--batch-size {training.batch_size} cannot be shared by {world} devices"
        raise CanaryganError(f"{shared}: take a multiple.")
    schedule = Schedule(max(1, round(len(clips) / training.batch_size)), training.max_epochs)
    samples = model.choose_samples(clips)
    module: Any = build_module(model, clips, samples, schedule, training)
    monitor = Monitor(
        run,
        clips,
        model.draw_latents(PREVIEWED, np.random.default_rng(training.seed)),
        samples,
        lambda z: decode(model, module.network, z),
        updates=lambda: module.updates,
        weights=module.network.parameters,
        loggers=lambda: module.loggers,
        curves=model.curves,
        advice=model.advice,
    )
    module.on_log = monitor.check_values
    check, saved = monitor.check_weights, monitor.write_previews
    checkpointing = Checkpointing(run, schedule, training, updates=lambda: module.updates, check=check, saved=saved)
    updates = trainer.fit(module, training, run, checkpointing, strategy=checkpoints.create_strategy(training))
    run.manifest.add(result={"updates": updates, "epochs": schedule.epoch(updates), "samples": samples})


def build_module(
    model: Learner, clips: Clips, samples: int, schedule: Schedule, training: Training
) -> "LightningModule":
    """The module around a model's network. Its random numbers depend on the seed and on the update alone."""
    import lightning.pytorch as lightning
    import torch

    class Trained(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.automatic_optimization = False
            self.updates = 0
            self.on_log: Any = lambda values: None
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(training.seed)
                self.network = model.build(samples)

        def configure_optimizers(self) -> Any:
            return model.optimizer(self.network)

        def train_dataloader(self) -> Any:
            share = training.batch_size // self.trainer.world_size
            rows = slice(self.global_rank * share, (self.global_rank + 1) * share)
            return Batches(clips, samples, training, rows, self.updates, schedule.updates)

        def training_step(self, sounds: Any, index: int) -> None:
            draw = torch.Generator().manual_seed(_mix(training.seed, self.updates, self.global_rank))
            optimiser: Any = self.optimizers()
            self.network.train()
            with torch.autocast(self.device.type, torch.bfloat16, enabled=uses_bfloat16(training)):
                values = dict(model.loss(self.network, sounds, draw))
            if "loss" not in values:
                raise CanaryganError(f"{type(model).__name__}.loss must give a loss, not only {', '.join(values)}.")
            optimiser.zero_grad()
            self.manual_backward(values["loss"])
            if self.trainer.world_size > 1:
                checkpoints.average_gradients(list(self.network.parameters()))
            optimiser.step()
            self.updates += 1
            if self.updates == 1 or self.updates % training.log_every_n_steps == 0:
                self.write_row({name: value.detach().float().mean() for name, value in values.items()})

        def write_row(self, values: dict[str, Any]) -> None:
            mean = self.trainer.strategy.reduce(torch.stack(list(values.values())), reduce_op="mean")
            row = dict(zip(values, mean.tolist(), strict=True)) | {"epoch": self.updates / schedule.per_epoch}
            for logger in self.loggers:
                logger.log_metrics(row, step=self.updates)
                logger.save()
            self.on_log(row)

        def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            checkpoint["updates"] = self.updates
            known = {"schema": SCHEMA, "model": model.name, "options": to_json(model), "samples": samples}
            checkpoint[KEY] = known | {"rate": clips.rate, "per_epoch": schedule.per_epoch}

        def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            self.updates = checkpoint["updates"]

    return Trained()


class Batches:
    """The clips of the remaining updates: of each batch, the rows of this process.

    One permutation of the clips follows another, each a function of the seed, so a training that goes on sees what one
    without a stop sees.

    Args:
        clips: to learn from.
        samples: length to pad or cut them to.
        training: says seed and batch.
        rows: of a batch, those of this process.
        start: update to begin at.
        total: updates of the whole training.
    """

    def __init__(self, clips: Clips, samples: int, training: Training, rows: slice, start: int, total: int) -> None:
        self.clips, self.samples, self.training, self.rows = clips, samples, training, rows
        self.updates = range(start, total)

    def __len__(self) -> int:
        return len(self.updates)

    def __iter__(self) -> Iterator[Any]:
        import torch

        for update in self.updates:
            check_whole(self.clips.audio)
            rows = self.list_rows(update)[self.rows]
            yield torch.from_numpy(fit_length(np.asarray(self.clips.audio[rows], np.float32), self.samples).copy())

    def list_rows(self, update: int) -> NDArray[np.intp]:
        """Rows of the clips of an update, for all processes together."""
        size, count = self.training.batch_size, len(self.clips)
        numbers, places = np.divmod(np.arange(update * size, (update + 1) * size), count)
        orders = {
            one: np.random.default_rng([self.training.seed, one]).permutation(count) for one in np.unique(numbers)
        }
        return np.array([orders[number][place] for number, place in zip(numbers, places, strict=True)])


def _mix(*numbers: int) -> int:
    """A seed that differs where one of the numbers does."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def decode(model: Learner, network: Any, z: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sounds (n, samples) of latents (n, latent_dim) by a network as it stands, in float32."""
    import torch

    device, was_training = next(network.parameters()).device, network.training
    network.eval()
    with torch.inference_mode():
        sounds: NDArray[np.float32] = model.decode(network, torch.from_numpy(z).to(device)).float().cpu().numpy()
    network.train(was_training)
    return sounds


class TrainedGenerator:
    """A generator read from a checkpoint; see `canarygan_core.Generator`."""

    def __init__(self, model: Learner, network: Any, record: Mapping[str, Any], updates: int) -> None:
        self.model, self.network = model, network
        self.latent_dim, self.rate, self.samples = model.latent_dim, int(record["rate"]), int(record["samples"])
        self.progress = {"epoch": updates // int(record["per_epoch"]), "step": updates}

    def generate(self, z: NDArray[np.float32]) -> NDArray[np.float32]:
        return decode(self.model, self.network, z)

    def draw_latents(self, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
        return self.model.draw_latents(count, rng)

    def module(self) -> "nn.Module":
        """The network with the model's `decode`: latents (n, latent_dim) to sounds (n, samples), float32."""
        import torch

        class Decoding(torch.nn.Module):
            def __init__(self, model: Learner, network: torch.nn.Module) -> None:
                super().__init__()
                self.model, self.network = model, network

            def forward(self, z: torch.Tensor) -> torch.Tensor:
                return self.model.decode(self.network, z).float()

        return Decoding(self.model, self.network).eval()


def load(cls: type[Learner], path: Path, device: str) -> TrainedGenerator:
    """The generator in a checkpoint of a model; see `LightningModel.load`.

    Raises:
        CanaryganError: where the file is missing, damaged, or of another model or a newer version.
        UsageError: where the device cannot be used.
    """

    saved = checkpoints.read(path)
    record = saved.get(KEY)
    if not isinstance(record, Mapping) or record.get("model") != cls.name:
        of = record.get("model") if isinstance(record, Mapping) else "no such model"
        raise CanaryganError(f"{path} is a checkpoint, but not of {cls.name}: it is of {of}.")
    NETWORK.check(record, path)
    FORMAT.check(saved, path)
    weights = checkpoints.take_weights(path, saved, "network.")
    try:
        model = restore(cls, record["options"])
        network: Any = checkpoints.load_weights(path, lambda: model.build(record["samples"]), weights)
        made = TrainedGenerator(model, network.eval(), record, saved["updates"])
    except (KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise CanaryganError(f"{path} does not hold what a checkpoint of {cls.name} does ({what}).") from None
    try:
        network.to(device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"Cannot use --device {device}: {str(error).splitlines()[0]}") from None
    return made
