"""The real clips beside which the space is shown."""

import logging
from collections.abc import Collection, Sequence

from canarygan_report.material import find_dataset

from canarygan_core import CanaryganError, Dataset, runs
from canarygan_core.clips import Clips
from canarygan_core.fitted.decoders import TrainedDecoder
from canarygan_latents.atlas.judging import list_classes
from canarygan_latents.opening import Opened

log = logging.getLogger("canarygan")


def find_real(
    dataset: Dataset | None, given: Collection[str], opened: Opened, trained: Sequence[TrainedDecoder]
) -> tuple[Clips | None, str]:
    """The clips of a dataset, or else those that the run was trained on, None where they cannot be read; and a note.

    The note is empty where there is nothing to tell: the clips are there, and decoders know some of their classes.

    Args:
        dataset: what the user chose, or None.
        given: the flags that the user gave.
        opened: the generator.
        trained: decoders that label its sounds.

    Raises:
        CanaryganError: where the chosen dataset cannot be read.
    """
    run = runs.find_by_checkpoint(opened.checkpoint)
    clips, note = None, ""
    try:
        clips = find_dataset(dataset, given, run, opened.generator.rate).load()
    except CanaryganError as error:
        if dataset is not None:
            raise
        note = f"Without shares of real clips: {str(error).rstrip('.')}. Give them with -d."
    if clips is not None and clips.labels is not None and trained:
        known, classes = list_classes(trained)[:-1], clips.classes
        if not {*known} & {*classes}:
            sides = f"they know {_shorten(known)}, and the clips are of {_shorten(classes)}"
            note = f"The decoders know no class of the real clips: {sides}. Were they trained on another bird?"
    if note:
        log.warning(note)
    return clips, note


def _shorten(classes: Sequence[str]) -> str:
    """The first classes, and how many more there are."""
    return ", ".join(classes[:4]) + (f" and {len(classes) - 4} more" if len(classes) > 4 else "")
