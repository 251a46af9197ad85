"""What a model promises: it trains into a run, goes on with it, and its checkpoints make sounds; see `testing`."""

import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import runs
from canarygan_core.clips import Clips
from canarygan_core.components import Generator, Model, compute_layers
from canarygan_core.errors import CanaryganError
from canarygan_core.lightning.training import Training
from canarygan_core.plugins.options import parse_group, restore, to_json
from canarygan_core.runs import Request
from canarygan_core.testing.stored import check_stored
from canarygan_core.testing.toys import explain, refuses, toy_clips

TRAINING = Training(
    max_epochs=1, batch_size=4, num_workers=0, save_every_n_epochs=1, log_every_n_steps=1, accelerator="cpu"
)
"""As little as shows whether it trains."""

CLOSE = 1e-4
"""How far samples may lie apart that should be equal, as a share of the largest, for arithmetic in other batches."""

ROUNDED = 0.03
"""The same, where one may have computed in bfloat16 and the other in float32."""

REQUEST = Request("train-gan", options={"model": {}})
"""What a checked training was asked for."""


def check(model: Model, folder: Path) -> None:
    """Check a model on toy clips; writes into the folder."""
    clips = toy_clips()
    _check_presets(model)
    _check_refusals(model, folder)
    before = clips.audio.copy()
    sounds, again = (_trained(model, folder / name, clips) for name in ("runs", "again"))
    assert np.array_equal(clips.audio, before), f"{type(model).__name__}.train changes the clips: work on copies."
    message = "learns something else the second time: seed what you draw with training.seed."
    assert sounds.tobytes() == again.tobytes(), f"{type(model).__name__} {message}"
    _goes_on(model, folder / "runs", clips)
    with runs.open_run(folder / "dry", REQUEST) as run:
        model.train(clips, run, training=replace(TRAINING, dry_run=True))
    with suppress(CanaryganError), runs.open_run(folder / "none", REQUEST) as run:
        train = partial(model.train, clips.select(slice(0)), run, training=TRAINING)
        _only_refusal(f"{type(model).__name__}.train", "no clips", train)


def _trained(model: Model, folder: Path, clips: Clips) -> NDArray[np.float32]:
    """Train afresh; the sounds that the last checkpoint makes."""
    name = type(model).__name__
    with runs.open_run(folder, REQUEST) as run:
        model.train(clips, run, training=TRAINING)
    assert run.last.is_file(), f"{name}.train must leave its last checkpoint at run.last, {run.last}."
    paths = run.list_checkpoints()
    assert paths, f"{name}.train must keep checkpoints in {run.checkpoints / 'all'}, named epoch_E-step_S.ckpt."
    check_stored(f"{name}.train", [path for path in run.checkpoints.rglob("*.ckpt") if path.is_file()])
    _check_cut_short(model, run.last)
    generator = type(model).load(run.last)
    for what in ("rate", "latent_dim", "samples"):
        value = getattr(generator, what)
        assert type(value) is int, f"{name}: a generator's {what} must be an int, not {type(value).__name__}."
    assert generator.rate == clips.rate, f"{name}: a generator's rate must be the clips', {clips.rate} Hz."
    progress = generator.progress
    assert progress.keys() >= {"epoch", "step"}, f"{name}: a generator's progress must have epoch and step."
    whole = all(type(progress[count]) is int for count in ("epoch", "step"))
    assert whole, f"{name}: a generator's progress must be ints, not {dict(progress)}."
    named = f"epoch_{progress['epoch']}-step_{progress['step']}.ckpt"
    there = [path.name for path in paths]
    assert named in there, f"{name}: the last checkpoint's progress says {named}, and all/ holds {', '.join(there)}."
    return _sounds(name, generator)


def _sounds(name: str, generator: Generator) -> NDArray[np.float32]:
    """Sounds of a few latents, checked."""
    z = np.random.default_rng(0).uniform(-1, 1, (5, generator.latent_dim)).astype(np.float32)
    before = z.copy()
    sounds = generator.generate(z)
    shape = (5, generator.samples)
    assert sounds.shape == shape, f"{name}: generate must give (n, samples), {shape}, not {sounds.shape}."
    assert sounds.dtype == np.float32, f"{name}: generate must give float32, not {sounds.dtype}."
    assert np.isfinite(sounds).all(), f"{name}: generate gives NaN or infinite samples."
    assert sounds.any(), f"{name}: generate gives silence."
    assert np.array_equal(z, before), f"{name}: generate changes the latents: work on a copy."
    again = generator.generate(z)
    assert sounds.tobytes() == again.tobytes(), f"{name}: equal latents must give equal bytes: seed what you draw."
    alone = generator.generate(z[:1])
    assert alone.shape == (1, generator.samples), f"{name}: generate of one latent gives {alone.shape}."
    near = CLOSE * float(np.abs(sounds).max())
    for row in range(len(z)):
        made = generator.generate(z[row : row + 1])[0]
        same = np.allclose(made, sounds[row], atol=10 * near)
        assert same, f"{name}: a sound depends on the others made with it: let nothing cross from one row to another."
    loudest = float(np.abs(sounds).max())
    assert loudest <= 1 + CLOSE, f"{name}: generate gives samples up to {loudest:g}, beyond full scale, -1 to 1."
    none = refuses(f"{name}.generate of no latents", partial(generator.generate, z[:0]))
    shape = (0, generator.samples)
    assert none is None or none.shape == shape, f"{name}: generate of no latents must be {shape}, not {none.shape}."
    _check_draw(name, generator)
    _check_module(name, generator, z, sounds)
    _check_layers(name, generator, z, sounds)
    return sounds


def _check_draw(name: str, generator: Generator) -> None:
    """Latents that the generator draws itself, where it does, have its size and depend on the seed alone."""
    if not hasattr(generator, "draw_latents"):
        return
    drawn, again = (generator.draw_latents(50, np.random.default_rng(1)) for _ in range(2))
    wanted, given = ((50, generator.latent_dim), np.float32), (drawn.shape, drawn.dtype)
    assert given == wanted, f"{name}: draw_latents must give float32 {wanted[0]}, not {given[1]} {given[0]}."
    assert np.array_equal(drawn, again), f"{name}: draw_latents must draw from the rng that it is given alone."
    low, high = getattr(generator, "latent_range", None) or (-np.inf, np.inf)
    inside = drawn.min() >= low and drawn.max() <= high
    assert inside, f"{name}: draw_latents draws outside of latent_range, {low:g} to {high:g}."


def _check_module(name: str, generator: Generator, z: NDArray[np.float32], sounds: NDArray[np.float32]) -> None:
    """The network that the generator gives, where it does, makes the same sounds and passes gradients."""
    if not hasattr(generator, "module"):
        return
    import torch

    given = torch.from_numpy(z).requires_grad_()
    made = generator.module()(given)
    near = ROUNDED * float(np.abs(sounds).max())
    same = made.shape == sounds.shape and np.allclose(made.detach().numpy(), sounds, atol=near)
    assert same, f"{name}: the network that module() gives must make the sounds of generate."
    if made.requires_grad:
        made.square().sum().backward()
    passes = given.grad is not None and bool(given.grad.abs().sum() > 0)
    assert passes, f"{name}: gradients must pass through the network that module() gives."


def _check_layers(name: str, generator: Generator, z: NDArray[np.float32], sounds: NDArray[np.float32]) -> None:
    """The layers that the generator describes, where it does, make the same sounds."""
    layers = generator.layers() if hasattr(generator, "layers") else None
    if layers is None:
        return
    with explain(ValueError, f"{name}: layers() must give layers that `Generator` names: "):
        made = compute_layers(layers, z)
    same = made.shape == sounds.shape and np.allclose(made, sounds, atol=1e-3)
    assert same, f"{name}: the layers that layers() gives must make the sounds of generate."


def _check_cut_short(model: Model, checkpoint: Path) -> None:
    """A checkpoint that was cut short while it was copied is refused."""
    name, path = type(model).__name__, checkpoint.with_name("cut.ckpt")
    path.write_bytes(checkpoint.read_bytes()[: checkpoint.stat().st_size // 2])
    made = refuses(f"{name}.load of a checkpoint that was cut short", partial(type(model).load, path))
    assert made is None, f"{name}.load takes a checkpoint that was cut short: raise CanaryganError."
    path.unlink()


def _goes_on(model: Model, folder: Path, clips: Clips) -> None:
    """Resume, and find the last checkpoint no older than before."""
    name = type(model).__name__
    before = type(model).load(runs.find(folder).last).progress
    with runs.open_run(folder, REQUEST, resume=True) as run:
        model.train(clips, run, training=replace(TRAINING, max_epochs=2))
    after = type(model).load(run.last).progress
    message = f"{name}.train must go on from run.resume_from: after epoch {before['epoch']} came {after['epoch']}."
    assert all(after[count] >= before[count] for count in ("epoch", "step")), message


def _check_refusals(model: Model, folder: Path) -> None:
    """What is no checkpoint is refused, and never run."""
    name = type(model).__name__
    mark = folder / "mark"
    for what, content in {"junk": b"no checkpoint", "pickle": pickle.dumps(_Trap(mark))}.items():
        path = folder / f"{what}.ckpt"
        path.write_bytes(content)
        with suppress(CanaryganError):
            _only_refusal(f"{name}.load", f"a file that is no checkpoint ({what})", partial(type(model).load, path))
        assert not mark.exists(), f"{name}.load runs code from the file: load tensors alone, with weights_only=True."


def _only_refusal(method: str, what: str, work: Callable[[], Any]) -> None:
    """Do what must be refused; `CanaryganError` passes, anything else is a broken promise."""
    try:
        work()
    except CanaryganError:
        raise
    except Exception as error:
        raise AssertionError(f"{method} must raise CanaryganError on {what}, not {error!r}.") from error
    raise AssertionError(f"{method} must raise CanaryganError on {what}.")


class _Trap:
    """Unpickling it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(os.mkdir, str(self.mark)), ()


def _check_presets(model: Model) -> None:
    """Each preset can be taken: its keys are options, with values of their types that they may have."""
    cls, name = type(model), type(model).__name__
    own, shared = ({field.name for field in fields(each)} for each in (cls, Training))
    stray = sorted(model.preset_purposes.keys() - model.presets.keys())
    assert not stray, f"{name}: preset_purposes tells of {', '.join(stray)}, which is no preset."
    for preset, given in model.presets.items():
        options = {key.replace("-", "_").partition(".")[0]: value for key, value in given.items()}
        for key in options:
            message = f"{name}: preset {preset} sets {key}, which is no option of it or of Training."
            assert key in own | shared, message
        taken = {key: value for key, value in options.items() if key in own}
        with explain(CanaryganError, f"{name}: preset {preset} cannot be taken: "):
            restore(cls, {**to_json(model), **taken})
            parse_group(Training, {key: value for key, value in options.items() if key not in own}, f"preset {preset}")
    for preset in model.preset_data.keys() - model.presets.keys():
        raise AssertionError(f"{type(model).__name__}: preset_data names {preset}, which is no preset of it.")
