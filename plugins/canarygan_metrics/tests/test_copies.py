"""Copies of training clips are told from new sounds, under noise too, and a poor generator is no copyist."""

import dataclasses

import numpy as np
import pytest
from canarygan_metrics.scores import copies, levels
from canarygan_metrics.scores.metrics import Memorisation

from canarygan_core.audio.noise import add_noise
from canarygan_core.clips import Clips
from canarygan_core.datasets.synthetic import Synthetic
from canarygan_core.errors import CanaryganError
from canarygan_core.evaluation import accuracy, holding, nulls
from canarygan_core.testing import check_component


@pytest.fixture(scope="module")
def data() -> tuple[Clips, np.ndarray, np.ndarray, np.ndarray]:
    """Syllables of four types; rows to train on, rows held out, and rows that neither side has."""
    clips = Synthetic(syllables=4, per_class=60).load()
    train, rest = accuracy.split(clips.labels, 0.3, 0)
    aside, held = (rest[rows] for rows in accuracy.split(clips.labels[rest], 0.5, 1))
    return clips, train, held, aside


def judge(generated: Clips, data: tuple) -> tuple[dict[str, float], nulls.Comparison]:
    """The scores of generated sounds, and what chance makes of them."""
    clips, train, held, _ = data
    rows = np.sort(np.concatenate([train, held]))
    metric, listen = Memorisation(), Memorisation().listener()
    reference = holding.mark_unseen(listen(clips.select(rows)), np.isin(rows, held))
    sounds = listen(generated)
    scores = metric.score(sounds, reference)
    found = nulls.compare(metric, sounds, reference, scores, resamplings=100, seed=0)
    assert found is not None
    return scores, found


def verdicts(found: nulls.Comparison) -> set[bool]:
    return {one.p <= nulls.LEVEL for one in found.scores.values()}


def noisy(clips: Clips, snr: float) -> Clips:
    rng = np.random.default_rng(0)
    return dataclasses.replace(clips, audio=np.stack([add_noise(one, clips.rate, snr, rng) for one in clips.audio]))


def test_keeps_the_contract() -> None:
    check_component(Memorisation)


@pytest.mark.parametrize("snr", [np.inf, 40.0, 35.0, 30.0, 20.0])
def test_copies_are_found_under_noise(data, snr: float) -> None:
    clips, train, *_ = data
    taken = clips.select(train[::2])
    scores, found = judge(taken if snr == np.inf else noisy(taken, snr), data)
    assert scores["memorised"] > 0.99
    assert scores["copied_low"] > 0.2
    assert scores["training_distance"] < scores["unseen_distance"] / 2
    assert verdicts(found) == {True}
    assert found.scores["memorised"].score > found.scores["memorised"].high
    if snr == np.inf:
        assert (scores["memorised"], scores["copied"], scores["training_distance"]) == (1, 1, 0)


def test_a_few_copies_among_new_sounds_are_found(data) -> None:
    clips, train, _, aside = data
    mixed = clips.select(np.concatenate([train[:24], aside]))
    scores, _ = judge(mixed, data)
    assert scores["copied"] == pytest.approx(24 / len(mixed), abs=0.15)
    assert scores["copied_low"] > 0


def test_new_sounds_of_the_bird_are_no_copies(data) -> None:
    clips, _, _, aside = data
    scores, found = judge(clips.select(aside), data)
    assert verdicts(found) == {False}
    null = found.scores["memorised"]
    assert null.low < scores["memorised"] < null.high
    assert scores["copied_low"] < 0 < scores["copied_high"]


@pytest.mark.parametrize("poor", ["noise", "collapsed", "muffled"])
def test_a_poor_generator_is_not_taken_for_a_copyist(data, poor: str) -> None:
    clips, _, _, aside = data
    rng = np.random.default_rng(3)
    sounds = {
        "noise": rng.standard_normal((80, clips.samples)).astype(np.float32),
        "collapsed": np.repeat(clips.audio[aside[:1]], 80, axis=0),
        "muffled": np.cumsum(clips.audio[aside], axis=1).astype(np.float32),
    }[poor]
    assert verdicts(judge(Clips(sounds, clips.rate), data)[1]) == {False}


def test_where_chance_chose_the_clips_false_alarms_are_as_rare_as_promised(data) -> None:
    """Of 40 choices of unseen clips at a level of 5 %, six or more are outside once in 70 times (binomial)."""
    clips, *_, aside = data
    metric, listen = Memorisation(), Memorisation().listener()
    rows = np.setdiff1d(np.arange(len(clips)), aside)
    sounds, real = listen(clips.select(aside)), listen(clips.select(rows))
    alarms = 0
    for seed in range(40):
        unseen = np.zeros(len(rows), bool)
        unseen[accuracy.split(clips.labels[rows], 0.2, seed)[1]] = True
        reference = holding.mark_unseen(real, unseen)
        scores = metric.score(sounds, reference)
        found = nulls.compare(metric, sounds, reference, scores, resamplings=40, seed=seed)
        alarms += found.scores["memorised"].p <= 0.05
    assert alarms < 6


def test_whole_groups_are_exchanged_where_whole_groups_were_held_out() -> None:
    clips = Synthetic(syllables=2, per_class=30).load()
    groups = np.array([f"rec{row % 6}" for row in range(60)])
    unseen = groups == "rec2"
    reference = holding.mark_unseen(Memorisation().listener()(clips), unseen, groups)
    pairs = Memorisation().resample(reference, reference, np.random.default_rng(0))
    for _, (_, other) in zip(range(10), pairs, strict=False):
        chosen = other.facts["unseen"]
        assert not {*groups[chosen]} & {*groups[~chosen]}


def test_by_hand() -> None:
    nearest = copies.Nearest(np.array([0, 0, 1, 3]), np.array([0.5, 0.3, 0.2, 0.1]), np.ones((4, 2)))
    masks = np.eye(4, dtype=bool)
    found = copies.compare(nearest, masks[3], masks)
    rates = 1.0 / 3, 0.1  # a training clip, an unseen one
    assert found.memorised == pytest.approx(rates[0] / sum(rates))
    assert found.copied == pytest.approx((1.0 - 0.1 * 3) / 4)
    chance = np.array([0.3 - 0.8 * 3, 0.9 - 0.2 * 3, 1.1 - 0.0 * 3, 1.0 - 0.1 * 3]) / 4
    assert found.copied_low == pytest.approx(found.copied - np.percentile(chance, 97.5))
    assert found.copied_high == pytest.approx(min(1.0, found.copied - np.percentile(chance, 2.5)))
    alone = copies.compare(nearest, masks[3])
    assert alone.copied_low == alone.copied == alone.copied_high
    assert (found.training_clips, found.unseen_clips) == (3, 1)


def test_distances_are_root_mean_squares_of_levels() -> None:
    real = np.zeros((3, 5, 40), np.uint8)
    real[:, 1:3] = np.array([100, 150, 200])[:, None, None]  # 10, 15 and 20 dB in two frames, silence in the others
    made = np.full((1, 5, 40), 120, np.uint8)
    found = copies.find_nearest(made, real, np.array([False, False, True]))
    assert found.clip.tolist() == [0]
    np.testing.assert_allclose(found.distance, [[2, 8]])
    np.testing.assert_allclose(found.gap, 1 - 2 / 3)


def test_levels_are_those_of_a_tone_and_the_same_at_any_gain_and_rate() -> None:
    time = np.arange(16000) / 16000
    tone = np.sin(2 * np.pi * 2000 * time).astype(np.float32)
    found = levels.compute_levels(np.stack([tone, 0.01 * tone, 0 * tone]), 16000, 25.0)
    assert found.shape == (3, 63, levels.BANDS)
    assert (found[0, 1:-1].max(1) >= 240).all()
    assert np.ptp(found[:2].astype(int), axis=0).max() <= 1
    assert not found[2].any()
    faster = np.sin(2 * np.pi * 2000 * np.arange(32000) / 32000).astype(np.float32)
    other = levels.compute_levels(faster[None], 32000, 25.0)
    assert np.abs(other[0, 1:-1].astype(int) - found[0, 1:-1]).max() <= 10  # 1 dB


def test_what_cannot_be_compared_is_said() -> None:
    clips = Synthetic(syllables=2, per_class=6).load()
    metric = Memorisation()
    heard = metric.listener()(clips)
    with pytest.raises(CanaryganError, match="needs to know which real clips"):
        metric.score(heard, heard)
    with pytest.raises(CanaryganError, match="All of 12 real clips are unseen"):
        metric.score(heard, holding.mark_unseen(heard, np.ones(12, bool)))
    silent = metric.listener()(dataclasses.replace(clips, audio=np.zeros_like(clips.audio)))
    with pytest.raises(CanaryganError, match="the real clips are silent"):
        metric.score(heard, holding.mark_unseen(silent, np.arange(12) < 3))
    with pytest.raises(CanaryganError, match=r"--memorisation.floor must be 10 to 25.5 dB, not 40"):
        Memorisation(floor=40)
