"""Sounds of latents, all of one batch size, so that a sound's bytes do not depend on how many there are."""

import numpy as np
from numpy.typing import NDArray

from canarygan_core import Generator
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted import generators

BATCH = 32
"""Sounds computed at a time."""


def make_sounds(generator: Generator, z: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sounds (n, samples) of latents (n, d).

    Raises:
        CanaryganError: where the model makes samples that are not finite.
    """
    sounds = np.concatenate(list(generators.generate_sounds(generator, z, BATCH)))
    if broken := int((~np.isfinite(sounds)).any(1).sum()):
        what = f"The model makes NaN or infinite samples of {broken} latents"
        raise CanaryganError(f"{what}: take an earlier checkpoint.")
    return sounds
