"""What the tests of this plugin share."""

import numpy as np
import pytest

from canarygan_core.clips import Clips


@pytest.fixture
def clips() -> Clips:
    """Tones of 0.1 s in two classes of twelve."""
    rng = np.random.default_rng(0)
    time = np.arange(4096) / 16000
    tones = [np.sin(2 * np.pi * f * time) * (time < 0.1) for f in rng.uniform(500, 4000, 24)]
    return Clips(np.asarray(tones, np.float32), 16000, labels=np.repeat(["a", "b"], 12))
