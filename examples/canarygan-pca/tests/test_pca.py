from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canarygan_core.audio import archives
from canarygan_core.testing import check_cheap_import, check_component, toy_clips

from canarygan_pca import PCA, components, spectrograms

pytest_plugins = ["canarygan_core.testing.fixtures"]


def test_contract() -> None:
    check_component(PCA, iterations=2)
    check_cheap_import("canarygan_pca")


def test_components_are_those_of_a_singular_value_decomposition() -> None:
    levels = np.random.default_rng(0).standard_normal((12, 5, 4)).astype(np.float32)
    fitted, explained = components.fit(levels, 3)
    flat = (levels - levels.mean(0)).reshape(12, -1).astype(np.float64)
    _, values, axes = np.linalg.svd(flat, full_matrices=False)
    aligned = np.abs(np.sum(fitted.axes.reshape(3, -1) * axes[:3], axis=1))
    np.testing.assert_allclose(aligned, 1, atol=1e-4)
    assert explained == pytest.approx(np.sum(values[:3] ** 2) / np.sum(values**2), rel=1e-4)


def test_latents_span_the_scores_of_the_clips() -> None:
    levels = np.random.default_rng(0).standard_normal((12, 5, 4)).astype(np.float32)
    fitted, _ = components.fit(levels, 2)
    scores = (levels - fitted.mean).reshape(12, -1) @ fitted.axes.reshape(2, -1).T
    corners = np.array([[-1, -1], [0, 0], [1, 1]], np.float32)
    made = (components.at(fitted, corners) - fitted.mean).reshape(3, -1) @ fitted.axes.reshape(2, -1).T
    np.testing.assert_allclose(made, [scores.min(0), np.median(scores, axis=0), scores.max(0)], atol=1e-4)


def test_a_spectrogram_goes_back_to_its_sound() -> None:
    sounds = toy_clips(2, samples=3000).audio
    back = spectrograms.inverse(spectrograms.transform(sounds), 3000)
    np.testing.assert_allclose(back, sounds, atol=1e-4)


def test_levels_give_a_sound_that_has_them() -> None:
    wanted = spectrograms.levels(toy_clips(4).audio)
    again = spectrograms.levels(spectrograms.sounds(wanted, 4096, iterations=32))
    loud = wanted > wanted.max() - 2  # within 40 dB of the peak
    assert np.abs(again - wanted)[loud].mean() < 0.1  # 2 dB


def test_from_a_folder_to_sounds_by_the_command_line(canarygan: Callable[..., Any], toy_folder: Path) -> None:
    trained = canarygan("train-gan", "--model", "pca", "-d", toy_folder, "-s", "runs")
    made = canarygan("generate", "-x", "runs", "-n", 10, "-s", "generated")
    held = archives.read(toy_folder.parent / made["path"])
    assert held["x"].shape == (10, 4096)
    assert np.abs(held["x"]).max() <= 1
    before = (toy_folder.parent / trained["checkpoint"]).read_bytes()
    canarygan("train-gan", "--model", "pca", "-d", toy_folder, "-s", "runs", "--resume")
    assert (toy_folder.parent / trained["checkpoint"]).read_bytes() == before
    canarygan("train-gan", "--model", "pca", "-d", toy_folder, "-s", "tried", "--dry-run")
    assert not (toy_folder.parent / "tried").exists()
