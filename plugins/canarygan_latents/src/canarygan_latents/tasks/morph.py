"""`morph`: stimuli between two sounds."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from canarygan_core import runs
from canarygan_core.components import Answer
from canarygan_core.errors import UsageError
from canarygan_core.runs import Request
from canarygan_latents.options import Checkpoint, Data, Decoders, Device
from canarygan_latents.stimuli.options import Playback

MOST = 200
"""Steps that a bridge may have."""


def morph(
    *,
    generator_ckpt: Checkpoint,
    from_: Annotated[list[str] | None, Parameter(allow_leading_hyphen=True)] = None,
    to: Annotated[list[str] | None, Parameter(allow_leading_hyphen=True)] = None,
    pairs: Path | None = None,
    n_steps: Annotated[int, Parameter(alias="-n")] = 9,
    steps: Literal["equal", "linear"] = "equal",
    model_ckpt: Annotated[Path | None, Parameter(alias="-m")] = None,
    decoder_ckpt: Decoders = None,
    playback: Playback = Playback(),  # noqa: B008 frozen
    dataset: Data = None,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("stimuli"),
    device: Device = "auto",
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Make bridges from one sound to another, ready to be played, with an order of trials and a scoring sheet.

    An end is a latent (0.1,-0.3,0.8), a row of a file of latents or of an archive (latents.npy:3), a sound file, or
    with decoders a label, whose surest latent is taken. --from and --to may be given again, for further bridges.

    Args:
        from_: Where a bridge begins.
        to: Where it ends.
        pairs: CSV table of bridges, with the columns from and to, instead.
        n_steps: Stimuli of a bridge, both ends among them.
        steps: Equal steps in how the sounds differ (equal), or in the latents (linear).
        model_ckpt: Classifier of train-inception, by whose embedding sounds differ. [default: by their log-mel
            spectrograms]
        save_dir: Folder for the folder playback, key.csv, stimuli.npz, stimuli.png and the manifest.
        seed: Seed of names and order, of the choice of real clips, and of the surest latents.
        overwrite: Replace stimuli that are there.
    """
    from canarygan_latents.opening import open_generator
    from canarygan_latents.stimuli import bridges, judging, measures, points
    from canarygan_latents.stimuli.session import Session

    if not 2 <= n_steps <= MOST:
        raise UsageError(f"--n-steps is {n_steps}: a bridge has 2 to {MOST}, both ends among them.")
    ends = points.pair(from_ or [], to or [], pairs)
    session = Session(save_dir, playback, dataset, seed, overwrite, request)
    opened = open_generator(generator_ckpt, device)
    trained = judging.load(decoder_ckpt, device)
    measure = measures.LOG_MEL if model_ckpt is None else measures.make_embedding(model_ckpt)
    reader = points.Reader(opened, trained, seed)
    read = reader.read_pairs(ends)
    built = bridges.build(opened.generator, read, n_steps, measure, is_equal=steps == "equal")
    told = [bridge.describe(number) for number, bridge in enumerate(built, 1)]
    result = [{"ends": list(pair), **bridge.to_json()} for pair, bridge in zip(ends, built, strict=True)]
    stimuli = bridges.to_stimuli(built, opened.generator, trained)
    inputs = reader.files | ({} if pairs is None else {"pairs": pairs})
    if model_ckpt is not None:
        inputs["classifier"] = runs.find_checkpoint(model_ckpt, best=True)
    answer = session.write(stimuli, opened, trained, inputs, measure=measure.name, bridges=result)
    return Answer("\n".join([*told, answer.text]), answer.data)
