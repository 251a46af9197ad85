"""The generator that a task works with, and the part of its latent space that training knew."""

from pathlib import Path

import numpy as np
import pytest
from canarygan_latents.opening import find_box, open_generator

from canarygan_core.errors import CanaryganError


def test_a_folder_of_runs_means_its_last_checkpoint(checkpoint: Path) -> None:
    opened = open_generator(checkpoint.parents[3], "cpu")
    assert opened.checkpoint.samefile(checkpoint)
    assert opened.stem == "version_0-epoch_2-step_10"
    z = np.random.default_rng(0).uniform(-1, 1, (4, 3)).astype(np.float32)
    sounds = opened.generator.generate(z)
    assert sounds.shape == (4, 4096)
    assert sounds.std(1).min() > 0.01
    assert np.corrcoef(sounds).min() < 0.9


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CanaryganError, match="no checkpoint"):
        open_generator(tmp_path / "none.ckpt", "cpu")


class Drawing:
    """A generator of latents with one coordinate of two values and one normal coordinate."""

    latent_dim = 2

    def draw_latents(self, count: int, rng: np.random.Generator) -> np.ndarray:
        return np.column_stack([rng.integers(0, 2, count), rng.normal(0, 2, count)]).astype(np.float32)


def test_the_box_is_what_the_model_says_or_what_holds_its_draws(checkpoint: Path) -> None:
    low, high = find_box(open_generator(checkpoint, "cpu").generator)
    assert (low.tolist(), high.tolist()) == ([-1] * 3, [1] * 3)
    low, high = find_box(Drawing())  # type: ignore[arg-type]
    assert (low[0], high[0]) == (0, 1)
    np.testing.assert_allclose([low[1], high[1]], [-5.15, 5.15], atol=0.5)
