"""The real clips beside which the space is shown."""

import logging
from collections.abc import Collection

from canarygan_report.material import find_dataset

from canarygan_core import CanaryganError, Dataset, runs
from canarygan_core.clips import Clips
from canarygan_latents.opening import Opened

log = logging.getLogger("canarygan")


def find_real(dataset: Dataset | None, given: Collection[str], opened: Opened) -> tuple[Clips | None, str]:
    """The clips of a dataset, or else those that the run was trained on; None and a message where they cannot be read.

    Args:
        dataset: what the user chose, or None.
        given: the flags that the user gave.
        opened: the generator.

    Raises:
        CanaryganError: where the chosen dataset cannot be read.
    """
    run = runs.find_by_checkpoint(opened.checkpoint)
    try:
        return find_dataset(dataset, given, run, opened.generator.rate).load(), ""
    except CanaryganError as error:
        if dataset is not None:
            raise
        note = f"Without shares of real clips: {str(error).rstrip('.')}. Give them with -d."
        log.warning(note)
        return None, note
