import os

os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np
import pytest
import torch
from canarygan_decoders.features import Features

from canarygan_core.clips import Clips
from canarygan_core.datasets.synthetic import Synthetic

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


@pytest.fixture(scope="session")
def syllables() -> Clips:
    """Four types of synthetic syllable, 12 of each, 0.3 s at 16 kHz."""
    clips = Synthetic(syllables=4, per_class=12).load()
    return Clips(
        np.ascontiguousarray(clips.audio[:, :4800]),
        clips.rate,
        labels=clips.labels,
        sources=clips.sources,
        facts=clips.facts,
    )


@pytest.fixture(scope="session")
def short() -> Features:
    """Features of 0.3 s."""
    return Features(max_length=0.3)
