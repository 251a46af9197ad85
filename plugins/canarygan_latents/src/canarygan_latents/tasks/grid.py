"""`grid`: stimuli at regular places of the latent space."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from canarygan_core.components import Answer
from canarygan_core.errors import UsageError
from canarygan_core.runs import Request
from canarygan_latents.options import Checkpoint, Data, Decoders, Device, Point
from canarygan_latents.stimuli.options import Playback


def grid(
    *,
    generator_ckpt: Checkpoint,
    n_steps: Annotated[int, Parameter(alias="-n")] = 5,
    axis: list[int] | None = None,
    at: Point = None,
    decoder_ckpt: Decoders = None,
    playback: Playback = Playback(),  # noqa: B008 frozen
    dataset: Data = None,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("stimuli"),
    device: Device = "auto",
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Make stimuli on a regular grid of latents, or along one coordinate, with an order of trials and a scoring sheet.

    Each coordinate goes from the least to the greatest value that training drew, or between the numbers that hold 99 %
    of its draws.

    Args:
        n_steps: Points along each coordinate, both ends among them.
        axis: Coordinate that varies, counted from 1; may be given again. One alone is a walk. [default: all]
        save_dir: Folder for the folder playback, key.csv, stimuli.npz, stimuli.png and the manifest.
        seed: Seed of names and order, and of the choice of real clips.
        overwrite: Replace stimuli that are there.
    """
    from canarygan_latents.opening import find_box, open_generator
    from canarygan_latents.stimuli import judging, points, walks
    from canarygan_latents.stimuli.session import Session, Stimuli
    from canarygan_latents.stimuli.sounds import make_sounds

    session = Session(save_dir, playback, dataset, seed, overwrite, request)
    opened = open_generator(generator_ckpt, device)
    trained = judging.load(decoder_ckpt, device)
    low, high = find_box(opened.generator)
    axes = list(range(1, len(low) + 1)) if axis is None else axis
    if at and len(axes) == len(low):
        raise UsageError("--at says where coordinates stay, and all of them vary: name those that do by --axis.")
    reader = points.Reader(opened, trained, seed)
    centre = reader.read([at])[0].latent if at else (low + high) / 2
    latents, places = walks.build_grid(low, high, n_steps, axes, centre)
    sounds = make_sounds(opened.generator, latents)
    labels, posteriors = judging.label(trained, sounds, opened.generator.rate)
    numbers = places + 1
    names = ["-".join(f"z{one}_{place}" for one, place in zip(axes, row, strict=True)) for row in numbers.tolist()]
    columns: dict[str, Any] = {f"step{one}": numbers[:, column].tolist() for column, one in enumerate(axes)}
    stimuli = Stimuli(names, latents, sounds, labels, posteriors, columns, row=n_steps)
    told = ", ".join(f"z{one} from {low[one - 1]:g} to {high[one - 1]:g}" for one in axes)
    answer = session.write(stimuli, opened, trained, reader.files, axes=axes, at=np.asarray(centre, float).tolist())
    return Answer(f"{len(latents)} latents: {told}.\n{answer.text}", answer.data)
