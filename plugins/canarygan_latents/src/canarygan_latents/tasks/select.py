"""`select`: stimuli that are renditions of a label."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from cyclopts import Parameter

from canarygan_core.components import Answer
from canarygan_core.console import log
from canarygan_core.runs import Request
from canarygan_latents.options import Checkpoint, Data, Device, check_range
from canarygan_latents.stimuli.options import Playback

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 5000
"""Renditions of a label that may be asked for."""

LONGEST = 40
"""Characters of a label in the name of a file."""


def select(
    *,
    generator_ckpt: Checkpoint,
    decoder_ckpt: Annotated[list[Path], Parameter(alias="-y")],
    label: list[str],
    n_renditions: Annotated[int, Parameter(alias="-n")] = 50,
    posterior: float = 0.9,
    syllable: float = 0.6,
    apart: float = 0.01,
    tries: int = 20000,
    playback: Playback = Playback(),  # noqa: B008 frozen
    dataset: Data = None,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("stimuli"),
    device: Device = "auto",
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Make renditions of a label, spread over its region in the latent space, with trials and a scoring sheet.

    Latents are drawn as training drew them. A sound is taken if every decoder is sure of the label, of the sound and
    again of what will be played of it. Four times as many as are asked for are found. Of the half that decoders find
    likest to real syllables of the class, those are chosen that are farthest from each other.

    Args:
        decoder_ckpt: Folder of a trained decoder, or of several, all of which must agree; may be given again.
        label: Label of the sounds; may be given again, for as many of each.
        n_renditions: Sounds of each label.
        posterior: How sure every decoder must be of the label, if the sound is a syllable, 0 to 1.
        syllable: How sure every decoder must be that the sound is a syllable, 0 to 1.
        apart: Least distance between two latents of a label, in sides of the box that training drew from.
        tries: Latents drawn at most.
        save_dir: Folder for the folder playback, key.csv, stimuli.npz, stimuli.png and the manifest.
        seed: Seed of the latents, of names and order, and of the choice of real clips.
        overwrite: Replace stimuli that are there.
    """
    from canarygan_core.fitted import latents
    from canarygan_latents.opening import find_box, open_generator
    from canarygan_latents.stimuli import judging
    from canarygan_latents.stimuli.playback import Rehearsal
    from canarygan_latents.stimuli.renditions import Demands, find_renditions
    from canarygan_latents.stimuli.session import Session, Stimuli
    from canarygan_latents.stimuli.sounds import make_sounds

    _check_options(n_renditions, posterior, syllable, apart, tries)
    session = Session(save_dir, playback, dataset, seed, overwrite, request)
    opened = open_generator(generator_ckpt, device)
    generator, trained = opened.generator, judging.load(decoder_ckpt, device)
    wanted = list(dict.fromkeys(label))
    judging.check_labels(wanted, trained)
    low, high = find_box(generator)

    def draw(count: int, number: int) -> "NDArray[np.float32]":
        return latents.draw_for(generator, count, seed=seed * 1_000_003 + number)

    rehearse = Rehearsal(generator.rate, playback)
    found = find_renditions(
        wanted,
        n_renditions,
        draw,
        generator.generate,
        judging.make_judge(trained, generator.rate),
        Demands(posterior, syllable, apart, tries),
        sides=np.maximum(high - low, 1e-9),
        play=rehearse,
    )
    if refused := rehearse.refusals:
        log.warning(f"{len(refused)} sounds of these labels cannot be played and were left out: {refused[0]}")
    z = np.concatenate([one.latents for one in found])
    labels = [one.label for one in found for _ in one.latents]
    stems = _name(wanted)
    names = [f"{stem}_{number}" for stem in stems for number in range(1, n_renditions + 1)]
    sure = np.concatenate([one.posteriors for one in found])
    stimuli = Stimuli(names, z, make_sounds(generator, z), labels, sure)
    told = [
        f"{one.label}: {len(one.latents)} of {one.found} found in {one.drawn} latents, "
        f"{'' if one.apart is None else f'at least {one.apart:.3f} apart, '}posteriors from {one.posteriors.min():.3f}"
        for one in found
    ]
    facts: list[dict[str, Any]] = [
        {"label": one.label, "found": one.found, "drawn": one.drawn, "apart": one.apart} for one in found
    ]
    answer = session.write(stimuli, opened, trained, labels=facts)
    return Answer("\n".join([*told, answer.text]), answer.data)


def _name(labels: list[str]) -> list[str]:
    """Labels as parts of the names of files, with their number where two would be one."""
    tidy = ["".join(one if one.isalnum() or one in "-_" else "_" for one in label)[:LONGEST] for label in labels]
    is_clear = len({one.casefold() for one in tidy}) == len(tidy)
    return tidy if is_clear else [f"{one}-{number}" for number, one in enumerate(tidy, 1)]


def _check_options(count: int, posterior: float, syllable: float, apart: float, tries: int) -> None:
    """Raise `UsageError` on numbers that make no sense."""
    check_range("n-renditions", count, (1, MOST))
    check_range("tries", tries, (1, 10_000_000))
    for name, number in (("posterior", posterior), ("syllable", syllable), ("apart", apart)):
        check_range(name, number, (0, 1))
