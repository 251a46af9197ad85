"""How far sounds are from each other."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from canarygan_latents.stimuli import measures
from canarygan_latents.stimuli.measures import LOG_MEL, compute_distances, compute_steps
from scipy.spatial.distance import cdist
from stimulus_toys import RATE, Tones

from canarygan_core.errors import CanaryganError


def tone(*latents):
    return Tones().generate(np.array(latents, np.float32)) - np.float32(0.02)


def test_a_louder_sound_is_the_same_and_a_farther_pitch_is_farther():
    sounds = tone((0, 0, 0), (0, 0, 0.8), (0.05, 0, 0), (0.5, 0, 0))
    from_first = compute_distances(LOG_MEL(sounds, RATE))[0]
    assert from_first[1] < 0.01
    assert from_first[1] < from_first[2] < from_first[3]


def test_the_distance_is_the_root_mean_square_difference_in_db():
    first, second = LOG_MEL(tone((0, 0, 0), (0.3, 0.2, 0)), RATE)
    cells = np.sqrt(len(first))
    assert np.ptp(first * cells) == pytest.approx(60, abs=1e-3)
    wanted = np.sqrt(np.mean(np.square((first - second) * cells)))
    assert compute_distances(np.stack([first, second]))[0, 1] == pytest.approx(wanted)


def test_distances_are_those_of_scipy():
    features = np.random.default_rng(0).normal(100, 1, (20, 7))
    np.testing.assert_allclose(compute_distances(features), cdist(features, features), atol=1e-6)
    np.testing.assert_allclose(compute_steps(features), np.diagonal(cdist(features, features), 1))


class Listening:
    """A metric whose listener keeps of clips their loudest and their mean sample, or nothing."""

    def __init__(self, model_ckpt):
        self.model_ckpt = model_ckpt

    def listener(self):
        def keep(clips):
            if self.model_ckpt == Path("none"):
                raise CanaryganError("There is no classifier at none.")
            kept = np.stack([clips.audio.max(1), clips.audio.mean(1)], axis=1)
            return replace(clips, facts={"embedding": kept} if self.model_ckpt == Path("good") else {})

        return keep


def test_the_embedding_is_what_a_metric_of_the_classifier_keeps(monkeypatch):
    monkeypatch.setattr(measures, "get_registry", lambda: SimpleNamespace(get=lambda kind, name: Listening))
    sounds = tone((0, 0, 0), (0, 0, 0.5))
    features = measures.make_embedding(Path("good"))(sounds, RATE)
    np.testing.assert_allclose(features, np.stack([sounds.max(1), sounds.mean(1)], axis=1))
    with pytest.raises(CanaryganError, match=r"bad gives no embeddings\.\nGive a classifier of train-inception"):
        measures.make_embedding(Path("bad"))
    with pytest.raises(CanaryganError, match=r"no classifier at none\.\nGive a classifier of train-inception"):
        measures.make_embedding(Path("none"))
