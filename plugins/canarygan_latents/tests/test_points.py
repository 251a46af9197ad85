"""Ends of bridges, as they are given."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from canarygan_latents.opening import Opened
from canarygan_latents.stimuli.points import Reader

from canarygan_core.errors import CanaryganError


def make_reader(dim: int) -> Reader:
    generator: Any = SimpleNamespace(latent_dim=dim)
    return Reader(Opened(generator, Path("a.ckpt"), "", "0"), [], 0)


def test_a_latent_may_be_longer_than_the_name_of_a_file() -> None:
    wanted = np.random.default_rng(0).uniform(-1, 1, 100).astype(np.float32)
    (point,) = make_reader(100).read([",".join(map(str, wanted.tolist()))])
    np.testing.assert_array_equal(point.latent, wanted)
    assert len(point.name) <= 40


@pytest.mark.parametrize("word", ["a" * 300, "a" * 300 + ".wav", "z.npy:" + "9" * 5000, "a" * 300 + ":1", "a\0.wav"])
def test_a_word_that_is_no_file_is_told(word: str) -> None:
    with pytest.raises(CanaryganError):
        make_reader(3).read([word])
